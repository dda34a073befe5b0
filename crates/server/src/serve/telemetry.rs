//! What is counted, as Prometheus reads it.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use trireme_domain::Fault;
use trireme_domain::wire::Origin;
use trireme_http::Measure;
use trireme_service::Models;
use trireme_service::ports::Telemetry;
use trireme_service::store::Tally;

use super::read_off;
use super::tei_metrics::TeiMetrics;

/// Seconds; an int8 answer takes one or two milliseconds, a long one under load many.
pub(super) const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 30.0];

const SHARES: [f64; 9] = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Class {
    model: String,
    version: String,
    label: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Model {
    model: String,
    version: String,
}

impl Model {
    fn of(origin: &Origin) -> Self {
        Self { model: origin.model.clone(), version: origin.version.clone() }
    }
}

/// What the host counts.
pub struct Metrics {
    registry: Registry,
    requests: Family<Asked, Counter>,
    seconds: Family<Route, Histogram>,
    faults: Family<Reason, Counter>,
    open: Gauge,
    predictions: Family<Class, Counter>,
    confidence: Family<Model, Histogram>,
    unrecorded: Counter,
    tei: TeiMetrics,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut all = Registry::default();
        let tei = TeiMetrics::registered(&mut all);
        let registry = all.sub_registry_with_prefix("trireme");
        let seconds = || Histogram::new(SECONDS);
        let shares = || Histogram::new(SHARES);
        let metrics = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(seconds as fn() -> Histogram),
            faults: Family::default(),
            open: Gauge::default(),
            predictions: Family::default(),
            confidence: Family::new_with_constructor(shares as fn() -> Histogram),
            unrecorded: Counter::default(),
            tei,
            registry: Registry::default(),
        };
        registry.register("requests", "Requests that were answered", metrics.requests.clone());
        registry.register("request_seconds", "Time to an answer", metrics.seconds.clone());
        registry.register("faults", "Requests that were refused or failed", metrics.faults.clone());
        registry.register("requests_open", "Requests under way", metrics.open.clone());
        let predictions = metrics.predictions.clone();
        registry.register("predictions", "Texts by the class they got", predictions);
        registry.register("confidence", "Scores of those classes", metrics.confidence.clone());
        let unrecorded = metrics.unrecorded.clone();
        registry.register("predictions_unrecorded", "Those whose record was not kept", unrecorded);
        Self { registry: all, ..metrics }
    }
}

impl Telemetry for Metrics {
    fn predicted(&self, origin: &Origin, label: &str, confidence: Option<f32>) {
        let Model { model, version } = Model::of(origin);
        let class = Class { model, version, label: label.to_owned() };
        self.predictions.get_or_create(&class).inc();
        if let Some(confidence) = confidence {
            self.confidence.get_or_create(&Model::of(origin)).observe(confidence.into());
        }
    }

    fn unrecorded(&self, predictions: u64) {
        self.unrecorded.inc_by(predictions);
    }
}

impl Metrics {
    pub(super) fn begun(&self) {
        self.open.inc();
    }

    pub(super) fn ended(&self, route: &str, method: &'static str, status: u16, took: Duration) {
        self.open.dec();
        let route = route.to_owned();
        self.seconds.get_or_create(&Route { route: route.clone() }).observe(took.as_secs_f64());
        self.requests.get_or_create(&Asked { route, method, status }).inc();
    }

    pub(super) fn failed(&self, fault: &Fault) {
        self.faults.get_or_create(&Reason { code: fault.code.name() }).inc();
    }

    /// The same request, as Text Embeddings Inference counts it.
    pub(super) fn measured(
        &self,
        route: &str,
        measure: Option<Measure>,
        fault: Option<&Fault>,
        took: f64,
    ) {
        self.tei.ended(route, measure, fault, took);
    }

    /// Everything, as text: what is counted here, and what is read off now.
    pub(super) fn text(&self, models: &Models, kept: Option<Option<Tally>>) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _written = encode(&mut text, &self.registry);
        let end = text.rfind("# EOF").unwrap_or(text.len());
        text.truncate(end);
        let _written = read_off::all(&mut text, models, kept);
        text.push_str("# EOF\n");
        text
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use trireme_domain::Limits;
    use trireme_service::{Job, Memory, Text};

    use super::*;
    use crate::source::NetSettings;
    use crate::{ModelSettings, Processor, Queue, Steady, open};

    #[tokio::test]
    async fn what_a_model_was_spared_is_told() {
        let settings = ModelSettings {
            model: None,
            hub_cache: PathBuf::from("/nowhere"),
            http_cache: PathBuf::from("/nowhere"),
            gpu_cache: PathBuf::from("/nowhere"),
            endpoint: None,
            offline: true,
            net: NetSettings::default(),
            threads: 1,
            precision: None,
            processor: Processor::Cpu,
            lane: None,
            queue: Queue::default(),
            limits: Limits::default(),
        };
        let clock = Arc::new(Steady::default());
        let memory = Memory { bytes: 1_000_000, longest: Duration::from_secs(60), clock };
        let models = Models::of(open(&settings).await.unwrap().served.remembering(memory));
        let served = models.get(None).unwrap();
        for texts in [vec!["a"], vec!["a", "b", "b"]] {
            let texts = texts.into_iter().map(|text| Text::from(text.to_owned())).collect();
            served.compute.submit(Job { texts, ..Job::default() }).await.unwrap();
        }
        let text = Metrics::default().text(&models, None);
        for (name, value) in [
            ("texts_total", 2),
            ("cache_hits_total", 1),
            ("cache_misses_total", 2),
            ("cache_joined_total", 1),
            ("cache_entries", 2),
        ] {
            let start = format!("trireme_{name}{{model=\"default\",");
            let line = text.lines().find(|line| line.starts_with(&start)).unwrap_or_default();
            assert!(line.ends_with(&format!("}} {value}")), "{name}: {line:?} in\n{text}");
        }
        assert!(text.contains("# TYPE trireme_cache_bytes gauge\ntrireme_cache_bytes{"), "{text}");
    }
}
