//! One file for one model.
//!
//! A bundle is a safetensors file: its weights can be read by anything that reads those, in place.
//! The model's text files ride along as byte tensors under `file/`. The header says which format
//! the bundle has and what its data hash to, and the bundle's digest is the SHA-256 of the header,
//! so it stands for every byte. Packing the same model twice gives the same file.

use std::collections::BTreeMap;

use bytes::Bytes;
use half::f16;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::files::Files;
use crate::weights::{Dtype, Tensor, Tensors, safetensors};
use crate::{Checkpoint, ModelError};

/// The format that this version writes, and the only one that it reads.
const FORMAT: &str = "1";
const FORMAT_KEY: &str = "trireme.format";
const DATA_KEY: &str = "trireme.data_sha256";
const TEXT: &str = "file/";
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
            *tensor = convert(tensor, store);
            tensor.to_f32(name)?;
        }
        Ok(Self::lay_out(&stored))
    }

    /// Lays a model out as it is.
    pub(crate) fn lay_out(checkpoint: &Checkpoint) -> Self {
        let mut entries: Vec<(String, Tensor)> = checkpoint
            .tensors
            .iter()
            .map(|(name, tensor)| (name.clone(), tensor.clone()))
            .chain(checkpoint.texts.present().map(|(name, bytes)| {
                let shape = vec![bytes.len()];
                (format!("{TEXT}{name}"), Tensor { dtype: Dtype::U8, shape, data: bytes.clone() })
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
    Tensor { dtype, shape: tensor.shape.clone(), data: data.into() }
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
    let got = hex::encode(Sha256::digest(data));
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
    Ok((files, tensors))
}
