//! Requests from JavaScript, answers and faults to it.

use js_sys::{Array, Error, Float32Array, Int8Array, JSON, Reflect, Uint8Array, Uint32Array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use trireme_domain::wire::{EncodeAnswer, Vector, Vectors};
use trireme_domain::{Code, Fault, Limits};
use trireme_service::numbers::Rows;
use trireme_service::parse;
use wasm_bindgen::{JsCast, JsValue};

/// Reads a request: an object, or JSON in bytes. Both go through the parser of every host, so
/// that all refuse the same, in the same words.
pub fn read<T: DeserializeOwned>(request: &JsValue, limits: &Limits) -> Result<T, Fault> {
    let bytes = match request.dyn_ref::<Uint8Array>() {
        Some(bytes) => bytes.to_vec(),
        None => json(request)?.into_bytes(),
    };
    limits.check_body(bytes.len())?;
    parse(&bytes)
}

/// No text where the value has no JSON: `undefined`, a function.
fn json(request: &JsValue) -> Result<String, Fault> {
    let text = JSON::stringify(request).map_err(|e| Fault::new(Code::InvalidJson, words(&e)))?;
    Ok(JsValue::from(text).as_string().unwrap_or_default())
}

/// An answer as a plain object.
pub fn object(answer: &impl Serialize) -> Result<JsValue, Fault> {
    answer.serialize(&Serializer::json_compatible()).map_err(|error| broken(&error.into()))
}

/// Vectors as a plain object with typed arrays.
pub fn vectors(mut answer: EncodeAnswer) -> Result<JsValue, Fault> {
    let (key, value) = match &mut answer.vectors {
        Vectors::One(vector) => ("embedding", typed(&take(vector))),
        Vectors::Many(many) => {
            ("embeddings", many.drain(..).map(|v| typed(&v)).collect::<Array>().into())
        }
    };
    let object = object(&answer)?;
    Reflect::set(&object, &key.into(), &value).map_err(|thrown| broken(&thrown))?;
    Ok(object)
}

/// Rows as a plain object with typed arrays.
pub fn rows(rows: &Rows) -> Result<JsValue, Fault> {
    let object = js_sys::Object::new();
    for (key, value) in [
        ("numbers", Float32Array::from(rows.numbers.as_slice()).into()),
        ("lengths", Uint32Array::from(rows.lengths.as_slice()).into()),
        ("tokens", JsValue::from(rows.tokens as f64)),
    ] {
        Reflect::set(&object, &key.into(), &value).map_err(|thrown| broken(&thrown))?;
    }
    Ok(object.into())
}

fn take(vector: &mut Vector) -> Vector {
    std::mem::replace(vector, Vector::Float(Vec::new()))
}

fn typed(vector: &Vector) -> JsValue {
    match vector {
        Vector::Float(values) => Float32Array::from(values.as_slice()).into(),
        Vector::Signed(values) => Int8Array::from(values.as_slice()).into(),
        Vector::Unsigned(values) => Uint8Array::from(values.as_slice()).into(),
    }
}

/// A fault as an `Error` that is called after its class and has a `code`.
pub fn thrown(fault: &Fault) -> JsValue {
    let error = Error::new(&fault.message);
    error.set_name(fault.code.class().js());
    // A new object takes every property.
    let _set = Reflect::set(&error, &"code".into(), &fault.code.name().into());
    error.into()
}

/// JavaScript threw where it should not have.
fn broken(thrown: &JsValue) -> Fault {
    Fault::new(Code::Internal, words(thrown))
}

/// What was thrown, in words.
pub fn words(thrown: &JsValue) -> String {
    let error = thrown.dyn_ref::<Error>();
    error.map_or_else(|| format!("{thrown:?}"), |error| String::from(error.to_string()))
}
