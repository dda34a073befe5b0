//! A rotation that spreads outliers over their neighbours.
//!
//! Some columns of an encoder's activations are ten times as large as the others, and a scale that
//! fits them leaves the others two or three bits. A Hadamard matrix mixes each block of columns
//! into sums and differences of all of them, which are much alike. Both sides of a product are
//! rotated, so the product stays what it was, but for a factor.

/// Columns that are mixed at most; more of them gain nothing.
const MOST: usize = 128;

const LANES: usize = 16;

/// How many columns are mixed in a row of this width: the largest power of two that divides it.
pub(crate) fn size(width: usize) -> usize {
    (1 << width.trailing_zeros().min(MOST.ilog2())).min(width.max(1))
}

/// Rotates a row in place. Its length grows by the root of [`size`].
#[inline(always)]
pub(crate) fn rotate(row: &mut [f32]) {
    let size = size(row.len());
    let mut half = 1;
    if size >= LANES {
        for lanes in row.as_chunks_mut::<LANES>().0 {
            *lanes = within::<8>(within::<4>(within::<2>(within::<1>(*lanes))));
        }
        half = LANES;
    }
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

/// Sums and differences of values that lie `HALF` apart within a vector.
#[inline(always)]
fn within<const HALF: usize>(x: [f32; LANES]) -> [f32; LANES] {
    let other: [f32; LANES] = std::array::from_fn(|i| x[i ^ HALF]);
    let sign: [f32; LANES] = std::array::from_fn(|i| if i & HALF == 0 { x[i] } else { -x[i] });
    std::array::from_fn(|i| other[i] + sign[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_the_largest_powers_of_two_that_fit() {
        for (width, expected) in [(384, 128), (768, 128), (312, 8), (32, 32), (7, 1), (1, 1)] {
            assert_eq!(size(width), expected, "width {width}");
        }
    }

    #[test]
    fn each_value_is_a_signed_sum_of_its_block() {
        for width in [1, 2, 8, 16, 24, 48, 64, 128, 384] {
            let row: Vec<f32> = (0..width).map(|i| (i * 37 % 101) as f32 - 50.0).collect();
            let mut got = row.clone();
            rotate(&mut got);
            let size = size(width);
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
}
