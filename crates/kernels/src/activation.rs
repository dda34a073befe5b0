//! The functions between two linear layers.

use crate::arch::Vector;
use crate::math::{erf, exp, tanh};

/// Which function; the exact forms, never an approximation that the name does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `x`
    None,
    /// `x · Φ(x)`
    Gelu,
    /// `x · ½(1 + tanh(√(2/π)(x + 0.044715x³)))`
    GeluTanh,
    /// `max(x, 0)`
    Relu,
    /// `x / (1 + e⁻ˣ)`
    Silu,
    /// `tanh(x)`
    Tanh,
}

/// Applies the function to all values.
#[inline(always)]
pub(crate) fn apply<V: Vector>(activation: Activation, values: &mut [V]) {
    // A loop for each, written out: a function that is handed on is not compiled for the lane.
    macro_rules! each {
        (|$x:ident| $value:expr) => {
            for value in values {
                let $x = *value;
                *value = $value;
            }
        };
    }
    match activation {
        Activation::None => {}
        Activation::Gelu => each!(|x| gelu(x)),
        Activation::GeluTanh => each!(|x| gelu_tanh(x)),
        // Written so that a NaN stays: zero in its place would hide a broken weight.
        Activation::Relu => each!(|x| x.larger(V::splat(0.0))),
        Activation::Silu => each!(|x| x / (V::splat(1.0) + exp(V::splat(0.0) - x))),
        Activation::Tanh => each!(|x| tanh(x)),
    }
}

#[inline(always)]
fn gelu<V: Vector>(x: V) -> V {
    let erf = erf(x * V::splat(std::f32::consts::FRAC_1_SQRT_2));
    V::splat(0.5) * x * (V::splat(1.0) + erf)
}

#[inline(always)]
fn gelu_tanh<V: Vector>(x: V) -> V {
    const SQRT_2_OVER_PI: f32 = 0.797_884_6;
    let cubed = V::splat(0.044_715) * x * x;
    let inner = V::splat(SQRT_2_OVER_PI) * cubed.madd(x, x);
    V::splat(0.5) * x * (V::splat(1.0) + tanh(inner))
}

#[cfg(test)]
mod tests {
    use trireme_backend::{Activation as Meant, oracle};

    use super::*;
    use crate::arch::{LANES, Of};

    type Plain = Of<f32, 16, false>;
    type Fused = Of<f32, 16, true>;

    fn at<V: Vector>(activation: Activation, x: f32) -> f32 {
        let (mut values, mut out) = ([V::splat(x)], [0.0; LANES]);
        apply(activation, &mut values);
        values[0].store(&mut out);
        out[0]
    }

    #[test]
    fn every_activation_is_what_its_name_says() {
        let table = [
            (Activation::None, Meant::None),
            (Activation::Gelu, Meant::Gelu),
            (Activation::GeluTanh, Meant::GeluTanh),
            (Activation::Relu, Meant::Relu),
            (Activation::Silu, Meant::Silu),
            (Activation::Tanh, Meant::Tanh),
        ];
        for (ours, meant) in table {
            for step in -1200..=1200 {
                let x = step as f32 / 100.0;
                let expected = oracle::activate(meant, f64::from(x));
                for got in [at::<Plain>(ours, x), at::<Fused>(ours, x)] {
                    let off = (f64::from(got) - expected).abs();
                    assert!(off < 2e-6, "{ours:?}({x}): expected {expected}, got {got}");
                }
            }
        }
    }

    #[test]
    fn no_activation_hides_a_nan() {
        for activation in [
            Activation::Gelu,
            Activation::GeluTanh,
            Activation::Relu,
            Activation::Silu,
            Activation::Tanh,
        ] {
            let got = at::<Plain>(activation, f32::NAN);
            assert!(got.is_nan(), "{activation:?}(NaN): expected NaN, got {got}");
        }
    }
}
