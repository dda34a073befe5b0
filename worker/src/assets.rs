//! Model files among the assets of a deployment.

use std::collections::TryReserveError;

use bytes::Bytes;
use trireme_service::ports::{BoxFuture, ModelSource, SourceError};
use worker::js_sys::{Promise, Uint8Array, encode_uri_component};
use worker::send::{SendFuture, SendWrapper};
use worker::wasm_bindgen::{JsCast as _, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::Response;
use worker::worker_sys::Fetcher;
use worker::{Env, Error};

/// What `wrangler.toml` calls the assets.
const BINDING: &str = "ASSETS";

/// A folder of the assets.
pub struct Assets {
    fetcher: SendWrapper<Fetcher>,
    folder: String,
}

impl Assets {
    /// The folder at this path; the empty path is all of them.
    pub fn new(env: &Env, folder: &str) -> Result<Self, SourceError> {
        let binding = env.assets(BINDING).map_err(|error| SourceError::Misconfigured {
            place: place(folder),
            reason: format!("{error}; bind the assets as {BINDING} in wrangler.toml"),
        })?;
        let fetcher = SendWrapper::new(JsValue::from(binding).unchecked_into());
        Ok(Self { fetcher, folder: folder.to_owned() })
    }

    async fn read(&self, name: &str) -> Result<Option<Bytes>, SourceError> {
        let path = if self.folder.is_empty() { name } else { &format!("{}/{name}", self.folder) };
        let response = self.get(path).await.map_err(|error| self.unreachable(name, &error))?;
        match response.status() {
            200 => {}
            404 => return Ok(None),
            status => {
                let (place, file) = (self.describe(), name.to_owned());
                return Err(SourceError::Status { place, file, status });
            }
        }
        let broke_off = |error: JsValue| self.unreachable(name, &error.into());
        let buffer = settled(response.array_buffer().map_err(broke_off)?).await;
        copied(&buffer.map_err(broke_off)?)
            .map(Some)
            .map_err(|_| SourceError::OutOfMemory { place: self.describe(), file: name.to_owned() })
    }

    fn unreachable(&self, file: &str, error: &Error) -> SourceError {
        SourceError::Unreachable {
            place: self.describe(),
            file: file.to_owned(),
            reason: error.to_string(),
            cached: false,
        }
    }

    async fn get(&self, path: &str) -> Result<Response, Error> {
        let path: Vec<String> =
            path.split('/').map(|part| encode_uri_component(part).into()).collect();
        // Assets answer under any host.
        let promise = self.fetcher.fetch_with_str(&format!("https://assets/{}", path.join("/")))?;
        Ok(settled(promise).await?.unchecked_into())
    }
}

/// JavaScript hands a body over whole, so its length is known, and our memory, which never shrinks,
/// grows by no more than that.
fn copied(buffer: &JsValue) -> Result<Bytes, TryReserveError> {
    let array = Uint8Array::new(buffer);
    let length = array.length() as usize;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length)?;
    bytes.resize(length, 0);
    array.copy_to(&mut bytes);
    Ok(bytes.into())
}

async fn settled(promise: Promise) -> Result<JsValue, JsValue> {
    JsFuture::from(promise).await
}

fn place(folder: &str) -> String {
    format!("{BINDING}/{folder}")
}

impl ModelSource for Assets {
    fn fetch<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, SourceError>> {
        Box::pin(SendFuture::new(self.read(name)))
    }

    fn describe(&self) -> String {
        place(&self.folder)
    }
}
