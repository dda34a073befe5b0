//! What is not counted as it happens, but read off when somebody asks: what the models' threads did,
//! what is kept, the process.

use std::fmt::Write as _;

use trireme_domain::histogram::Histogram;
use trireme_domain::jobs::Status;
use trireme_domain::wire::Origin;
use trireme_service::ports::{Spreads, Work};
use trireme_service::store::Tally;
use trireme_service::{Models, Served};

use super::tei_metrics;

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
    ("gpu_bytes", "Bytes of a GPU's memory that the model takes", "gauge", |w| w.device_bytes),
    ("texts_waiting", "Texts that wait now", "gauge", |work| work.waiting),
    ("cache_hits", "Texts whose answer was remembered", "counter", |w| w.remembered.hits),
    ("cache_misses", "Texts that had to run", "counter", |w| w.remembered.misses),
    ("cache_joined", "Texts that waited for an equal one", "counter", |w| w.remembered.joined),
    ("cache_bytes", "Bytes of answers that are remembered", "gauge", |w| w.remembered.bytes),
    ("cache_entries", "Answers that are remembered", "gauge", |w| w.remembered.entries),
];

/// Everything, of these models and of a store where there is one, which may have said nothing.
pub fn all(text: &mut String, models: &Models, kept: Option<Option<Tally>>) -> std::fmt::Result {
    let models: Vec<Looked> = models.all().iter().map(|served| Looked::at(served)).collect();
    loaded(text, &models)?;
    for (name, help, kind, read) in ROWS {
        writeln!(text, "# HELP trireme_{name} {help}.\n# TYPE trireme_{name} {kind}")?;
        let suffix = if *kind == "counter" { "_total" } else { "" };
        for Looked { labels, work, .. } in &models {
            writeln!(text, "trireme_{name}{suffix}{{{labels}}} {}", read(work))?;
        }
    }
    for (name, help, read) in SPREADS {
        writeln!(text, "# HELP trireme_{name} {help}.\n# TYPE trireme_{name} histogram")?;
        for Looked { labels, work, .. } in &models {
            spread(text, &format!("trireme_{name}"), labels, read(&work.spread))?;
        }
    }
    // That convention knows one model.
    models.first().map_or(Ok(()), |first| tei_metrics::work(text, &first.work))?;
    kept.map_or(Ok(()), |tally| jobs(text, tally))?;
    process(text)
}

/// A model's labels, and what its threads did when they were looked at.
struct Looked {
    labels: String,
    origin: Origin,
    work: Work,
}

impl Looked {
    fn at(served: &Served) -> Self {
        let origin = served.identity.origin.clone();
        let (model, version) = (escaped(&origin.model), escaped(&origin.version));
        let labels = format!("model=\"{model}\",version=\"{version}\"");
        Self { labels, origin, work: served.compute.work() }
    }
}

fn loaded(text: &mut String, models: &[Looked]) -> std::fmt::Result {
    writeln!(text, "# HELP trireme_model_loaded Models in memory.")?;
    writeln!(text, "# TYPE trireme_model_loaded gauge")?;
    for Looked { labels, origin, .. } in models {
        let Origin { digest, precision, .. } = origin;
        let more = format!("digest=\"{digest}\",precision=\"{precision}\"");
        writeln!(text, "trireme_model_loaded{{{labels},{more}}} 1")?;
    }
    Ok(())
}

/// A name, what it is, and how it is read off.
type Spread = (&'static str, &'static str, fn(&Spreads) -> &Histogram);

const SPREADS: &[Spread] = &[
    ("run_texts", "Texts that ran together", |spread| &spread.texts),
    ("run_tokens", "Tokens that ran together", |spread| &spread.tokens),
    ("run_seconds", "Time of a run", |spread| &spread.ran),
    ("waited_seconds", "Time that a text waited for its run", |spread| &spread.waited),
];

/// A histogram's lines, under labels that may be none.
pub fn spread(
    text: &mut String,
    name: &str,
    labels: &str,
    counted: &Histogram,
) -> std::fmt::Result {
    let comma = if labels.is_empty() { "" } else { "," };
    for (bound, count) in counted.rows() {
        writeln!(text, "{name}_bucket{{{labels}{comma}le=\"{bound:?}\"}} {count}")?;
    }
    let all = counted.all();
    writeln!(text, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {all}")?;
    let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
    writeln!(text, "{name}_sum{labels} {:?}\n{name}_count{labels} {all}", counted.sum())
}

/// What a store counts, and whether it said so.
fn jobs(text: &mut String, tally: Option<Tally>) -> std::fmt::Result {
    let gauge = |text: &mut String, name: &str, help: &str| {
        writeln!(text, "# HELP trireme_{name} {help}.\n# TYPE trireme_{name} gauge")
    };
    gauge(text, "store_up", "Whether the store answers")?;
    writeln!(text, "trireme_store_up {}", u8::from(tally.is_some()))?;
    let Some(tally) = tally else { return Ok(()) };
    gauge(text, "jobs", "Jobs that are kept, by their status")?;
    for (status, count) in Status::ALL.into_iter().zip(tally.jobs) {
        writeln!(text, "trireme_jobs{{status=\"{}\"}} {count}", status.name())?;
    }
    gauge(text, "jobs_oldest_seconds", "Age of the oldest job that is not over")?;
    writeln!(text, "trireme_jobs_oldest_seconds {}", tally.oldest.as_secs_f64())?;
    gauge(text, "notices", "Notices that nobody took yet, and those that are given up")?;
    writeln!(text, "trireme_notices{{status=\"waiting\"}} {}", tally.notices)?;
    writeln!(text, "trireme_notices{{status=\"dead\"}} {}", tally.dead)
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
