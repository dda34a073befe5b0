//! Our hosts, as they are deployed: each answers HTTP.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use trireme_tests::workerd::Workerd;
use trireme_tests::{Process, built_host, repo_root, target_dir};

use crate::error::{Error, Result};

/// A host with a model; it ends when it is dropped.
pub struct Host {
    base: String,
    agent: ureq::Agent,
    process: Process,
    _folder: Option<TempDir>,
}

/// Where a model runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `trireme serve`.
    Native,
    /// Cloudflare's runtime, with the memory that Cloudflare gives.
    Workerd,
    /// The same with as much memory as there is: nothing that Cloudflare would run.
    WorkerdPastItsLimit,
    /// wasmtime, as Spin uses it.
    Wasmtime,
    /// The package in a page.
    Chromium,
}

impl Place {
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Workerd => "workerd",
            Self::WorkerdPastItsLimit => "workerd, past its limit",
            Self::Wasmtime => "wasmtime",
            Self::Chromium => "Chromium",
        }
    }

    /// Starts it with a model's folder, or the default model; it may load that with the first
    /// request.
    pub fn start(self, model: Option<&Path>, precision: &str) -> Result<Host> {
        let failed = |error: std::io::Error| Error::Host(format!("{}: {error}", self.name()));
        let (process, base) = match self {
            Self::Native => native(model, precision, &[]),
            Self::Wasmtime => Process::start(&mut wasmtime(model, precision)),
            Self::Chromium => chromium(model, precision),
            Self::Workerd | Self::WorkerdPastItsLimit => {
                let folder = TempDir::new().map_err(failed)?;
                let deployable = self == Self::Workerd;
                let workerd = Workerd { model, precision, deployable, ..Workerd::default() };
                let (process, base) = workerd.start_in(folder.path()).map_err(failed)?;
                return Ok(Host::new(process, base, Some(folder)));
            }
        }
        .map_err(failed)?;
        Ok(Host::new(process, base, None))
    }
}

fn native(
    model: Option<&Path>,
    precision: &str,
    more: &[&str],
) -> std::io::Result<(Process, String)> {
    // It says on standard error where it answers.
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" \"$@\" 2>&1"]).arg(target_dir().join("release/trireme"));
    command.args([
        "serve",
        "--offline",
        "--port",
        "0",
        "--remember",
        "0",
        "--precision",
        precision,
    ]);
    if let Some(model) = model {
        command.arg("--model").arg(model);
    }
    command.args(more);
    Process::until(&mut command, |line| {
        let (_, rest) = line.split_once("answers at ")?;
        rest.split_whitespace().next().map(str::to_owned)
    })
}

fn wasmtime(model: Option<&Path>, precision: &str) -> Command {
    let mut command = Command::new(target_dir().join("debug/trireme-spin-host"));
    command.arg(built_host("spin").join("trireme_spin.wasm"));
    command.arg("--env").arg(format!("TRIREME_PRECISION={precision}"));
    if let Some((folder, name)) = model.and_then(|m| m.parent().zip(m.file_name())) {
        command.arg("--mount").arg(format!("{}::/models", folder.display()));
        command.arg("--env").arg(format!("TRIREME_MODEL=/models/{}", name.display()));
    }
    command
}

fn chromium(model: Option<&Path>, precision: &str) -> std::io::Result<(Process, String)> {
    let mut command = Command::new("node");
    command.arg(repo_root().join("tests/browser/bridge.mjs"));
    command.arg("--web").arg(built_host("web")).args(["--root", "/"]);
    let (process, bridge) = Process::start(&mut command)?;
    let path = model.map_or_else(|| "/default".to_owned(), |path| path.display().to_string());
    Ok((process, format!("{bridge}/@{precision}{path}")))
}

impl Host {
    /// A program that answers at `base`.
    pub fn new(process: Process, base: String, folder: Option<TempDir>) -> Self {
        // A host may hang up on a connection that rested while others were measured.
        let agent = ureq::Agent::config_builder().max_idle_connections(0).build().into();
        Self { base, agent, process, _folder: folder }
    }

    /// The time to vectors for so many texts of so many tokens each, tokenizer and wire among it.
    /// Eight numbers of each vector come back: more would measure how they are printed.
    pub fn embed(&self, texts: usize, length: usize) -> Result<Duration> {
        // A frequent word, and two special tokens.
        let text = vec!["sea"; length - 2].join(" ");
        let request = json!({ "texts": vec![text; texts], "dimensions": 8 }).to_string();
        let start = Instant::now();
        let answer = self.read(self.agent.post(self.at("/encode")).send(request))?;
        let time = start.elapsed();
        let answer: Value = serde_json::from_str(&answer)
            .map_err(|error| Error::Host(format!("{}: {error}", self.base)))?;
        if answer["tokens"] == texts * length {
            return Ok(time);
        }
        Err(Error::Host(format!("{} looked at other tokens: {}", self.base, answer["tokens"])))
    }

    /// A server of one worker that keeps jobs in a file.
    pub fn keeping(model: &Path, precision: &str, threads: usize) -> Result<Self> {
        let failed = |error: std::io::Error| Error::Host(format!("native: {error}"));
        let folder = TempDir::new().map_err(failed)?;
        let (threads, state) = (threads.to_string(), folder.path().display().to_string());
        let more = ["--threads", &threads, "--state", &state, "--job-workers", "1"];
        let (process, base) = native(Some(model), precision, &more).map_err(failed)?;
        Ok(Self::new(process, base, Some(folder)))
    }

    /// The time that a job of vectors takes, from when it is taken up until it is over.
    pub fn job(&self, texts: &[String]) -> Result<Duration> {
        let request = json!({"kind": "embed", "texts": texts}).to_string();
        let said = |text: String| {
            serde_json::from_str::<Value>(&text)
                .map_err(|error| Error::Host(format!("{}: {error}: {text}", self.base)))
        };
        let taken = said(self.read(self.agent.post(self.at("/jobs")).send(request))?)?;
        let id = taken["job_id"].as_str().unwrap_or_default().to_owned();
        loop {
            let job = said(self.get(&format!("/jobs/{id}?limit=1"))?)?;
            match (job["status"].as_str(), job["processing_time"].as_f64()) {
                (Some("processing"), _) => std::thread::sleep(Duration::from_millis(50)),
                (Some("completed"), Some(seconds)) => return Ok(Duration::from_secs_f64(seconds)),
                _ => return Err(Error::Host(format!("{}: {job}", self.base))),
            }
        }
    }

    /// What it answers to a question.
    pub fn get(&self, path: &str) -> Result<String> {
        self.read(self.agent.get(self.at(path)).call())
    }

    /// The system's number for its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn read(
        &self,
        answer: std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<String> {
        let text = answer.and_then(|mut answer| answer.body_mut().read_to_string());
        text.map_err(|error| Error::Host(format!("{}: {error}", self.base)))
    }
}

/// Bytes that Linux says a process has in memory (`VmRSS:`), or had at most (`VmHWM:`).
pub fn resident(process: u32, line: &str) -> Result<f64> {
    let path = PathBuf::from(format!("/proc/{process}/status"));
    let text = std::fs::read_to_string(&path).map_err(Error::file(&path))?;
    let rest = text.lines().find_map(|all| all.strip_prefix(line)).unwrap_or_default();
    let number = rest.split_whitespace().next().and_then(|number| number.parse::<f64>().ok());
    let unknown = || Error::Host(format!("{} says nothing of {line}", path.display()));
    Ok(number.ok_or_else(unknown)? * 1024.0)
}
