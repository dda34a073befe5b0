//! The listener.

use std::future::Future;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use trireme_domain::{Code, Fault};
use trireme_service::Service;

/// Listens until `stop` resolves, then finishes the requests that it has. `ready` is told the
/// address once requests are answered; port 0 lets the system choose one.
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
    let router = trireme_http::router(service);
    axum::serve(listener, router).with_graceful_shutdown(stop).await.map_err(failed)
}
