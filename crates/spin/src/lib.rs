//! The Spin host: every host's router, over the model inside the component or one mounted into it.
//!
//! Spin lends an instance to up to 128 requests, and drops it a second after the last. What breaks
//! an instance down (a panic, a stack that ends, an allocation that nobody checked) is answered by
//! Spin itself, with an empty 500; the next request gets another instance.

mod folder;
mod opening;
mod ports;

use std::convert::Infallible;

use axum::body::Body;
use axum::http::Response;
use spin_sdk::http::Request;
use spin_sdk::http_service;
use tower::ServiceExt as _;

#[http_service]
async fn answer(request: Request) -> Result<Response<Body>, Infallible> {
    match opening::router().await {
        Ok(router) => router.oneshot(request).await,
        Err(fault) => Ok(trireme_http::refused(fault)),
    }
}
