//! The log: lines for people or for programs, at a level that can be changed while it runs.

use std::sync::{Arc, OnceLock};

use tracing::Metadata;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};
use trireme_domain::{Code, Fault};

use crate::trace::{Sender, Traces};

/// How a line is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// An object a line.
    Json,
}

/// The log of this process.
pub struct Log {
    filter: Arc<Filter>,
    /// Writes what is left when it is gone; nobody else keeps it, or that would never be.
    _writer: Option<WorkerGuard>,
    /// Likewise for spans.
    _sender: Option<Sender>,
}

type Filter = Handle<EnvFilter, Registry>;

static FILTER: OnceLock<Arc<Filter>> = OnceLock::new();

impl Log {
    /// Begins the log on standard error, and spans to a collector where there is one; what is
    /// returned is kept until the process ends, or its last lines and spans are lost. A process has
    /// one; the first decides.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] for a level that is none, or a collector that can't be.
    pub fn begin(level: &str, format: LogFormat, traces: Option<&Traces>) -> Result<Self, Fault> {
        let (filter, handle) = reload::Layer::new(filter(level)?);
        // Whoever reads standard error may stop reading; lines are then lost, and no answer waits.
        let (writer, guard) = tracing_appender::non_blocking(std::io::stderr());
        let lines = match format {
            LogFormat::Human => {
                let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr());
                fmt::layer().with_target(false).with_ansi(ansi).with_writer(writer).boxed()
            }
            LogFormat::Json => {
                let lines = fmt::layer().json().flatten_event(true).with_target(false);
                lines.with_current_span(false).with_span_list(false).with_writer(writer).boxed()
            }
        };
        // Spans are for the collector: a line of the log says all that it needs itself.
        let lines = lines.with_filter(filter.and(filter_fn(is_line)));
        let (spans, sender) = traces.map(Traces::begin).transpose()?.unzip();
        let spans = spans.map(Layer::boxed);
        let begun = tracing_subscriber::registry().with(layers(lines.boxed(), spans)).try_init();
        let filter = Arc::new(handle);
        Ok(match begun {
            Ok(()) => {
                let filter = Arc::clone(FILTER.get_or_init(|| filter));
                Self { filter, _writer: Some(guard), _sender: sender }
            }
            Err(_) => Self::current().unwrap_or(Self { filter, _writer: None, _sender: None }),
        })
    }

    /// Whether a level is one.
    ///
    /// # Errors
    /// [`Code::InvalidOption`].
    pub fn check(level: &str) -> Result<(), Fault> {
        filter(level).map(drop)
    }

    /// The log that was begun.
    pub(super) fn current() -> Option<Self> {
        FILTER.get().map(|filter| Self { filter: Arc::clone(filter), _writer: None, _sender: None })
    }

    /// Changes what is written: `warn`, `info`, `debug`, or by module as in `info,hyper=debug`.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] for a level that is none.
    pub fn set(&self, level: &str) -> Result<(), Fault> {
        let filter = filter(level)?;
        self.filter.reload(filter).map_err(|e| Fault::new(Code::Internal, e.to_string()))
    }
}

type Part = Box<dyn Layer<Registry> + Send + Sync>;

/// No collector, as `None`, would be a layer without a filter: every span would be made.
fn layers(lines: Part, spans: Option<Part>) -> Vec<Part> {
    [Some(lines), spans].into_iter().flatten().collect()
}

fn is_line(about: &Metadata<'_>) -> bool {
    about.is_event()
}

fn filter(level: &str) -> Result<EnvFilter, Fault> {
    let wrong = |what: &str, why: &str| {
        let message =
            format!("{what:?} is no log level{why}; say error, warn, info, debug or trace");
        Fault::new(Code::InvalidOption, message)
    };
    // The parser takes any word for a module's name: a mistyped level would log nothing.
    let mut words = level.split(',').filter(|part| !part.contains(['=', '[']));
    if let Some(word) = words.find(|word| word.parse::<LevelFilter>().is_err()) {
        return Err(wrong(word, ""));
    }
    EnvFilter::try_new(level).map_err(|error| wrong(level, &format!(": {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_made_only_where_somebody_collects_it() {
        let lines = || fmt::layer().with_writer(std::io::sink).with_filter(filter_fn(is_line));
        let spans = || fmt::layer().with_filter(filter_fn(|about| !is_line(about))).boxed();
        for (case, collector, expected) in
            [("nobody collects", None, true), ("a collector", Some(spans()), false)]
        {
            let log = tracing_subscriber::registry().with(layers(lines().boxed(), collector));
            let span = tracing::subscriber::with_default(log, || crate::trace::computing(1));
            assert_eq!(span.is_disabled(), expected, "{case}");
        }
    }

    #[test]
    fn a_level_is_one_or_is_refused_by_name() {
        for level in ["info", "WARN", "off", "info,hyper=debug", "warn,trireme_server=trace"] {
            assert!(Log::check(level).is_ok(), "{level}");
        }
        for (level, named) in
            [("loud", "loud"), ("info,loud", "loud"), ("hyper=loud", "hyper=loud")]
        {
            let message = Log::check(level).unwrap_err().message;
            assert!(message.contains(named) && message.contains("debug"), "{level}: {message}");
        }
    }
}
