//! How a model is trained.

use serde::{Deserialize, Serialize};

use crate::TrainError;

/// How a model is trained. What is not said is what usually works for an encoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// How often every example is seen.
    pub epochs: usize,
    /// Examples of a step.
    pub batch: usize,
    /// The highest learning rate.
    pub rate: f64,
    /// The share of all steps in which the rate rises from zero.
    pub warmup: f64,
    /// How it falls afterwards.
    pub schedule: Schedule,
    /// How much of each weight is taken away, times the rate. Biases and norms keep theirs.
    pub decay: f64,
    /// The longest gradient; a longer one is shortened to this.
    pub clip: f64,
    /// The share of values that are left out.
    pub dropout: f32,
    /// Everything random follows from it.
    pub seed: u64,
    /// Tensors whose names begin so stay as they are: `embeddings`, `encoder.layer.0.`.
    pub frozen: Vec<String>,
    /// Steps between two measurements; once an epoch where it is zero.
    pub evaluate_every: usize,
    /// Measurements without a better score after which training ends; zero never ends it.
    pub patience: usize,
}

/// How the learning rate falls to zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// It does not.
    Constant,
    /// By the same amount each step.
    Linear,
    /// Along half a cosine.
    Cosine,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            epochs: 3,
            batch: 32,
            rate: 2e-5,
            warmup: 0.1,
            schedule: Schedule::Linear,
            decay: 0.01,
            clip: 1.0,
            dropout: 0.1,
            seed: 0,
            frozen: Vec::new(),
            evaluate_every: 0,
            patience: 0,
        }
    }
}

impl Options {
    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// [`TrainError::Option`].
    pub fn check(&self) -> Result<(), TrainError> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let rows: [(&'static str, String, bool, &'static str); 7] = [
            ("epochs", self.epochs.to_string(), self.epochs > 0, "it is at least 1"),
            ("batch", self.batch.to_string(), self.batch > 0, "it is at least 1"),
            ("rate", self.rate.to_string(), positive(self.rate), "it is above 0"),
            (
                "warmup",
                self.warmup.to_string(),
                (0.0..=1.0).contains(&self.warmup),
                "it is a share, from 0 to 1",
            ),
            (
                "decay",
                self.decay.to_string(),
                self.decay.is_finite() && self.decay >= 0.0,
                "it is 0 or above",
            ),
            ("clip", self.clip.to_string(), positive(self.clip), "it is above 0"),
            (
                "dropout",
                self.dropout.to_string(),
                (0.0..1.0).contains(&self.dropout),
                "it is a share, from 0 to below 1",
            ),
        ];
        match rows.into_iter().find(|(_, _, fine, _)| !fine) {
            Some((name, value, _, expected)) => Err(TrainError::Option { name, value, expected }),
            None => Ok(()),
        }
    }

    /// The learning rate of a step, of so many.
    #[must_use]
    pub fn rate_at(&self, step: usize, steps: usize) -> f64 {
        let warm = (self.warmup * steps as f64).ceil() as usize;
        if step < warm {
            return self.rate * step as f64 / warm as f64;
        }
        let left = steps.saturating_sub(step) as f64 / steps.saturating_sub(warm).max(1) as f64;
        let share = match self.schedule {
            Schedule::Constant => 1.0,
            Schedule::Linear => left,
            Schedule::Cosine => 0.5 * (1.0 - (std::f64::consts::PI * left).cos()),
        };
        self.rate * share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(schedule: Schedule) -> Vec<f64> {
        let options = Options { rate: 1.0, warmup: 0.2, schedule, ..Options::default() };
        (0..10).map(|step| (options.rate_at(step, 10) * 1e4).round() / 1e4).collect()
    }

    #[test]
    fn the_rate_rises_and_falls_as_the_schedule_says() {
        assert_eq!(
            rates(Schedule::Linear),
            [0.0, 0.5, 1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]
        );
        assert_eq!(
            rates(Schedule::Cosine),
            [0.0, 0.5, 1.0, 0.9619, 0.8536, 0.6913, 0.5, 0.3087, 0.1464, 0.0381]
        );
        assert_eq!(rates(Schedule::Constant)[1..4], [0.5, 1.0, 1.0]);
        let all = Options { rate: 1.0, warmup: 1.0, ..Options::default() };
        assert_eq!([0, 1, 2].map(|step| all.rate_at(step, 2)), [0.0, 0.5, 0.0]);
    }

    #[test]
    fn an_option_that_makes_no_sense_is_named() {
        for (options, expected) in [
            (Options { epochs: 0, ..Options::default() }, "epochs is 0; it is at least 1"),
            (Options { rate: f64::NAN, ..Options::default() }, "rate is NaN; it is above 0"),
            (
                Options { dropout: 1.0, ..Options::default() },
                "dropout is 1; it is a share, from 0 to below 1",
            ),
        ] {
            assert_eq!(options.check().unwrap_err().to_string(), expected);
        }
        assert!(Options::default().check().is_ok());
    }
}
