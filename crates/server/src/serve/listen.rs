//! Connections: how many, how patient, and how they end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tower::ServiceExt as _;

use super::Hosting;
use super::patient::Patient;

/// The bytes of a request's head.
const HEAD: usize = 64 * 1024;

/// No request takes longer to arrive; a clock can add no more than it can show.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Connections that the system keeps for a listener.
const BACKLOG: usize = 1024;

/// An accept that fails does so for want of something that others give back; a request on its way
/// takes no longer.
const REST: Duration = Duration::from_millis(50);

/// Where connections come in.
pub struct Door {
    closing: watch::Sender<bool>,
    open: JoinHandle<JoinSet<()>>,
}

impl Door {
    pub fn open(listener: TcpListener, router: Router, hosting: &Hosting) -> Self {
        let (closing, closed) = watch::channel(false);
        let places = hosting.connections.min(Semaphore::MAX_PERMITS);
        let patience = hosting.patience.min(LONGEST);
        let open = tokio::spawn(accept(listener, router, places, patience, closed));
        Self { closing, open }
    }

    /// Takes nobody in any more, and waits so long for those inside. Returns how many are left.
    pub async fn close(self, grace: Duration) -> usize {
        self.closing.send_replace(true);
        let Ok(mut inside) = self.open.await else { return 0 };
        let empty = async { while inside.join_next().await.is_some() {} };
        // Whoever is left then is cut off as the set is dropped.
        tokio::time::timeout(grace, empty).await.map_or(inside.len(), |()| 0)
    }
}

async fn accept(
    listener: TcpListener,
    router: Router,
    places: usize,
    patience: Duration,
    mut closed: watch::Receiver<bool>,
) -> JoinSet<()> {
    let places = Arc::new(Semaphore::new(places));
    let mut inside = JoinSet::new();
    let seen = closed.clone();
    let conversation =
        |stream, from| converse(stream, from, router.clone(), patience, seen.clone());
    loop {
        // Those who find no place wait in the system's own queue.
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = close(&mut closed) => break,
        };
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            () = close(&mut closed) => break,
        };
        match stream {
            Ok((stream, from)) => {
                let conversation = conversation(stream, from);
                inside.spawn(async move {
                    conversation.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(REST).await;
            }
        }
        while inside.try_join_next().is_some() {}
    }
    for (stream, from) in at_the_door(listener) {
        let (conversation, places) = (conversation(stream, from), Arc::clone(&places));
        inside.spawn(async move {
            let _place = places.acquire_owned().await;
            conversation.await;
        });
    }
    inside
}

/// Those who stood at the door as it closed: asked of the system itself, and at once, for the
/// runtime may not have heard of them yet, and whoever is left in the queue is cut off.
fn at_the_door(listener: TcpListener) -> Vec<(TcpStream, SocketAddr)> {
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    let came: Vec<_> = std::iter::from_fn(|| listener.accept().ok()).take(BACKLOG).collect();
    drop(listener);
    let taken = |(stream, from): (std::net::TcpStream, SocketAddr)| {
        stream.set_nonblocking(true).ok()?;
        Some((TcpStream::from_std(stream).ok()?, from))
    };
    came.into_iter().filter_map(taken).collect()
}

/// Resolves once the door closes.
async fn close(closed: &mut watch::Receiver<bool>) {
    drop(closed.wait_for(|closed| *closed).await);
}

/// Answers one connection's requests, until it ends or the door closes.
async fn converse(
    stream: TcpStream,
    from: SocketAddr,
    router: Router,
    patience: Duration,
    mut closed: watch::Receiver<bool>,
) {
    // Answers are small; holding one back for another only costs time.
    drop(stream.set_nodelay(true));
    let answer = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(axum::body::Body::new);
        // By hand: a layer would make every connection a copy of all routes.
        request.extensions_mut().insert(ConnectInfo(from));
        router.clone().oneshot(request)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(Patient::new(stream, patience)), answer);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = close(&mut closed) => {
            // A request that is on its way is still read; one that waits for none is closed.
            match tokio::time::timeout(REST, connection.as_mut()).await {
                Ok(ended) => ended,
                Err(_) => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}
