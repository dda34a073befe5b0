//! Model files that JavaScript fetches.

use bytes::Bytes;
use js_sys::{Promise, Reflect, Uint8Array};
use send_wrapper::SendWrapper;
use trireme_service::ports::{BoxFuture, ModelSource, SourceError};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::values::words;

#[wasm_bindgen]
extern "C" {
    /// An object of JavaScript that fetches files.
    #[wasm_bindgen(typescript_type = "Source")]
    pub type Source;

    #[wasm_bindgen(method, catch)]
    fn fetch(this: &Source, name: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method)]
    fn describe(this: &Source) -> String;
}

/// The same, as a port.
pub struct Files(pub SendWrapper<Source>);

impl Files {
    async fn bytes(&self, name: &str) -> Result<Option<Bytes>, JsValue> {
        let got = JsFuture::from(self.0.fetch(name)?).await?;
        if got.is_undefined() {
            return Ok(None);
        }
        Ok(Some(got.dyn_into::<Uint8Array>()?.to_vec().into()))
    }

    /// What was thrown, by what it says of itself: see `www/src/sources.ts`.
    fn error(&self, file: &str, thrown: &JsValue) -> SourceError {
        let (place, file) = (self.describe(), file.to_owned());
        let property = |name: &str| Reflect::get(thrown, &name.into()).ok();
        let word = |name: &str| property(name).and_then(|value| value.as_string());
        let status = property("status").and_then(|status| status.as_f64());
        if let Some((expected, got)) = word("expected").zip(word("got")) {
            return SourceError::Integrity { place, file, expected, got };
        }
        match status.map(|status| status as u16) {
            Some(status @ (401 | 403)) => SourceError::Unauthorized { place, file, status },
            Some(status) => SourceError::Status { place, file, status },
            None if word("kept").is_some() => SourceError::Offline { place, file },
            None => SourceError::Unreachable { place, file, reason: words(thrown), cached: false },
        }
    }
}

impl ModelSource for Files {
    fn fetch<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, SourceError>> {
        Box::pin(SendWrapper::new(async move {
            self.bytes(name).await.map_err(|thrown| self.error(name, &thrown))
        }))
    }

    fn describe(&self) -> String {
        self.0.describe()
    }
}
