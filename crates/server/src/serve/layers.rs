//! What stands around the contract's routes: counting, the log, keys, packing, and two routes of
//! the operator's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, put};
use tower_http::compression::CompressionLayer;
use tracing::Instrument as _;
use trireme_domain::{Code, Fault};
use trireme_http::{Coded, RequestId, refused};
use trireme_service::store::Tally;
use trireme_service::{Models, Service};

use super::arriving::Arriving;
use super::guard::{Guard, KeyName};
use super::{Hosting, Log, Metrics};
use crate::trace::{self, Parent};

/// All routes of the native host.
pub fn router(
    service: &Service,
    metrics: &Arc<Metrics>,
    guard: &Guard,
    hosting: &Hosting,
) -> Router {
    let (counted, scraped) = (Arc::clone(metrics), Arc::clone(metrics));
    let (asked, closing) = (service.clone(), service.models.clone());
    let patience = hosting.patience;
    let text = move || async move {
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        let text = scraped.text(&asked.models, kept(&asked).await);
        ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], text)
    };
    let guarded = {
        let guard = guard.clone();
        middleware::from_fn(move |request, next| guard.clone().stand(request, next))
    };
    let around = guarded.clone();
    let operators =
        Router::new().route("/metrics", get(text)).route("/admin/log", put(set_log)).layer(guarded);
    // A refusal is said as the route's convention says it, so the guard stands within the routes.
    let routes = trireme_http::routes(service.clone(), &[], |route| route.layer(around.clone()))
        .merge(operators)
        .layer(middleware::map_request(move |request| in_time(request, patience)))
        .layer(CompressionLayer::new())
        .layer(middleware::map_response(move |response| part(closing.clone(), response)))
        .layer(middleware::from_fn(move |request, next| {
            observe(Arc::clone(&counted), request, next)
        }));
    trireme_http::dressed(routes, service, &hosting.origins)
}

/// A host that is about to end asks for no further request on a connection: one that came just as
/// it was closed would be lost.
async fn part(models: Models, mut response: Response) -> Response {
    if models.are_closing() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// A request whose body comes in time, or fails.
async fn in_time(request: Request, patience: Duration) -> Request {
    request.map(|body| Body::new(Arriving::new(body, patience)))
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

/// Counts a request and writes its line: never a text, a key, or anything else of the caller's.
async fn observe(metrics: Arc<Metrics>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    // An unknown path is counted as one, for anybody can make up as many as they like.
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let route = route.unwrap_or_else(|| "none".to_owned());
    let method = known(request.method());
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let parent = Parent::of(request.headers());
    let traced = parent.trace();
    let span = trace::asked(method, &route, &id, parent);
    metrics.begun();
    let open = Open { metrics: &metrics, route: &route, method, begun, status: 499 };
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    let took = open.end(status);
    let fault = response.extensions().get::<Coded>().map(|Coded(fault)| fault);
    fault.into_iter().for_each(|fault| metrics.failed(fault));
    metrics.measured(&route, response.extensions().get().copied(), fault, took);
    let code = fault.map(|fault| fault.code.name());
    trace::answered(&span, status, code);
    let key = response.extensions().get::<KeyName>().map(|KeyName(name)| name.as_str());
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(id, method, route, status, seconds = took, code, key, trace = traced)
        };
    }
    match status {
        500.. => line!(error),
        429 => line!(warn),
        _ => line!(info),
    }
    response
}

/// A request under way. One whose caller leaves is dropped, and counts as such.
struct Open<'a> {
    metrics: &'a Metrics,
    route: &'a str,
    method: &'static str,
    begun: Instant,
    status: u16,
}

impl Open<'_> {
    fn end(mut self, status: u16) -> f64 {
        self.status = status;
        self.begun.elapsed().as_secs_f64()
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.metrics.ended(self.route, self.method, self.status, self.begun.elapsed());
    }
}

fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::HEAD => "HEAD",
        _ => "other",
    }
}
