//! The browser host: a model, as a JavaScript class.
//!
//! It decides nothing: files come from JavaScript, requests go to `trireme-service`, and the event
//! loop has its turn between two steps.

mod host;
mod source;
mod threads;
mod values;

use std::future::Future;
use std::sync::Arc;

use js_sys::{Promise, Uint8Array};
use send_wrapper::SendWrapper;
use trireme_cpu::{Cpu, Executor, Lane};
use trireme_domain::Fault;
use trireme_model::Checkpoint;
use trireme_service::{
    Engine, Identity, Models, Served, Service, Terms, direct, from_model, load, precision,
};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::AbortSignal;

use host::{Crypto, Performance, Turns};
use source::{Files, Source};
use threads::executor;
use values::{object, read, thrown, vectors};

/// Tokens of one pass: few, so that an abort is seen soon and memory stays small. One thread wins
/// nothing by more.
const PASS_TOKENS: usize = 256;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

/// A panic leaves as an error that says where; a trap would only say "unreachable".
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| wasm_bindgen::throw_str(&panic.to_string())));
}

/// A model in memory.
#[wasm_bindgen]
pub struct Model {
    model: Arc<trireme_model::Model<Cpu>>,
    identity: Identity,
}

#[wasm_bindgen]
impl Model {
    /// Loads a model's files, or a bundle. Only in the module whose memory workers share can more
    /// threads than one have work.
    pub async fn load(
        #[wasm_bindgen(unchecked_param_type = "Source | Uint8Array")] source: JsValue,
        name: String,
        version: Option<String>,
        #[wasm_bindgen(unchecked_optional_param_type = "Precision")] precision: Option<String>,
        #[wasm_bindgen(unchecked_optional_param_type = "number")] threads: Option<u16>,
    ) -> Result<Model, JsValue> {
        let checkpoint = match source.dyn_into::<Uint8Array>() {
            Ok(bundle) => {
                Checkpoint::from_bundle(&bundle.to_vec().into()).map_err(|e| from_model(&e))
            }
            Err(source) => load(&Files(SendWrapper::new(Source::from(source)))).await,
        };
        let version = version.unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned());
        let opened = checkpoint.and_then(|checkpoint| {
            let executor = executor(threads.unwrap_or(1).into())?;
            Self::new(&checkpoint, executor, name, version, precision.as_deref())
        });
        opened.map_err(|fault| thrown(&fault))
    }

    fn new(
        checkpoint: &Checkpoint,
        executor: Box<dyn Executor>,
        name: String,
        version: String,
        numbers: Option<&str>,
    ) -> Result<Self, Fault> {
        let precision = precision(checkpoint, numbers)?;
        let cpu = Cpu::new(executor, Lane::detect()).with_precision(precision);
        let model = trireme_model::Model::new(cpu, checkpoint).map_err(|e| from_model(&e))?;
        let identity = Identity::of(&model, name, version, "client");
        Ok(Self { model: Arc::new(model), identity })
    }

    /// Classifies a text.
    #[wasm_bindgen(unchecked_return_type = "Promise<PredictAnswer>")]
    pub fn predict(
        &self,
        #[wasm_bindgen(unchecked_param_type = "PredictRequest | Uint8Array")] request: JsValue,
        abort: Option<AbortSignal>,
    ) -> Promise {
        let service = self.service(abort);
        promise(async move {
            let request = read(&request, &service.limits)?;
            object(&service.predict(request, Terms::default()).await?)
        })
    }

    /// Embeds a text, or several.
    #[wasm_bindgen(unchecked_return_type = "Promise<EncodeAnswer>")]
    pub fn encode(
        &self,
        #[wasm_bindgen(unchecked_param_type = "EncodeRequest | Uint8Array")] request: JsValue,
        abort: Option<AbortSignal>,
    ) -> Promise {
        let service = self.service(abort);
        promise(async move {
            let request = read(&request, &service.limits)?;
            vectors(service.encode(request, Terms::default()).await?)
        })
    }

    /// Alive, and who answers.
    #[wasm_bindgen(unchecked_return_type = "HealthAnswer")]
    pub fn health(&self) -> Result<JsValue, JsValue> {
        self.service(None).live().and_then(|health| object(&health)).map_err(|fault| thrown(&fault))
    }

    /// The classes by id; empty where the model does not classify.
    #[wasm_bindgen(getter)]
    pub fn labels(&self) -> Vec<String> {
        self.identity.labels.clone()
    }

    /// The vector instructions in use: `simd128` or `relaxed-simd`.
    #[wasm_bindgen(getter)]
    pub fn lane(&self) -> String {
        self.model.backend().lane().name().to_owned()
    }

    /// Each request has a service of its own, for each is aborted by itself.
    fn service(&self, abort: Option<AbortSignal>) -> Service {
        let engine = Engine::new(Arc::clone(&self.model), PASS_TOKENS);
        let served = Served {
            identity: self.identity.clone(),
            compute: direct(engine, Box::new(Turns::new(abort))),
            reader: Arc::clone(&self.model) as _,
        };
        Service::new(Models::of(served), Performance, Crypto)
    }
}

fn promise(answer: impl Future<Output = Result<JsValue, Fault>> + 'static) -> Promise {
    future_to_promise(async move { answer.await.map_err(|fault| thrown(&fault)) })
}
