//! HTTP by hand, for tests that must see what clients and servers keep to themselves.

use std::io::BufRead;

/// A request or an answer, as it came.
pub struct Message {
    head: String,
    pub body: Vec<u8>,
}

impl Message {
    /// The next on a connection; nothing, where the other side hung up before it began.
    pub fn read(stream: &mut impl BufRead) -> Option<Self> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            match stream.read_line(&mut head) {
                Ok(0) | Err(_) if head.is_empty() => return None,
                Ok(read) if read > 0 => {}
                broken => panic!("a head broke off: {broken:?} in {head:?}"),
            }
        }
        let mut message = Self { head, body: Vec::new() };
        let length = message.header("content-length").map_or(0, |value| value.parse().unwrap());
        message.body.resize(length, 0);
        stream.read_exact(&mut message.body).unwrap_or_else(|e| panic!("a body broke off: {e}"));
        Some(message)
    }

    /// Its first line: a method and a path, or a status.
    pub fn first(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .next()
    }

    pub fn status(&self) -> u16 {
        let status = self.first().split(' ').nth(1).and_then(|status| status.parse().ok());
        status.unwrap_or_else(|| panic!("no status in {:?}", self.head))
    }
}

/// A request as it is sent.
pub fn post(path: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}")
}
