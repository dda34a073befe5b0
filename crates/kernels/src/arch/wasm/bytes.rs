//! Products of bytes.

use std::arch::wasm32::*;

use crate::arch::dot::{Dot, WIDTH, Weights};

/// Bytes widened to 16 bits, pairs of products in 32.
pub(crate) struct Simd128;

impl Dot for Simd128 {
    // V8 has fifteen registers: eight sums, four weights, one row's inputs.
    const ROWS: usize = 2;
    const PANELS: usize = 1;
    const BLOCK: usize = WIDTH / 2;

    /// Two halves of each sum, for two outputs a register.
    type Sums = [v128; 4];
    type Block = [v128; 4];

    #[inline(always)]
    fn start(value: i32) -> Self::Sums {
        [i32x4(value, 0, value, 0); 4]
    }

    #[inline(always)]
    fn block(weights: &Weights, first: usize) -> Self::Block {
        let weights = &weights.0[4 * first..][..4 * Self::BLOCK];
        let (pairs, _) = weights.as_chunks::<8>();
        // SAFETY: eight bytes of an array of eight, at any alignment.
        std::array::from_fn(|i| unsafe { u16x8_load_extend_u8x8(pairs[i].as_ptr()) })
    }

    #[inline(always)]
    fn step(mut sums: Self::Sums, block: Self::Block, inputs: [i8; 4]) -> Self::Sums {
        let inputs = i32x4_splat(i32::from_ne_bytes(inputs.map(i8::cast_unsigned)));
        let inputs = i16x8_extend_low_i8x16(inputs);
        for (sums, weights) in sums.iter_mut().zip(block) {
            *sums = i32x4_add(*sums, i32x4_dot_i16x8(weights, inputs));
        }
        sums
    }

    #[inline(always)]
    fn finish(sums: Self::Sums, out: &mut [i32]) {
        for (sums, out) in sums.into_iter().zip(out.as_chunks_mut::<2>().0) {
            out[0] = i32x4_extract_lane::<0>(sums) + i32x4_extract_lane::<1>(sums);
            out[1] = i32x4_extract_lane::<2>(sums) + i32x4_extract_lane::<3>(sums);
        }
    }
}
