//! The Cloudflare host: every host's router, over the model inside the module or one among the
//! assets.

mod accidents;
mod assets;
mod opening;
mod ports;
mod turn;

use axum::body::Body;
use axum::http::Response;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use worker::{Context, Env, HttpRequest, ResponseBuilder, event};

#[event(fetch)]
async fn fetch(
    request: HttpRequest,
    env: Env,
    _context: Context,
) -> worker::Result<worker::Response> {
    let answer = match opening::router(&env).await {
        Ok(router) => {
            let Ok(answer) = router.oneshot(request).await;
            answer
        }
        Err(fault) => trireme_http::refused(fault),
    };
    whole(answer).await
}

/// An answer that needs us no more: one that streams out of our memory would break off where
/// another request breaks the instance down.
async fn whole(answer: Response<Body>) -> worker::Result<worker::Response> {
    let (head, body) = answer.into_parts();
    let body = body.collect().await.map_err(|e| e.to_string())?.to_bytes();
    let builder = ResponseBuilder::new().with_status(head.status.as_u16());
    Ok(builder.with_headers(head.headers.into()).fixed(body.into()))
}
