//! The contract's routes with what a native host puts around them: keys, counting, packing, leave for
//! web pages; and two routes of the operator's.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, put};
use tower_http::compression::CompressionLayer;
use trireme_domain::{Code, Fault};
use trireme_http::refused;
use trireme_service::Service;
use trireme_service::store::Tally;

use super::around::Around;
use super::guard::Guard;
use super::{Hosting, Log, Metrics};

/// All routes of the native host.
pub fn router(
    service: &Service,
    metrics: &Arc<Metrics>,
    guard: &Guard,
    hosting: &Hosting,
) -> Router {
    let (scraped, asked) = (Arc::clone(metrics), service.clone());
    let text = move || async move {
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        let text = scraped.text(&asked.models, kept(&asked).await);
        ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], text)
    };
    let guarded = {
        let guard = guard.clone();
        middleware::from_fn(move |request, next| guard.clone().stand(request, next))
    };
    let operators = Router::new()
        .route("/metrics", get(text))
        .route("/admin/log", put(set_log))
        .layer(guarded.clone());
    let around = Arc::new(Around::new(service, metrics, hosting));
    let outer = middleware::from_fn(move |request, next| Arc::clone(&around).answer(request, next));
    // A refusal is said as the route's convention says it, so the guard stands within the routes.
    trireme_http::routes(service.clone(), &[], |route| route.layer(guarded.clone()))
        .merge(operators)
        .layer((trireme_http::cors(&hosting.origins), outer, CompressionLayer::new()))
}

/// How long whoever counts waits for the store; what it does not say by then is left out.
const SOON: Duration = Duration::from_secs(2);

/// What the store counts, where there is one; nothing of it, where it does not say.
async fn kept(service: &Service) -> Option<Option<Tally>> {
    let jobs = service.jobs.as_ref()?;
    let tally = tokio::time::timeout(SOON, jobs.store.tally()).await;
    Some(tally.ok().and_then(Result::ok))
}

/// Changes what the log holds, to the level in the body.
async fn set_log(level: String) -> Response {
    let set = match Log::current() {
        Some(log) => log.set(level.trim()),
        None => Err(Fault::new(Code::UnsupportedHere, "this host keeps no log")),
    };
    match set {
        Ok(()) => {
            tracing::warn!(level = level.trim(), "the log's level was changed");
            level.into_response()
        }
        Err(fault) => refused(fault),
    }
}
