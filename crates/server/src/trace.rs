//! Spans of requests, for those who collect them: where a request came from, and where its time
//! went. They hold no text and no key.

use std::borrow::Cow;
use std::time::Duration;

use axum::http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use opentelemetry_http::{Bytes, HeaderExtractor, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::Span;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;
use trireme_domain::{Code, Fault};

/// What the spans are found by; lines of the log are no part of them.
const TARGET: &str = "trireme::trace";

/// How long a collector may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who collects spans.
#[derive(Debug, Clone, PartialEq)]
pub struct Traces {
    /// A collector's address, as `OpenTelemetry` writes it: `http://collector:4318`.
    pub collector: String,
    /// The share of requests that are traced, where the caller does not decide it.
    pub share: f64,
}

/// The sender of spans; what is left is sent when it is gone.
pub(crate) struct Sender(SdkTracerProvider);

impl Drop for Sender {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(PATIENCE) {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

impl Traces {
    /// Whether they make sense.
    ///
    /// # Errors
    /// [`Code::InvalidOption`].
    pub fn check(&self) -> Result<(), Fault> {
        let wrong = |message: &str| Err(Fault::new(Code::InvalidOption, message));
        let address = self.collector.parse::<axum::http::Uri>();
        let scheme = address.as_ref().ok().and_then(|address| address.scheme_str());
        match scheme {
            Some("http" | "https") if (0.0..=1.0).contains(&self.share) => Ok(()),
            Some("http" | "https") => wrong("trace-share is 0 to 1"),
            _ => wrong("traces is a collector's address, such as http://collector:4318"),
        }
    }

    /// Begins to send.
    pub(crate) fn begin<S>(&self) -> Result<(impl Layer<S> + use<S>, Sender), Fault>
    where
        S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    {
        self.check()?;
        let wrong = |e: &dyn std::fmt::Display| {
            Fault::new(Code::InvalidOption, format!("traces can't be sent: {e}"))
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client::default())
            .with_endpoint(endpoint(&self.collector))
            .with_protocol(Protocol::HttpJson)
            .with_timeout(PATIENCE)
            .build()
            .map_err(|e| wrong(&e))?;
        let named = std::env::var_os("OTEL_SERVICE_NAME").is_some();
        let resource = Resource::builder();
        let resource = if named { resource } else { resource.with_service_name("trireme") };
        let sender = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::parent_based(Sampler::TraceIdRatioBased(self.share)))
            .with_resource(resource.build())
            .build();
        let layer = tracing_opentelemetry::layer()
            .with_tracer(sender.tracer("trireme"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(|about| about.is_span() && about.target() == TARGET));
        Ok((layer, Sender(sender)))
    }
}

/// The collector's address for spans; one that says a path says the whole.
fn endpoint(collector: &str) -> Cow<'_, str> {
    let (_, place) = collector.split_once("://").unwrap_or_default();
    match place.trim_end_matches('/').contains('/') {
        true => Cow::Borrowed(collector),
        false => Cow::Owned(format!("{}/v1/traces", collector.trim_end_matches('/'))),
    }
}

/// The client that models are fetched with sends spans too: from a thread that does nothing else.
#[derive(Debug)]
struct Client(ureq::Agent);

impl Default for Client {
    fn default() -> Self {
        let config = ureq::Agent::config_builder();
        Self(config.timeout_global(Some(PATIENCE)).http_status_as_error(false).build().into())
    }
}

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let mut response = self.0.run(Request::from_parts(parts, body.to_vec()))?;
        let body = response.body_mut().with_config().limit(1 << 20).read_to_vec()?;
        let (parts, _) = response.into_parts();
        Ok(Response::from_parts(parts, Bytes::from(body)))
    }
}

/// The span that a request is part of, by what its caller says.
pub(crate) struct Parent(Context);

impl Parent {
    pub fn of(headers: &HeaderMap) -> Self {
        Self(TraceContextPropagator::new().extract(&HeaderExtractor(headers)))
    }

    /// Its trace, for the log.
    pub fn trace(&self) -> Option<String> {
        let span = self.0.span();
        let context = span.span_context();
        context.is_valid().then(|| context.trace_id().to_string())
    }
}

/// A request's span, under its caller's.
pub(crate) fn asked(method: &'static str, route: &str, id: &str, parent: Parent) -> Span {
    let span = tracing::info_span!(
        target: TARGET,
        "request",
        otel.name = %format_args!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        error.type = Empty,
        request_id = id,
    );
    if !span.is_disabled() {
        // A span that nobody listens to has no parent, and needs none.
        let _joined = span.set_parent(parent.0);
    }
    span
}

/// How a request ended.
pub(crate) fn answered(span: &Span, status: u16, code: Option<&str>) {
    span.record("http.response.status_code", status);
    if let Some(code) = code {
        span.record("error.type", code);
    }
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
}

/// The span of texts that wait for their run, and of that run.
pub(crate) fn computing(texts: usize) -> Span {
    tracing::info_span!(
        target: TARGET,
        "compute",
        texts,
        tokens = Empty,
        waited_ms = Empty,
        ran_ms = Empty,
    )
}

/// What they took.
pub(crate) fn computed(span: &Span, tokens: usize, waited: Duration, ran: Duration) {
    span.record("tokens", tokens);
    span.record("waited_ms", waited.as_secs_f64() * 1e3);
    span.record("ran_ms", ran.as_secs_f64() * 1e3);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_asked_where_it_listens_for_spans() {
        for (collector, expected) in [
            ("http://c:4318", "http://c:4318/v1/traces"),
            ("http://c:4318/", "http://c:4318/v1/traces"),
            ("https://c/otlp/v1/traces", "https://c/otlp/v1/traces"),
        ] {
            assert_eq!(endpoint(collector), expected, "{collector}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let traces = |collector: &str, share| Traces { collector: collector.to_owned(), share };
        assert_eq!(traces("http://c:4318", 0.5).check(), Ok(()));
        for (collector, share, named) in
            [("http://c", 1.5, "trace-share"), ("c:4318", 1.0, "http://"), ("", 1.0, "http://")]
        {
            let message = traces(collector, share).check().unwrap_err().message;
            assert!(message.contains(named), "{collector:?} {share}: {message}");
        }
    }

    #[test]
    fn a_callers_trace_is_read_and_nonsense_is_none() {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        for (value, expected) in [
            (format!("00-{trace}-b7ad6b7169203331-01"), Some(trace)),
            (format!("00-{trace}-0000000000000000-01"), None),
            ("00-zz".to_owned(), None),
        ] {
            let headers = HeaderMap::from_iter([(
                axum::http::HeaderName::from_static("traceparent"),
                value.parse().unwrap(),
            )]);
            assert_eq!(Parent::of(&headers).trace().as_deref(), expected, "{value}");
        }
        assert_eq!(Parent::of(&HeaderMap::new()).trace(), None);
    }
}
