//! Sums whose order is fixed by the length alone.

use crate::arch::{LANES, Vector};

/// Folds `step` over a slice in sixteen interleaved chains; what is missing from the last sixteen
/// is `fill`.
#[inline(always)]
pub(crate) fn fold<V: Vector>(values: &[f32], fill: f32, start: V, step: impl Fn(V, V) -> V) -> V {
    let (blocks, rest) = values.as_chunks::<LANES>();
    let mut acc = start;
    for block in blocks {
        acc = step(acc, V::load(block));
    }
    if rest.is_empty() { acc } else { step(acc, V::load(&filled_up(rest, fill))) }
}

/// The sum of a slice.
#[inline(always)]
pub(crate) fn sum<V: Vector>(values: &[f32]) -> f32 {
    fold(values, 0.0, V::splat(0.0), |acc, v| acc + v).sum()
}

/// Fewer than sixteen values, and `fill` behind them.
#[inline(always)]
pub(crate) fn filled_up(values: &[f32], fill: f32) -> [f32; LANES] {
    let mut block = [fill; LANES];
    block[..values.len()].copy_from_slice(values);
    block
}
