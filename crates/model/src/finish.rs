//! From a row of numbers to an answer, on the host, once for every backend.

/// Brings a vector to length one; a zero vector stays.
pub(crate) fn l2_normalize(vector: &mut [f32]) {
    let squares: f64 = vector.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
    // The reference's guard.
    let length = squares.sqrt().max(1e-12);
    for value in vector {
        *value = (f64::from(*value) / length) as f32;
    }
}

/// Probabilities that sum to one.
pub(crate) fn softmax(logits: &mut [f32]) {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exp: Vec<f64> = logits.iter().map(|&v| f64::from(v - top).exp()).collect();
    let sum: f64 = exp.iter().sum();
    for (logit, exp) in logits.iter_mut().zip(exp) {
        *logit = (exp / sum) as f32;
    }
}

/// A probability for each class by itself.
pub(crate) fn sigmoid(logits: &mut [f32]) {
    for logit in logits {
        *logit = (1.0 / (1.0 + f64::from(-*logit).exp())) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_survive_logits_of_any_size() {
        let mut got = [1000.0, 1000.0, -1000.0];
        softmax(&mut got);
        assert_eq!(got, [0.5, 0.5, 0.0]);
        let mut got = [1000.0, 0.0, -1000.0];
        sigmoid(&mut got);
        assert_eq!(got, [1.0, 0.5, 0.0]);
    }

    #[test]
    fn a_zero_vector_has_no_direction_and_stays() {
        let mut got = [0.0, 0.0];
        l2_normalize(&mut got);
        assert_eq!(got, [0.0, 0.0]);
        let mut got = [3.0, -4.0];
        l2_normalize(&mut got);
        assert_eq!(got, [0.6, -0.8]);
    }
}
