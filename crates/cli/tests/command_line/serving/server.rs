//! A server in a process of its own, all that it says, and requests to it.

use std::io::{BufRead as _, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::Value;

use super::{trireme, until};

/// A server that ends when it is dropped.
pub struct Server {
    child: Child,
    said: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
    /// Where it listens.
    pub address: SocketAddr,
}

/// An answer as it came.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub body: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Server {
    /// One that is ready.
    pub fn start(args: &[&str]) -> Self {
        Self::with(serve(args))
    }

    /// The same, with other variables.
    pub fn with(command: Command) -> Self {
        let server = Self::begin(command);
        until("the server is ready", || {
            let said = server.said();
            assert!(!said.contains("trireme: "), "it did not start:\n{said}");
            said.contains("answers at ").then_some(())
        });
        server
    }

    /// One that listens, and may still load its models.
    pub fn begin(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let readers = vec![
            kept(child.stdout.take().unwrap(), &said),
            kept(child.stderr.take().unwrap(), &said),
        ];
        let address = until("the server says where it listens", || {
            let said = said.lock().unwrap();
            assert!(child.try_wait().unwrap().is_none(), "it ended:\n{said}");
            address(&said)
        });
        Self { child, said, readers, address }
    }

    /// All that it wrote so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    pub fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[], "")
    }

    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.ask("POST", path, &[], &body.to_string())
    }

    /// The same, where it may be gone before it answers.
    pub fn try_post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Option<Reply> {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        ask(&agent, self.address, "POST", path, headers, &body.to_string()).ok()
    }

    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        ask(&agent, self.address, method, path, headers, body)
            .unwrap_or_else(|e| panic!("{method} {path}: {e}; it said:\n{}", self.said()))
    }

    pub fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).unwrap()
    }

    /// Asks it to end, as a supervisor does.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends it a signal by its name.
    pub fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        let kill = kill.args(["-s", name]).arg(self.child.id().to_string()).status().unwrap();
        assert!(kill.success());
    }

    /// Its exit code, and all that it ever wrote.
    pub fn ended(mut self) -> (Option<i32>, String) {
        let status = until("the server ends", || self.child.try_wait().unwrap());
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        (status.code(), self.said())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that ended by itself has been judged by what it said.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The command of a server on a port that the system chooses.
pub fn serve(args: &[&str]) -> Command {
    trireme(&[&["serve", "--port", "0", "--threads", "1"], args].concat())
}

/// How much a server may write.
pub trait Room {
    /// The same, whose files grow to so many kilobytes and no more: as on a disk that is full.
    fn with_room(self, kilobytes: u32) -> Command;
}

impl Room for Command {
    fn with_room(self, kilobytes: u32) -> Command {
        let mut shell = Command::new("bash");
        // Whoever writes beyond it is refused, and not killed.
        let limited = format!("trap '' XFSZ; ulimit -f {kilobytes}; exec \"$0\" \"$@\"");
        shell.arg("-c").arg(limited);
        shell.arg(self.get_program()).args(self.get_args());
        shell
    }
}

/// Sends one request.
pub fn ask(
    agent: &ureq::Agent,
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Reply, ureq::Error> {
    let mut request =
        ureq::http::Request::builder().method(method).uri(format!("http://{address}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = agent.run(request.body(body.to_owned())?)?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Reply { status, headers, body: response.body_mut().read_to_string()? })
}

/// Keeps what comes until it ends.
fn kept(output: impl Read + Send + 'static, said: &Arc<Mutex<String>>) -> JoinHandle<()> {
    let said = Arc::clone(said);
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let mut said = said.lock().unwrap();
            said.push_str(&line);
            said.push('\n');
        }
    })
}

/// The address in what a server says of itself, in whichever format.
fn address(said: &str) -> Option<SocketAddr> {
    let at = said.find("127.0.0.1:")?;
    let rest = &said[at..];
    let end = rest.find(|c: char| !(c.is_ascii_digit() || ".:".contains(c)))?;
    rest[..end].parse().ok()
}
