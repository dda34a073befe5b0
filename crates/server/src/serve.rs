//! The listener.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use trireme_domain::{Code, Fault};
use trireme_service::Service;

/// How long requests that are under way may take once the host is asked to stop. A client that
/// never finishes its request would otherwise keep the host for ever.
const DRAIN: Duration = Duration::from_secs(10);

/// Listens until `stop` resolves, then finishes the requests that it has, within ten seconds.
/// `ready` is told the address once requests are answered; port 0 lets the system choose one.
///
/// # Errors
/// [`Code::Internal`] where the address can't be had.
pub async fn serve(
    service: Service,
    address: SocketAddr,
    stop: impl Future<Output = ()> + Send + 'static,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), Fault> {
    let failed = |e: std::io::Error| {
        Fault::new(Code::Internal, format!("can't listen on {address}: {e}; try another --port"))
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    ready(listener.local_addr().map_err(failed)?);
    let router = trireme_http::router(service, &[]);
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let stop = async move {
        stop.await;
        // Nobody listens any more where the server ended by itself.
        stopping.send(()).ok();
    };
    let drained = async {
        drop(stopped.await);
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        ended = axum::serve(listener, router).with_graceful_shutdown(stop) => ended.map_err(failed),
        () = drained => Ok(()),
    }
}
