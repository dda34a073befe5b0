//! The functions between two linear layers.

use crate::arch::Math;
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

/// Applies the function to each value in place.
#[inline(always)]
pub(crate) fn apply<M: Math>(activation: Activation, values: &mut [f32]) {
    match activation {
        Activation::None => {}
        Activation::Gelu => each(values, gelu::<M>),
        Activation::GeluTanh => each(values, gelu_tanh::<M>),
        // Not `max`: it would turn NaN into zero, and a broken weight would go unseen.
        Activation::Relu => each(values, |x| if x < 0.0 { 0.0 } else { x }),
        Activation::Silu => each(values, |x| x / (1.0 + exp::<M>(-x))),
        Activation::Tanh => each(values, tanh::<M>),
    }
}

#[inline(always)]
fn each(values: &mut [f32], f: impl Fn(f32) -> f32) {
    for value in values {
        *value = f(*value);
    }
}

#[inline(always)]
fn gelu<M: Math>(x: f32) -> f32 {
    0.5 * x * (1.0 + erf::<M>(x * std::f32::consts::FRAC_1_SQRT_2))
}

#[inline(always)]
fn gelu_tanh<M: Math>(x: f32) -> f32 {
    const SQRT_2_OVER_PI: f32 = 0.797_884_6;
    let inner = SQRT_2_OVER_PI * M::madd(0.044_715 * x * x, x, x);
    0.5 * x * (1.0 + tanh::<M>(inner))
}

#[cfg(test)]
mod tests {
    use trireme_backend::{Activation as Meant, oracle};

    use super::*;
    use crate::arch::{Fused, Plain};

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
                for apply in [apply::<Plain>, apply::<Fused>] {
                    let mut got = [x];
                    apply(ours, &mut got);
                    let off = (f64::from(got[0]) - expected).abs();
                    assert!(off < 2e-6, "{ours:?}({x}): expected {expected}, got {}", got[0]);
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
            let mut got = [f32::NAN];
            apply::<Plain>(activation, &mut got);
            assert!(got[0].is_nan(), "{activation:?}(NaN): expected NaN, got {}", got[0]);
        }
    }
}
