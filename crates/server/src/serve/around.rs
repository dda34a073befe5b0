//! What is done around every request, whatever its route: it gets an id, is counted, and leaves a line
//! in the log; its body comes in time; and its connection ends where the host is about to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;
use trireme_http::{Coded, RequestId};
use trireme_service::ports::Entropy;
use trireme_service::{Models, Service};

use super::arriving::Arriving;
use super::guard::KeyName;
use super::{Hosting, Metrics};
use crate::trace::{self, Parent};

/// What stands around all routes, as one layer: each further one costs every request a copy of those
/// within.
pub struct Around {
    entropy: Arc<dyn Entropy>,
    models: Models,
    metrics: Arc<Metrics>,
    patience: Duration,
}

impl Around {
    pub fn new(service: &Service, metrics: &Arc<Metrics>, hosting: &Hosting) -> Self {
        Self {
            entropy: Arc::clone(&service.entropy),
            models: service.models.clone(),
            metrics: Arc::clone(metrics),
            patience: hosting.patience,
        }
    }

    /// Answers a request by its route.
    pub async fn answer(self: Arc<Self>, request: Request, next: Next) -> Response {
        let id = RequestId::of(&request, self.entropy.as_ref());
        // Its body comes in time, or fails.
        let request = request.map(|body| Body::new(Arriving::new(body, self.patience)));
        let mut response = self.observed(id.as_str(), request, next).await;
        if self.models.are_closing() {
            // Another request would be lost if it came just as the connection is closed.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        id.on(response)
    }

    /// Counts a request and writes its line: never a text, a key, or anything else of the caller's.
    async fn observed(&self, id: &str, request: Request, next: Next) -> Response {
        let (metrics, begun) = (&self.metrics, Instant::now());
        let path = request.extensions().get::<MatchedPath>().cloned();
        // An unknown path is counted as one, for anybody can make up as many as they like.
        let route = path.as_ref().map_or("none", MatchedPath::as_str);
        let method = known(request.method());
        let parent = Parent::of(request.headers());
        let traced = parent.trace();
        let span = trace::asked(method, route, id, parent);
        metrics.begun();
        let open = Open { metrics, route, method, begun, status: 499 };
        let response = next.run(request).instrument(span.clone()).await;
        let status = response.status().as_u16();
        let took = open.end(status);
        let fault = response.extensions().get::<Coded>().map(|Coded(fault)| fault.as_ref());
        fault.into_iter().for_each(|fault| metrics.failed(fault));
        metrics.measured(route, response.extensions().get().copied(), fault, took);
        let code = fault.map(|fault| fault.code.name());
        trace::answered(&span, status, code);
        let key = response.extensions().get::<KeyName>().map(|KeyName(name)| name.as_str());
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    id,
                    method,
                    route,
                    status,
                    seconds = took,
                    code,
                    key,
                    trace = traced
                )
            };
        }
        match status {
            500.. => line!(error),
            429 => line!(warn),
            _ => line!(info),
        }
        response
    }
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
