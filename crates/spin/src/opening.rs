//! The model of this instance, brought into memory by its first request.

use std::env;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::Router;
use bytes::Bytes;
use trireme_cpu::{Cpu, Inline, Lane};
use trireme_default_model as default_model;
use trireme_domain::{Code, Fault};
use trireme_model::{Checkpoint, Model};
use trireme_service::{
    Engine, Identity, Models, Served, Service, direct, from_model, from_source, load, precision,
};

use crate::folder::{Folder, read};
use crate::ports::{Monotonic, Random};

/// The environment variable that names a mounted folder or bundle. It is no variable of Spin's:
/// those are an import that only Spin has, and this component runs on any host of WASI 0.3.
const MODEL: &str = "TRIREME_MODEL";

/// The environment variable that names the numbers to compute in.
const PRECISION: &str = "TRIREME_PRECISION";

/// Tokens of one pass. Its memory never goes back to the host, so there is less than natively.
const PASS_TOKENS: usize = 512;

/// Mounted files are not written to while the component runs: a model at fault stays so.
static OPENED: OnceLock<Result<Router, Fault>> = OnceLock::new();

/// The routes over this instance's model.
pub async fn router() -> Result<Router, Fault> {
    if let Some(opened) = OPENED.get() {
        return opened.clone();
    }
    // Neither source ever waits, so no other request of this instance comes in between.
    let opened = open().await;
    if let Err(fault) = &opened {
        report(fault);
    }
    OPENED.get_or_init(|| opened).clone()
}

async fn open() -> Result<Router, Fault> {
    let (checkpoint, name, version) = checkpoint().await?;
    let precision = precision(&checkpoint, env::var(PRECISION).ok().as_deref())?;
    let cpu = Cpu::new(Box::new(Inline), Lane::detect()).with_precision(precision);
    let model = Arc::new(Model::new(cpu, &checkpoint).map_err(|e| from_model(&e))?);
    let identity = Identity::of(&model, name, version, "edge");
    // An answer is not interrupted: Spin gives the requests that come meanwhile other instances.
    let compute = direct(Engine::new(Arc::clone(&model), PASS_TOKENS), Box::new(|| Ok(())));
    let models = Models::of(Served { identity, compute, reader: model });
    let service = Service::new(models, Monotonic(Instant::now()), Random);
    Ok(trireme_http::router(&service, &[]))
}

/// A checkpoint, with the model's name and version.
async fn checkpoint() -> Result<(Checkpoint, String, String), Fault> {
    let Some(model) = env::var(MODEL).ok().filter(|model| !model.is_empty()) else {
        let bundle = Bytes::from_static(default_model::BUNDLE);
        let checkpoint = Checkpoint::from_bundle(&bundle).map_err(|e| from_model(&e))?;
        return Ok((checkpoint, default_model::NAME.to_owned(), default_model::VERSION.to_owned()));
    };
    let path = Path::new(&model);
    let checkpoint =
        if path.is_file() { bundle(path, &model)? } else { load(&Folder(path.to_owned())).await? };
    let name = path.file_stem().map_or_else(|| model.clone(), |stem| stem.to_string_lossy().into());
    Ok((checkpoint, name, "local".to_owned()))
}

fn bundle(path: &Path, name: &str) -> Result<Checkpoint, Fault> {
    let missing = || Fault::new(Code::ModelNotFound, format!("there is no bundle {name}"));
    let bytes = read(path, "the mounted files", name).map_err(|e| from_source(&e))?;
    Checkpoint::from_bundle(&bytes.ok_or_else(missing)?).map_err(|e| from_model(&e))
}

#[expect(clippy::print_stderr, reason = "Spin keeps it as the component's log")]
fn report(fault: &Fault) {
    eprintln!("{}: {fault}", fault.code.name());
}
