//! The Python objects that a checkpoint may name: the whole list.

use crate::weights::Dtype;
use crate::weights::torch::{TorchError, brief};

/// What a storage's elements are.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::weights) struct Element {
    /// The storage class in Python's module `torch`.
    pub(in crate::weights) class: &'static str,
    /// Bytes in one element.
    pub(in crate::weights) width: usize,
    /// Our type, if there is one. Python's `bool` is a byte of 0 or 1.
    pub(in crate::weights) dtype: Option<Dtype>,
}

static ELEMENTS: [Element; 10] = [
    Element { class: "FloatStorage", width: 4, dtype: Some(Dtype::F32) },
    Element { class: "HalfStorage", width: 2, dtype: Some(Dtype::F16) },
    Element { class: "BFloat16Storage", width: 2, dtype: Some(Dtype::Bf16) },
    Element { class: "DoubleStorage", width: 8, dtype: Some(Dtype::F64) },
    Element { class: "LongStorage", width: 8, dtype: Some(Dtype::I64) },
    Element { class: "ByteStorage", width: 1, dtype: Some(Dtype::U8) },
    Element { class: "BoolStorage", width: 1, dtype: Some(Dtype::U8) },
    Element { class: "CharStorage", width: 1, dtype: None },
    Element { class: "ShortStorage", width: 2, dtype: None },
    Element { class: "IntStorage", width: 4, dtype: None },
];

const INERT: [&str; 7] = ["Size", "device", "float32", "float16", "bfloat16", "float64", "int64"];

/// The globals that a checkpoint may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::weights) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(&'static Element),
    /// Known to be harmless and of no use here, as `torch.Size`.
    Inert,
}

impl Global {
    /// The global of a module, if it is on the list.
    pub(super) fn find(module: &str, name: &str) -> Result<Self, TorchError> {
        match (module, name) {
            ("collections", "OrderedDict") => Some(Self::OrderedDict),
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Some(Self::RebuildTensor),
            ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => {
                Some(Self::RebuildParameter)
            }
            ("torch", name) if INERT.contains(&name) => Some(Self::Inert),
            ("torch", class) => ELEMENTS.iter().find(|it| it.class == class).map(Self::Storage),
            _ => None,
        }
        .ok_or_else(|| TorchError::UnknownGlobal { name: brief(&format!("{module}.{name}")) })
    }
}
