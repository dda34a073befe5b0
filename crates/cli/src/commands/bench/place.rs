//! Where answers come from while they are timed.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};
use trireme_domain::{Code, Fault};
use trireme_server::ModelSettings;
use trireme_service::Answer;

use super::turn::{TOGETHER, Turn, Work};
use crate::args::Global;

/// A request that takes longer is given up.
const PATIENCE: Duration = Duration::from_secs(60);

pub enum Place {
    Process(Process),
    Url(Endpoint),
}

impl Place {
    pub fn turn(&mut self, work: &Work) -> Result<Turn, Fault> {
        match self {
            Self::Process(process) => process.turn(work),
            Self::Url(endpoint) => endpoint.turn(work),
        }
    }
}

/// This program once more, for its memory to be of one model only.
pub struct Process {
    child: Child,
    asks: ChildStdin,
    says: BufReader<ChildStdout>,
}

fn broken(error: &dyn std::fmt::Display) -> Fault {
    let message = format!("a process that answers to be measured is gone: {error}");
    Fault::new(Code::Internal, message)
}

impl Process {
    /// Starts one with these settings. What may be secret is no argument, which others see.
    pub fn start(global: &Global, settings: &ModelSettings) -> Result<Self, Fault> {
        let program = std::env::current_exe().map_err(|e| broken(&e))?;
        let mut command = Command::new(program);
        command
            .args(["bench", "--turns", "--threads", &settings.threads.to_string()])
            .env("TRIREME_MODEL", settings.model.as_deref().unwrap_or_default())
            .env("TRIREME_LANE", settings.lane.as_deref().unwrap_or_default())
            .env("HF_HUB_OFFLINE", if settings.offline { "1" } else { "0" })
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some(precision) = settings.precision {
            command.args(["--precision", precision.name()]);
        }
        if let Some(token) = &global.token {
            command.env("HF_TOKEN", token);
        }
        if let Some(endpoint) = &global.endpoint {
            command.env("HF_ENDPOINT", endpoint);
        }
        if let Some(cache) = &global.cache {
            command.env("TRIREME_CACHE", cache);
        }
        let mut child = command.spawn().map_err(|e| broken(&e))?;
        let (Some(asks), Some(says)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(broken(&"it has no pipes"));
        };
        Ok(Self { child, asks, says: BufReader::new(says) })
    }

    fn turn(&mut self, work: &Work) -> Result<Turn, Fault> {
        serde_json::to_writer(&mut self.asks, work).map_err(|e| broken(&e))?;
        self.asks.write_all(b"\n").and_then(|()| self.asks.flush()).map_err(|e| broken(&e))?;
        let mut line = String::new();
        self.says.read_line(&mut line).map_err(|e| broken(&e))?;
        // It says on standard error what is wrong, which is ours.
        serde_json::from_str(&line).map_err(|_| broken(&"it gave up"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A server of the same contract: another machine, an edge.
pub struct Endpoint {
    url: String,
    agent: ureq::Agent,
}

/// What is read of an answer with vectors.
#[derive(Deserialize)]
struct Encoded {
    embeddings: Vec<Vec<f32>>,
    tokens: usize,
}

impl Endpoint {
    pub fn new(url: &str) -> Self {
        let config = ureq::Agent::config_builder()
            // The way there is part of what is measured; the environment's proxy is for downloads.
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false);
        let agent = config.build().into();
        Self { url: url.trim_end_matches('/').to_owned(), agent }
    }

    fn post(&self, route: &str, body: &Value) -> Result<Vec<u8>, Fault> {
        let url = format!("{}{route}", self.url);
        let failed =
            |why: &dyn std::fmt::Display| Fault::new(Code::Unreadable, format!("{url}: {why}"));
        let request = self
            .agent
            .post(&url)
            .header("content-type", "application/json")
            // What is measured is the model, not what a server remembers.
            .header("cache-control", "no-store");
        let mut answer = request.send(body.to_string()).map_err(|e| failed(&e))?;
        let status = answer.status();
        let body = answer.body_mut().read_to_vec().map_err(|e| failed(&e))?;
        match status.is_success() {
            true => Ok(body),
            false => Err(failed(&format!("{status}: {}", String::from_utf8_lossy(&body)))),
        }
    }

    fn encode(&self, texts: &[String]) -> Result<Encoded, Fault> {
        let body = self.post("/encode", &json!({ "texts": texts }))?;
        let wrong = |why: &dyn std::fmt::Display| {
            Fault::new(Code::Unreadable, format!("{}/encode answers no vectors: {why}", self.url))
        };
        let encoded: Encoded = serde_json::from_slice(&body).map_err(|e| wrong(&e))?;
        match (encoded.embeddings.len(), texts.len()) {
            (got, asked) if got != asked => Err(wrong(&format!("{got} for {asked} texts"))),
            _ => Ok(encoded),
        }
    }

    /// The vectors of texts.
    pub fn vectors(&self, texts: &[String]) -> Result<Vec<Answer>, Fault> {
        let mut answers = Vec::with_capacity(texts.len());
        for texts in texts.chunks(TOGETHER) {
            let vectors = self.encode(texts)?.embeddings.into_iter();
            answers.extend(vectors.map(|values| Answer {
                values,
                tokens: 0,
                dropped: 0,
                id: None,
            }));
        }
        Ok(answers)
    }

    fn turn(&self, work: &Work) -> Result<Turn, Fault> {
        let mut alone = Vec::with_capacity(work.alone.len());
        for (text, _) in &work.alone {
            let started = Instant::now();
            self.encode(std::slice::from_ref(text))?;
            alone.push(started.elapsed().as_secs_f64() * 1e3);
        }
        let texts: Vec<String> = work.together.iter().map(|(text, _)| text.clone()).collect();
        let started = Instant::now();
        let tokens = self.encode(&texts)?.tokens;
        let together = started.elapsed().as_secs_f64();
        Ok(Turn { alone, together, texts: texts.len(), tokens, memory: None })
    }
}
