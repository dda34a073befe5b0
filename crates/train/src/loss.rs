//! How wrong an answer is.

use trireme_candle::core::{D, Result, Tensor};

/// The mean cross entropy of logits `[texts, classes]`, each text weighted by its class.
pub(crate) fn cross_entropy(logits: &Tensor, classes: &[u32], weights: &[f32]) -> Result<Tensor> {
    let chosen = Tensor::new(classes, logits.device())?.unsqueeze(1)?;
    let of_chosen = logits.gather(&chosen, 1)?.squeeze(1)?;
    let surprise = (log_sum_exp(logits)? - of_chosen)?;
    let weights: Vec<f32> = classes.iter().map(|&class| weights[class as usize]).collect();
    weighted_mean(&surprise, &weights)
}

/// Of each row. Candle's own sums over dimensions in a way that has no way back.
fn log_sum_exp(rows: &Tensor) -> Result<Tensor> {
    let top = rows.max_keepdim(D::Minus1)?.detach();
    let sum = rows.broadcast_sub(&top)?.exp()?.sum(D::Minus1)?;
    sum.log()? + top.squeeze(D::Minus1)?
}

/// The mean cross entropy of logits and the shares `[texts, classes]` that a teacher gives to
/// classes, each text weighted.
pub(crate) fn soft_cross_entropy(
    logits: &Tensor,
    shares: &Tensor,
    weights: &[f32],
) -> Result<Tensor> {
    // Shares of a text add up to one, so this is the logits' share-weighted mean below their top.
    let surprise = (log_sum_exp(logits)? - (logits * shares)?.sum(D::Minus1)?)?;
    weighted_mean(&surprise, weights)
}

/// How far rows point away from others: one less their cosine, the mean, each text weighted.
pub(crate) fn turned(rows: &Tensor, others: &Tensor, weights: &[f32]) -> Result<Tensor> {
    weighted_mean(&(1.0 - nearness(rows, others)?)?, weights)
}

/// The mean of a value for each text; nothing where no text counts.
fn weighted_mean(values: &Tensor, weights: &[f32]) -> Result<Tensor> {
    let sum: f32 = weights.iter().sum();
    let weights = Tensor::new(weights, values.device())?;
    (values * weights)?.sum_all()? / f64::from(sum.max(f32::MIN_POSITIVE))
}

/// The mean square of what the cosine of two rows misses its score by, each times its weight.
pub(crate) fn cosine(
    first: &Tensor,
    second: &Tensor,
    scores: &[f32],
    weights: &[f32],
) -> Result<Tensor> {
    let [scores, weights] = [scores, weights].map(|values| Tensor::new(values, first.device()));
    ((nearness(first, second)? - scores?)?.sqr()? * weights?)?.mean_all()
}

/// Multiple negatives ranking: a row's partner should be nearer than every other row's.
pub(crate) fn ranking(first: &Tensor, second: &Tensor, scale: f64) -> Result<Tensor> {
    let scores = (unit(first)?.matmul(&unit(second)?.t()?)? * scale)?;
    let own: Vec<u32> = (0..first.dims2()?.0 as u32).collect();
    let alike = vec![1.0; own.len()];
    cross_entropy(&scores, &own, &alike)
}

/// What a far row's cosine misses by to be smaller than a near row's by a margin; the mean.
pub(crate) fn triplet(first: &Tensor, near: &Tensor, far: &Tensor, margin: f64) -> Result<Tensor> {
    let by = (nearness(first, far)? - nearness(first, near)?)?;
    (by + margin)?.relu()?.mean_all()
}

/// The cosine of each two rows.
pub(crate) fn nearness(rows: &Tensor, others: &Tensor) -> Result<Tensor> {
    (unit(rows)? * unit(others)?)?.sum(D::Minus1)
}

/// Rows of length one.
fn unit(rows: &Tensor) -> Result<Tensor> {
    let length = (rows.sqr()?.sum_keepdim(D::Minus1)? + 1e-12)?.sqrt()?;
    rows.broadcast_div(&length)
}

#[cfg(test)]
mod tests {
    use trireme_candle::core::Device;

    use super::*;

    fn rows(rows: [[f32; 2]; 2]) -> Tensor {
        Tensor::new(&rows, &Device::Cpu).unwrap()
    }

    fn near(name: &str, got: Result<Tensor>, expected: f64) {
        let got = f64::from(got.unwrap().to_scalar::<f32>().unwrap());
        assert!((got - expected).abs() < 1e-5, "{name}: expected {expected}, got {got}");
    }

    #[test]
    fn losses_are_what_their_formulas_say() {
        let logits = rows([[2.0, 0.0], [1000.0, 0.0]]);
        // ln(1 + e⁻²), and what no exponential can hold.
        near("even", cross_entropy(&logits, &[0, 0], &[1.0, 1.0]), 0.126_928 / 2.0);
        near("weighted", cross_entropy(&logits, &[0, 1], &[1.0, 3.0]), (0.126_928 + 3000.0) / 4.0);
        let (a, b) = (rows([[3.0, 4.0], [0.0, 2.0]]), rows([[4.0, 3.0], [5.0, 0.0]]));
        let both = [1.0, 1.0];
        near("cosine", cosine(&a, &b, &[1.0, 0.5], &both), (0.04f64.powi(2) + 0.25) / 2.0);
        near("weighted", cosine(&a, &b, &[1.0, 0.5], &[0.0, 3.0]), 0.75 / 2.0);
        // 0.96 and 0.6 once, 0 and 1 the other time: right by more than the margin, and wrong.
        let far = rows([[0.0, 1.0], [0.0, 1.0]]);
        near("triplet", triplet(&a, &b, &far, 0.1), f64::midpoint(0.0, 1.1));
        // A teacher that is as sure of one class as the data are, and one that is not sure at all;
        // the third text, which is not taught, would be wrong.
        let logits = Tensor::new(&[[2.0f32, 0.0], [0.0, 2.0], [9.0, 0.0]], &Device::Cpu).unwrap();
        let shares = Tensor::new(&[[1.0f32, 0.0], [0.5, 0.5], [0.0, 1.0]], &Device::Cpu).unwrap();
        let expected = f64::midpoint(0.126_928, 1.126_928);
        near("taught", soft_cross_entropy(&logits, &shares, &[1.0, 1.0, 0.0]), expected);
        near("taught nothing", soft_cross_entropy(&logits, &shares, &[0.0; 3]), 0.0);
        near("turned", turned(&a, &b, &[1.0, 3.0]), (0.04 + 3.0) / 4.0);
        // Scores 0.96, 0.6 and 0.6, 0.
        let expected = f64::midpoint((-0.36f64).exp().ln_1p(), 0.6f64.exp().ln_1p());
        near("ranking", ranking(&a, &b, 1.0), expected);
    }
}
