//! Randomness that can be had again: a number depends on where it stands, not on what came before.

use std::sync::Mutex;
use std::sync::PoisonError;

/// A stream of random numbers, by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noise(u64);

impl Noise {
    /// The stream of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(mix(seed ^ 0x9e37_79b9_7f4a_7c15))
    }

    /// A stream of this one's, by its number.
    #[must_use]
    pub fn part(self, number: u64) -> Self {
        Self(mix(self.0 ^ mix(number)))
    }

    /// The number at an index.
    #[must_use]
    pub fn at(self, index: u64) -> u64 {
        mix(self.0.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// The same in [0, 1).
    #[must_use]
    pub fn unit(self, index: u64) -> f64 {
        (self.at(index) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// SplitMix64's finaliser.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// How much is left out while a model is trained. Each operation of a step leaves out other values,
/// and the same ones when the step is done again.
#[derive(Debug)]
pub struct Dropout(Mutex<State>);

#[derive(Debug)]
struct State {
    rate: f32,
    noise: Noise,
    operations: u64,
}

/// What one operation leaves out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mask {
    rate: f32,
    noise: Noise,
}

impl Mask {
    /// What a value is multiplied by.
    pub fn factor(&self, index: usize) -> f32 {
        // The upper bits of 24, so that a rate of a half is exactly that.
        let draw = (self.noise.at(index as u64) >> 40) as f32 / (1 << 24) as f32;
        if draw < self.rate { 0.0 } else { 1.0 / (1.0 - self.rate) }
    }
}

impl Dropout {
    pub(crate) fn none() -> Self {
        Self(Mutex::new(State { rate: 0.0, noise: Noise::new(0), operations: 0 }))
    }

    /// From now on leaves out this share, by these numbers; a rate of zero leaves out nothing.
    pub fn set(&self, rate: f32, noise: Noise) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            State { rate, noise, operations: 0 };
    }

    pub(crate) fn next(&self) -> Option<Mask> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.rate <= 0.0 {
            return None;
        }
        state.operations += 1;
        Some(Mask { rate: state.rate, noise: state.noise.part(state.operations) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_leaves_out_its_share_and_keeps_the_mean() {
        let dropout = Dropout::none();
        assert!(dropout.next().is_none());
        dropout.set(0.1, Noise::new(7));
        let mask = dropout.next().unwrap();
        let factors: Vec<f32> = (0..100_000).map(|index| mask.factor(index)).collect();
        let left_out = factors.iter().filter(|&&factor| factor == 0.0).count();
        let mean = factors.iter().map(|&f| f64::from(f)).sum::<f64>() / factors.len() as f64;
        assert!((9_500..10_500).contains(&left_out), "{left_out} of 100,000");
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
    }

    #[test]
    fn a_step_done_again_leaves_out_the_same() {
        let dropout = Dropout::none();
        let step = || {
            dropout.set(0.5, Noise::new(1).part(3));
            let masks = [dropout.next().unwrap(), dropout.next().unwrap()];
            masks.map(|mask| (0..64).map(|index| mask.factor(index)).collect::<Vec<_>>())
        };
        let [first, second] = step();
        assert_eq!(step(), [first.clone(), second.clone()]);
        assert_ne!(first, second, "two operations of a step");
    }
}
