//! Products of halves of singles.

use std::arch::x86_64::*;

use crate::arch::dot::{Dot, WIDTH, Weights};

/// Two products and their sum in one instruction.
pub(crate) struct Bf16;

impl Dot for Bf16 {
    type Input = [u16; 2];
    type Sum = f32;

    const ZERO: f32 = 0.0;
    const ROWS: usize = 8;
    const PANELS: usize = 2;
    const BLOCK: usize = WIDTH;

    type Sums = __m512;
    type Block = __m512i;

    #[inline(always)]
    fn start(value: f32) -> __m512 {
        // SAFETY: AVX-512 is on.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    fn block(weights: &Weights, _: usize) -> __m512i {
        // SAFETY: AVX-512 is on; `weights` has 64 bytes.
        unsafe { _mm512_loadu_si512(weights.0.as_ptr().cast()) }
    }

    #[inline(always)]
    fn step(sums: __m512, block: __m512i, [first, second]: [u16; 2]) -> __m512 {
        let pair = u32::from(first) | u32::from(second) << 16;
        // SAFETY: AVX-512 and its bf16 are on; both types are 512 bits of anything.
        unsafe {
            let inputs = _mm512_set1_epi32(pair.cast_signed());
            let block = std::mem::transmute::<__m512i, __m512bh>(block);
            let inputs = std::mem::transmute::<__m512i, __m512bh>(inputs);
            _mm512_dpbf16_ps(sums, block, inputs)
        }
    }

    #[inline(always)]
    fn finish(sums: __m512, out: &mut [f32]) {
        assert_eq!(out.len(), WIDTH, "a tile has sixteen sums");
        // SAFETY: AVX-512 is on; `out` has sixteen sums.
        unsafe { _mm512_storeu_ps(out.as_mut_ptr(), sums) }
    }
}
