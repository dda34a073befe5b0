//! Registers of four singles.

use std::arch::aarch64::*;

use crate::arch::one_instruction;
use crate::arch::vector::Register;

impl Register for float32x4_t {
    const WIDTH: usize = 4;
    // Thirty-two registers: twenty-four sums, four of a weight, one of an input.
    const ROWS: usize = 6;

    one_instruction! {
        add: vaddq_f32,
        sub: vsubq_f32,
        mul: vmulq_f32,
        div: vdivq_f32,
    }

    #[inline(always)]
    fn splat(value: f32) -> Self {
        // SAFETY: NEON is on.
        unsafe { vdupq_n_f32(value) }
    }

    #[inline(always)]
    fn load(values: &[f32]) -> Self {
        let values = &values[..Self::WIDTH];
        // SAFETY: NEON is on; there are four values.
        unsafe { vld1q_f32(values.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, out: &mut [f32]) {
        let out = &mut out[..Self::WIDTH];
        // SAFETY: NEON is on; there are four values.
        unsafe { vst1q_f32(out.as_mut_ptr(), self) }
    }

    #[inline(always)]
    fn from_integers(values: &[i32]) -> Self {
        let values = &values[..Self::WIDTH];
        // SAFETY: NEON is on; there are four values.
        unsafe { vcvtq_f32_s32(vld1q_s32(values.as_ptr())) }
    }

    #[inline(always)]
    fn fused(self, b: Self, c: Self) -> Self {
        // SAFETY: NEON is on.
        unsafe { vfmaq_f32(c, self, b) }
    }

    // Not the instructions of these names: they give NaN where either operand is.

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        // SAFETY: NEON is on.
        unsafe { vbslq_f32(vcgtq_f32(other, self), other, self) }
    }

    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        // SAFETY: NEON is on.
        unsafe { vbslq_f32(vcltq_f32(other, self), other, self) }
    }

    #[inline(always)]
    fn where_less(self, limit: Self, yes: Self, no: Self) -> Self {
        // SAFETY: NEON is on.
        unsafe { vbslq_f32(vcltq_f32(self, limit), yes, no) }
    }

    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: NEON is on.
        unsafe { vabsq_f32(self) }
    }

    #[inline(always)]
    fn with_sign_of(self, other: Self) -> Self {
        // SAFETY: NEON is on.
        unsafe { vbslq_f32(vreinterpretq_u32_f32(vdupq_n_f32(-0.0)), other, self) }
    }

    #[inline(always)]
    fn larger_size(self, other: Self) -> Self {
        // SAFETY: NEON is on.
        unsafe {
            let (a, b) = (vreinterpretq_u32_f32(self), vreinterpretq_u32_f32(other));
            vreinterpretq_f32_u32(vmaxq_u32(a, b))
        }
    }

    #[inline(always)]
    fn half_power(self) -> Self {
        // SAFETY: NEON is on.
        unsafe {
            let raised = vaddq_u32(vreinterpretq_u32_f32(self), vdupq_n_u32(126));
            vreinterpretq_f32_u32(vshlq_n_u32::<23>(raised))
        }
    }

    #[inline(always)]
    fn low_bytes(self, out: &mut [i8]) {
        // SAFETY: NEON is on.
        let bytes = unsafe {
            let halves = vmovn_u32(vreinterpretq_u32_f32(self));
            let bytes = vmovn_u16(vcombine_u16(halves, halves));
            vget_lane_u32::<0>(vreinterpret_u32_u8(bytes))
        };
        out[..Self::WIDTH].copy_from_slice(&bytes.to_ne_bytes().map(u8::cast_signed));
    }

    #[inline(always)]
    fn butterfly<const HALF: usize>(self) -> Self {
        // SAFETY: NEON is on.
        unsafe {
            let (other, sign) = match HALF {
                1 => (vrev64q_f32(self), [0.0, -0.0, 0.0, -0.0]),
                _ => (vextq_f32::<2>(self, self), [0.0, 0.0, -0.0, -0.0]),
            };
            let sign = vreinterpretq_u32_f32(Self::load(&sign));
            let turned = veorq_u32(vreinterpretq_u32_f32(self), sign);
            vaddq_f32(other, vreinterpretq_f32_u32(turned))
        }
    }

    #[inline(always)]
    fn sum(self) -> f32 {
        // SAFETY: NEON is on.
        unsafe { vpadds_f32(vadd_f32(vget_low_f32(self), vget_high_f32(self))) }
    }

    #[inline(always)]
    fn top(self) -> f32 {
        // SAFETY: NEON is on.
        unsafe {
            let two = self.larger(vextq_f32::<2>(self, self));
            vgetq_lane_f32::<0>(two.larger(vdupq_laneq_f32::<1>(two)))
        }
    }
}
