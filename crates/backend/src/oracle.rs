//! What each operation means: plain loops in `f64`, no trick, no speed.
//!
//! Kernels and backends are held against these. Nothing else may call them.

use crate::{Activation, Layout, Pooling};

/// The error function, by its Maclaurin series or its continued fraction; good to 1e-15.
#[must_use]
pub fn erf(x: f64) -> f64 {
    let a = x.abs();
    if a < 3.0 {
        let mut term = a;
        let mut sum = a;
        let mut n = 0.0;
        while term.abs() > 1e-17 * sum.abs().max(f64::MIN_POSITIVE) {
            n += 1.0;
            term *= -a * a / n;
            sum += term / (2.0 * n + 1.0);
        }
        return x.signum() * sum * std::f64::consts::FRAC_2_SQRT_PI;
    }
    let mut tail = 0.0;
    for k in (1..=60).rev() {
        tail = f64::from(k) / 2.0 / (a + tail);
    }
    let erfc = (-a * a).exp() / (a + tail) * std::f64::consts::FRAC_2_SQRT_PI / 2.0;
    x.signum() * (1.0 - erfc)
}

/// One activation.
#[must_use]
pub fn activate(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::None => x,
        Activation::Gelu => 0.5 * x * (1.0 + erf(x / std::f64::consts::SQRT_2)),
        Activation::GeluTanh => {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
            0.5 * x * (1.0 + inner.tanh())
        }
        Activation::Relu => x.max(0.0),
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Tanh => x.tanh(),
    }
}

/// `x · weightᵀ + bias` for `x [rows, inputs]`, `weight [outputs, inputs]`.
#[must_use]
pub fn linear(x: &[f32], weight: &[f32], bias: &[f32], inputs: usize) -> Vec<f64> {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    };
    x.chunks(inputs)
        .flat_map(|row| {
            weight.chunks(inputs).zip(bias).map(move |(w, &b)| dot(row, w) + f64::from(b))
        })
        .collect()
}

/// Layer norm of one row, with the biased variance.
#[must_use]
pub fn norm(row: &[f32], gain: &[f32], bias: &[f32], eps: f32) -> Vec<f64> {
    let n = row.len() as f64;
    let mean = row.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let variance = row.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
    let scale = 1.0 / (variance + f64::from(eps)).sqrt();
    row.iter()
        .zip(gain.iter().zip(bias))
        .map(|(&v, (&g, &b))| (f64::from(v) - mean) * scale * f64::from(g) + f64::from(b))
        .collect()
}

/// Softmax of one row.
#[must_use]
pub fn softmax(row: &[f64]) -> Vec<f64> {
    let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exp: Vec<f64> = row.iter().map(|&v| (v - top).exp()).collect();
    let sum: f64 = exp.iter().sum();
    exp.iter().map(|v| v / sum).collect()
}

/// Attention over `qkv [tokens, 3 * width]`; `bias(head, query, key)` counts within the text.
#[must_use]
pub fn attention(
    qkv: &[f32],
    layout: &Layout,
    (heads, head_width): (usize, usize),
    scale: f32,
    window: Option<usize>,
    bias: impl Fn(usize, usize, usize) -> f64,
) -> Vec<f64> {
    let width = heads * head_width;
    let at = |row: usize, part: usize, col: usize| f64::from(qkv[(row * 3 + part) * width + col]);
    let mut out = vec![0.0; layout.tokens() * width];
    for text in layout.texts() {
        for (head, query) in (0..heads).flat_map(|h| text.clone().map(move |q| (h, q))) {
            let cols = head * head_width..(head + 1) * head_width;
            let seen: Vec<usize> =
                text.clone().filter(|k| window.is_none_or(|w| k.abs_diff(query) <= w)).collect();
            let scores: Vec<f64> = seen
                .iter()
                .map(|&key| {
                    let dot: f64 = cols.clone().map(|c| at(query, 0, c) * at(key, 1, c)).sum();
                    dot * f64::from(scale) + bias(head, query - text.start, key - text.start)
                })
                .collect();
            let weights = softmax(&scores);
            for col in cols {
                out[query * width + col] =
                    seen.iter().zip(&weights).map(|(&key, w)| w * at(key, 2, col)).sum();
            }
        }
    }
    out
}

/// One row for each text.
#[must_use]
pub fn pool(x: &[f32], width: usize, layout: &Layout, pooling: Pooling) -> Vec<f64> {
    let at = |row: usize, col: usize| f64::from(x[row * width + col]);
    layout
        .texts()
        .flat_map(|text| {
            (0..width).map(move |col| match pooling {
                Pooling::Mean => {
                    text.clone().map(|row| at(row, col)).sum::<f64>() / text.len() as f64
                }
                Pooling::Cls => at(text.start, col),
                Pooling::Max => {
                    text.clone().map(|row| at(row, col)).fold(f64::NEG_INFINITY, f64::max)
                }
                Pooling::LastToken => at(text.end - 1, col),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values from the tables of Abramowitz and Stegun, 7.1.
    #[test]
    fn erf_agrees_with_the_printed_tables() {
        for (x, expected) in [
            (0.0, 0.0),
            (0.5, 0.520_499_877_8),
            (1.0, 0.842_700_792_9),
            (-1.5, -0.966_105_146_5),
            (2.0, 0.995_322_265_0),
            (3.5, 0.999_999_256_9),
        ] {
            let got = erf(x);
            assert!((got - expected).abs() < 1e-10, "erf({x}): expected {expected}, got {got}");
        }
    }
}
