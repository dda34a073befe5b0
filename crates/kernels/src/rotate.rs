//! A rotation that spreads outliers over their neighbours.
//!
//! Some columns of an encoder's activations are ten times as large as the others, and a scale that
//! fits them leaves the others two or three bits. A Hadamard matrix mixes each block of columns
//! into sums and differences of all of them, which are much alike. Both sides of a product are
//! rotated, so the product stays what it was, but for a factor.

use crate::arch::{LANES, Vector};
use crate::reduce::fold;

/// Columns that are mixed at most; more of them gain nothing.
const MOST: usize = 128;

/// How many columns are mixed in a row of this width: the largest power of two that divides it.
pub(crate) fn size(width: usize) -> usize {
    (1 << width.trailing_zeros().min(MOST.ilog2())).min(width.max(1))
}

/// Rotates a row into another, whose length grows by the root of [`size`]; says how large its
/// largest value is, as integers order sizes: NaN or infinite where a value is.
#[inline(always)]
pub(crate) fn rotate<V: Vector>(row: &[f32], out: &mut [f32]) -> f32 {
    let largest = match size(row.len()) / LANES {
        0 => few::<V>(row, out),
        1 => blocks::<V, 1>(row, out),
        2 => blocks::<V, 2>(row, out),
        4 => blocks::<V, 4>(row, out),
        _ => blocks::<V, 8>(row, out),
    };
    let mut sizes = [0.0; LANES];
    largest.store(&mut sizes);
    f32::from_bits(sizes.into_iter().map(f32::to_bits).fold(0, u32::max))
}

/// Blocks of `N` vectors, each mixed in registers.
#[inline(always)]
fn blocks<V: Vector, const N: usize>(row: &[f32], out: &mut [f32]) -> V {
    let mut largest = V::splat(0.0);
    let row = row.as_chunks::<LANES>().0.as_chunks::<N>().0;
    for (block, out) in row.iter().zip(out.as_chunks_mut::<LANES>().0.as_chunks_mut::<N>().0) {
        let mut values = [V::splat(0.0); N];
        for (value, from) in values.iter_mut().zip(block) {
            let mixed = V::load(from).butterfly::<1>().butterfly::<2>();
            *value = mixed.butterfly::<4>().butterfly::<8>();
        }
        let mut half = 1;
        while half < N {
            for i in 0..N {
                if i & half == 0 {
                    let (low, high) = (values[i], values[i + half]);
                    (values[i], values[i + half]) = (low + high, low - high);
                }
            }
            half *= 2;
        }
        for (value, to) in values.into_iter().zip(out) {
            largest = largest.larger_size(value.abs());
            value.store(to);
        }
    }
    largest
}

/// The same for blocks smaller than a vector.
#[inline(always)]
fn few<V: Vector>(row: &[f32], out: &mut [f32]) -> V {
    out.copy_from_slice(row);
    let size = size(row.len());
    let mut half = 1;
    while half < size {
        for pair in out.chunks_exact_mut(2 * half) {
            let (low, high) = pair.split_at_mut(half);
            for (low, high) in low.iter_mut().zip(high) {
                (*low, *high) = (*low + *high, *low - *high);
            }
        }
        half *= 2;
    }
    fold(out, 0.0, V::splat(0.0), |acc: V, v| acc.larger_size(v.abs()))
}

#[cfg(test)]
mod tests {
    use trireme_backend::bytes;

    use super::*;
    use crate::arch::{Lane, Simd, dispatch};

    #[inline(always)]
    fn body<S: Simd>(row: &[f32], out: &mut [f32], largest: &mut f32) {
        *largest = rotate::<S::V>(row, out);
    }

    #[test]
    fn blocks_are_those_that_weights_were_mixed_in() {
        for width in 1..1000 {
            assert_eq!(size(width), bytes::mixed(width), "width {width}");
        }
    }

    #[test]
    fn every_lane_mixes_as_weights_were() {
        for width in [1, 2, 8, 16, 24, 48, 64, 128, 384] {
            let row: Vec<f32> = (0..width).map(|i| (i * 37 % 101) as f32 / 7.0 - 5.0).collect();
            let mut expected = row.clone();
            bytes::rotate(&mut expected);
            for lane in Lane::all() {
                let (mut got, mut largest) = (vec![0.0; width], 0.0);
                let (from, out, size) = (&row[..], &mut got[..], &mut largest);
                dispatch!(lane.exact(), body(from: &[f32], out: &mut [f32], size: &mut f32));
                assert_eq!(got, expected, "width {width}, {}", lane.name());
                let top = expected.iter().fold(0.0, |top: f32, v| top.max(v.abs()));
                assert_eq!(largest, top, "width {width}, {}", lane.name());
            }
        }
    }
}
