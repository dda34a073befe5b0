//! The lanes of wasm's vectors: which of them a module has is known when it is built.
#![allow(unsafe_code)]

mod bytes;
mod singles;

pub(crate) use bytes::Simd128;
