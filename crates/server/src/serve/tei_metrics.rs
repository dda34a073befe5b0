//! What Text Embeddings Inference calls what is counted here, for dashboards that exist.

use std::fmt::Write as _;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use trireme_domain::{Class, Code, Fault};
use trireme_http::Measure;
use trireme_service::ports::Work;

use super::read_off::spread;
use super::telemetry::SECONDS;

/// Its routes, and the task that each is counted as besides.
const ROUTES: &[(&str, Option<Task>)] = &[
    ("/embed", Some(Task::Embed)),
    ("/embed_all", Some(Task::Embed)),
    ("/v1/embeddings", Some(Task::Embed)),
    ("/embeddings", Some(Task::Embed)),
    ("/predict", Some(Task::Predict)),
    ("/rerank", None),
    ("/similarity", None),
];

/// Tokens of a request.
const TOKENS: [f64; 10] = [8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0, 16384.0];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Task {
    Embed,
    Predict,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    method: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failed {
    err: &'static str,
}

/// Its counters are gauges here, for OpenMetrics would add `_total` to their names.
pub struct TeiMetrics {
    requests: Family<Asked, Gauge>,
    answered: Family<Asked, Gauge>,
    failed: Family<Failed, Gauge>,
    took: Histogram,
    tokens: Histogram,
    embedded: Gauge,
    predicted: Gauge,
}

impl TeiMetrics {
    /// Counted under their own names.
    pub fn registered(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            answered: Family::default(),
            failed: Family::default(),
            took: Histogram::new(SECONDS),
            tokens: Histogram::new(TOKENS),
            embedded: Gauge::default(),
            predicted: Gauge::default(),
        };
        let Self { requests, answered, failed, took, tokens, embedded, predicted } = &metrics;
        registry.register("te_request_count", "Requests", requests.clone());
        registry.register("te_request_success", "Requests that were answered", answered.clone());
        registry.register("te_request_failure", "Requests that were not", failed.clone());
        registry.register("te_request_duration", "Seconds to an answer", took.clone());
        registry.register("te_request_input_length", "Tokens of a request", tokens.clone());
        registry.register("te_embed_count", "Texts that were embedded", embedded.clone());
        registry.register("te_predict_count", "Texts that were classified", predicted.clone());
        metrics
    }

    /// A request to one of its routes ended.
    pub fn ended(&self, route: &str, measure: Option<Measure>, fault: Option<&Fault>, took: f64) {
        let Some((_, task)) = ROUTES.iter().find(|(of_tei, _)| *of_tei == route) else { return };
        let Measure { texts, tokens, .. } = measure.unwrap_or_default();
        let asked = Asked { method: if texts > 1 { "batch" } else { "single" } };
        self.requests.get_or_create(&asked).inc();
        if let Some(fault) = fault {
            self.failed.get_or_create(&Failed { err: error(fault) }).inc();
            return;
        }
        self.answered.get_or_create(&asked).inc();
        self.took.observe(took);
        self.tokens.observe(tokens as f64);
        match task {
            Some(Task::Embed) => self.embedded.inc_by(texts as i64),
            Some(Task::Predict) => self.predicted.inc_by(texts as i64),
            None => 0,
        };
    }
}

fn error(fault: &Fault) -> &'static str {
    match (fault.code, fault.code.class()) {
        (Code::TooManyTexts, _) => "batch_size",
        (Code::Cancelled, _) => "dropped",
        (_, Class::Busy) => "overloaded",
        (_, Class::Input | Class::Access) => "validation",
        (_, Class::Unsupported) | (Code::NoClassifier, _) => "model_type",
        _ => "inference",
    }
}

/// What a model's threads did.
pub fn work(text: &mut String, work: &Work) -> std::fmt::Result {
    writeln!(text, "# TYPE te_queue_size gauge\nte_queue_size {}", work.waiting)?;
    for (name, counted) in [
        ("te_batch_next_size", &work.spread.texts),
        ("te_batch_next_tokens", &work.spread.tokens),
        ("te_request_queue_duration", &work.spread.waited),
        ("te_request_inference_duration", &work.spread.ran),
    ] {
        writeln!(text, "# TYPE {name} histogram")?;
        spread(text, name, "", counted)?;
    }
    Ok(())
}
