//! What numbers a model is computed in.

/// Numbers to compute in, chosen when a model is loaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Singles throughout.
    #[default]
    F32,
    /// The layers that every token goes through multiply halves of singles (`bfloat16`), and sum in
    /// singles. All else is in singles. Only for machines that multiply halves faster.
    Bf16,
    /// The layers that every token goes through multiply bytes: each output of a weight and each
    /// row of activations has a scale of its own. All else is in singles.
    Int8,
}

impl Precision {
    /// Every precision.
    pub const ALL: [Self; 3] = [Self::F32, Self::Bf16, Self::Int8];

    /// `f32`, `bf16` or `int8`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
        }
    }

    /// The precision of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|precision| precision.name() == name)
    }
}
