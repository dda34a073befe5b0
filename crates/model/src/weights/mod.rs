//! Named tensors, whatever file they came in.

use std::collections::BTreeMap;

use bytes::Bytes;

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
    /// Bytes; bundles keep their text files so.
    U8,
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
}

/// Tensors by their checkpoint names.
pub type Tensors = BTreeMap<String, Tensor>;
