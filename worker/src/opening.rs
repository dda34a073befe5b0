//! The model of this deployment, brought into memory once for all requests of an instance.

use std::future::Future as _;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Waker};
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use trireme_cpu::{Cpu, Inline, Lane};
use trireme_default_model as default_model;
use trireme_domain::{Class, Code, Fault};
use trireme_model::{Checkpoint, Model};
use trireme_service::ports::ModelSource as _;
use trireme_service::{
    Engine, Identity, Models, Served, Service, direct, from_model, from_source, load, precision,
};
use worker::wasm_bindgen::{self, prelude::wasm_bindgen};
use worker::{Delay, Env};

use crate::assets::Assets;
use crate::ports::{Crypto, Performance, within_the_limit};
use crate::turn::Turn;

/// The variable that names a folder or a bundle among the assets.
const MODEL: &str = "TRIREME_MODEL";

/// The variable that names the numbers to compute in.
const PRECISION: &str = "TRIREME_PRECISION";

/// Tokens of one pass. Its memory never goes back to the isolate, so there is less than natively.
const PASS_TOKENS: usize = 512;

/// How often a request looks whether another one has brought the model.
const NAP: Duration = Duration::from_millis(5);

/// Assets change only with a deployment, which starts anew: a model at fault stays so.
static OPENED: OnceLock<Result<Router, Fault>> = OnceLock::new();

/// The routes over this deployment's model. Two copies of it would not fit, so one request brings
/// it; the others wait on timers of their own, for no request may await what belongs to another.
pub async fn router(env: &Env) -> Result<Router, Fault> {
    loop {
        if let Some(opened) = OPENED.get() {
            return opened.clone();
        }
        if let Some(_turn) = Turn::take() {
            let opened = open(env).await;
            return match opened {
                Err(fault) if fault.code.class() != Class::Model => Err(fault),
                opened => OPENED.get_or_init(|| opened).clone(),
            };
        }
        Delay::from(NAP).await;
    }
}

/// Opens the model inside the module while the isolate starts. That may take a second; a request
/// may take 10 ms of computing on Cloudflare's free plan, and opening takes 150 in a new isolate
/// (30 in a warm one, after an accident). Assets can't be read then, so their model comes with the
/// first request.
#[wasm_bindgen]
pub fn prepare(env: &Env) {
    if variable(env, MODEL).is_none() {
        // Nothing in it waits, so one look is enough; a fault is kept for the requests.
        let _opened = pin!(router(env)).poll(&mut Context::from_waker(Waker::noop()));
    }
}

/// What a variable says; nothing where it is empty.
fn variable(env: &Env, name: &str) -> Option<String> {
    env.var(name).ok().map(|value| value.to_string()).filter(|value| !value.is_empty())
}

async fn open(env: &Env) -> Result<Router, Fault> {
    let (checkpoint, name, version) = checkpoint(env).await?;
    let precision = precision(&checkpoint, variable(env, PRECISION).as_deref())?;
    let cpu = Cpu::new(Box::new(Inline), Lane::detect()).with_precision(precision);
    let model = Arc::new(Model::new(cpu, &checkpoint).map_err(|e| from_model(&e))?);
    let identity = Identity::of(&model, name, version, "edge");
    let compute = direct(Engine::new(Arc::clone(&model), PASS_TOKENS), Box::new(within_the_limit));
    let models = Models::of(Served { identity, compute, reader: model });
    let service = Service::new(models, Performance, Crypto);
    Ok(trireme_http::router(&service, &[]))
}

/// A checkpoint, with the model's name and version.
async fn checkpoint(env: &Env) -> Result<(Checkpoint, String, String), Fault> {
    let Some(path) = variable(env, MODEL) else {
        let bundle = Bytes::from_static(default_model::BUNDLE);
        let checkpoint = Checkpoint::from_bundle(&bundle).map_err(|e| from_model(&e))?;
        return Ok((checkpoint, default_model::NAME.to_owned(), default_model::VERSION.to_owned()));
    };
    let path = path.trim_matches('/');
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let (name, checkpoint) = match file.strip_suffix(".trireme") {
        Some(name) => (name, bundle(&assets(env, folder)?, file).await?),
        None => (file, load(&assets(env, path)?).await?),
    };
    Ok((checkpoint, name.to_owned(), "local".to_owned()))
}

fn assets(env: &Env, folder: &str) -> Result<Assets, Fault> {
    Assets::new(env, folder).map_err(|e| from_source(&e))
}

async fn bundle(assets: &Assets, file: &str) -> Result<Checkpoint, Fault> {
    let missing =
        || Fault::new(Code::ModelNotFound, format!("{} has no {file}", assets.describe()));
    let bytes = assets.fetch(file).await.map_err(|e| from_source(&e))?.ok_or_else(missing)?;
    Checkpoint::from_bundle(&bytes).map_err(|e| from_model(&e))
}
