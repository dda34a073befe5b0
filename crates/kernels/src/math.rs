//! Elementary functions in `f32`, without branches, so that loops over them vectorise, and
//! without a libm, so that they are the same bits on every target.
//!
//! The constants are our own weighted least-squares fits at Chebyshev nodes.

use std::f32::consts::FRAC_2_SQRT_PI;

use crate::arch::Math;

/// `c[0] + c[1]·x + …`, by Horner.
#[inline(always)]
fn poly<M: Math, const N: usize>(x: f32, c: [f32; N]) -> f32 {
    let mut acc = c[N - 1];
    for i in (0..N - 1).rev() {
        acc = M::madd(acc, x, c[i]);
    }
    acc
}

/// `eˣ`, within 2 ulp; zero below the smallest normal, infinite above the largest.
#[inline(always)]
pub(crate) fn exp<M: Math>(x: f32) -> f32 {
    // Adding 1.5 · 2²³ rounds to the nearest integer, ties to even, and leaves that integer in the
    // low bits, where it can be read without a conversion.
    const ROUND: f32 = 12_582_912.0;
    const LN2_HI: f32 = 0.693_359_4;
    const LN2_LO: f32 = -2.121_944_4e-4;
    let clamped = x.clamp(-87.336_54, 88.722_83);
    let shifted = M::madd(clamped, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = M::madd(n, -LN2_LO, M::madd(n, -LN2_HI, clamped));
    let p = poly::<M, 5>(r, [0.5, 0.166_665_78, 0.041_666_854, 0.008_363_141, 0.001_390_128_3]);
    let fraction = M::madd(r * r, p, r) + 1.0;
    // Two halves, because 2ⁿ itself overflows at n = 128.
    let n = shifted.to_bits().wrapping_sub(ROUND.to_bits()).cast_signed();
    let half = n >> 1;
    let power = |n: i32| f32::from_bits(n.wrapping_add(127).cast_unsigned() << 23);
    let y = fraction * power(half) * power(n.wrapping_sub(half));
    let y = if x < -87.336_54 { 0.0 } else { y };
    let y = if x > 88.722_83 { f32::INFINITY } else { y };
    if x.is_nan() { x } else { y }
}

/// The error function, within 4e-7.
#[inline(always)]
pub(crate) fn erf<M: Math>(x: f32) -> f32 {
    // Past 3.925 the nearest single is 1.
    let x = x.clamp(-3.925, 3.925);
    let t = x * x;
    let p = poly::<M, 6>(
        t,
        [
            FRAC_2_SQRT_PI,
            0.190_590_16,
            0.052_768_808,
            0.003_772_391,
            2.848_392_2e-4,
            2.046_046_3e-6,
        ],
    );
    let q = poly::<M, 6>(
        t,
        [1.0, 0.502_238_9, 0.114_181_22, 0.014_982_881, 0.001_163_817_7, 3.804_774_3e-5],
    );
    (x * p / q).clamp(-1.0, 1.0)
}

/// The hyperbolic tangent, within 3e-7.
#[inline(always)]
pub(crate) fn tanh<M: Math>(x: f32) -> f32 {
    let t = x * x;
    let near = x * poly::<M, 6>(
        t,
        [1.0, -0.333_332_3, 0.133_304_15, -0.053_665_28, 0.020_415_19, -0.005_468_265_6],
    );
    // Past 9 the nearest single is 1, and the exponential stays finite.
    let far = 1.0 - 2.0 / (exp::<M>(2.0 * x.abs().min(9.0)) + 1.0);
    let far = if x < 0.0 { -far } else { far };
    let y = if x.abs() < 0.65 { near } else { far };
    if x.is_nan() { x } else { y }
}

#[cfg(test)]
mod tests {
    use trireme_backend::oracle;

    use super::*;
    use crate::arch::{Fused, Plain};

    /// Holds a function against its `f64` meaning all over a range.
    fn sweep(
        name: &str,
        (low, high): (f32, f32),
        got: impl Fn(f32) -> f32,
        meant: impl Fn(f64) -> f64,
        tolerance: impl Fn(f64) -> f64,
    ) {
        for step in 0..=200_000 {
            let x = low + (high - low) * (step as f32 / 200_000.0);
            let (got, expected) = (f64::from(got(x)), meant(f64::from(x)));
            let off = (got - expected).abs();
            assert!(off <= tolerance(expected), "{name}({x}): expected {expected}, got {got}");
        }
    }

    #[test]
    fn exp_is_within_two_ulp() {
        let ulps = |y: f64| y * 2.4e-7;
        sweep("exp fused", (-87.0, 88.0), exp::<Fused>, f64::exp, ulps);
        sweep("exp plain", (-87.0, 88.0), exp::<Plain>, f64::exp, ulps);
    }

    #[test]
    fn exp_knows_its_ends() {
        assert_eq!(exp::<Plain>(0.0), 1.0);
        assert_eq!(exp::<Plain>(-200.0), 0.0);
        assert_eq!(exp::<Plain>(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp::<Plain>(200.0), f32::INFINITY);
        assert!(exp::<Plain>(f32::NAN).is_nan());
        assert!(exp::<Plain>(88.72).is_finite());
    }

    #[test]
    fn erf_is_exact_to_single_precision() {
        sweep("erf fused", (-5.0, 5.0), erf::<Fused>, oracle::erf, |_| 4e-7);
        sweep("erf plain", (-5.0, 5.0), erf::<Plain>, oracle::erf, |_| 4e-7);
        assert_eq!(erf::<Plain>(0.0), 0.0);
        assert!(erf::<Plain>(f32::NAN).is_nan());
    }

    #[test]
    fn tanh_is_exact_to_single_precision() {
        sweep("tanh fused", (-10.0, 10.0), tanh::<Fused>, f64::tanh, |_| 3e-7);
        sweep("tanh plain", (-10.0, 10.0), tanh::<Plain>, f64::tanh, |_| 3e-7);
        assert!(tanh::<Plain>(f32::NAN).is_nan());
    }
}
