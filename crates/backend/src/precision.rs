//! What numbers a model is computed in.

/// Numbers to compute in, chosen when a model is loaded; the more bits, the earlier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// Singles throughout.
    #[default]
    F32,
    /// The layers that every token goes through multiply halves of singles (`bfloat16`), and sum in
    /// singles. All else is in singles. Only for machines that multiply halves faster.
    Bf16,
    /// The same with halves of the older kind (`binary16`), whose steps are finer and whose range is
    /// narrower. Only for GPUs that multiply these.
    F16,
    /// The layers that every token goes through multiply bytes: each output of a weight and each
    /// row of activations has a scale of its own. All else is in singles.
    Int8,
    /// The same, and each byte is one of fifteen levels times a step that 32 of them share: a model
    /// takes half the room in a file.
    Int4,
}

impl Precision {
    /// Every precision.
    pub const ALL: [Self; 5] = [Self::F32, Self::Bf16, Self::F16, Self::Int8, Self::Int4];

    /// `f32`, `bf16`, `f16`, `int8` or `int4`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
            Self::Int8 => "int8",
            Self::Int4 => "int4",
        }
    }

    /// Whether weights are bytes where every token passes. Then every instruction set and every
    /// host gives the same bits.
    #[must_use]
    pub fn in_bytes(self) -> bool {
        matches!(self, Self::Int8 | Self::Int4)
    }

    /// The precision of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|precision| precision.name() == name)
    }
}
