//! Products of bytes.

use std::arch::aarch64::*;
use std::arch::asm;
use std::hint::black_box;

use crate::arch::dot::{Bytes, Dot, WIDTH, Weights};

/// Products in 16 bits, which hold two of them: 2 · 127 · 63 = 16,002; pairs of those in 32.
pub(crate) struct Neon;

/// One instruction.
pub(crate) struct DotProd;

/// What both share: sixteen sums in four registers.
macro_rules! in_four_registers {
    ($lane:ty, $rows:literal rows, |$sum:ident, $weights:ident, $inputs:ident| $step:expr) => {
        impl Bytes for $lane {}

        impl Dot for $lane {
            type Input = [i8; 4];
            type Sum = i32;

            const ZERO: i32 = 0;
            const ROWS: usize = $rows;
            const PANELS: usize = 1;
            const BLOCK: usize = WIDTH;

            type Sums = [int32x4_t; 4];
            type Block = [int8x16_t; 4];

            #[inline(always)]
            fn start(value: i32) -> Self::Sums {
                // SAFETY: NEON is on.
                [unsafe { vdupq_n_s32(value) }; 4]
            }

            #[inline(always)]
            fn block(weights: &Weights, _: usize) -> Self::Block {
                // SAFETY: NEON is on; each chunk has sixteen bytes.
                unsafe {
                    let mut block = [vdupq_n_s8(0); 4];
                    for (block, weights) in block.iter_mut().zip(weights.0.as_chunks::<16>().0) {
                        *block = vld1q_s8(weights.as_ptr().cast());
                    }
                    block
                }
            }

            #[inline(always)]
            fn step(mut sums: Self::Sums, block: Self::Block, inputs: [i8; 4]) -> Self::Sums {
                let inputs = i32::from_ne_bytes(inputs.map(i8::cast_unsigned));
                // SAFETY: NEON is on, and what `$step` needs besides.
                unsafe {
                    let $inputs = vreinterpretq_s8_s32(vdupq_n_s32(inputs));
                    for ($sum, $weights) in sums.iter_mut().zip(block) {
                        $step;
                    }
                }
                sums
            }

            #[inline(always)]
            fn finish(sums: Self::Sums, out: &mut [i32]) {
                // One by one: the instruction that stores four at once wants them in neighbouring
                // registers, and for that a tile's sums were kept in memory.
                for (sum, out) in sums.into_iter().zip(out.as_chunks_mut::<4>().0) {
                    // SAFETY: NEON is on; a chunk has four sums.
                    unsafe { vst1q_s32(out.as_mut_ptr(), sum) }
                }
                // The compiler may not look at them any more: it would hand the sums of all sizes
                // of tiles on as values, and, short of registers, keep them in memory at each step.
                black_box(out.as_mut_ptr());
            }
        }
    };
}

// Of 32 registers: sixteen sums, eight halves of weights, one of inputs, the rest for products.
in_four_registers!(Neon, 4 rows, |sum, weights, inputs| {
    let low = vmull_s8(vget_low_s8(weights), vget_low_s8(inputs));
    let high = vmull_high_s8(weights, inputs);
    *sum = vpadalq_s16(*sum, vpaddq_s16(low, high));
});

// Of 32 registers: twenty-four sums, four of weights, one of inputs.
in_four_registers!(DotProd, 6 rows, |sum, weights, inputs| {
    // `vdotq_s32`, which is not stable. Nothing but its operands is read or written.
    asm!(
        "sdot {sum:v}.4s, {weights:v}.16b, {inputs:v}.16b",
        sum = inout(vreg) *sum,
        weights = in(vreg) weights,
        inputs = in(vreg) inputs,
        options(pure, nomem, nostack, preserves_flags),
    );
});
