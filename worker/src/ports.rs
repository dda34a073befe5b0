//! JavaScript's clock, randomness, and the limit on a request's time.

use std::time::Duration;

use trireme_domain::{Code, Fault};
use trireme_service::ports::{Clock, Entropy};
use worker::js_sys::global;
use worker::wasm_bindgen::{self, JsCast as _, prelude::wasm_bindgen};
use worker::web_sys::WorkerGlobalScope;

/// The runtime's clock. Cloudflare holds it still while a request computes.
pub struct Performance;

impl Clock for Performance {
    fn now(&self) -> Duration {
        let performance = global().unchecked_into::<WorkerGlobalScope>().performance();
        let milliseconds = performance.map_or(0.0, |clock| clock.now());
        Duration::from_micros((milliseconds * 1000.0) as u64)
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID)]
    fn random_uuid() -> String;
}

/// The runtime's randomness.
pub struct Crypto;

impl Entropy for Crypto {
    fn id(&self) -> String {
        random_uuid().replace('-', "")
    }
}

/// Cloudflare says shortly before it ends a request that computes for too long; a fault of ours
/// comes before that end.
pub fn within_the_limit() -> Result<(), Fault> {
    if !worker::signal::is_near_cpu_limit() {
        return Ok(());
    }
    let message = "the answer takes more computing than one request may use; send less at once";
    Err(Fault::new(Code::DeadlineExceeded, message))
}
