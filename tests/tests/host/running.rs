//! A server on a port of its own, and a client for it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread::JoinHandle;

use serde_json::Value;
use tokio::sync::oneshot;
use trireme_domain::Limits;
use trireme_server::source::NetSettings;
use trireme_server::{ModelSettings, Queue, open, serve};

/// Settings that touch nothing outside the checkout.
pub fn settings(model: Option<String>) -> ModelSettings {
    ModelSettings {
        model,
        hub_cache: PathBuf::from("/nowhere"),
        http_cache: PathBuf::from("/nowhere"),
        endpoint: None,
        offline: true,
        net: NetSettings::default(),
        threads: 2,
        lane: None,
        queue: Queue::default(),
        limits: Limits::default(),
    }
}

/// A server that stops when it is dropped.
pub struct Running {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub fn with(settings: ModelSettings) -> Self {
        let (ready, address) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let opened = open(&settings).await.unwrap();
                let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                let stop = async { drop(stopped.await) };
                serve(opened.service, any, stop, |at| ready.send(at).unwrap()).await.unwrap();
            });
        });
        let address = address.recv().expect("the server starts");
        Self { address, stop: Some(stop), thread: Some(thread) }
    }

    /// Sends a request and reads the answer as JSON.
    pub fn send(&self, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .body(body)
            .unwrap();
        let mut response = agent.run(request).unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        let json = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e} in {text:?}"));
        (response.status().as_u16(), json)
    }

    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send("POST", path, body.to_string().as_bytes())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}
