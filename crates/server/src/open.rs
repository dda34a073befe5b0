//! From a name on the command line to a model that answers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use trireme_cpu::{Cpu, Lane, Precision};
use trireme_default_model as default_model;
use trireme_device::{Device, Devices, Processor};
use trireme_domain::{Code, Fault, Limits};
use trireme_model::{Checkpoint, Model};
use trireme_service::ports::ModelSource;
use trireme_service::{Identity, Served, from_model, from_source, load};

use crate::source::{Folder, Http, HttpSettings, Hub, HubSettings, NetSettings};
use crate::tiles::Tiles;
use crate::{Queue, Shared, Threads, mmap};

/// Which model, from where, and how it is run.
#[derive(Clone)]
pub struct ModelSettings {
    /// A folder, a bundle, a URL, or a hub id with an optional `@revision`; `None` is the default
    /// model inside this program.
    pub model: Option<String>,
    /// Where the hub's files are kept, in the layout of Python's library.
    pub hub_cache: PathBuf,
    /// Where files from other servers are kept.
    pub http_cache: PathBuf,
    /// The file in which measurements of GPUs are remembered.
    pub gpu_cache: PathBuf,
    /// The hub's address, where it is not the usual one.
    pub endpoint: Option<String>,
    /// Whether no socket may be opened.
    pub offline: bool,
    /// How sources talk to servers.
    pub net: NetSettings,
    /// Threads that share one forward.
    pub threads: usize,
    /// The numbers to compute in; `None` takes those that the weights are kept in.
    pub precision: Option<Precision>,
    /// What to compute on.
    pub processor: Processor,
    /// The instructions to use; `None` takes the best.
    pub lane: Option<String>,
    /// How jobs wait.
    pub queue: Queue,
    /// What one request may ask.
    pub limits: Limits,
}

/// A model in memory, and the thread that answers for it.
pub struct Opened {
    /// Where its jobs are answered.
    pub served: Served,
    /// The model itself.
    pub model: Arc<Model<Device>>,
    /// Bytes of its weights, as they are kept.
    pub bytes: u64,
    /// Why it is not on the GPU that was asked for.
    pub refused: Option<Fault>,
}

/// Tokens of one pass, for a model of this width: few enough that what is between two operations
/// stays in a core's own cache, and more the wider the model, because its weights come by once a
/// pass. On Zen 4, a MiniLM (384) is fastest at 128 tokens, a DistilBERT (768) at 256.
#[must_use]
pub fn pass_tokens(width: usize) -> usize {
    (width / 3).max(128)
}

/// Brings a model into memory and starts its thread.
///
/// # Errors
/// A [`Fault`] of the source, the model or the machine.
pub async fn open(settings: &ModelSettings) -> Result<Opened, Fault> {
    start(settings, named_checkpoint(settings).await?).await
}

/// Starts the thread of a model that was read.
///
/// # Errors
/// A [`Fault`] of the model or the machine.
pub async fn start(settings: &ModelSettings, model: NamedCheckpoint) -> Result<Opened, Fault> {
    let NamedCheckpoint { checkpoint, name, version } = model;
    let bytes = checkpoint.bytes();
    let pool = Shared::new(settings.threads)?;
    let (lane, threads) = (lane(settings.lane.as_deref())?, pool.clone());
    let devices = Devices {
        precision: checkpoint.precision(settings.precision).map_err(|e| from_model(&e))?,
        processor: settings.processor,
        cpu: Box::new(move || Cpu::new(Box::new(threads.clone()), lane)),
        pass_tokens,
        tuning: Some(Box::new(Tiles::kept_in(settings.gpu_cache.clone()))),
        moved: Some(moved),
        checkpoint,
    };
    let (engine, refused) = devices.engine().await?;
    if let Some(fault) = &refused {
        tracing::warn!(%fault, "the processor answers");
    }
    let model = engine.model();
    let identity = Identity::of(&model, name, version, "origin");
    let engine = match Processor::from(model.backend()) {
        Processor::Cpu => engine.spread(pool.clone()),
        Processor::Gpu => engine,
    };
    let compute = Arc::new(Threads::start(engine, pool, settings.queue)?);
    let served = Served { identity, compute, reader: Arc::clone(&model) as _ };
    Ok(Opened { served, model, bytes, refused })
}

/// Tells the log where a model computes whose device was lost.
fn moved(to: Processor, refused: Option<&Fault>) {
    let to = to.name();
    match refused {
        None => tracing::warn!(to, "the device was lost, and opened anew"),
        Some(fault) => tracing::warn!(to, %fault, "the device was lost, and the processor answers"),
    }
}

/// A model that was read, and what it is called.
#[derive(Clone)]
pub struct NamedCheckpoint {
    /// The model.
    pub checkpoint: Checkpoint,
    /// Its name.
    pub name: String,
    /// Which of its versions.
    pub version: String,
}

fn lane(name: Option<&str>) -> Result<Lane, Fault> {
    let Some(name) = name else { return Ok(Lane::detect()) };
    Lane::named(name).ok_or_else(|| {
        let known: Vec<_> = Lane::all().into_iter().map(Lane::name).collect();
        let message = format!("this machine has no lane {name:?}; it has: {}", known.join(", "));
        Fault::new(Code::UnsupportedHere, message)
    })
}

/// Reads a model's files without running it.
///
/// # Errors
/// A [`Fault`] of the source or the model.
pub async fn named_checkpoint(settings: &ModelSettings) -> Result<NamedCheckpoint, Fault> {
    let named = |checkpoint, name: &str, version: &str| {
        Ok(NamedCheckpoint { checkpoint, name: name.to_owned(), version: version.to_owned() })
    };
    let Some(model) = settings.model.as_deref() else {
        let bundle = Bytes::from_static(default_model::BUNDLE);
        let checkpoint = Checkpoint::from_bundle(&bundle).map_err(|e| from_model(&e))?;
        return named(checkpoint, default_model::NAME, default_model::VERSION);
    };
    let path = Path::new(model);
    let local = || {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        name.unwrap_or_else(|| model.to_owned())
    };
    if path.is_file() {
        return named(bundle(path)?, &local(), "local");
    }
    if path.is_dir() {
        return named(load(&Folder::new(path)).await?, &local(), "local");
    }
    let (source, name, version) = remote(model, settings)?;
    let checkpoint = load(source.as_ref()).await.map_err(|fault| {
        let message = format!("{} (there is no file or folder {model} here)", fault.message);
        Fault::new(fault.code, message)
    })?;
    named(checkpoint, &name, &version)
}

fn bundle(path: &Path) -> Result<Checkpoint, Fault> {
    let bytes = mmap::map(path).map_err(|e| {
        let code = match e.kind() {
            std::io::ErrorKind::OutOfMemory => Code::OutOfMemory,
            _ => Code::Unreadable,
        };
        Fault::new(code, format!("could not read {}: {e}", path.display()))
    })?;
    Checkpoint::from_bundle(&bytes).map_err(|e| {
        let fault = from_model(&e);
        Fault::new(fault.code, format!("{}: {}", path.display(), fault.message))
    })
}

fn remote(
    model: &str,
    settings: &ModelSettings,
) -> Result<(Box<dyn ModelSource>, String, String), Fault> {
    if model.starts_with("http://") || model.starts_with("https://") {
        let mut http = HttpSettings::new(model, settings.http_cache.clone());
        // The token is the hub's: another server must not see it.
        http.net = NetSettings { token: None, ..settings.net.clone() };
        http.offline = settings.offline;
        let source = Http::new(http).map_err(|e| from_source(&e))?;
        return Ok((Box::new(source), model.to_owned(), "remote".to_owned()));
    }
    if let Some((scheme, _)) = model.split_once("://") {
        let message = format!("no models come from {scheme}://; say http:// or https://");
        return Err(Fault::new(Code::SourceMisconfigured, message));
    }
    let (id, revision) = model.split_once('@').unwrap_or((model, "main"));
    // An id has one slash at most; what looks like a path and is not there is a mistyped path.
    if id.starts_with(['.', '/', '~']) || id.matches('/').count() > 1 || id.contains('\\') {
        let message = format!("there is no model folder or bundle at {model}");
        return Err(Fault::new(Code::ModelNotFound, message));
    }
    let mut hub = HubSettings::new(id, settings.hub_cache.clone());
    revision.clone_into(&mut hub.revision);
    (hub.offline, hub.net) = (settings.offline, settings.net.clone());
    if let Some(endpoint) = &settings.endpoint {
        endpoint.clone_into(&mut hub.endpoint);
    }
    let source = Hub::new(hub).map_err(|e| from_source(&e))?;
    Ok((Box::new(source), id.to_owned(), revision.to_owned()))
}
