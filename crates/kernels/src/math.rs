//! Elementary functions in `f32`, sixteen values at a time, without a libm, so that they are the
//! same bits on every target.
//!
//! The constants are our own weighted least-squares fits at Chebyshev nodes.

use std::f32::consts::{FRAC_2_SQRT_PI, LOG2_E};

use crate::arch::{ROUND, Vector};

/// `c[0] + c[1]·x + …`, by Horner.
#[inline(always)]
fn poly<V: Vector, const N: usize>(x: V, c: [f32; N]) -> V {
    let mut acc = V::splat(c[N - 1]);
    for i in (0..N - 1).rev() {
        acc = acc.madd(x, V::splat(c[i]));
    }
    acc
}

/// The least whose power of e is taken; below it singles lose digits.
const LOWEST: f32 = -87.0;

/// `eˣ` is the first times the second of these: a number near one, and half a power of two, which
/// alone stays finite. `x` must lie between [`LOWEST`] and 88.7.
#[inline(always)]
fn exp_parts<V: Vector>(x: V) -> (V, V) {
    const LN2_HI: f32 = 0.693_359_4;
    const LN2_LO: f32 = -2.121_944_4e-4;
    let shifted = x.madd(V::splat(LOG2_E), V::splat(ROUND));
    let n = shifted - V::splat(ROUND);
    let r = n.madd(V::splat(-LN2_HI), x);
    let r = n.madd(V::splat(-LN2_LO), r);
    // Twice the series, for half the power.
    let p = poly(r, [1.0, 0.333_331_56, 0.083_333_71, 0.016_726_282, 0.002_780_256_6]);
    let fraction = (r * r).madd(p, r + r) + V::splat(2.0);
    (fraction, shifted.half_power())
}

/// `eˣ`, within 2 ulp; zero below [`LOWEST`], infinite above the largest single.
#[inline(always)]
pub(crate) fn exp<V: Vector>(x: V) -> V {
    const HIGHEST: f32 = 88.722_83;
    let (fraction, power) = exp_parts(x.larger(V::splat(LOWEST)).smaller(V::splat(HIGHEST)));
    let y = x.where_less(V::splat(LOWEST), V::splat(0.0), fraction * power);
    V::splat(HIGHEST).where_less(x, V::splat(f32::INFINITY), y)
}

/// `eˣ` for an `x` that is at most zero, where what is less than `e` to the [`LOWEST`] may be that.
#[inline(always)]
pub(crate) fn exp_below_zero<V: Vector>(x: V) -> V {
    let (fraction, power) = exp_parts(x.larger(V::splat(LOWEST)));
    fraction * power
}

/// The error function, within 4e-7.
#[inline(always)]
pub(crate) fn erf<V: Vector>(x: V) -> V {
    // Past 3.925 the nearest single is 1.
    let x = x.larger(V::splat(-3.925)).smaller(V::splat(3.925));
    let t = x * x;
    let p = poly(
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
    let q =
        poly(t, [1.0, 0.502_238_9, 0.114_181_22, 0.014_982_881, 0.001_163_817_7, 3.804_774_3e-5]);
    (x * p / q).larger(V::splat(-1.0)).smaller(V::splat(1.0))
}

/// The hyperbolic tangent, within 3e-7.
#[inline(always)]
pub(crate) fn tanh<V: Vector>(x: V) -> V {
    let (t, size) = (x * x, x.abs());
    let near = x * poly(
        t,
        [1.0, -0.333_332_3, 0.133_304_15, -0.053_665_28, 0.020_415_19, -0.005_468_265_6],
    );
    // Past 9 the nearest single is 1, and the exponential stays finite.
    let size = size.smaller(V::splat(9.0));
    let far = V::splat(1.0) - V::splat(2.0) / (exp(size + size) + V::splat(1.0));
    size.where_less(V::splat(0.65), near, far.with_sign_of(x))
}

#[cfg(test)]
mod tests {
    use trireme_backend::oracle;

    use super::*;
    use crate::arch::{LANES, Of};

    type Plain = Of<f32, 16, false>;
    type Fused = Of<f32, 16, true>;

    /// A function of vectors at one value.
    fn at<V: Vector>(f: impl Fn(V) -> V) -> impl Fn(f32) -> f32 {
        move |x| {
            let mut out = [0.0; LANES];
            f(V::splat(x)).store(&mut out);
            out[0]
        }
    }

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
        sweep("exp fused", (-86.9, 88.0), at(exp::<Fused>), f64::exp, ulps);
        sweep("exp plain", (-86.9, 88.0), at(exp::<Plain>), f64::exp, ulps);
    }

    #[test]
    fn exp_below_zero_is_exp_there() {
        for step in 0..=87_000 {
            let x = step as f32 / -1000.0;
            let (got, expected) = (at(exp_below_zero::<Plain>)(x), at(exp::<Plain>)(x));
            assert_eq!(got.to_bits(), expected.to_bits(), "e to {x}: {expected}, got {got}");
        }
        let least = at(exp_below_zero::<Plain>)(f32::NEG_INFINITY);
        assert!(least < 2e-38, "e to minus infinity: {least}");
        assert!(at(exp_below_zero::<Plain>)(f32::NAN).is_nan());
    }

    #[test]
    fn exp_knows_its_ends() {
        assert_eq!(at(exp::<Plain>)(0.0), 1.0);
        assert_eq!(at(exp::<Plain>)(-200.0), 0.0);
        assert_eq!(at(exp::<Plain>)(f32::NEG_INFINITY), 0.0);
        assert_eq!(at(exp::<Plain>)(200.0), f32::INFINITY);
        assert!(at(exp::<Plain>)(f32::NAN).is_nan());
        assert!(at(exp::<Plain>)(88.72).is_finite());
    }

    #[test]
    fn erf_is_exact_to_single_precision() {
        sweep("erf fused", (-5.0, 5.0), at(erf::<Fused>), oracle::erf, |_| 4e-7);
        sweep("erf plain", (-5.0, 5.0), at(erf::<Plain>), oracle::erf, |_| 4e-7);
        assert_eq!(at(erf::<Plain>)(0.0), 0.0);
        assert!(at(erf::<Plain>)(f32::NAN).is_nan());
    }

    #[test]
    fn tanh_is_exact_to_single_precision() {
        sweep("tanh fused", (-10.0, 10.0), at(tanh::<Fused>), f64::tanh, |_| 3e-7);
        sweep("tanh plain", (-10.0, 10.0), at(tanh::<Plain>), f64::tanh, |_| 3e-7);
        assert!(at(tanh::<Plain>)(f32::NAN).is_nan());
    }
}
