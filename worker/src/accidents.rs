//! What a request gets whose instance broke down.

use serde_json::{Map, Value, json};
use trireme_domain::wire::FaultAnswer;
use trireme_domain::{Code, Fault};
use worker::wasm_bindgen::{self, prelude::wasm_bindgen};

/// Statuses and bodies by code, as JSON. The entry module asks once, while there is somebody to
/// ask; so also these answers come from the one table of faults.
#[wasm_bindgen]
#[must_use]
pub fn accidents() -> String {
    let answers = [Code::Internal, Code::OutOfMemory].map(|code| {
        let error = Fault::new(code, code.meaning());
        (code.name().to_owned(), json!([code.status(), FaultAnswer { error }]))
    });
    Value::Object(Map::from_iter(answers)).to_string()
}
