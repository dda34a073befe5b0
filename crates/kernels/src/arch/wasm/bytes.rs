//! Products of bytes.

use std::arch::wasm32::*;

use crate::arch::dot::{Bytes, Dot, WIDTH, Weights};

/// Bytes widened to 16 bits, pairs of products in 32.
#[cfg_attr(target_feature = "relaxed-simd", allow(dead_code))]
pub(crate) struct Simd128;

impl Bytes for Simd128 {}

impl Dot for Simd128 {
    type Input = [i8; 4];
    type Sum = i32;

    const ZERO: i32 = 0;
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

/// One instruction, which takes one signed operand, and one of seven bits without a sign. With more
/// than that, what it gives would depend on the machine; so inputs are raised to lie in 1 to 127,
/// and pairs of products stay within 2 · 127 · 127 = 32,258.
#[cfg(target_feature = "relaxed-simd")]
pub(crate) struct Relaxed;

#[cfg(target_feature = "relaxed-simd")]
impl Bytes for Relaxed {
    const RAISED: i32 = 64;
}

#[cfg(target_feature = "relaxed-simd")]
impl Dot for Relaxed {
    type Input = [i8; 4];
    type Sum = i32;

    const ZERO: i32 = 0;
    // Eight sums, two registers of weights, one of inputs.
    const ROWS: usize = 4;
    const PANELS: usize = 1;
    const BLOCK: usize = WIDTH / 2;

    type Sums = [v128; 2];
    type Block = [v128; 2];

    #[inline(always)]
    fn start(value: i32) -> Self::Sums {
        [i32x4_splat(value); 2]
    }

    #[inline(always)]
    fn block(weights: &Weights, first: usize) -> Self::Block {
        let weights = &weights.0[4 * first..][..4 * Self::BLOCK];
        let (low, high) = weights.split_at(16);
        // SAFETY: each half has sixteen bytes; any alignment will do.
        unsafe { [v128_load(low.as_ptr().cast()), v128_load(high.as_ptr().cast())] }
    }

    #[inline(always)]
    fn step(sums: Self::Sums, block: Self::Block, inputs: [i8; 4]) -> Self::Sums {
        let inputs = i32x4_splat(i32::from_ne_bytes(inputs.map(i8::cast_unsigned)));
        [
            i32x4_relaxed_dot_i8x16_i7x16_add(block[0], inputs, sums[0]),
            i32x4_relaxed_dot_i8x16_i7x16_add(block[1], inputs, sums[1]),
        ]
    }

    #[inline(always)]
    fn finish(sums: Self::Sums, out: &mut [i32]) {
        let (low, high) = out.split_at_mut(4);
        assert_eq!(high.len(), 4, "a tile has eight sums");
        // SAFETY: each half has four sums; any alignment will do.
        unsafe {
            v128_store(low.as_mut_ptr().cast(), sums[0]);
            v128_store(high.as_mut_ptr().cast(), sums[1]);
        }
    }
}
