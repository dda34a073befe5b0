//! Products of bytes.

use std::arch::x86_64::*;

use crate::arch::dot::{Bytes, Dot, WIDTH, Weights};

/// Pairs of products in 16 bits, pairs of those in 32.
pub(crate) struct Avx2;

impl Bytes for Avx2 {}

impl Dot for Avx2 {
    type Input = [i8; 4];
    type Sum = i32;

    const ZERO: i32 = 0;
    const ROWS: usize = 4;
    const PANELS: usize = 1;
    const BLOCK: usize = WIDTH;

    type Sums = [__m256i; 2];
    type Block = [__m256i; 2];

    #[inline(always)]
    fn start(value: i32) -> Self::Sums {
        // SAFETY: AVX2 is on.
        [unsafe { _mm256_set1_epi32(value) }; 2]
    }

    #[inline(always)]
    fn block(weights: &Weights, _: usize) -> Self::Block {
        let (low, high) = weights.0.split_at(32);
        // SAFETY: AVX2 is on; each half has 32 bytes.
        unsafe {
            [_mm256_loadu_si256(low.as_ptr().cast()), _mm256_loadu_si256(high.as_ptr().cast())]
        }
    }

    #[inline(always)]
    fn step(sums: Self::Sums, block: Self::Block, inputs: [i8; 4]) -> Self::Sums {
        // SAFETY: AVX2 is on.
        unsafe {
            let inputs = _mm256_set1_epi32(i32::from_ne_bytes(inputs.map(i8::cast_unsigned)));
            let ones = _mm256_set1_epi16(1);
            let low = _mm256_maddubs_epi16(block[0], inputs);
            let high = _mm256_maddubs_epi16(block[1], inputs);
            [
                _mm256_add_epi32(sums[0], _mm256_madd_epi16(low, ones)),
                _mm256_add_epi32(sums[1], _mm256_madd_epi16(high, ones)),
            ]
        }
    }

    #[inline(always)]
    fn finish(sums: Self::Sums, out: &mut [i32]) {
        let (low, high) = out.split_at_mut(8);
        assert_eq!(high.len(), 8, "a tile has sixteen sums");
        // SAFETY: AVX2 is on; each half has eight sums.
        unsafe {
            _mm256_storeu_si256(low.as_mut_ptr().cast(), sums[0]);
            _mm256_storeu_si256(high.as_mut_ptr().cast(), sums[1]);
        }
    }
}

/// The same in wider registers.
pub(crate) struct Avx512;

/// One instruction.
pub(crate) struct Vnni;

/// What both share: sixteen sums in one register.
macro_rules! in_one_register {
    ($lane:ty, |$sums:ident, $block:ident, $inputs:ident| $step:expr) => {
        impl Bytes for $lane {}

        impl Dot for $lane {
            type Input = [i8; 4];
            type Sum = i32;

            const ZERO: i32 = 0;
            const ROWS: usize = 8;
            // A core loads one such register a cycle; two panels need it half as often.
            const PANELS: usize = 2;
            const BLOCK: usize = WIDTH;

            type Sums = __m512i;
            type Block = __m512i;

            #[inline(always)]
            fn start(value: i32) -> __m512i {
                // SAFETY: AVX-512 is on.
                unsafe { _mm512_set1_epi32(value) }
            }

            #[inline(always)]
            fn block(weights: &Weights, _: usize) -> __m512i {
                // SAFETY: AVX-512 is on; `weights` has 64 bytes.
                unsafe { _mm512_loadu_si512(weights.0.as_ptr().cast()) }
            }

            #[inline(always)]
            fn step($sums: __m512i, $block: __m512i, inputs: [i8; 4]) -> __m512i {
                // SAFETY: AVX-512 is on, and what `$step` needs besides.
                unsafe {
                    let $inputs =
                        _mm512_set1_epi32(i32::from_ne_bytes(inputs.map(i8::cast_unsigned)));
                    $step
                }
            }

            #[inline(always)]
            fn finish(sums: __m512i, out: &mut [i32]) {
                assert_eq!(out.len(), WIDTH, "a tile has sixteen sums");
                // SAFETY: AVX-512 is on; `out` has sixteen sums.
                unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), sums) }
            }
        }
    };
}

in_one_register!(Avx512, |sums, block, inputs| {
    let pairs = _mm512_maddubs_epi16(block, inputs);
    _mm512_add_epi32(sums, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)))
});
in_one_register!(Vnni, |sums, block, inputs| _mm512_dpbusd_epi32(sums, block, inputs));
