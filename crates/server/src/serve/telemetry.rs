//! What is counted, as Prometheus reads it.

use std::fmt::Write as _;
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
use trireme_service::Models;
use trireme_service::ports::{Telemetry, Work};

/// Seconds; an int8 answer takes one or two milliseconds, a long one under load many.
const SECONDS: [f64; 14] =
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
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("trireme");
        let seconds = || Histogram::new(SECONDS);
        let shares = || Histogram::new(SHARES);
        let metrics = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(seconds as fn() -> Histogram),
            faults: Family::default(),
            open: Gauge::default(),
            predictions: Family::default(),
            confidence: Family::new_with_constructor(shares as fn() -> Histogram),
            registry: Registry::default(),
        };
        registry.register("requests", "Requests that were answered", metrics.requests.clone());
        registry.register("request_seconds", "Time to an answer", metrics.seconds.clone());
        registry.register("faults", "Requests that were refused or failed", metrics.faults.clone());
        registry.register("requests_open", "Requests under way", metrics.open.clone());
        let predictions = metrics.predictions.clone();
        registry.register("predictions", "Texts by the class they got", predictions);
        registry.register("confidence", "Scores of those classes", metrics.confidence.clone());
        Self { registry, ..metrics }
    }
}

impl Telemetry for Metrics {
    fn predicted(&self, origin: &Origin, label: &str, confidence: f32) {
        let Model { model, version } = Model::of(origin);
        let class = Class { model, version, label: label.to_owned() };
        self.predictions.get_or_create(&class).inc();
        self.confidence.get_or_create(&Model::of(origin)).observe(confidence.into());
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

    /// Everything, as text: what is counted here, what the models' threads did, and the process.
    pub(super) fn text(&self, models: &Models) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _written = encode(&mut text, &self.registry);
        let end = text.rfind("# EOF").unwrap_or(text.len());
        text.truncate(end);
        let _written = self::models(&mut text, models).and_then(|()| process(&mut text));
        text.push_str("# EOF\n");
        text
    }
}

/// A name, what it is, its kind, and how it is read off.
type Row = (&'static str, &'static str, &'static str, fn(&Work) -> u64);

const ROWS: &[Row] = &[
    ("texts", "Texts that the model ran", "counter", |work| work.texts),
    ("tokens", "Tokens that the model answered", "counter", |work| work.tokens),
    ("runs", "Runs; texts by runs is how many ran together", "counter", |work| work.runs),
    ("steps", "Steps of passes, a layer each", "counter", |work| work.steps),
    ("runs_halved", "Runs that failed and were halved", "counter", |work| work.halved),
    ("texts_late", "Texts whose time was up before they ran", "counter", |work| work.late),
    ("requests_refused", "Requests that found no room", "counter", |work| work.refused),
    ("thread_restarts", "Times that a model's thread was begun anew", "counter", |w| w.restarts),
    ("texts_waiting", "Texts that wait now", "gauge", |work| work.waiting),
    ("cache_hits", "Texts whose answer was remembered", "counter", |w| w.remembered.hits),
    ("cache_misses", "Texts that had to run", "counter", |w| w.remembered.misses),
    ("cache_joined", "Texts that waited for an equal one", "counter", |w| w.remembered.joined),
    ("cache_bytes", "Bytes of answers that are remembered", "gauge", |w| w.remembered.bytes),
    ("cache_entries", "Answers that are remembered", "gauge", |w| w.remembered.entries),
];

fn models(text: &mut String, models: &Models) -> std::fmt::Result {
    let models = models.all();
    writeln!(text, "# HELP trireme_model_loaded Models in memory.")?;
    writeln!(text, "# TYPE trireme_model_loaded gauge")?;
    for served in &models {
        let Origin { model, version, digest, precision, .. } = &served.identity.origin;
        let (model, version) = (escaped(model), escaped(version));
        writeln!(
            text,
            "trireme_model_loaded{{model=\"{model}\",version=\"{version}\",digest=\"{digest}\",precision=\"{precision}\"}} 1"
        )?;
    }
    for (name, help, kind, read) in ROWS {
        writeln!(text, "# HELP trireme_{name} {help}.\n# TYPE trireme_{name} {kind}")?;
        let suffix = if *kind == "counter" { "_total" } else { "" };
        for served in &models {
            let Origin { model, version, .. } = &served.identity.origin;
            let (model, version) = (escaped(model), escaped(version));
            let value = read(&served.compute.work());
            writeln!(
                text,
                "trireme_{name}{suffix}{{model=\"{model}\",version=\"{version}\"}} {value}"
            )?;
        }
    }
    Ok(())
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Memory and processor time, where the system tells them in files.
fn process(text: &mut String) -> std::fmt::Result {
    /// Linux counts both so, on every machine that this runs on.
    const PAGE: u64 = 4096;
    const TICKS: f64 = 100.0;
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    if let Some(pages) = statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok())
    {
        writeln!(text, "# TYPE process_resident_memory_bytes gauge")?;
        writeln!(text, "process_resident_memory_bytes {}", pages * PAGE)?;
    }
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The program's name stands in brackets and may hold anything.
    let fields: Vec<&str> =
        stat.rsplit_once(')').map_or_else(Vec::new, |(_, rest)| rest.split_whitespace().collect());
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
    if let (Some(user), Some(system)) = (ticks(11), ticks(12)) {
        writeln!(text, "# TYPE process_cpu_seconds counter")?;
        writeln!(text, "process_cpu_seconds_total {}", (user + system) / TICKS)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use trireme_domain::Limits;
    use trireme_service::{Job, Memory, Text};

    use super::*;
    use crate::source::NetSettings;
    use crate::{ModelSettings, Queue, Steady, open};

    #[tokio::test]
    async fn what_a_model_was_spared_is_told() {
        let settings = ModelSettings {
            model: None,
            hub_cache: PathBuf::from("/nowhere"),
            http_cache: PathBuf::from("/nowhere"),
            endpoint: None,
            offline: true,
            net: NetSettings::default(),
            threads: 1,
            precision: None,
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
        let text = Metrics::default().text(&models);
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
