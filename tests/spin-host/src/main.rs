//! Runs a Spin component over HTTP as `spin up` does, for tests: Spin itself can't be had from a
//! registry.
//!
//! ```text
//! trireme-spin-host COMPONENT [--mount HOST::GUEST]… [--env NAME=VALUE]… [--memory-mb N]
//! ```
//!
//! Prints `listening on http://127.0.0.1:PORT`, and ends when its standard input does. What the
//! component prints goes to standard error. `GET /.memory` is answered by the host: the most bytes
//! that a memory of the component had.

mod arguments;
mod engine;
mod instances;

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arguments::Arguments;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::uri::{Authority, Scheme};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http_body_util::BodyExt as _;
use instances::Instances;
use tokio::net::TcpListener;
use wasmtime_wasi_http::Error;
use wasmtime_wasi_http::handler::ProxyHandler;

#[tokio::main]
async fn main() -> wasmtime::Result<()> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let instances = Instances::load(arguments)?;
    let most_memory = instances.most_memory.clone();
    let memory = || async move { most_memory.load(Ordering::Relaxed).to_string() };
    let handler = Arc::new(ProxyHandler::new(instances));
    let router = Router::new().route("/.memory", get(memory)).fallback(answer).with_state(handler);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let mut out = std::io::stdout();
    writeln!(out, "listening on http://{}", listener.local_addr()?)?;
    out.flush()?;
    std::thread::spawn(end_with_input);
    axum::serve(listener, router).await?;
    Ok(())
}

fn end_with_input() {
    // An input that breaks off has ended, too.
    let _ended = std::io::stdin().read_to_end(&mut Vec::new());
    std::process::exit(0);
}

/// The component's answer, or Spin's own where the component gave none: an empty 500.
async fn answer(State(handler): State<Arc<ProxyHandler<Instances>>>, request: Request) -> Response {
    let Some(request) = absolute(request) else { return StatusCode::BAD_REQUEST.into_response() };
    let request = request
        .map(|body| body.map_err(|e| Error::InternalError(Some(e.to_string()))).boxed_unsync());
    match handler.handle((), request).await {
        Ok(response) => response.map(Body::new),
        Err(error) => {
            instances::log(&error);
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Components see whole addresses; a client sends a path and a `Host`.
fn absolute(mut request: Request) -> Option<Request> {
    let host: Authority = request.headers().get(header::HOST)?.to_str().ok()?.parse().ok()?;
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    (parts.scheme, parts.authority) = (Some(Scheme::HTTP), Some(host));
    *request.uri_mut() = Uri::from_parts(parts).ok()?;
    Some(request)
}
