//! The log: lines for people or for programs, at a level that can be changed while it runs.

use std::sync::{Arc, OnceLock};

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt};
use trireme_domain::{Code, Fault};

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
#[derive(Clone)]
pub struct Log {
    filter: Arc<Handle<EnvFilter, Registry>>,
    /// Writes what is left when the last is gone.
    _writer: Arc<WorkerGuard>,
}

static LOG: OnceLock<Log> = OnceLock::new();

impl Log {
    /// Begins the log on standard error. A process has one; the first decides.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] for a level that is none.
    pub fn begin(level: &str, format: LogFormat) -> Result<Self, Fault> {
        let (filter, handle) = reload::Layer::new(filter(level)?);
        let registry = tracing_subscriber::registry().with(filter);
        // Whoever reads standard error may stop reading; lines are then lost, and no answer waits.
        let (writer, guard) = tracing_appender::non_blocking(std::io::stderr());
        let begun = match format {
            LogFormat::Human => {
                let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr());
                registry
                    .with(fmt::layer().with_target(false).with_ansi(ansi).with_writer(writer))
                    .try_init()
            }
            LogFormat::Json => {
                let lines = fmt::layer().json().flatten_event(true).with_target(false);
                registry.with(lines.with_current_span(false).with_writer(writer)).try_init()
            }
        };
        let log = Self { filter: Arc::new(handle), _writer: Arc::new(guard) };
        match begun {
            Ok(()) => Ok(LOG.get_or_init(|| log).clone()),
            Err(_) => Ok(LOG.get().cloned().unwrap_or(log)),
        }
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
        LOG.get().cloned()
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

fn filter(level: &str) -> Result<EnvFilter, Fault> {
    EnvFilter::try_new(level).map_err(|e| {
        let message =
            format!("{level:?} is no log level: {e}; say error, warn, info, debug or trace");
        Fault::new(Code::InvalidOption, message)
    })
}
