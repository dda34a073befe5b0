//! What a server can be told: by a flag, an environment variable, or a line of its file. One
//! structure is all three, so none can say what another can't.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use trireme_domain::access::Scope;
use trireme_domain::hygiene::Pattern;
use trireme_domain::{Code, Fault};

use crate::args::{Device, Global, Precision};
use crate::redacted::said;
use crate::variables;

/// Options of `trireme serve`. What is not said is as the help says.
#[derive(Args, Serialize, Deserialize, Clone, Default)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Serve {
    /// A TOML file of these options, each by its name; flags and variables win over it
    #[arg(long, env = "TRIREME_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Folder, bundle, URL, or hub id; this and the next seven are flags of every command, and here
    /// for the file
    #[arg(skip)]
    pub model: Option<String>,
    /// Threads that share one forward
    #[arg(skip)]
    pub threads: Option<u16>,
    /// Where to compute
    #[arg(skip)]
    pub device: Option<Device>,
    /// Numbers to compute in
    #[arg(skip)]
    pub precision: Option<Precision>,
    /// Open no socket to load a model
    #[arg(skip)]
    pub offline: Option<bool>,
    /// Token for the hub
    #[arg(skip)]
    pub token: Option<String>,
    /// Address of the hub
    #[arg(skip)]
    pub endpoint: Option<String>,
    /// Folder for downloads
    #[arg(skip)]
    pub cache: Option<PathBuf>,
    /// What requests call the model [default: its own name]
    #[arg(long, env = "TRIREME_NAME", value_name = "NAME")]
    pub name: Option<String>,
    /// Another model, which requests choose by `model` (repeat for more)
    #[arg(
        long = "with",
        value_name = "NAME=MODEL",
        value_delimiter = ',',
        env = "TRIREME_WITH",
        hide_env_values = true
    )]
    pub with: Option<Vec<String>>,
    /// Megabytes that the models' files may take together [default: no limit]
    #[arg(long, env = "TRIREME_MEMORY", value_name = "MB")]
    pub memory: Option<u64>,
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long, env = "TRIREME_HOST", value_name = "ADDRESS")]
    pub host: Option<IpAddr>,
    /// Port to listen on; 0 lets the system choose [default: PORT, else 8080]
    #[arg(long, short, env = "PORT")]
    pub port: Option<u16>,
    /// File of API keys; see `trireme key` [default: whoever reaches the address may ask]
    #[arg(long, env = "TRIREME_KEYS", value_name = "FILE")]
    pub keys: Option<PathBuf>,
    /// Requests a second of each key, or of each address where there are no keys [default: no limit]
    #[arg(long, env = "TRIREME_RATE", value_name = "N")]
    pub rate: Option<f64>,
    /// Requests at once before that counts [default: ten seconds' worth]
    #[arg(long, env = "TRIREME_BURST", value_name = "N")]
    pub burst: Option<f64>,
    /// Web pages that may read answers, by origin, or `*` (repeat for more) [default: all]
    #[arg(long, env = "TRIREME_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    pub origins: Option<Vec<String>>,
    /// Take a caller's address from the last of x-forwarded-for: behind a proxy of your own
    #[arg(long, env = "TRIREME_FORWARDED", num_args = 0..=1, default_missing_value = "true")]
    pub forwarded: Option<bool>,
    /// Seconds until an answer that is not ready is given up [default: 60]
    #[arg(long, env = "TRIREME_TIMEOUT", value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// Texts that may wait; a request that would not fit is refused [default: 512]
    #[arg(long, env = "TRIREME_QUEUE", value_name = "N")]
    pub queue: Option<usize>,
    /// Texts of different requests that run together [default: 32]
    #[arg(long, env = "TRIREME_MAX_BATCH", value_name = "N")]
    pub max_batch: Option<usize>,
    /// Tokens that run together [default: 1024]
    #[arg(long, env = "TRIREME_MAX_BATCH_TOKENS", value_name = "N")]
    pub max_batch_tokens: Option<usize>,
    /// Milliseconds to wait for others to run with [default: 0]
    #[arg(long, env = "TRIREME_MAX_WAIT", value_name = "MS")]
    pub max_wait: Option<u64>,
    /// Megabytes of answers to remember, for each model; 0 remembers none [default: 64]
    #[arg(long, env = "TRIREME_REMEMBER", value_name = "MB")]
    pub remember: Option<usize>,
    /// Texts in one request [default: 256]
    #[arg(long, env = "TRIREME_MAX_TEXTS", value_name = "N")]
    pub max_texts: Option<usize>,
    /// Bytes of one text [default: 131072]
    #[arg(long, env = "TRIREME_MAX_TEXT_BYTES", value_name = "N")]
    pub max_text_bytes: Option<usize>,
    /// Bytes of a request [default: 2097152]
    #[arg(long, env = "TRIREME_MAX_BODY_BYTES", value_name = "N")]
    pub max_body_bytes: Option<usize>,
    /// Connections at once [default: 4096]
    #[arg(long, env = "TRIREME_CONNECTIONS", value_name = "N")]
    pub connections: Option<usize>,
    /// Seconds that a request's head, each piece of its body, and each piece of an answer may be
    /// waited for [default: 30]
    #[arg(long, env = "TRIREME_PATIENCE", value_name = "SECONDS")]
    pub patience: Option<u64>,
    /// Seconds between not being ready and taking no connection, once asked to end [default: 0]
    #[arg(long, env = "TRIREME_NOTICE", value_name = "SECONDS")]
    pub notice: Option<u64>,
    /// Seconds that what is under way may then take [default: 30]
    #[arg(long, env = "TRIREME_GRACE", value_name = "SECONDS")]
    pub grace: Option<u64>,
    /// Take token ids for texts, where a convention has room for them: those of the model's own
    /// tokenizer
    #[arg(long, env = "TRIREME_TOKEN_IDS", num_args = 0..=1, default_missing_value = "true")]
    pub token_ids: Option<bool>,
    /// Folder for jobs, which then outlive this process [default: jobs are not taken]
    #[arg(long, env = "TRIREME_STATE", value_name = "FOLDER")]
    pub state: Option<PathBuf>,
    /// PostgreSQL for jobs, which several servers then share
    #[arg(long, env = "TRIREME_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Jobs that are worked on at once; 0 leaves them to other servers [default: 2]
    #[arg(long, env = "TRIREME_JOB_WORKERS", value_name = "N")]
    pub job_workers: Option<usize>,
    /// Texts of one job [default: 100000]
    #[arg(long, env = "TRIREME_MAX_JOB_TEXTS", value_name = "N")]
    pub max_job_texts: Option<usize>,
    /// Bytes of a request that brings one [default: 33554432]
    #[arg(long, env = "TRIREME_MAX_JOB_BYTES", value_name = "N")]
    pub max_job_bytes: Option<usize>,
    /// Jobs of one tenant that are not over [default: 100]
    #[arg(long, env = "TRIREME_MAX_JOBS", value_name = "N")]
    pub max_jobs: Option<usize>,
    /// Hours that a job may take, and is kept once it is over [default: 24]
    #[arg(long, env = "TRIREME_KEEP_JOBS", value_name = "HOURS")]
    pub keep_jobs: Option<u64>,
    /// Seconds after which a job whose server fell silent is another's [default: 30]
    #[arg(long, env = "TRIREME_JOB_LEASE", value_name = "SECONDS")]
    pub job_lease: Option<u64>,
    /// Hosts that may be told of a job's end (repeat for more) [default: none]
    #[arg(long, env = "TRIREME_WEBHOOK_HOSTS", value_name = "HOST", value_delimiter = ',')]
    pub webhook_hosts: Option<Vec<String>>,
    /// What those notices are signed with
    #[arg(long, env = "TRIREME_WEBHOOK_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub webhook_secret: Option<String>,
    /// Keep a record of each prediction, by its id, where jobs are kept
    #[arg(long, env = "TRIREME_PREDICTIONS", num_args = 0..=1, default_missing_value = "true")]
    pub predictions: Option<bool>,
    /// Days that a record is kept [default: 30]
    #[arg(long, env = "TRIREME_KEEP_PREDICTIONS", value_name = "DAYS")]
    pub keep_predictions: Option<u64>,
    /// Keep texts in records, too [default: their length and a digest]
    #[arg(long, env = "TRIREME_PREDICTION_TEXTS", num_args = 0..=1, default_missing_value = "true")]
    pub prediction_texts: Option<bool>,
    /// Folder for files of records, a line of JSON each [default: none]
    #[arg(long, env = "TRIREME_PREDICTION_LOG", value_name = "FOLDER")]
    pub prediction_log: Option<PathBuf>,
    /// Megabytes of one of these files [default: 64]
    #[arg(long, env = "TRIREME_PREDICTION_LOG_MB", value_name = "MB")]
    pub prediction_log_mb: Option<u64>,
    /// Folder of copies of the state, whose manifests hear of records that are deleted
    #[arg(long, env = "TRIREME_BACKUPS", value_name = "FOLDER")]
    pub backups: Option<PathBuf>,
    /// Digits of a score that are told [default: all]
    #[arg(long, env = "TRIREME_ROUND", value_name = "N")]
    pub round: Option<u8>,
    /// Take markup out of texts
    #[arg(long, env = "TRIREME_STRIP_MARKUP", num_args = 0..=1, default_missing_value = "true")]
    pub strip_markup: Option<bool>,
    /// Make one space of many in texts
    #[arg(long, env = "TRIREME_COLLAPSE_SPACE", num_args = 0..=1, default_missing_value = "true")]
    pub collapse_space: Option<bool>,
    /// Refuse texts with control characters
    #[arg(long, env = "TRIREME_REFUSE_CONTROL", num_args = 0..=1, default_missing_value = "true")]
    pub refuse_control: Option<bool>,
    /// Characters of one text [default: no limit but its bytes]
    #[arg(long, env = "TRIREME_MAX_CHARS", value_name = "N")]
    pub max_chars: Option<usize>,
    /// Patterns of texts that are refused, each with its name; in the file alone
    #[arg(skip)]
    pub deny: Option<Vec<Pattern>>,
    /// What is logged: error, warn, info, debug, trace, or by module [default: info]
    #[arg(long, env = "TRIREME_LOG", value_name = "LEVEL")]
    pub log: Option<String>,
    /// Collector of spans, as OpenTelemetry's HTTP sends them [default: none]
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL", hide_env_values = true)]
    pub traces: Option<String>,
    /// Share of requests that are traced where the caller does not say [default: 1]
    #[arg(long, env = "TRIREME_TRACE_SHARE", value_name = "0..1")]
    pub trace_share: Option<f64>,
    /// How it is logged [default: human]
    #[arg(long, env = "TRIREME_LOG_FORMAT")]
    pub log_format: Option<Format>,
}

/// How the log is written.
#[derive(ValueEnum, Serialize, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Lines for people
    Human,
    /// An object a line
    Json,
}

#[derive(Subcommand)]
pub enum Config {
    /// Read the options and say whether they make sense
    Check(Box<Serve>),
    /// Print what a server would be started with
    Show(Box<Serve>),
}

/// Where a server keeps its jobs.
#[derive(Args)]
pub struct Place {
    /// The folder
    #[arg(long, env = "TRIREME_STATE", value_name = "FOLDER")]
    pub state: Option<PathBuf>,
    /// The PostgreSQL
    #[arg(long, env = "TRIREME_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
}

#[derive(Subcommand)]
pub enum Keep {
    /// Read all of it and say whether it is sound
    Check(Place),
    /// Write a copy of it into a file, while servers use it or not
    Backup {
        /// The file, which must not be there yet
        file: PathBuf,
        #[command(flatten)]
        place: Place,
    },
    /// Bring a copy back, into a folder where nothing is kept yet
    Restore {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        place: Place,
    },
    /// List the notices of jobs' ends that were given up
    Notices {
        /// Have them sent again, by the servers that use it
        #[arg(long)]
        resend: bool,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Args)]
pub struct NewKey {
    /// What the key is called in logs
    pub name: String,
    /// Whose it is; keys of one tenant share a rate [default: the name]
    #[arg(long)]
    pub tenant: Option<String>,
    /// What it may do
    #[arg(long, value_delimiter = ',', default_value = "infer", value_parser = scope)]
    pub scopes: Vec<Scope>,
    /// Requests a second
    #[arg(long)]
    pub rate: Option<f64>,
}

fn scope(name: &str) -> Result<Scope, String> {
    serde_json::from_value(name.into()).map_err(|_| "say infer, admin or metrics".to_owned())
}

impl Serve {
    /// What `trireme serve` alone would be, variables included.
    pub fn alone() -> Box<Self> {
        #[derive(Parser)]
        struct Alone {
            #[command(flatten)]
            serve: Serve,
        }
        let Alone { serve } = variables::parse(["trireme".into()]);
        Box::new(serve)
    }

    /// With what flags of every command say, and what the file says where flags and variables say
    /// nothing.
    pub fn whole(self, global: &Global) -> Result<Self, Fault> {
        let Global { model, threads, device, precision, offline, token, endpoint, cache, .. } =
            global.clone();
        Self { model, threads, device, precision, offline, token, endpoint, cache, ..self }
            .with_file()
    }

    /// What options of every command come to.
    pub fn global(&self, global: &Global) -> Global {
        let Self { model, threads, device, precision, offline, token, endpoint, cache, .. } =
            self.clone();
        let global = global.clone();
        Global { model, threads, device, precision, offline, token, endpoint, cache, ..global }
    }

    fn with_file(self) -> Result<Self, Fault> {
        let Some(path) = self.config.clone() else { return Ok(self) };
        let said = fields(&self)?;
        let mut all = fields(&Self::read(&path)?)?;
        all.extend(said.into_iter().filter(|(_, value)| !value.is_null()));
        let whole: Self = serde_json::from_value(all.into()).map_err(|e| broken(&e))?;
        Ok(Self { config: Some(path), ..whole })
    }

    fn read(path: &Path) -> Result<Self, Fault> {
        let name = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|e| Fault::new(Code::Unreadable, format!("could not read {name}: {e}")))?;
        // The parser quotes the line, which may hold a secret or a model's address.
        toml::from_str(&text).map_err(|e| {
            let lines: Vec<String> = e.to_string().trim().lines().map(unsaid).collect();
            Fault::new(Code::InvalidData, format!("{name}: {}", said(&lines.join("\n"))))
        })
    }

    /// As lines of a file.
    pub fn to_toml(&self) -> Result<String, Fault> {
        toml::to_string(self).map_err(|e| Fault::new(Code::Internal, e.to_string()))
    }
}

/// How options end that are secrets as a whole, also where they are misspelt.
const SECRETS: [&str; 3] = ["token", "secret", "key"];

/// A line of a file without what it says, where that is a secret.
fn unsaid(line: &str) -> String {
    let secret = |key: &str| SECRETS.iter().any(|secret| key.to_lowercase().ends_with(secret));
    match line.split_once('=') {
        Some((key, _)) if secret(key.trim_end_matches([' ', '\t', '"', '\''])) => {
            format!("{key}= …")
        }
        _ => line.to_owned(),
    }
}

fn fields(options: &Serve) -> Result<serde_json::Map<String, serde_json::Value>, Fault> {
    match serde_json::to_value(options).map_err(|e| broken(&e))? {
        serde_json::Value::Object(fields) => Ok(fields),
        _ => Err(Fault::new(Code::Internal, "options are no object")),
    }
}

fn broken(error: &serde_json::Error) -> Fault {
    Fault::new(Code::Internal, error.to_string())
}
