//! A text should be nearer to one text than to another.

use std::hash::{Hash, Hasher};

use trireme_backend::Pooling;
use trireme_candle::Candle;
use trireme_candle::core::Tensor;
use trireme_model::{Encoded, Model, Want};

use crate::task::{MEASURED, numbers, rows};
use crate::{Objective, Score, TrainError, loss};

/// A text, one that is to be near it, and one that is to be further.
pub type Triplet = [Encoded; 3];

/// Which of two texts is nearer to a third.
pub struct Triplets {
    /// To learn from.
    pub learn: Vec<Triplet>,
    /// To measure by.
    pub held_out: Vec<Triplet>,
    /// By how much the cosine of the near text should be the larger.
    pub margin: f64,
    /// How rows become a vector.
    pub pooling: Pooling,
}

impl Triplets {
    /// Refuses data from which nothing can be learnt.
    ///
    /// # Errors
    /// [`TrainError::Data`].
    pub fn new(
        learn: Vec<Triplet>,
        held_out: Vec<Triplet>,
        margin: f64,
        pooling: Pooling,
    ) -> Result<Self, TrainError> {
        for (what, texts) in
            [("what is to be learnt from", &learn), ("what is held out to measure by", &held_out)]
        {
            if texts.is_empty() {
                return Err(TrainError::Data { what, reason: "no triplet".to_owned() });
            }
        }
        Ok(Self { learn, held_out, margin, pooling })
    }

    /// The vectors of all first, all near and all far texts.
    fn vectors(
        &self,
        model: &Model<Candle>,
        triplets: &[&Triplet],
    ) -> Result<[Tensor; 3], TrainError> {
        let of = |part: usize| triplets.iter().map(move |triplet| triplet[part].clone());
        let texts: Vec<Encoded> = of(0).chain(of(1)).chain(of(2)).collect();
        let all = rows(model, &texts, Want::Vectors(self.pooling))?;
        let count = triplets.len();
        let part = |at: usize| all.narrow(0, at * count, count);
        Ok([part(0)?, part(1)?, part(2)?])
    }
}

impl Objective for Triplets {
    fn examples(&self) -> usize {
        self.learn.len()
    }

    fn loss(&self, model: &Model<Candle>, examples: &[usize]) -> Result<Tensor, TrainError> {
        let triplets: Vec<&Triplet> = examples.iter().map(|&at| &self.learn[at]).collect();
        let [first, near, far] = self.vectors(model, &triplets)?;
        Ok(loss::triplet(&first, &near, &far, self.margin)?)
    }

    fn score(&self, model: &Model<Candle>) -> Result<Score, TrainError> {
        let mut right = 0;
        for some in self.held_out.chunks(MEASURED / 3) {
            let some: Vec<&Triplet> = some.iter().collect();
            let [first, near, far] = self.vectors(model, &some)?;
            let wrong_by = loss::nearness(&first, &far)? - loss::nearness(&first, &near)?;
            let wrong_by = numbers(&wrong_by?.unsqueeze(1)?)?;
            right += wrong_by.iter().flatten().filter(|&&by| by < 0.0).count();
        }
        let value = right as f64 / self.held_out.len() as f64;
        Ok(Score { name: "triplets", value, classes: None, confusion: None, spearman: None })
    }

    fn identity(&self, mut hash: &mut dyn Hasher) {
        let margin = self.margin.to_bits();
        (&self.learn, &self.held_out, margin, self.pooling).hash(&mut hash);
    }
}
