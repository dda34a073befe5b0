//! A student learns what its teachers say of texts.

use std::hash::{Hash, Hasher};

use trireme_backend::Pooling;
use trireme_candle::Candle;
use trireme_candle::core::{DType, Device, Tensor};
use trireme_model::{Encoded, Model, Want};

use crate::task::{Pair, UNORDERED, compare, identity_of_pairs, judge, ordered};
use crate::{Objective, Score, TrainError, loss};

/// A text, and what is to be said of it.
#[derive(Debug, Clone)]
pub struct Lesson {
    /// As the student reads it.
    pub text: Encoded,
    /// The share of each class, where classes are taught.
    pub classes: Option<Vec<f32>>,
    /// The vector, of any length, where vectors are taught.
    pub vector: Option<Vec<f32>>,
}

/// What a student learns, and what it is measured by.
#[derive(Debug, Clone)]
pub struct Distill {
    /// To learn from.
    pub lessons: Vec<Lesson>,
    /// To learn from as well: pairs, and how much they count. Those of a step count together as much
    /// as its lessons do, however few they are.
    pub near: Vec<(Pair, f32)>,
    /// What the classes are called.
    pub names: Vec<String>,
    /// To measure classes by.
    pub labelled: Vec<(Encoded, usize)>,
    /// To measure vectors by.
    pub pairs: Vec<Pair>,
    /// How rows become a vector.
    pub pooling: Pooling,
    /// How much a vector counts beside a class.
    pub vectors: f64,
    /// Who teaches, and how: what lessons say may differ in a last bit from machine to machine, so
    /// this stands for it where a training goes on.
    pub by: String,
}

/// What lessons say: a row for each, and whether it counts.
struct Said {
    rows: Tensor,
    counts: Vec<f32>,
}

impl Distill {
    /// Refuses lessons from which nothing can be learnt.
    ///
    /// # Errors
    /// [`TrainError::Data`].
    pub fn check(&self) -> Result<(), TrainError> {
        let taught = |lesson: &Lesson| lesson.classes.is_some() || lesson.vector.is_some();
        let problem =
            |what, reason: &str| Err(TrainError::Data { what, reason: reason.to_owned() });
        if self.lessons.is_empty() {
            return problem("what is to be learnt from", "no text is left beside those held out");
        }
        if !self.lessons.iter().any(taught) {
            return problem("what is to be learnt from", "no teacher says anything");
        }
        if self.labelled.is_empty() && self.pairs.is_empty() {
            return problem("what is held out to measure by", "neither classes nor pairs");
        }
        if !self.pairs.is_empty() && !ordered(&self.pairs) {
            return problem("what is held out to measure by", UNORDERED);
        }
        Ok(())
    }

    /// What these lessons say, if any says something.
    fn said(
        &self,
        device: &Device,
        examples: &[usize],
        of: impl Fn(&Lesson) -> Option<&Vec<f32>>,
    ) -> Result<Option<Said>, TrainError> {
        let all = || examples.iter().map(|&at| of(&self.lessons[at]));
        let Some(width) = all().flatten().map(Vec::len).next() else { return Ok(None) };
        let (mut rows, mut counts) = (Vec::new(), Vec::new());
        for said in all() {
            counts.push(f32::from(u8::from(said.is_some())));
            match said {
                Some(said) => rows.extend_from_slice(said),
                // A direction like any other; it does not count.
                None => rows.resize(rows.len() + width, 1.0),
            }
        }
        let rows = Tensor::from_vec(rows, (examples.len(), width), device)?;
        Ok(Some(Said { rows, counts }))
    }
}

impl Objective for Distill {
    /// Lessons, and behind them pairs.
    fn examples(&self) -> usize {
        self.lessons.len() + self.near.len()
    }

    fn loss(&self, model: &Model<Candle>, examples: &[usize]) -> Result<Tensor, TrainError> {
        let is_lesson = |at: &usize| *at < self.lessons.len();
        let (lessons, near): (Vec<usize>, Vec<usize>) =
            examples.iter().partition(|at| is_lesson(at));
        let near: Vec<&(Pair, f32)> =
            near.iter().map(|at| &self.near[at - self.lessons.len()]).collect();
        let device = model.backend().place().device();
        let classes = self.said(device, &lessons, |lesson| lesson.classes.as_ref())?;
        let vectors = self.said(device, &lessons, |lesson| lesson.vector.as_ref())?;
        let of_lessons = lessons.iter().map(|&at| &self.lessons[at].text);
        let first = near.iter().map(|((first, ..), _)| first);
        let second = near.iter().map(|((_, second, _), _)| second);
        let texts: Vec<Encoded> = of_lessons.chain(first).chain(second).cloned().collect();

        let pooled = Want::Vectors(self.pooling);
        let (logits, rows) = match classes {
            Some(_) => {
                let (logits, rows) = model.start(&texts, Want::Logits)?.rows_and(pooled)?;
                (Some(logits.tensor), rows.tensor)
            }
            None => (None, model.start(&texts, pooled)?.rows()?.tensor),
        };
        let mut loss = Tensor::zeros((), DType::F32, device)?;
        if let (Some(said), Some(logits)) = (classes, logits) {
            let logits = logits.narrow(0, 0, lessons.len())?;
            loss = (loss + loss::soft_cross_entropy(&logits, &said.rows, &said.counts)?)?;
        }
        if let Some(said) = vectors {
            let rows = rows.narrow(0, 0, lessons.len())?;
            loss = (loss + (loss::turned(&rows, &said.rows, &said.counts)? * self.vectors)?)?;
        }
        if !near.is_empty() {
            let part = |at| rows.narrow(0, lessons.len() + at * near.len(), near.len());
            let (scores, weights): (Vec<f32>, Vec<f32>) =
                near.iter().map(|((.., score), weight)| (*score, *weight)).unzip();
            loss = (loss + loss::cosine(&part(0)?, &part(1)?, &scores, &weights)?)?;
        }
        Ok(loss)
    }

    /// The mean of what there is: accuracy, and Spearman.
    fn score(&self, model: &Model<Candle>) -> Result<Score, TrainError> {
        let classes = match &self.labelled[..] {
            [] => None,
            labelled => Some(judge(model, &self.names, labelled)?),
        };
        let order = match &self.pairs[..] {
            [] => None,
            pairs => Some(compare(model, pairs, self.pooling)?),
        };
        Ok(match (classes, order) {
            (Some(classes), None) => classes,
            (None, order) => Score::order(order.unwrap_or(0.0)),
            (Some(classes), Some(order)) => Score {
                name: "accuracy and spearman",
                value: f64::midpoint(classes.value, order),
                spearman: Some(order),
                ..classes
            },
        })
    }

    fn identity(&self, mut hash: &mut dyn Hasher) {
        for lesson in &self.lessons {
            lesson.text.hash(&mut hash);
        }
        for (pair, weight) in &self.near {
            identity_of_pairs(std::slice::from_ref(pair), hash);
            weight.to_bits().hash(&mut hash);
        }
        identity_of_pairs(&self.pairs, hash);
        let vectors = self.vectors.to_bits();
        (&self.names, &self.labelled, self.pooling, vectors, &self.by).hash(&mut hash);
    }
}
