//! A real web server on a free port, whose answers are a function of the request.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    headers: Vec<(String, String)>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    fn read(stream: &TcpStream) -> Option<Self> {
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let first = lines.next()?;
        let mut words = first.split(' ').map(str::to_owned);
        let (method, path) = (words.next()?, words.next()?);
        let headers = lines.take_while(|line| !line.is_empty());
        let headers = headers.filter_map(|line| {
            line.split_once(':').map(|(key, value)| (key.to_owned(), value.trim().to_owned()))
        });
        Some(Self { method, path, headers: headers.collect() })
    }
}

#[derive(Debug, Clone, Default)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    cut: Option<usize>,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, body: body.into(), ..Self::default() }
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn redirect(location: impl Into<String>) -> Self {
        Self::new(302, "").with("location", location)
    }

    /// Hangs up without a word.
    pub fn silence() -> Self {
        Self::default()
    }

    /// Promises the whole body and breaks off after `bytes` of it.
    pub fn cut(mut self, bytes: Option<usize>) -> Self {
        self.cut = bytes;
        self
    }

    fn write(&self, mut stream: &TcpStream, head_only: bool) -> std::io::Result<()> {
        if self.status == 0 {
            return Ok(());
        }
        let mut head = format!("HTTP/1.1 {} Told\r\nconnection: close\r\n", self.status);
        head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        let end = self.cut.unwrap_or(self.body.len()).min(self.body.len());
        if !head_only {
            stream.write_all(&self.body[..end])?;
        }
        stream.flush()
    }
}

/// A server that remembers what it was asked.
pub struct Web {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
    closing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Web {
    pub fn new(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, closing) = (Arc::<Mutex<Vec<Request>>>::default(), Arc::<AtomicBool>::default());
        let (log, closed) = (Arc::clone(&seen), Arc::clone(&closing));
        let answer = Arc::new(answer);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if closed.load(Ordering::SeqCst) {
                    return;
                }
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let Some(request) = Request::read(&stream) else { return };
                    log.lock().unwrap().push(request.clone());
                    // A client that hangs up has its reasons.
                    let _ = answer(&request).write(&stream, request.method == "HEAD");
                });
            }
        });
        Self { address, seen, closing, thread: Some(thread) }
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// `METHOD /path` of every request so far.
    pub fn lines(&self) -> Vec<String> {
        self.seen().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One file, served as a good server would: ranges, etags, conditions; or worse, as told.
#[derive(Clone)]
pub struct Shelf {
    pub body: Vec<u8>,
    pub etag: Option<String>,
    pub ranges: bool,
    /// How many bytes each of the next answers sends before it breaks off.
    pub cuts: VecDeque<usize>,
}

impl Shelf {
    pub fn new(body: Vec<u8>, etag: &str) -> Self {
        Self { body, etag: Some(format!("\"{etag}\"")), ranges: true, cuts: VecDeque::new() }
    }

    pub fn cuts(mut self, cuts: impl IntoIterator<Item = usize>) -> Self {
        self.cuts = cuts.into_iter().collect();
        self
    }

    pub fn answer(&mut self, request: &Request) -> Reply {
        let etag = self.etag.as_deref();
        if etag.is_some() && request.header("if-none-match") == etag {
            return Reply::new(304, "");
        }
        let reply = match self.start(request) {
            Some(start) if start >= self.body.len() => {
                let range = format!("bytes */{}", self.body.len());
                return Reply::new(416, "").with("content-range", range);
            }
            Some(start) => {
                let len = self.body.len();
                let range = format!("bytes {start}-{}/{len}", len - 1);
                Reply::new(206, &self.body[start..]).with("content-range", range)
            }
            None => Reply::new(200, self.body.clone()),
        };
        let reply = etag.into_iter().fold(reply, |reply, etag| reply.with("etag", etag));
        reply.cut(self.cuts.pop_front())
    }

    fn start(&self, request: &Request) -> Option<usize> {
        let current =
            request.header("if-range").is_none_or(|tag| Some(tag) == self.etag.as_deref());
        let range = request.header("range").filter(|_| self.ranges && current)?;
        range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }

    /// A server with this file at every path; the shelf can be changed while it runs.
    pub fn serve(self) -> (Web, Arc<Mutex<Shelf>>) {
        let shelf = Arc::new(Mutex::new(self));
        let served = Arc::clone(&shelf);
        (Web::new(move |request| served.lock().unwrap().answer(request)), shelf)
    }
}
