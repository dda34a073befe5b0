//! Registers of eight and of sixteen singles.

use std::arch::x86_64::*;

use crate::arch::one_instruction;
use crate::arch::vector::Register;

/// The size of a single, without its sign.
const SIZE: i32 = 0x7fff_ffff;

impl Register for __m256 {
    const WIDTH: usize = 8;
    // Sixteen registers: twelve sums, two of a weight, one of an input.
    const ROWS: usize = 6;

    one_instruction! {
        add: _mm256_add_ps,
        sub: _mm256_sub_ps,
        mul: _mm256_mul_ps,
        div: _mm256_div_ps,
    }

    #[inline(always)]
    fn splat(value: f32) -> Self {
        // SAFETY: AVX2 is on.
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    fn load(values: &[f32]) -> Self {
        let values = &values[..Self::WIDTH];
        // SAFETY: AVX2 is on; there are eight values.
        unsafe { _mm256_loadu_ps(values.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, out: &mut [f32]) {
        let out = &mut out[..Self::WIDTH];
        // SAFETY: AVX2 is on; there are eight values.
        unsafe { _mm256_storeu_ps(out.as_mut_ptr(), self) }
    }

    #[inline(always)]
    fn from_integers(values: &[i32]) -> Self {
        let values = &values[..Self::WIDTH];
        // SAFETY: AVX2 is on; there are eight values.
        unsafe { _mm256_cvtepi32_ps(_mm256_loadu_si256(values.as_ptr().cast())) }
    }

    #[inline(always)]
    fn fused(self, b: Self, c: Self) -> Self {
        // SAFETY: FMA is on.
        unsafe { _mm256_fmadd_ps(self, b, c) }
    }

    // The instructions give the second operand where they can't tell.

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        // SAFETY: AVX2 is on.
        unsafe { _mm256_max_ps(other, self) }
    }

    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        // SAFETY: AVX2 is on.
        unsafe { _mm256_min_ps(other, self) }
    }

    #[inline(always)]
    fn where_less(self, limit: Self, yes: Self, no: Self) -> Self {
        // SAFETY: AVX2 is on.
        unsafe { _mm256_blendv_ps(no, yes, _mm256_cmp_ps::<_CMP_LT_OQ>(self, limit)) }
    }

    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: AVX2 is on.
        unsafe { _mm256_and_ps(self, _mm256_castsi256_ps(_mm256_set1_epi32(SIZE))) }
    }

    #[inline(always)]
    fn with_sign_of(self, other: Self) -> Self {
        // SAFETY: AVX2 is on.
        unsafe { _mm256_or_ps(self, _mm256_and_ps(other, _mm256_set1_ps(-0.0))) }
    }

    #[inline(always)]
    fn larger_size(self, other: Self) -> Self {
        // SAFETY: AVX2 is on.
        unsafe {
            let (a, b) = (_mm256_castps_si256(self), _mm256_castps_si256(other));
            _mm256_castsi256_ps(_mm256_max_epi32(a, b))
        }
    }

    #[inline(always)]
    fn half_power(self) -> Self {
        // SAFETY: AVX2 is on.
        unsafe {
            let raised = _mm256_add_epi32(_mm256_castps_si256(self), _mm256_set1_epi32(126));
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(raised))
        }
    }

    #[inline(always)]
    fn low_bytes(self, out: &mut [i8]) {
        let (low, high) = out[..Self::WIDTH].split_at_mut(4);
        // SAFETY: AVX2 is on; each half has four bytes.
        unsafe {
            // The first byte of every four, in each half of the register.
            let firsts = _mm256_set1_epi32(0x0c08_0400);
            let bytes = _mm256_shuffle_epi8(_mm256_castps_si256(self), firsts);
            _mm_storeu_si32(low.as_mut_ptr().cast(), _mm256_castsi256_si128(bytes));
            _mm_storeu_si32(high.as_mut_ptr().cast(), _mm256_extracti128_si256::<1>(bytes));
        }
    }

    #[inline(always)]
    fn butterfly<const HALF: usize>(self) -> Self {
        // SAFETY: AVX2 is on.
        unsafe {
            let (other, sign) = match HALF {
                1 => (
                    _mm256_permute_ps::<0b10_11_00_01>(self),
                    [0.0, -0.0, 0.0, -0.0, 0.0, -0.0, 0.0, -0.0],
                ),
                2 => (
                    _mm256_permute_ps::<0b01_00_11_10>(self),
                    [0.0, 0.0, -0.0, -0.0, 0.0, 0.0, -0.0, -0.0],
                ),
                _ => (
                    _mm256_permute2f128_ps::<1>(self, self),
                    [0.0, 0.0, 0.0, 0.0, -0.0, -0.0, -0.0, -0.0],
                ),
            };
            _mm256_add_ps(other, _mm256_xor_ps(self, Self::load(&sign)))
        }
    }

    #[inline(always)]
    fn sum(self) -> f32 {
        // SAFETY: AVX2 is on.
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(self), _mm256_extractf128_ps::<1>(self));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }

    #[inline(always)]
    fn top(self) -> f32 {
        // SAFETY: AVX2 is on.
        unsafe {
            let four = _mm_max_ps(_mm256_extractf128_ps::<1>(self), _mm256_castps256_ps128(self));
            let two = _mm_max_ps(_mm_movehl_ps(four, four), four);
            _mm_cvtss_f32(_mm_max_ss(_mm_movehdup_ps(two), two))
        }
    }
}

impl Register for __m512 {
    const WIDTH: usize = 16;
    // Enough sums that none waits for the one before it; more rows than this, and there are not
    // enough registers for their addresses.
    const ROWS: usize = 8;

    one_instruction! {
        add: _mm512_add_ps,
        sub: _mm512_sub_ps,
        mul: _mm512_mul_ps,
        div: _mm512_div_ps,
    }

    #[inline(always)]
    fn splat(value: f32) -> Self {
        // SAFETY: AVX-512 is on.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    fn load(values: &[f32]) -> Self {
        let values = &values[..Self::WIDTH];
        // SAFETY: AVX-512 is on; there are sixteen values.
        unsafe { _mm512_loadu_ps(values.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, out: &mut [f32]) {
        let out = &mut out[..Self::WIDTH];
        // SAFETY: AVX-512 is on; there are sixteen values.
        unsafe { _mm512_storeu_ps(out.as_mut_ptr(), self) }
    }

    #[inline(always)]
    fn from_integers(values: &[i32]) -> Self {
        let values = &values[..Self::WIDTH];
        // SAFETY: AVX-512 is on; there are sixteen values.
        unsafe { _mm512_cvtepi32_ps(_mm512_loadu_si512(values.as_ptr().cast())) }
    }

    #[inline(always)]
    fn fused(self, b: Self, c: Self) -> Self {
        // SAFETY: AVX-512 is on.
        unsafe { _mm512_fmadd_ps(self, b, c) }
    }

    // The instructions give the second operand where they can't tell.

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        // SAFETY: AVX-512 is on.
        unsafe { _mm512_max_ps(other, self) }
    }

    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        // SAFETY: AVX-512 is on.
        unsafe { _mm512_min_ps(other, self) }
    }

    #[inline(always)]
    fn where_less(self, limit: Self, yes: Self, no: Self) -> Self {
        // SAFETY: AVX-512 is on.
        unsafe { _mm512_mask_mov_ps(no, _mm512_cmp_ps_mask::<_CMP_LT_OQ>(self, limit), yes) }
    }

    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: AVX-512 is on.
        unsafe { _mm512_abs_ps(self) }
    }

    #[inline(always)]
    fn with_sign_of(self, other: Self) -> Self {
        // SAFETY: AVX-512 is on.
        unsafe { _mm512_or_ps(self, _mm512_and_ps(other, _mm512_set1_ps(-0.0))) }
    }

    #[inline(always)]
    fn larger_size(self, other: Self) -> Self {
        // SAFETY: AVX-512 is on.
        unsafe {
            let (a, b) = (_mm512_castps_si512(self), _mm512_castps_si512(other));
            _mm512_castsi512_ps(_mm512_max_epi32(a, b))
        }
    }

    #[inline(always)]
    fn half_power(self) -> Self {
        // SAFETY: AVX-512 is on.
        unsafe {
            let raised = _mm512_add_epi32(_mm512_castps_si512(self), _mm512_set1_epi32(126));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(raised))
        }
    }

    #[inline(always)]
    fn low_bytes(self, out: &mut [i8]) {
        let out = &mut out[..Self::WIDTH];
        // SAFETY: AVX-512 is on; there are sixteen bytes.
        unsafe {
            let bytes = _mm512_cvtepi32_epi8(_mm512_castps_si512(self));
            _mm_storeu_si128(out.as_mut_ptr().cast(), bytes);
        }
    }

    #[inline(always)]
    fn butterfly<const HALF: usize>(self) -> Self {
        // SAFETY: AVX-512 is on.
        unsafe {
            let (other, second) = match HALF {
                1 => (_mm512_permute_ps::<0b10_11_00_01>(self), 0b1010_1010_1010_1010),
                2 => (_mm512_permute_ps::<0b01_00_11_10>(self), 0b1100_1100_1100_1100),
                4 => (_mm512_shuffle_f32x4::<0b10_11_00_01>(self, self), 0b1111_0000_1111_0000),
                _ => (_mm512_shuffle_f32x4::<0b01_00_11_10>(self, self), 0b1111_1111_0000_0000),
            };
            _mm512_mask_sub_ps(_mm512_add_ps(self, other), second, other, self)
        }
    }

    #[inline(always)]
    fn sum(self) -> f32 {
        // SAFETY: AVX-512 is on.
        unsafe {
            let high = _mm512_extractf32x8_ps::<1>(self);
            _mm512_castps512_ps256(self).add(high).sum()
        }
    }

    #[inline(always)]
    fn top(self) -> f32 {
        // SAFETY: AVX-512 is on.
        unsafe {
            let high = _mm512_extractf32x8_ps::<1>(self);
            _mm512_castps512_ps256(self).larger(high).top()
        }
    }
}
