//! Safetensors files, by their reference crate, which checks every offset against the file.

use std::collections::BTreeMap;

use ::safetensors::{Dtype as Stored, SafeTensors};
use bytes::Bytes;

use super::{Dtype, Tensor, Tensors};
use crate::ModelError;

/// A file's tensors, as slices of it, and its metadata.
#[derive(Debug)]
pub struct Contents {
    /// The tensors.
    pub tensors: Tensors,
    /// `__metadata__`.
    pub metadata: BTreeMap<String, String>,
    /// Where the header ends and the data begin.
    pub data_start: usize,
}

/// Reads a file without copying it; `file` names it in errors.
///
/// # Errors
/// [`ModelError::Damaged`] where the header lies or the file is cut off, and
/// [`ModelError::TensorType`] for an element type that no encoder uses.
pub fn read(file: &str, bytes: &Bytes) -> Result<Contents, ModelError> {
    let (header, parsed) =
        SafeTensors::read_metadata(bytes).map_err(|e| ModelError::damaged(file, e))?;
    let data_start = header + size_of::<u64>();
    let mut tensors = Tensors::new();
    for (name, info) in parsed.tensors() {
        let dtype = dtype(info.dtype).ok_or_else(|| ModelError::TensorType {
            name: name.clone(),
            dtype: format!("{:?}", info.dtype),
        })?;
        let (start, end) = info.data_offsets;
        let data = bytes
            .get(data_start + start..data_start + end)
            .map(|slice| bytes.slice_ref(slice))
            .ok_or_else(|| ModelError::damaged(file, format!("{name} ends outside the file")))?;
        tensors.insert(name, Tensor::plain(dtype, info.shape.clone(), data));
    }
    let metadata = parsed.metadata().iter().flatten();
    let metadata = metadata.map(|(key, value)| (key.clone(), value.clone())).collect();
    Ok(Contents { tensors, metadata, data_start })
}

fn dtype(stored: Stored) -> Option<Dtype> {
    match stored {
        Stored::F32 => Some(Dtype::F32),
        Stored::F16 => Some(Dtype::F16),
        Stored::BF16 => Some(Dtype::Bf16),
        Stored::F64 => Some(Dtype::F64),
        Stored::I64 => Some(Dtype::I64),
        Stored::I8 => Some(Dtype::I8),
        Stored::U8 => Some(Dtype::U8),
        _ => None,
    }
}
