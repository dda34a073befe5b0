//! Rows of singles as rows of bytes, each row with a scale of its own.
//!
//! One scale for a whole batch would make a text's answer depend on its neighbours; one for each
//! row does not, and an outlier costs only its own row.

use crate::arch::{Bytes, LANES, Lane, ROUND, Simd, Vector, dispatch};
use crate::reduce::filled_up;
use crate::rotate::rotate;

/// The largest size of a quantised input.
const TOP: f32 = 63.0;

/// Quantised rows: each value of a rotated row is `byte × scale`, rounded to nearest, ties to even.
/// Where the lane that made them raises its inputs, each byte is larger by that.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rows8 {
    /// Row by row; each row filled up with zeros to a multiple of four.
    pub values: Vec<[i8; 4]>,
    /// One for each row; NaN where the row holds a value that is not finite.
    pub scales: Vec<f32>,
    /// The sum of each row's bytes.
    pub sums: Vec<i32>,
    /// A rotated row.
    rotated: Vec<f32>,
}

impl Rows8 {
    /// Quantises whole rows of `width` values, in place of what was here.
    pub fn fill(&mut self, lane: Lane, x: &[f32], width: usize) {
        let rows = x.len() / width;
        self.values.resize(rows * width.div_ceil(4), [0; 4]);
        self.scales.resize(rows, 0.0);
        self.sums.resize(rows, 0);
        self.rotated.resize(width, 0.0);
        let into = self;
        dispatch!(lane, body(x: &[f32], width: usize, into: &mut Rows8));
    }
}

#[inline(always)]
fn body<S: Simd>(x: &[f32], width: usize, out: &mut Rows8) {
    let Rows8 { values, scales, sums, rotated } = out;
    let rows = x.chunks_exact(width).zip(values.chunks_exact_mut(width.div_ceil(4)));
    for ((row, bytes), (scale, sum)) in rows.zip(scales.iter_mut().zip(sums)) {
        if let Some(last) = bytes.last_mut() {
            *last = [0; 4];
        }
        let largest = rotate::<S::V>(row, rotated);
        (*scale, *sum) = quantize::<S>(rotated, largest, &mut bytes.as_flattened_mut()[..width]);
    }
}

/// Writes the bytes of a row with this largest size; returns its scale and their sum.
#[inline(always)]
fn quantize<S: Simd>(row: &[f32], largest: f32, bytes: &mut [i8]) -> (f32, i32) {
    if !largest.is_finite() {
        return (f32::NAN, 0);
    }
    // The reciprocal of less is infinite, and what is left of such a row is nothing.
    let inverse = if largest < TOP * f32::MIN_POSITIVE { 0.0 } else { TOP / largest };
    let zero = S::V::splat(ROUND + S::D::RAISED as f32);
    let inverse = S::V::splat(inverse);
    // Whole numbers below 2²⁴: singles add them exactly.
    let mut sum = S::V::splat(0.0);
    let (blocks, rest) = row.as_chunks::<LANES>();
    let (whole, last) = bytes.as_chunks_mut::<LANES>();
    for (values, bytes) in blocks.iter().zip(whole) {
        let rounded = S::V::load(values) * inverse + zero;
        sum = sum + (rounded - zero);
        *bytes = rounded.low_bytes();
    }
    if !rest.is_empty() {
        let rounded = S::V::load(&filled_up(rest, 0.0)) * inverse + zero;
        sum = sum + (rounded - zero);
        last.copy_from_slice(&rounded.low_bytes()[..rest.len()]);
    }
    (largest / TOP, sum.sum() as i32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use trireme_backend::bytes;

    use super::*;

    fn rotated(row: &[f32]) -> Vec<f32> {
        let mut row = row.to_vec();
        bytes::rotate(&mut row);
        row
    }

    fn quantized(lane: Lane, x: &[f32], width: usize) -> Rows8 {
        let mut rows = Rows8::default();
        // What was there before must leave no trace.
        rows.fill(lane, &vec![1.0; x.len()], width);
        rows.fill(lane, x, width);
        rows
    }

    fn one(row: &[f32]) -> (Vec<i8>, f32, i32) {
        let got = quantized(Lane::PORTABLE, row, row.len());
        (got.values.as_flattened()[..row.len()].to_vec(), got.scales[0], got.sums[0])
    }

    proptest! {
        #[test]
        fn a_byte_is_within_half_a_step_on_every_lane(
            width in 1usize..40,
            x in prop::collection::vec(-1e3f32..1e3, 40..200),
        ) {
            let x = &x[..x.len() / width * width];
            let expected = quantized(Lane::PORTABLE, x, width);
            for lane in Lane::all() {
                for lane in [lane, lane.exact()] {
                    prop_assert_eq!(&quantized(lane, x, width), &expected, "{:?}", lane);
                }
            }
            let stride = width.div_ceil(4) * 4;
            let rows = expected.values.as_flattened().chunks(stride);
            for ((bytes, row), (scale, sum)) in
                rows.zip(x.chunks(width)).zip(expected.scales.iter().zip(&expected.sums))
            {
                for (&byte, value) in bytes.iter().zip(rotated(row)) {
                    let off = (f32::from(byte) * scale - value).abs();
                    prop_assert!(off <= 0.5001 * scale, "{value} as {byte} × {scale}");
                }
                let all: i32 = bytes.iter().map(|&byte| i32::from(byte)).sum();
                prop_assert_eq!(*sum, all);
            }
        }
    }

    #[test]
    fn rows_at_the_edge() {
        let tiny = f32::MIN_POSITIVE;
        for (name, row, bytes) in [
            ("zeros", [0.0; 3], [0; 3]),
            ("all equal", [2.0; 3], [63; 3]),
            ("both ends", [-2.0, 0.0, 2.0], [-63, 0, 63]),
            ("ties to even", [0.5, 1.5, 63.0], [0, 2, 63]),
            ("too small to matter", [tiny, -tiny, 0.0], [0; 3]),
            ("the largest there is", [f32::MAX, f32::MIN, 0.0], [63, -63, 0]),
        ] {
            let (got, scale, _) = one(&row);
            assert_eq!(got, bytes, "{name}");
            assert!(scale.is_finite(), "{name}: the scale is {scale}");
        }
    }

    #[test]
    fn what_is_not_finite_spoils_its_own_row_only() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let got = quantized(Lane::PORTABLE, &[1.0, bad, 1.0, 2.0], 2);
            assert!(got.scales[0].is_nan(), "expected NaN for {bad}, got {}", got.scales[0]);
            let (bytes, scale, sum) = one(&[1.0, 2.0]);
            assert_eq!(got.values[1][..2], bytes);
            assert_eq!((got.scales[1], got.sums[1]), (scale, sum));
        }
    }
}
