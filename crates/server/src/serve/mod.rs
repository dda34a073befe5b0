//! The native host: who may ask, what is counted, and how it begins and ends.

mod around;
mod arriving;
mod guard;
mod layers;
mod listen;
mod log;
mod notices;
mod patient;
mod read_off;
mod tei_metrics;
mod telemetry;
mod workers;

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use trireme_domain::rate::Rate;
use trireme_domain::{Code, Fault};
use trireme_http::Origin;
use trireme_service::Service;

use guard::Guard;
use listen::Door;
pub use log::{Log, LogFormat};
pub use notices::Messenger;
pub use telemetry::Metrics;
use workers::Workers;

/// How the host meets its callers.
#[derive(Debug, Clone)]
pub struct Hosting {
    /// Where it listens; port 0 lets the system choose.
    pub address: SocketAddr,
    /// The file of API keys; without it, whoever reaches the address may ask.
    pub keys: Option<PathBuf>,
    /// How often each key, or each address without one, may ask.
    pub rate: Option<Rate>,
    /// The web pages, by origin, that may read answers; all of them where none is named.
    pub origins: Vec<Origin>,
    /// Whether `x-forwarded-for` says whose address it is: behind a proxy of one's own.
    pub forwarded: bool,
    /// Connections at once.
    pub connections: usize,
    /// How long a request may take to arrive: its head, and each piece of its body; and how long an
    /// answer waits for its caller to take a piece of it.
    pub patience: Duration,
    /// How long the host goes on as it was once it is asked to end, for balancers to see that it is
    /// not ready.
    pub notice: Duration,
    /// How long what is under way may take after that.
    pub grace: Duration,
    /// Jobs that are worked on at once, where any are kept.
    pub workers: usize,
    /// Who tells others that a job ended.
    pub messenger: Messenger,
}

impl Hosting {
    /// The usual way, at this address.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        Self {
            address,
            keys: None,
            rate: None,
            origins: Vec::new(),
            forwarded: false,
            connections: 4096,
            patience: Duration::from_secs(30),
            notice: Duration::ZERO,
            grace: Duration::from_secs(30),
            workers: 2,
            messenger: Messenger::new(None),
        }
    }

    /// Whether it makes sense, as far as can be said without listening.
    ///
    /// # Errors
    /// The fault of the key file.
    pub fn check(&self) -> Result<(), Fault> {
        self.keys.as_deref().map_or(Ok(()), |file| guard::read(file).map(drop))
    }
}

/// Listens at once, while `load` brings the models; then until `stop` resolves. Then it says that
/// it is not ready, hands back the jobs that it had taken up, waits for balancers to see it, takes no
/// new connection, finishes what it has, and returns; at once, where `stop` resolves again. `ready`
/// is told the address once requests are answered.
///
/// # Errors
/// [`Code::Internal`] where the address can't be had, the fault of the key file, and that of `load`.
pub async fn serve(
    service: Service,
    metrics: Arc<Metrics>,
    hosting: Hosting,
    load: impl Future<Output = Result<(), Fault>>,
    mut stop: impl AsyncFnMut(),
    ready: impl FnOnce(SocketAddr),
) -> Result<(), Fault> {
    let address = hosting.address;
    let failed = |e: std::io::Error| {
        Fault::new(Code::Internal, format!("can't listen on {address}: {e}; try another --port"))
    };
    let guard = Guard::new(&hosting)?;
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let router = layers::router(&service, &metrics, &guard, &hosting);
    let door = Door::open(listener, router, &hosting);
    tracing::info!(address = %bound, "listens; health is answered while models load");
    guard.watch();
    tokio::select! {
        loaded = load => loaded?,
        () = stop() => return Ok(()),
    }
    let workers = Workers::begin(&service, hosting.workers, hosting.messenger.clone());
    ready(bound);
    stop().await;
    service.models.close();
    tracing::info!("asked to end: not ready any more");
    let end = async {
        // Jobs are handed back while notice is given.
        tokio::join!(workers.end(), tokio::time::sleep(hosting.notice));
        let left = door.close(hosting.grace).await;
        if left > 0 {
            tracing::warn!(connections = left, "ended before these were done");
        }
    };
    tokio::select! {
        () = end => {}
        () = stop() => tracing::warn!("asked again: ends at once"),
    }
    Ok(())
}
