//! A host under test: whatever it is, it answers HTTP on a port of its own.

use std::any::Any;
use std::net::TcpStream;
use std::process::Command;

use serde_json::Value;
use trireme_tests::Process;

/// A host that stops when it is dropped.
pub struct Host {
    /// What it is called in a report.
    pub name: &'static str,
    base: String,
    /// What keeps it alive; several hosts may share one process.
    _life: Box<dyn Any + Send + Sync>,
}

impl Host {
    /// A host at `base`, which lives as long as `life`.
    pub fn new(name: &'static str, base: impl Into<String>, life: impl Any + Send + Sync) -> Self {
        Self { name, base: base.into(), _life: Box::new(life) }
    }

    /// Starts a program that prints `listening on URL`.
    pub fn start(name: &'static str, command: &mut Command) -> Self {
        let (process, base) = Process::start(command).unwrap();
        Self::new(name, base, process)
    }

    /// Sends a request and reads the answer as JSON.
    pub fn send(&self, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
        let (status, text) = self.text(method, path, body);
        let json = serde_json::from_str(&text);
        (status, json.unwrap_or_else(|e| panic!("{}: {e} in {status} {text:?}", self.name)))
    }

    /// Sends a request and reads the answer as it is.
    pub fn text(&self, method: &str, path: &str, body: &[u8]) -> (u16, String) {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .body(body)
            .unwrap();
        let mut response =
            agent.run(request).unwrap_or_else(|e| panic!("{} {method} {path}: {e}", self.name));
        let text = response.body_mut().with_config().limit(64 << 20).read_to_string().unwrap();
        (response.status().as_u16(), text)
    }

    /// A connection, for requests that no polite client sends.
    pub fn connect(&self) -> TcpStream {
        TcpStream::connect(self.base.trim_start_matches("http://")).unwrap()
    }

    /// Where it answers.
    pub fn base(&self) -> &str {
        &self.base
    }

    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send("POST", path, body.to_string().as_bytes())
    }

    pub fn get(&self, path: &str) -> (u16, Value) {
        self.send("GET", path, b"")
    }
}
