//! Registers of four singles.

use std::arch::wasm32::*;

use crate::arch::vector::Register;

/// The size of a single, without its sign.
const SIZE: i32 = 0x7fff_ffff;

impl Register for v128 {
    const WIDTH: usize = 4;
    // V8 has fifteen registers: eight sums, four of a weight, one of an input, one product.
    const ROWS: usize = 2;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        f32x4_splat(value)
    }

    #[inline(always)]
    fn load(values: &[f32]) -> Self {
        let values = &values[..Self::WIDTH];
        // SAFETY: there are four values; any alignment will do.
        unsafe { v128_load(values.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, out: &mut [f32]) {
        let out = &mut out[..Self::WIDTH];
        // SAFETY: there are four values; any alignment will do.
        unsafe { v128_store(out.as_mut_ptr().cast(), self) }
    }

    #[inline(always)]
    fn from_integers(values: &[i32]) -> Self {
        let values = &values[..Self::WIDTH];
        // SAFETY: there are four values; any alignment will do.
        f32x4_convert_i32x4(unsafe { v128_load(values.as_ptr().cast()) })
    }

    #[inline(always)]
    fn add(self, b: Self) -> Self {
        f32x4_add(self, b)
    }

    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        f32x4_sub(self, b)
    }

    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        f32x4_mul(self, b)
    }

    #[inline(always)]
    fn div(self, b: Self) -> Self {
        f32x4_div(self, b)
    }

    #[inline(always)]
    fn fused(self, b: Self, c: Self) -> Self {
        // Rounded once or twice: as the machine likes.
        #[cfg(target_feature = "relaxed-simd")]
        return f32x4_relaxed_madd(self, b, c);
        #[cfg(not(target_feature = "relaxed-simd"))]
        return self.mul(b).add(c);
    }

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        f32x4_pmax(self, other)
    }

    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        f32x4_pmin(self, other)
    }

    #[inline(always)]
    fn where_less(self, limit: Self, yes: Self, no: Self) -> Self {
        v128_bitselect(yes, no, f32x4_lt(self, limit))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        v128_and(self, i32x4_splat(SIZE))
    }

    #[inline(always)]
    fn with_sign_of(self, other: Self) -> Self {
        v128_or(self, v128_and(other, i32x4_splat(!SIZE)))
    }

    #[inline(always)]
    fn larger_size(self, other: Self) -> Self {
        i32x4_max(self, other)
    }

    #[inline(always)]
    fn half_power(self) -> Self {
        i32x4_shl(i32x4_add(self, i32x4_splat(126)), 23)
    }

    #[inline(always)]
    fn low_bytes(self, out: &mut [i8]) {
        let bytes = i8x16_shuffle::<0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>(self, self);
        let bytes = i32x4_extract_lane::<0>(bytes).to_ne_bytes();
        out[..Self::WIDTH].copy_from_slice(&bytes.map(u8::cast_signed));
    }

    #[inline(always)]
    fn butterfly<const HALF: usize>(self) -> Self {
        let (other, sign) = match HALF {
            1 => (i32x4_shuffle::<1, 0, 3, 2>(self, self), f32x4(0.0, -0.0, 0.0, -0.0)),
            _ => (i32x4_shuffle::<2, 3, 0, 1>(self, self), f32x4(0.0, 0.0, -0.0, -0.0)),
        };
        f32x4_add(other, v128_xor(self, sign))
    }

    #[inline(always)]
    fn sum(self) -> f32 {
        let two = f32x4_add(self, i32x4_shuffle::<2, 3, 2, 3>(self, self));
        f32x4_extract_lane::<0>(two) + f32x4_extract_lane::<1>(two)
    }

    #[inline(always)]
    fn top(self) -> f32 {
        let two = f32x4_pmax(self, i32x4_shuffle::<2, 3, 2, 3>(self, self));
        f32x4_extract_lane::<0>(f32x4_pmax(two, i32x4_shuffle::<1, 1, 1, 1>(two, two)))
    }
}
