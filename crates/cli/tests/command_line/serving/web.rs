//! A web server for models, which keeps what it was asked.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};

/// A server of a folder's files under any path; it lives as long as the tests' process.
#[derive(Clone)]
pub struct Web(Arc<Inner>);

struct Inner {
    address: SocketAddr,
    folder: Option<PathBuf>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    open: bool,
    heads: Vec<String>,
}

impl Web {
    /// Gives files once it is told to.
    pub fn withholding(folder: &Path) -> Self {
        Self::new(Some(folder.to_owned()), false)
    }

    /// Gives nothing: whoever asks lacks the right.
    pub fn refusing() -> Self {
        Self::new(None, true)
    }

    fn new(folder: Option<PathBuf>, open: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Mutex::new(State { open, heads: Vec::new() });
        let web = Self(Arc::new(Inner { address, folder, state, changed: Condvar::new() }));
        let serving = web.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let serving = serving.clone();
                std::thread::spawn(move || serving.answer(stream));
            }
        });
        web
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.0.address)
    }

    /// The heads of all requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.0.state.lock().unwrap().heads.clone()
    }

    /// Returns once somebody has asked.
    pub fn until_asked(&self) {
        let state = self.0.state.lock().unwrap();
        drop(self.0.changed.wait_while(state, |state| state.heads.is_empty()).unwrap());
    }

    /// Withholds nothing any more.
    pub fn open(&self) {
        self.0.state.lock().unwrap().open = true;
        self.0.changed.notify_all();
    }

    fn answer(&self, mut stream: TcpStream) {
        let lines = BufReader::new(&stream).lines().map_while(Result::ok);
        let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        let Some(path) = head.first().and_then(|line| line.split(' ').nth(1)) else { return };
        let name = path.trim_start_matches("/model/").to_owned();
        let mut state = self.0.state.lock().unwrap();
        state.heads.push(head.join("\n"));
        self.0.changed.notify_all();
        drop(self.0.changed.wait_while(state, |state| !state.open).unwrap());
        let (status, body) = match &self.0.folder {
            None => ("401 Unauthorized", Vec::new()),
            Some(folder) => match std::fs::read(folder.join(name)) {
                Ok(body) => ("200 OK", body),
                Err(_) => ("404 Not Found", Vec::new()),
            },
        };
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close");
        // A client that is gone needs no answer.
        let _gone = stream.write_all(&[head.as_bytes(), b"\r\n\r\n", &body].concat());
    }
}
