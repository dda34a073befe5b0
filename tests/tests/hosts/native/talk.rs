//! HTTP by hand, for requests that no polite client sends and headers that others hide.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::host::Host;

/// What never comes does not come in this time.
const PATIENCE: Duration = Duration::from_secs(60);

/// One connection.
pub struct Talk {
    stream: TcpStream,
    /// What came and was not looked at yet.
    came: Vec<u8>,
}

/// An answer as it came.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.head.lines().filter_map(move |line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The code of a fault of ours.
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Talk {
    pub fn to(host: &Host) -> Self {
        let stream = host.connect();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream, came: Vec::new() }
    }

    /// Sends bytes; a host that hung up is found out by reading.
    pub fn say(&mut self, bytes: impl AsRef<[u8]>) {
        let _hung_up = self.stream.write_all(bytes.as_ref());
    }

    /// The next answer; nothing where the host only hangs up.
    pub fn hear(&mut self) -> Option<Reply> {
        let end = loop {
            match self.came.windows(4).position(|window| window == b"\r\n\r\n") {
                Some(end) => break end,
                None if self.more() == 0 => return self.silence(),
                None => {}
            }
        };
        let head = String::from_utf8(self.came.drain(..end + 4).collect()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut reply = Reply { status, head, body: String::new() };
        let length = reply.header("content-length").map_or(0, |length| length.parse().unwrap());
        while self.came.len() < length {
            assert!(self.more() > 0, "an answer broke off: {reply:?}");
        }
        reply.body = String::from_utf8(self.came.drain(..length).collect()).unwrap();
        Some(reply)
    }

    fn silence(&self) -> Option<Reply> {
        let came = String::from_utf8_lossy(&self.came);
        assert!(came.is_empty(), "an answer broke off: {came}");
        None
    }

    /// Whether anything comes, or the host hangs up, within a moment.
    pub fn stirs(&mut self, moment: Duration) -> bool {
        self.stream.set_read_timeout(Some(moment)).unwrap();
        let mut bytes = [0; 1024];
        let stirs = match self.stream.read(&mut bytes) {
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => false,
            Err(_) => true,
            Ok(read) => {
                self.came.extend(&bytes[..read]);
                true
            }
        };
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stirs
    }

    /// How many bytes came; none where the host hung up.
    fn more(&mut self) -> usize {
        let mut bytes = [0; 4096];
        let read = match self.stream.read(&mut bytes) {
            Ok(read) => read,
            Err(e) if e.kind() == ErrorKind::ConnectionReset => 0,
            Err(e) => panic!("the host neither answers nor hangs up: {e}"),
        };
        self.came.extend(&bytes[..read]);
        read
    }
}

/// A whole request.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    [request.as_bytes(), body].concat()
}

/// The answer to a request of one's own.
pub fn ask(host: &Host, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let mut talk = Talk::to(host);
    talk.say(request(method, path, headers, body));
    talk.hear().unwrap_or_else(|| panic!("{method} {path}: no answer"))
}
