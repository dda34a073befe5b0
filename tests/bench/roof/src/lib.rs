//! What an engine's vectors can do at most: products in a tight loop whose operands stay in the
//! first cache.
//!
//! Nothing of Trireme's is in it, so a slower kernel of ours does not lower the roof that it is held
//! against. A tile has 2, 4, 5 or 6 rows, and as many columns as fit into registers beside them:
//! which is the fastest, each engine decides for itself. The module imports nothing, so every
//! engine can run it; whoever runs it looks at the clock.

use std::arch::wasm32::*;
use std::hint::black_box;

/// Steps of one round.
const DEPTH: usize = 256;

/// Sums of singles: a product and a sum for each.
#[unsafe(no_mangle)]
pub extern "C" fn singles(rows: u32, rounds: u32) -> f32 {
    match rows {
        2 => f32_tile::<2, 4>(rounds),
        4 => f32_tile::<4, 2>(rounds),
        5 => f32_tile::<5, 2>(rounds),
        6 => f32_tile::<6, 2>(rounds),
        _ => f32::NAN,
    }
}

/// Sums of products of bytes.
#[unsafe(no_mangle)]
pub extern "C" fn bytes(rows: u32, rounds: u32) -> i32 {
    match rows {
        2 => i8_tile::<2, 4>(rounds),
        4 => i8_tile::<4, 2>(rounds),
        5 => i8_tile::<5, 2>(rounds),
        6 => i8_tile::<6, 2>(rounds),
        _ => 0,
    }
}

fn f32_tile<const ROWS: usize, const COLUMNS: usize>(rounds: u32) -> f32 {
    let inputs = black_box([[0.5f32; ROWS]; DEPTH]);
    let weights = black_box([[f32x4_splat(0.25); COLUMNS]; DEPTH]);
    let mut sums = [[f32x4_splat(0.0); COLUMNS]; ROWS];
    for _ in 0..rounds {
        for (weights, inputs) in weights.iter().zip(&inputs) {
            for (sums, &input) in sums.iter_mut().zip(inputs) {
                let input = f32x4_splat(input);
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum = madd(input, *weight, *sum);
                }
            }
        }
    }
    sums.as_flattened().iter().map(|&sum| f32x4_extract_lane::<0>(sum)).sum()
}

fn i8_tile<const ROWS: usize, const COLUMNS: usize>(rounds: u32) -> i32 {
    let inputs = black_box([[0x0102_0304i32; ROWS]; DEPTH]);
    let weights = black_box([[i8x16_splat(3); COLUMNS]; DEPTH]);
    let mut sums = [[i32x4_splat(0); COLUMNS]; ROWS];
    for _ in 0..rounds {
        for (weights, inputs) in weights.iter().zip(&inputs) {
            for (sums, &input) in sums.iter_mut().zip(inputs) {
                let input = i32x4_splat(input);
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum = dot(*weight, input, *sum);
                }
            }
        }
    }
    sums.as_flattened().iter().fold(0, |total, &sum| total ^ i32x4_extract_lane::<0>(sum))
}

#[cfg(target_feature = "relaxed-simd")]
fn madd(a: v128, b: v128, c: v128) -> v128 {
    f32x4_relaxed_madd(a, b, c)
}

#[cfg(not(target_feature = "relaxed-simd"))]
fn madd(a: v128, b: v128, c: v128) -> v128 {
    f32x4_add(f32x4_mul(a, b), c)
}

#[cfg(target_feature = "relaxed-simd")]
fn dot(weights: v128, inputs: v128, sums: v128) -> v128 {
    i32x4_relaxed_dot_i8x16_i7x16_add(weights, inputs, sums)
}

/// Without the instruction, bytes are multiplied as 16 bits, widened beforehand: half as many.
#[cfg(not(target_feature = "relaxed-simd"))]
fn dot(weights: v128, inputs: v128, sums: v128) -> v128 {
    i32x4_add(i32x4_dot_i16x8(weights, inputs), sums)
}
