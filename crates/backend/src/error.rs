//! What a backend refuses.

/// Why a backend could not take a weight or run an operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// Two shapes that must agree do not.
    #[error("{op}: expected {expected}, got {got}")]
    Shape {
        /// The operation.
        op: &'static str,
        /// The shape that fits.
        expected: String,
        /// The shape that came.
        got: String,
    },
    /// An index points outside its table.
    #[error("{op}: id {id} is outside the table's {rows} rows")]
    IdOutOfRange {
        /// The operation.
        op: &'static str,
        /// The offending index.
        id: u32,
        /// The table's rows.
        rows: usize,
    },
    /// A ragged batch holds a text without tokens, or more tokens than `u32` counts.
    #[error("ragged batch: {reason}")]
    Layout {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The host has not the memory that this takes.
    #[error("{op}: out of memory for {bytes} bytes; take a smaller model or send less at once")]
    OutOfMemory {
        /// The operation.
        op: &'static str,
        /// What it asked for.
        bytes: usize,
    },
    /// This machine has not the instructions for it.
    #[error("{what} can't be had on this machine, its lane is {lane}; take another precision")]
    Unsupported {
        /// What was asked for.
        what: &'static str,
        /// The instructions that there are.
        lane: &'static str,
    },
    /// The device is gone, and what was in its memory with it; another may be opened.
    #[error("the device was lost: {reason}")]
    DeviceLost {
        /// The device's own words.
        reason: String,
    },
    /// The device failed; CPU backends never return this.
    #[error("device: {reason}")]
    Device {
        /// The device's own words.
        reason: String,
    },
}

impl BackendError {
    /// A shape error, from anything that can be shown.
    pub fn shape(
        op: &'static str,
        expected: impl std::fmt::Display,
        got: impl std::fmt::Display,
    ) -> Self {
        Self::Shape { op, expected: expected.to_string(), got: got.to_string() }
    }
}
