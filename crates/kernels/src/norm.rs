//! Layer norm, two passes: a variance from squared deviations loses no digits to cancellation.

use crate::arch::{LANES, Lane, Simd, Vector, dispatch};
use crate::reduce::{self, filled_up};

/// Gain, bias and the guard against division by zero.
#[derive(Debug, Clone)]
pub struct Norm {
    /// Multiplies.
    pub gain: Vec<f32>,
    /// Is added.
    pub bias: Vec<f32>,
    /// Is added to the variance.
    pub eps: f32,
}

/// Normalises each row in place.
///
/// # Panics
/// Where `rows` does not hold whole rows.
pub fn layer_norm(lane: Lane, rows: &mut [f32], norm: &Norm) {
    let width = norm.gain.len();
    assert!(width > 0 && rows.len().is_multiple_of(width), "rows must be whole");
    assert_eq!(norm.bias.len(), width, "gain and bias must have one width");
    dispatch!(lane, body(rows: &mut [f32], norm: &Norm));
}

#[inline(always)]
fn body<S: Simd>(rows: &mut [f32], norm: &Norm) {
    for row in rows.chunks_exact_mut(norm.gain.len()) {
        norm_row::<S::V>(row, norm);
    }
}

#[inline(always)]
fn norm_row<V: Vector>(row: &mut [f32], norm: &Norm) {
    let n = row.len() as f32;
    let middle = reduce::sum::<V>(row) / n;
    let mean = V::splat(middle);
    let square = |acc: V, v: V| (v - mean).madd(v - mean, acc);
    // What fills the last sixteen up deviates by nothing.
    let variance = reduce::fold(row, middle, V::splat(0.0), square).sum() / n;
    let scale = V::splat(1.0 / (variance + norm.eps).sqrt());
    let finish = |v: V, gain: V, bias: V| ((v - mean) * scale).madd(gain, bias);
    let (whole, rest) = row.as_chunks_mut::<LANES>();
    let (gains, last_gain) = norm.gain.as_chunks::<LANES>();
    let (biases, last_bias) = norm.bias.as_chunks::<LANES>();
    for ((values, gain), bias) in whole.iter_mut().zip(gains).zip(biases) {
        finish(V::load(values), V::load(gain), V::load(bias)).store(values);
    }
    if !rest.is_empty() {
        let part = |values: &[f32]| V::load(&filled_up(values, 0.0));
        let mut values = [0.0; LANES];
        finish(part(rest), part(last_gain), part(last_bias)).store(&mut values);
        rest.copy_from_slice(&values[..rest.len()]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use trireme_backend::oracle;

    use super::*;

    proptest! {
        #[test]
        fn layer_norm_is_its_oracle_on_every_lane(
            row in prop::collection::vec(-3.0f32..3.0, 1..70),
            shift in -100.0f32..100.0,
            eps in prop::sample::select(vec![1e-12f32, 1e-5, 1e-2]),
        ) {
            let row: Vec<f32> = row.iter().map(|v| v + shift).collect();
            let gain: Vec<f32> = (0..row.len()).map(|i| 0.5 + i as f32 / 40.0).collect();
            let bias: Vec<f32> = (0..row.len()).map(|i| 1.0 - i as f32 / 30.0).collect();
            let spread = row.iter().copied().fold(f32::MIN, f32::max)
                - row.iter().copied().fold(f32::MAX, f32::min);
            // A constant row is 0/0 up to rounding; the oracle's own digits mean nothing there.
            prop_assume!(spread > 0.5);
            let expected = oracle::norm(&row, &gain, &bias, eps);
            for lane in Lane::all() {
                let mut got = row.clone();
                let norm = Norm { gain: gain.clone(), bias: bias.clone(), eps };
                layer_norm(lane, &mut got, &norm);
                for (&got, &expected) in got.iter().zip(&expected) {
                    let off = (f64::from(got) - expected).abs();
                    prop_assert!(off < 2e-3, "{}: expected {expected}, got {got}", lane.name());
                }
            }
        }
    }

    #[test]
    fn a_constant_row_becomes_the_bias() {
        let norm = Norm { gain: vec![2.0; 3], bias: vec![1.0, 2.0, 3.0], eps: 1e-12 };
        let mut got = [0.25; 3];
        layer_norm(Lane::detect(), &mut got, &norm);
        assert_eq!(got, [1.0, 2.0, 3.0]);
    }
}
