//! The native server on a port of its own, in this process.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use tokio::sync::oneshot;
use trireme_domain::Limits;
use trireme_server::source::NetSettings;
use trireme_server::{Hosting, Metrics, ModelSettings, Processor, Queue, open, serve, service};
use trireme_service::{Models, Policy, Served};

/// Settings that touch nothing outside the checkout.
pub fn settings(model: Option<String>) -> ModelSettings {
    ModelSettings {
        model,
        hub_cache: PathBuf::from("/nowhere"),
        http_cache: PathBuf::from("/nowhere"),
        gpu_cache: PathBuf::from("/nowhere"),
        endpoint: None,
        offline: true,
        net: NetSettings::default(),
        threads: 2,
        precision: None,
        processor: Processor::Cpu,
        lane: None,
        queue: Queue::default(),
        limits: Limits::default(),
    }
}

/// A server that stops when it is dropped.
pub struct Running {
    pub address: SocketAddr,
    /// What it answers with, for those who look at its work.
    pub models: Models,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub fn with(settings: ModelSettings, change: impl FnOnce(&mut Hosting)) -> Self {
        let limits = settings.limits;
        Self::of(async move { open(&settings).await.unwrap().served }, limits, change)
    }

    /// One over a model of one's own making.
    pub fn of(
        model: impl Future<Output = Served> + Send + 'static,
        limits: Limits,
        change: impl FnOnce(&mut Hosting),
    ) -> Self {
        let mut hosting = Hosting::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        change(&mut hosting);
        let models = Models::default();
        let served = models.clone();
        let (ready, address) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut stopped = Some(stopped);
                // Whoever stops waiting may wait again, until it was heard once.
                let stop = async move || {
                    match &mut stopped {
                        Some(stopped) => drop(stopped.await),
                        None => std::future::pending().await,
                    }
                    stopped = None;
                };
                served.add(model.await);
                let metrics = Arc::<Metrics>::default();
                let counting = Arc::clone(&metrics) as _;
                let service = service(served, limits, Policy::default(), counting);
                let loaded = async { Ok(()) };
                let ready = |at| ready.send(at).unwrap();
                serve(service, metrics, hosting, loaded, stop, ready).await.unwrap();
            });
        });
        let address = address.recv().expect("the server starts");
        Self { address, models, stop: Some(stop), thread: Some(thread) }
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
