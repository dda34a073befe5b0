//! Where each text of a ragged batch begins and ends.

use std::ops::Range;

use crate::BackendError;

/// The offsets of a ragged batch: `starts[i]..starts[i + 1]` are the rows of text `i`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    starts: Vec<u32>,
}

impl Layout {
    /// Lays texts of these lengths one after another.
    ///
    /// # Errors
    /// [`BackendError::Layout`] where a text is empty or the batch overflows `u32`.
    pub fn from_lengths(lengths: impl IntoIterator<Item = usize>) -> Result<Self, BackendError> {
        let mut starts = vec![0u32];
        let mut end = 0u32;
        for length in lengths {
            if length == 0 {
                return Err(BackendError::Layout { reason: "a text has no tokens" });
            }
            end = u32::try_from(length)
                .ok()
                .and_then(|length| end.checked_add(length))
                .ok_or(BackendError::Layout { reason: "more tokens than u32 counts" })?;
            starts.push(end);
        }
        Ok(Self { starts })
    }

    /// Rows in all.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.starts.last().map_or(0, |&end| end as usize)
    }

    /// How many texts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there is no text at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row that each text begins with, and behind them all the number of rows.
    #[must_use]
    pub fn starts(&self) -> &[u32] {
        &self.starts
    }

    /// The rows of one text.
    ///
    /// # Panics
    /// Where there is no such text.
    #[must_use]
    pub fn text(&self, index: usize) -> Range<usize> {
        self.starts[index] as usize..self.starts[index + 1] as usize
    }

    /// The rows of each text, in order.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = Range<usize>> + '_ {
        self.starts.windows(2).map(|pair| pair[0] as usize..pair[1] as usize)
    }

    /// The longest text.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.texts().map(|rows| rows.len()).max().unwrap_or(0)
    }

    /// The rows of the text that `row` belongs to; empty past the end.
    #[must_use]
    pub fn text_of(&self, row: usize) -> Range<usize> {
        let after = self.starts.partition_point(|&start| start as usize <= row);
        match (self.starts.get(after.wrapping_sub(1)), self.starts.get(after)) {
            (Some(&start), Some(&end)) => start as usize..end as usize,
            _ => row..row,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_finds_its_text() {
        let layout = Layout::from_lengths([2, 1, 3]).unwrap();
        let got: Vec<_> = (0..7).map(|row| layout.text_of(row)).collect();
        assert_eq!(got, [0..2, 0..2, 2..3, 3..6, 3..6, 3..6, 6..6]);
    }

    #[test]
    fn an_empty_text_is_refused() {
        let got = Layout::from_lengths([2, 0]);
        assert_eq!(got, Err(BackendError::Layout { reason: "a text has no tokens" }));
    }

    #[test]
    fn a_batch_beyond_u32_is_refused() {
        let got = Layout::from_lengths([u32::MAX as usize, 1]);
        assert_eq!(got, Err(BackendError::Layout { reason: "more tokens than u32 counts" }));
    }
}
