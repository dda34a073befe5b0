//! The lanes of wasm's vectors: which of them a module has is known when it is built.
#![allow(unsafe_code)]

mod bytes;
mod singles;

#[cfg(target_feature = "relaxed-simd")]
pub(crate) use bytes::Relaxed as Bytes;
#[cfg(not(target_feature = "relaxed-simd"))]
pub(crate) use bytes::Simd128 as Bytes;
