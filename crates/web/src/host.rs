//! The browser's clock, randomness and event loop.

use std::cell::Cell;
use std::time::Duration;

use js_sys::Uint8Array;
use send_wrapper::SendWrapper;
use trireme_domain::{Code, Fault};
use trireme_service::ports::{BoxFuture, Clock, Entropy, Pace};
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

/// How long the event loop may wait for its turn, in milliseconds: half a frame.
const PATIENCE: f64 = 8.0;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance)]
    fn now() -> f64;

    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn fill_with_random(bytes: &Uint8Array);
}

#[wasm_bindgen(module = "/src/turn.js")]
extern "C" {
    async fn turn();
}

/// `performance.now`.
pub struct Performance;

impl Clock for Performance {
    fn now(&self) -> Duration {
        Duration::from_secs_f64(now() / 1e3)
    }
}

/// `crypto.getRandomValues`.
pub struct Crypto;

impl Entropy for Crypto {
    fn id(&self) -> String {
        // A browser fills no memory that threads share.
        let bytes = Uint8Array::new_with_length(16);
        fill_with_random(&bytes);
        bytes.to_vec().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The pace of one request: the event loop has its turns, and an abort is seen.
pub struct Turns {
    abort: SendWrapper<Option<AbortSignal>>,
    last: SendWrapper<Cell<f64>>,
}

impl Turns {
    /// A pace that ends where this signal says so.
    pub fn new(abort: Option<AbortSignal>) -> Self {
        Self { abort: SendWrapper::new(abort), last: SendWrapper::new(Cell::new(now())) }
    }
}

impl Pace for Turns {
    fn step(&self) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(SendWrapper::new(async {
            if now() - self.last.get() > PATIENCE {
                turn().await;
                self.last.set(now());
            }
            match self.abort.as_ref().is_some_and(AbortSignal::aborted) {
                true => Err(Fault::new(Code::Cancelled, "the caller left")),
                false => Ok(()),
            }
        }))
    }
}
