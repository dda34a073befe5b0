//! Named tensors, whatever file they came in.

mod pickle;
pub(crate) mod quantized;
pub mod safetensors;
pub mod torch;
mod zip;

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use half::{bf16, f16};

use crate::ModelError;
use crate::files::{Files, weight_files, within};
pub use quantized::Scales;

/// The element types that checkpoints use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// IEEE single.
    F32,
    /// IEEE half.
    F16,
    /// The upper half of a single.
    Bf16,
    /// IEEE double.
    F64,
    /// Signed 64-bit; checkpoints keep `position_ids` so.
    I64,
    /// Signed bytes: weights in eight bits.
    I8,
    /// Bytes: a bundle's text files, and pairs of weights in four bits.
    U8,
}

impl Dtype {
    /// Bytes of one element.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::I8 | Self::U8 => 1,
        }
    }

    /// The name that safetensors gives it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
            Self::F64 => "F64",
            Self::I64 => "I64",
            Self::I8 => "I8",
            Self::U8 => "U8",
        }
    }
}

/// One tensor, row-major, little-endian; the bytes may lie in a memory-mapped file.
#[derive(Debug, Clone)]
pub struct Tensor {
    /// Element type.
    pub dtype: Dtype,
    /// Extents, outermost first.
    pub shape: Vec<usize>,
    /// The elements.
    pub data: Bytes,
    /// What they are multiplied by, where they are quantised.
    pub scales: Option<Scales>,
}

/// Tensors by their checkpoint names.
pub type Tensors = BTreeMap<String, Tensor>;

impl Tensor {
    /// A tensor whose elements are its values.
    #[must_use]
    pub fn plain(dtype: Dtype, shape: Vec<usize>, data: Bytes) -> Self {
        Self { dtype, shape, data, scales: None }
    }

    /// The elements as singles; borrowed where they lie in memory as such.
    ///
    /// # Errors
    /// [`ModelError::TensorType`] where they are not floating-point numbers, and
    /// [`ModelError::NotFinite`] where one is NaN or infinite, or [`ModelError::OutOfMemory`].
    pub fn to_f32(&self, name: &str) -> Result<Cow<'_, [f32]>, ModelError> {
        let values = match self.dtype {
            Dtype::F32 => match bytemuck::try_cast_slice(&self.data) {
                Ok(values) => Cow::Borrowed(values),
                Err(_) => Cow::Owned(decode(name, &self.data, f32::from_le_bytes)?),
            },
            Dtype::F16 => Cow::Owned(decode(name, &self.data, |b| f16::from_le_bytes(b).to_f32())?),
            Dtype::Bf16 => {
                Cow::Owned(decode(name, &self.data, |b| bf16::from_le_bytes(b).to_f32())?)
            }
            Dtype::F64 => Cow::Owned(decode(name, &self.data, |b| f64::from_le_bytes(b) as f32)?),
            Dtype::I64 | Dtype::I8 | Dtype::U8 => {
                let dtype = self.dtype.name().to_owned();
                return Err(ModelError::TensorType { name: name.to_owned(), dtype });
            }
        };
        match values.iter().position(|value| !value.is_finite()) {
            None => Ok(values),
            Some(index) => {
                let value = values[index];
                Err(ModelError::NotFinite { name: name.to_owned(), index, value })
            }
        }
    }
}

/// An empty vector with room for so many values of a tensor.
pub(crate) fn room<T>(name: &str, len: usize) -> Result<Vec<T>, ModelError> {
    let mut values = Vec::new();
    reserve(name, &mut values, len)?;
    Ok(values)
}

/// Makes room for so many values more.
pub(crate) fn reserve<T>(name: &str, values: &mut Vec<T>, len: usize) -> Result<(), ModelError> {
    values.try_reserve_exact(len).map_err(|_| ModelError::OutOfMemory {
        name: name.to_owned(),
        bytes: len.saturating_mul(size_of::<T>()),
    })
}

fn decode<const N: usize>(
    name: &str,
    data: &[u8],
    element: impl Fn([u8; N]) -> f32,
) -> Result<Vec<f32>, ModelError> {
    let elements = data.as_chunks::<N>().0;
    let mut values = room(name, elements.len())?;
    values.extend(elements.iter().map(|&bytes| element(bytes)));
    Ok(values)
}

/// Reads all tensors under `path`, from whichever container is there.
pub(crate) fn read(files: &Files, path: &str) -> Result<Tensors, ModelError> {
    let mut all = Tensors::new();
    let names = weight_files(files, path)?;
    // Containers that nobody was asked about are as good as absent.
    if !names.iter().any(|name| files.asked(name)) {
        return Err(ModelError::MissingFile { file: within(path, "model.safetensors") });
    }
    for name in names {
        let bytes = files.need(&name)?;
        let tensors = if name.ends_with(".bin") {
            torch::read(bytes).map_err(|source| ModelError::Torch { file: name.clone(), source })?
        } else {
            safetensors::read(&name, bytes)?.tensors
        };
        all.extend(tensors);
    }
    Ok(all)
}
