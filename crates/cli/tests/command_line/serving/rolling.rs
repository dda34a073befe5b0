//! Servers that are restarted one by one behind a proxy, while clients ask.

use std::io::{BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use super::message::{Message, post};
use super::*;

/// nginx over two servers, at a socket in a folder.
struct Proxy {
    nginx: Child,
    socket: PathBuf,
}

impl Proxy {
    fn start(folder: &tempfile::TempDir, servers: &[Server]) -> Self {
        let upstream: String = servers
            .iter()
            .map(|server| format!("server {} max_fails=0; ", server.address))
            .collect();
        let (path, socket) = (folder.path().display(), folder.path().join("nginx.sock"));
        let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {path}/{kind}; "))
            .concat();
        let config = format!(
            "daemon off; pid {path}/pid; error_log {path}/errors; events {{}}\n\
             http {{ access_log off; keepalive_requests 100000000; {temp}\n\
             upstream trireme {{ {upstream} keepalive 8; }}\n\
             server {{ listen unix:{}; location / {{ proxy_pass http://trireme; \
             proxy_http_version 1.1; proxy_set_header Connection \"\"; \
             proxy_next_upstream error timeout http_503 non_idempotent; }} }} }}\n",
            socket.display()
        );
        let config = file(folder, "nginx.conf", config.as_bytes());
        let mut nginx = Command::new(trireme_tests::nginx());
        nginx.arg("-c").arg(config).arg("-p").arg(folder.path()).stderr(Stdio::null());
        let nginx = nginx.spawn().expect("nginx is here; `cargo xtask setup` brings it");
        until("nginx listens", || UnixStream::connect(&socket).ok());
        Self { nginx, socket }
    }

    /// Asks on a connection until told to stop; returns the first answer that is no 200.
    fn keep_asking(&self, stop: &AtomicBool, answered: &AtomicUsize) -> Option<String> {
        let request = post("/predict", r#"{"text": "what a wonderful film"}"#);
        let mut stream = BufReader::new(UnixStream::connect(&self.socket).unwrap());
        while !stop.load(SeqCst) {
            stream.get_mut().write_all(request.as_bytes()).unwrap();
            let answer = Message::read(&mut stream).expect("the proxy keeps the connection");
            if answer.status() != 200 {
                let body = String::from_utf8_lossy(&answer.body);
                return Some(format!("{}: {body}", answer.first()));
            }
            answered.fetch_add(1, SeqCst);
        }
        None
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Asked to end, it ends those who work for it too.
        let _asked = Command::new("kill").arg(self.nginx.id().to_string()).status();
        let _ended = self.nginx.wait();
    }
}

/// Rounds of restarts; `TRIREME_ROUNDS` of them at full size.
fn rounds() -> usize {
    std::env::var("TRIREME_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(2)
}

#[test]
fn servers_that_are_restarted_behind_a_proxy_lose_no_request() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--notice", "1", "--log", "warn"];
    let mut servers = vec![Server::start(&args), Server::start(&args)];
    let proxy = Proxy::start(&folder, &servers);
    let (stop, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let clients: Vec<_> =
            (0..4).map(|_| scope.spawn(|| proxy.keep_asking(&stop, &answered))).collect();
        for round in 0..2 * rounds() {
            let before = answered.load(SeqCst);
            until("clients are answered", || (answered.load(SeqCst) > before + 20).then_some(()));
            let leaving = servers.remove(0);
            let port = leaving.address.port().to_string();
            leaving.terminate();
            let (code, said) = leaving.ended();
            assert_eq!(code, Some(0), "restart {round}: {said}");
            let again =
                trireme(&[&["serve", "--port", &port, "--threads", "1"], &args[..]].concat());
            servers.push(Server::with(again));
        }
        stop.store(true, SeqCst);
        for client in clients {
            let lost = client.join().unwrap();
            let errors = std::fs::read_to_string(folder.path().join("errors")).unwrap_or_default();
            assert_eq!(lost, None, "a request was lost; nginx said:\n{errors}");
        }
    });
    println!("{} requests over {} restarts, none lost", answered.load(SeqCst), 2 * rounds());
}
