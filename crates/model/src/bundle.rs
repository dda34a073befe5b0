//! One file for one model.
//!
//! A bundle is a safetensors file: its weights can be read by anything that reads those, in place.
//! The model's text files ride along as byte tensors under `file/`, and beside a quantised tensor
//! stand its scales. The header says which format
//! the bundle has and what its data hash to, and the bundle's digest is the SHA-256 of the header,
//! so it stands for every byte. Packing the same model twice gives the same file.

use std::collections::BTreeMap;

use bytes::Bytes;
use half::f16;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::files::Files;
use crate::weights::quantized::{fault, step_bytes};
use crate::weights::{Dtype, Scales, Tensor, Tensors, safetensors};
use crate::{Checkpoint, ModelError};

/// The format that this version writes, and the only one that it reads.
const FORMAT: &str = "1";
const FORMAT_KEY: &str = "trireme.format";
const DATA_KEY: &str = "trireme.data_sha256";
const TEXT: &str = "file/";
/// What the tensors that stand beside a quantised one are called behind its name.
const SCALES: &str = ".scales";
const STEPS: &str = ".steps";
/// Data begin at a multiple of this, so that a mapped tensor can be read where it lies.
const ALIGN: usize = 64;

/// A bundle, laid out and hashed, ready to be written.
#[derive(Debug)]
pub struct Bundle {
    header: Vec<u8>,
    data: Vec<Bytes>,
}

impl Bundle {
    /// Lays a model out, after checking that it will load; `store` converts its weights, `None`
    /// keeps them as they are.
    ///
    /// # Errors
    /// [`ModelError`] where the tokenizer does not fit, or a weight is not finite as it is stored.
    pub fn new(checkpoint: &Checkpoint, store: Option<Dtype>) -> Result<Self, ModelError> {
        checkpoint.tokenizer()?;
        let mut stored = checkpoint.clone();
        for (name, tensor) in &mut stored.tensors {
            // Quantised tensors were looked at when they were read or made.
            if tensor.scales.is_none() {
                *tensor = convert(tensor, store);
                tensor.to_f32(name)?;
            }
        }
        Ok(Self::lay_out(&stored))
    }

    /// Lays a model out as it is.
    pub(crate) fn lay_out(checkpoint: &Checkpoint) -> Self {
        let mut entries: Vec<(String, Tensor)> = checkpoint
            .tensors
            .iter()
            .flat_map(|(name, tensor)| stored(name, tensor))
            .chain(checkpoint.texts.present().map(|(name, bytes)| {
                let shape = vec![bytes.len()];
                (format!("{TEXT}{name}"), Tensor::plain(Dtype::U8, shape, bytes.clone()))
            }))
            .collect();
        // The widest elements first: each then begins at a multiple of its own width.
        entries.sort_by(|(a, x), (b, y)| y.dtype.size().cmp(&x.dtype.size()).then(a.cmp(b)));

        let mut hash = Sha256::new();
        let mut at = 0;
        let mut listed = Map::new();
        for (name, tensor) in &entries {
            hash.update(&tensor.data);
            let end = at + tensor.data.len();
            let entry = json!({
                "dtype": tensor.dtype.name(), "shape": tensor.shape, "data_offsets": [at, end],
            });
            listed.insert(name.clone(), entry);
            at = end;
        }
        // `format: pt` is what the reference's own loaders ask of a safetensors file.
        let metadata = json!({
            "format": "pt", FORMAT_KEY: FORMAT, DATA_KEY: hex::encode(hash.finalize()),
        });
        let mut header = Map::new();
        header.insert("__metadata__".to_owned(), metadata);
        header.extend(listed);
        let data = entries.into_iter().map(|(_, tensor)| tensor.data).collect();
        Self { header: frame(&Value::Object(header)), data }
    }

    /// SHA-256 of the header, in hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(&self.header))
    }

    /// The file's bytes, piece by piece.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(self.header.as_slice()).chain(self.data.iter().map(Bytes::as_ref))
    }
}

/// The header as safetensors frames it: its length, then JSON, filled up with spaces.
fn frame(header: &Value) -> Vec<u8> {
    let mut json = header.to_string().into_bytes();
    let length = size_of::<u64>();
    json.resize((length + json.len()).next_multiple_of(ALIGN) - length, b' ');
    let mut framed = (json.len() as u64).to_le_bytes().to_vec();
    framed.append(&mut json);
    framed
}

/// Conversions that lose nothing but digits; anything that is not a float stays.
fn convert(tensor: &Tensor, store: Option<Dtype>) -> Tensor {
    let values = match store {
        Some(Dtype::F16 | Dtype::F32) if store != Some(tensor.dtype) => tensor.to_f32("").ok(),
        _ => None,
    };
    let Some(values) = values else { return tensor.clone() };
    let (dtype, data): (_, Vec<u8>) = if store == Some(Dtype::F16) {
        (Dtype::F16, values.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect())
    } else {
        (Dtype::F32, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    };
    Tensor::plain(dtype, tensor.shape.clone(), data.into())
}

/// A tensor as the file holds it: itself, and what its elements are multiplied by.
fn stored(name: &str, tensor: &Tensor) -> Vec<(String, Tensor)> {
    let plain = |dtype, shape, data| Tensor::plain(dtype, shape, data);
    let mut shape = tensor.shape.clone();
    let Some(Scales { rows, steps }) = &tensor.scales else {
        return vec![(name.to_owned(), plain(tensor.dtype, shape, tensor.data.clone()))];
    };
    let scales: Vec<u8> = rows.iter().flat_map(|scale| scale.to_le_bytes()).collect();
    let mut all =
        vec![(format!("{name}{SCALES}"), plain(Dtype::F32, vec![rows.len()], scales.into()))];
    if let (Some(steps), Some(cols)) = (steps, shape.last_mut()) {
        let each = vec![rows.len(), step_bytes(*cols)];
        all.push((format!("{name}{STEPS}"), plain(Dtype::U8, each, steps.clone().into())));
        *cols /= 2;
    }
    all.push((name.to_owned(), plain(tensor.dtype, shape, tensor.data.clone())));
    all
}

/// Puts scales and steps back to the tensors that they belong to.
fn gather(file: &str, mut tensors: Tensors) -> Result<Tensors, ModelError> {
    let bytes: Vec<String> = tensors
        .iter()
        .filter(|(_, tensor)| matches!(tensor.dtype, Dtype::I8 | Dtype::U8))
        .map(|(name, _)| name.clone())
        .filter(|name| !name.ends_with(STEPS))
        .collect();
    for name in bytes {
        let scales = tensors.remove(&format!("{name}{SCALES}"));
        let steps = tensors.remove(&format!("{name}{STEPS}"));
        let Some(tensor) = tensors.get_mut(&name) else { continue };
        let Some(scales) = scales else {
            return Err(ModelError::damaged(file, format!("{name} has no scales")));
        };
        if let (Dtype::U8, Some(cols)) = (tensor.dtype, tensor.shape.last_mut()) {
            // Two levels share a byte; a size that overflows fits no configuration.
            *cols = cols.saturating_mul(2);
        }
        if (tensor.dtype == Dtype::U8) != steps.is_some() {
            return Err(ModelError::damaged(file, format!("{name} has no steps, or needs none")));
        }
        let rows = scales.to_f32(&format!("{name}{SCALES}"))?.into_owned();
        let scales = Scales { rows, steps: steps.map(|steps| steps.data.to_vec()) };
        if let Some(fault) = fault(tensor, &scales) {
            return Err(ModelError::damaged(file, format!("{name}: {fault}")));
        }
        tensor.scales = Some(scales);
    }
    Ok(tensors)
}

/// Bytes of one step of [`hash`].
const STEP: usize = 1 << 16;

/// The SHA-256, in steps: a browser runs a function as it first compiled it until it returns, so one
/// call over a whole model would never be the fast one.
fn hash(data: &[u8]) -> String {
    let mut hash = Sha256::new();
    data.chunks(STEP).for_each(|step| hash.update(step));
    hex::encode(hash.finalize())
}

/// Splits a bundle into its text files and its weights, after checking its hash.
pub(crate) fn open(bytes: &Bytes) -> Result<(Files, Tensors), ModelError> {
    const FILE: &str = "bundle";
    let contents = safetensors::read(FILE, bytes)?;
    let found = contents.metadata.get(FORMAT_KEY).ok_or(ModelError::NotABundle)?;
    if found != FORMAT {
        return Err(ModelError::BundleFormat { found: found.clone(), known: FORMAT });
    }
    let data = bytes.get(contents.data_start..).unwrap_or_default();
    let expected = contents.metadata.get(DATA_KEY).cloned().unwrap_or_default();
    let got = hash(data);
    if expected != got {
        return Err(ModelError::BundleDigest { expected, got });
    }
    let mut files = Files::default();
    let mut tensors = BTreeMap::new();
    for (name, tensor) in contents.tensors {
        match name.strip_prefix(TEXT) {
            Some(name) => files.insert(name, Some(tensor.data)),
            None => drop(tensors.insert(name, tensor)),
        }
    }
    Ok((files, gather(FILE, tensors)?))
}
