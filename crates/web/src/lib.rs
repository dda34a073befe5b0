//! The browser host: a model, as a JavaScript class.
//!
//! It decides nothing: files come from JavaScript, requests go to `trireme-service`, and the event
//! loop has its turn between two steps.

mod host;
mod moved;
mod source;
mod threads;
mod tiles;
mod values;

use std::future::Future;
use std::sync::Arc;

use js_sys::{Map, Promise, Uint8Array};
use send_wrapper::SendWrapper;
use trireme_cpu::{Cpu, Lane};
use trireme_device::{Device, Devices, Processor};
use trireme_domain::Fault;
use trireme_model::Checkpoint;
use trireme_service::numbers::{Asked, Tokenize};
use trireme_service::{
    Engine, Identity, Models, Served, Service, Terms, direct, from_model, load,
    precision as numbers,
};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::AbortSignal;

use host::{Crypto, Performance, Turns};
use source::{Files, Source};
use threads::executors;
use tiles::Tiles;
use values::{object, read, rows, thrown, vectors};

/// Tokens of one pass of the processor: few, so that an abort is seen soon and memory stays small.
/// One thread wins nothing by more.
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
    engine: Arc<Engine<Device>>,
    identity: Identity,
}

#[wasm_bindgen]
impl Model {
    /// Loads a model's files, or a bundle. Only in the module whose memory workers share can more
    /// threads than one have work. A GPU is measured where there are `tiles` to remember it by.
    pub async fn load(
        #[wasm_bindgen(unchecked_param_type = "Source | Uint8Array")] source: JsValue,
        name: String,
        version: Option<String>,
        #[wasm_bindgen(unchecked_optional_param_type = "Precision")] precision: Option<String>,
        #[wasm_bindgen(unchecked_optional_param_type = "number")] threads: Option<u16>,
        #[wasm_bindgen(unchecked_optional_param_type = "'cpu' | 'gpu'")] device: Option<String>,
        #[wasm_bindgen(unchecked_optional_param_type = "Map<string, string>")] tiles: Option<Map>,
    ) -> Result<Model, JsValue> {
        let checkpoint = match source.dyn_into::<Uint8Array>() {
            Ok(bundle) => {
                Checkpoint::from_bundle(&bundle.to_vec().into()).map_err(|e| from_model(&e))
            }
            Err(source) => load(&Files(SendWrapper::new(Source::from(source)))).await,
        };
        let version = version.unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned());
        let opened = async {
            let checkpoint = checkpoint?;
            let executor = executors(threads.unwrap_or(1).into())?;
            let cpu = move || Cpu::new(executor(), Lane::detect());
            let precision = numbers(&checkpoint, precision.as_deref())?;
            let (processor, cpu) = (Processor::named(device.as_deref())?, Box::new(cpu));
            let (pass_tokens, moved) = ((|_| PASS_TOKENS) as _, Some(moved::note as _));
            let tuning = tiles.map(|tiles| Box::new(Tiles::kept_in(tiles)) as _);
            let devices =
                Devices { checkpoint, precision, processor, cpu, pass_tokens, tuning, moved };
            let (engine, refused) = devices.engine().await?;
            let model = engine.model();
            moved::note(model.backend().into(), refused.as_ref());
            let identity = Identity::of(&model, name, version, "client");
            Ok(Self { engine: Arc::new(engine), identity })
        };
        opened.await.map_err(|fault: Fault| thrown(&fault))
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

    /// Rows of numbers, as few pieces as possible.
    #[wasm_bindgen(unchecked_return_type = "Promise<Rows>")]
    pub fn numbers(
        &self,
        #[wasm_bindgen(unchecked_param_type = "NumbersRequest")] request: JsValue,
        abort: Option<AbortSignal>,
    ) -> Promise {
        let service = self.service(abort);
        promise(async move {
            let request: Asked = read(&request, &service.limits)?;
            rows(&request.of(&service).await?)
        })
    }

    /// The tokens of a text, with their places.
    #[wasm_bindgen(unchecked_return_type = "Token[]")]
    pub fn tokenize(
        &self,
        #[wasm_bindgen(unchecked_param_type = "TokenizeRequest")] request: &JsValue,
    ) -> Result<JsValue, JsValue> {
        let service = self.service(None);
        let tokens =
            read::<Tokenize>(request, &service.limits).and_then(|asked| asked.of(&service));
        tokens.and_then(|tokens| object(&tokens)).map_err(|fault| thrown(&fault))
    }

    /// What the model can do.
    #[wasm_bindgen(unchecked_return_type = "InfoAnswer")]
    pub fn info(&self) -> Result<JsValue, JsValue> {
        let info = self.service(None).info(None);
        info.and_then(|info| object(&info)).map_err(|fault| thrown(&fault))
    }

    /// Bytes of the GPU's memory that the model takes.
    #[wasm_bindgen(getter, js_name = gpuBytes)]
    pub fn gpu_bytes(&self) -> f64 {
        self.engine.device_bytes() as f64
    }

    /// Alive, and who answers.
    #[wasm_bindgen(unchecked_return_type = "HealthAnswer")]
    pub fn health(&self) -> Result<JsValue, JsValue> {
        self.service(None).live().and_then(|health| object(&health)).map_err(|fault| thrown(&fault))
    }

    /// The vector instructions in use: `simd128` or `relaxed-simd`.
    #[wasm_bindgen(getter)]
    pub fn lane(&self) -> String {
        Lane::detect().name().to_owned()
    }

    /// What computes now: `cpu` or `gpu`.
    #[wasm_bindgen(getter)]
    pub fn device(&self) -> String {
        Processor::from(self.engine.model().backend()).name().to_owned()
    }

    /// Why that is not the GPU, where it was asked for.
    #[wasm_bindgen(getter)]
    pub fn refused(&self) -> Option<String> {
        moved::refused()
    }

    /// Each request has a service of its own, for each is aborted by itself.
    fn service(&self, abort: Option<AbortSignal>) -> Service {
        let served = Served {
            identity: self.identity.clone(),
            compute: direct(Arc::clone(&self.engine), Box::new(Turns::new(abort))),
            reader: self.engine.model() as _,
        };
        Service::new(Models::of(served), Performance, Crypto)
    }
}

fn promise(answer: impl Future<Output = Result<JsValue, Fault>> + 'static) -> Promise {
    future_to_promise(async move { answer.await.map_err(|fault| thrown(&fault)) })
}
