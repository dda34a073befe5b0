//! Batch files: which rows a shard owns, how parts follow each other, and when what was begun may
//! go on.
//!
//! ```
//! use trireme_domain::batch::Shard;
//!
//! let shards: Vec<Shard> = ["0/3", "1/3", "2/3"].map(|name| name.parse().unwrap()).to_vec();
//! let rows: Vec<_> = shards.iter().map(|shard| shard.rows(10)).collect();
//! assert_eq!(rows, [0..3, 3..6, 6..10]);
//! ```

mod manifest;
mod merge;
mod shard;
#[cfg(test)]
mod tests;

pub use manifest::{Counts, Input, Made, Manifest, Misfit, ModelMade, OutOfTurn, Part};
pub use merge::{Incomplete, in_order, joined};
pub use shard::{NoShard, Shard};

use crate::Code;

/// How much a part holds at most. It ends with the row that fills it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartSize {
    /// Rows.
    pub rows: usize,
    /// Bytes of its rows, as they were read.
    pub bytes: usize,
}

impl Default for PartSize {
    fn default() -> Self {
        Self { rows: 4096, bytes: 4 << 20 }
    }
}

impl PartSize {
    /// Whether a part with so much in it takes no more.
    #[must_use]
    pub fn is_full(self, rows: usize, bytes: usize) -> bool {
        rows >= self.rows || bytes >= self.bytes
    }
}

/// The order in which texts of these lengths are computed: the longest first, so that what is
/// left at the end, where some threads have nothing to do any more, is short.
#[must_use]
pub fn longest_first(lengths: &[usize]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(lengths.get(at)));
    order
}

/// Whether a fault of the model is one of its row alone, and the others go on.
#[must_use]
pub fn is_of_row(code: Code) -> bool {
    matches!(
        code,
        Code::AnswerNotFinite
            | Code::EmptyText
            | Code::TextTooLong
            | Code::TextRefused
            | Code::Internal
    )
}
