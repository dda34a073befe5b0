//! How a weight is kept in bytes.
//!
//! Each row has a scale of its own. A table's bytes stand for its values. A linear layer's stand
//! for its rotated rows: a Hadamard matrix mixes each block of columns into sums and differences of
//! all of them, so that no few large columns take the bits of the others. A backend that multiplies
//! them rotates its activations likewise, and the product stays what it was.

use crate::Matrix;

/// The largest size of a byte.
const TOP: f32 = 127.0;

/// Columns that are mixed at most; more of them gain nothing.
const MOST: usize = 128;

/// Adding this rounds to the nearest integer, ties to even, and costs no call: it is 1.5 · 2²³.
const ROUND: f32 = 12_582_912.0;

/// Borrowed rows of bytes: a value is `byte × scale`.
#[derive(Debug, Clone, Copy)]
pub struct ByteRows<'a> {
    /// Column count.
    pub cols: usize,
    /// Row by row, in [-127, 127].
    pub values: &'a [i8],
    /// One for each row.
    pub scales: &'a [f32],
}

/// A weight, in the numbers that it is kept in.
#[derive(Debug, Clone, Copy)]
pub enum Weight<'a> {
    /// Singles.
    Singles(Matrix<'a>),
    /// Bytes.
    Bytes(ByteRows<'a>),
}

impl<'a> From<Matrix<'a>> for Weight<'a> {
    fn from(matrix: Matrix<'a>) -> Self {
        Self::Singles(matrix)
    }
}

impl<'a> From<ByteRows<'a>> for Weight<'a> {
    fn from(rows: ByteRows<'a>) -> Self {
        Self::Bytes(rows)
    }
}

/// How many columns of a row of this width are mixed: the largest power of two that divides it.
///
/// ```
/// use trireme_backend::bytes::mixed;
///
/// assert_eq!([384, 312, 7].map(mixed), [128, 8, 1]);
/// ```
#[must_use]
pub fn mixed(width: usize) -> usize {
    (1 << width.trailing_zeros().min(MOST.ilog2())).min(width.max(1))
}

/// Mixes a row's blocks in place. Its length grows by the root of [`mixed`]; twice is the row times
/// [`mixed`].
pub fn rotate(row: &mut [f32]) {
    let size = mixed(row.len());
    let mut half = 1;
    while half < size {
        for pair in row.chunks_exact_mut(2 * half) {
            let (low, high) = pair.split_at_mut(half);
            for (low, high) in low.iter_mut().zip(high) {
                (*low, *high) = (*low + *high, *low - *high);
            }
        }
        half *= 2;
    }
}

/// The nearest integer, ties to even, of a value below 2²².
#[must_use]
pub fn nearest(value: f32) -> f32 {
    (value + ROUND) - ROUND
}

/// Writes the bytes that a row of finite values is nearest to, and returns their scale.
///
/// ```
/// let mut bytes = [0; 3];
/// let scale = trireme_backend::bytes::quantize(&[0.5, -1.0, 0.0], &mut bytes);
/// assert_eq!((bytes, scale), ([64, -127, 0], 1.0 / 127.0));
/// ```
pub fn quantize(row: &[f32], bytes: &mut [i8]) -> f32 {
    let scale = row.iter().fold(0.0, |top: f32, value| top.max(value.abs())) / TOP;
    for (byte, value) in bytes.iter_mut().zip(row) {
        // Where the scale is nothing, or so little that it lost its digits, so is the row.
        let steps = if scale >= f32::MIN_POSITIVE { nearest(value / scale) } else { 0.0 };
        *byte = steps.clamp(-TOP, TOP) as i8;
    }
    scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_a_signed_sum_of_its_block() {
        for width in [1, 2, 8, 16, 24, 48, 64, 128, 384] {
            let row: Vec<f32> = (0..width).map(|i| (i * 37 % 101) as f32 - 50.0).collect();
            let mut got = row.clone();
            rotate(&mut got);
            let size = mixed(width);
            for (at, &got) in got.iter().enumerate() {
                let block = &row[at / size * size..][..size];
                let signed = |(i, v): (usize, &f32)| {
                    if (i & (at % size)).count_ones().is_multiple_of(2) { *v } else { -v }
                };
                let expected: f32 = block.iter().enumerate().map(signed).sum();
                assert_eq!(got, expected, "column {at} of {width}");
            }
        }
    }

    #[test]
    fn a_byte_is_within_half_a_step() {
        let row: Vec<f32> = (0..1000).map(|i| ((i * 7919) % 2001) as f32 - 1000.0).collect();
        let mut bytes = vec![0; row.len()];
        let scale = quantize(&row, &mut bytes);
        for (&byte, value) in bytes.iter().zip(&row) {
            let off = (f32::from(byte) * scale - value).abs();
            assert!(off <= 0.5001 * scale, "{value} as {byte} × {scale}");
        }
    }

    #[test]
    fn rows_at_the_edge() {
        for (name, row, expected) in [
            ("zeros", [0.0; 2], [0; 2]),
            ("all equal", [-3.0; 2], [-127; 2]),
            ("too small to have a scale", [1e-44, -1e-44], [0; 2]),
            ("the largest there is", [f32::MAX, f32::MIN], [127, -127]),
        ] {
            let mut bytes = [1; 2];
            assert!(quantize(&row, &mut bytes).is_finite(), "{name}");
            assert_eq!(bytes, expected, "{name}");
        }
    }
}
