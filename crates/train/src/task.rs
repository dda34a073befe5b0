//! What a model learns, and how well it has.

use std::hash::{Hash, Hasher};

use serde::Serialize;
use trireme_backend::Pooling;
use trireme_candle::Candle;
use trireme_candle::core::Tensor;
use trireme_domain::metrics::{Classification, spearman};
use trireme_domain::similarity::cosine;
use trireme_model::{Encoded, Model, Want};

use crate::{TrainError, loss};

/// Texts of one forward while measuring.
pub(crate) const MEASURED: usize = 64;

/// What a model learns.
pub trait Objective {
    /// Examples to learn from.
    fn examples(&self) -> usize;

    /// How wrong the model is about these examples.
    ///
    /// # Errors
    /// [`TrainError`] where the model can't be run on them.
    fn loss(&self, model: &Model<Candle>, examples: &[usize]) -> Result<Tensor, TrainError>;

    /// How good it is on what was held out.
    ///
    /// # Errors
    /// [`TrainError`] where the model can't be run on that.
    fn score(&self, model: &Model<Candle>) -> Result<Score, TrainError>;

    /// Hashes what makes it this objective and no other: a training that goes on must have its own.
    fn identity(&self, hash: &mut dyn Hasher);
}

impl<O: Objective + ?Sized> Objective for Box<O> {
    fn examples(&self) -> usize {
        (**self).examples()
    }

    fn loss(&self, model: &Model<Candle>, examples: &[usize]) -> Result<Tensor, TrainError> {
        (**self).loss(model, examples)
    }

    fn score(&self, model: &Model<Candle>) -> Result<Score, TrainError> {
        (**self).score(model)
    }

    fn identity(&self, hash: &mut dyn Hasher) {
        (**self).identity(hash);
    }
}

/// How good a model is: the higher, the better.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// The measure that is compared.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
    /// All that was measured of a classifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes: Option<Classification>,
    /// For each class that was expected, how often each was predicted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confusion: Option<Vec<Vec<usize>>>,
    /// How well the order of pairs by nearness is that of their scores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spearman: Option<f64>,
}

impl Score {
    /// Of pairs alone.
    pub(crate) fn order(value: f64) -> Self {
        let spearman = Some(value);
        Self { name: "spearman", value, classes: None, confusion: None, spearman }
    }
}

/// Classes of texts.
pub struct Classify {
    /// What the classes are called.
    pub names: Vec<String>,
    /// To learn from.
    pub learn: Vec<(Encoded, usize)>,
    /// To measure by.
    pub held_out: Vec<(Encoded, usize)>,
    /// How much an example of each class counts.
    pub weights: Vec<f32>,
}

impl Classify {
    /// Refuses data from which nothing can be learnt; every class counts as it comes.
    ///
    /// # Errors
    /// [`TrainError::Data`].
    pub fn new(
        names: Vec<String>,
        learn: Vec<(Encoded, usize)>,
        held_out: Vec<(Encoded, usize)>,
    ) -> Result<Self, TrainError> {
        let counts = counts(&learn, names.len());
        let there = counts.iter().filter(|&&count| count > 0).count();
        let problem = |what, reason: String| Err(TrainError::Data { what, reason });
        if there < 2 {
            let reason = format!("{} examples of {there} classes, it takes two", learn.len());
            return problem("what is to be learnt from", reason);
        }
        if held_out.is_empty() {
            return problem("what is held out to measure by", "no example".to_owned());
        }
        let weights = vec![1.0; names.len()];
        Ok(Self { names, learn, held_out, weights })
    }

    /// Lets every class count the same in all, however many examples it has.
    #[must_use]
    pub fn balanced(mut self) -> Self {
        let counts = counts(&self.learn, self.names.len());
        let share = self.learn.len() as f32 / counts.len() as f32;
        self.weights = counts.iter().map(|&count| share / count.max(1) as f32).collect();
        self
    }
}

fn counts(examples: &[(Encoded, usize)], classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    for (_, class) in examples {
        counts[*class] += 1;
    }
    counts
}

/// The rows that a model makes of texts.
pub(crate) fn rows(
    model: &Model<Candle>,
    texts: &[Encoded],
    want: Want,
) -> Result<Tensor, TrainError> {
    Ok(model.start(texts, want)?.rows()?.tensor)
}

pub(crate) fn numbers(tensor: &Tensor) -> Result<Vec<Vec<f32>>, TrainError> {
    Ok(tensor.to_vec2::<f32>()?)
}

impl Objective for Classify {
    fn examples(&self) -> usize {
        self.learn.len()
    }

    fn loss(&self, model: &Model<Candle>, examples: &[usize]) -> Result<Tensor, TrainError> {
        let of = |&at: &usize| self.learn[at].clone();
        let (texts, classes): (Vec<Encoded>, Vec<usize>) = examples.iter().map(of).unzip();
        let classes: Vec<u32> = classes.into_iter().map(|class| class as u32).collect();
        let logits = rows(model, &texts, Want::Logits)?;
        Ok(loss::cross_entropy(&logits, &classes, &self.weights)?)
    }

    fn score(&self, model: &Model<Candle>) -> Result<Score, TrainError> {
        judge(model, &self.names, &self.held_out)
    }

    fn identity(&self, mut hash: &mut dyn Hasher) {
        let weights: Vec<u32> = self.weights.iter().map(|weight| weight.to_bits()).collect();
        (&self.names, &self.learn, &self.held_out, weights).hash(&mut hash);
    }
}

/// How many of these texts a model puts into the right class.
pub(crate) fn judge(
    model: &Model<Candle>,
    names: &[String],
    held_out: &[(Encoded, usize)],
) -> Result<Score, TrainError> {
    let mut confusion = vec![vec![0; names.len()]; names.len()];
    let mut pairs = Vec::with_capacity(held_out.len());
    for some in held_out.chunks(MEASURED) {
        let texts: Vec<Encoded> = some.iter().map(|(text, _)| text.clone()).collect();
        let logits = numbers(&rows(model, &texts, Want::Logits)?)?;
        for ((_, expected), logits) in some.iter().zip(logits) {
            let best = (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
            let predicted = best.unwrap_or(0);
            confusion[*expected][predicted] += 1;
            pairs.push((*expected, predicted));
        }
    }
    let classes = Classification::new(pairs, names);
    let value = classes.as_ref().map_or(0.0, |classes| classes.accuracy);
    Ok(Score { name: "accuracy", value, classes, confusion: Some(confusion), spearman: None })
}

/// Two texts, and how near they are.
pub type Pair = (Encoded, Encoded, f32);

/// The vectors of the first texts of pairs, and of the second.
fn vectors<'a>(
    model: &Model<Candle>,
    pairs: impl Iterator<Item = &'a Pair>,
    pooling: Pooling,
) -> Result<(Tensor, Tensor), TrainError> {
    let (mut texts, second): (Vec<Encoded>, Vec<Encoded>) =
        pairs.map(|(first, second, _)| (first.clone(), second.clone())).unzip();
    let count = texts.len();
    texts.extend(second);
    let both = rows(model, &texts, Want::Vectors(pooling))?;
    Ok((both.narrow(0, 0, count)?, both.narrow(0, count, count)?))
}

pub(crate) fn identity_of_pairs(pairs: &[Pair], mut hash: &mut dyn Hasher) {
    for (first, second, score) in pairs {
        (first, second, score.to_bits()).hash(&mut hash);
    }
}

/// Why pairs can't be measured by.
pub(crate) const UNORDERED: &str =
    "all pairs are as near as each other, so no order can be compared";

/// Whether some pair is nearer than another.
pub(crate) fn ordered(pairs: &[Pair]) -> bool {
    pairs.iter().any(|(.., score)| *score != pairs[0].2)
}

/// How well a model's vectors order pairs.
pub(crate) fn compare(
    model: &Model<Candle>,
    held_out: &[Pair],
    pooling: Pooling,
) -> Result<f64, TrainError> {
    let (mut got, mut expected) = (Vec::new(), Vec::new());
    for some in held_out.chunks(MEASURED / 2) {
        let (first, second) = vectors(model, some.iter(), pooling)?;
        for (first, second) in numbers(&first)?.iter().zip(&numbers(&second)?) {
            got.push(cosine(first, second));
        }
        expected.extend(some.iter().map(|(.., score)| f64::from(*score)));
    }
    Ok(spearman(&got, &expected).unwrap_or(0.0))
}

/// How near two texts are.
pub struct Pairs {
    /// Two texts each, and how near they are, from 0 to 1.
    pub learn: Vec<Pair>,
    /// To measure by.
    pub held_out: Vec<Pair>,
    /// What is made small.
    pub loss: Loss,
    /// How rows become a vector.
    pub pooling: Pooling,
}

/// What is made small where pairs are learnt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// What the cosine misses the score by.
    Cosine,
    /// Being nearer to another's partner than to one's own; scores do not matter, every pair is
    /// near. The cosine is multiplied by this first.
    Ranking(f64),
}

impl Pairs {
    /// Refuses data from which nothing can be learnt.
    ///
    /// # Errors
    /// [`TrainError::Data`].
    pub fn new(
        learn: Vec<Pair>,
        held_out: Vec<Pair>,
        loss: Loss,
        pooling: Pooling,
    ) -> Result<Self, TrainError> {
        let problem =
            |what, reason: &str| Err(TrainError::Data { what, reason: reason.to_owned() });
        if learn.is_empty() {
            return problem("what is to be learnt from", "no pair");
        }
        if !ordered(&held_out) {
            return problem("what is held out to measure by", UNORDERED);
        }
        Ok(Self { learn, held_out, loss, pooling })
    }
}

impl Objective for Pairs {
    fn examples(&self) -> usize {
        self.learn.len()
    }

    fn loss(&self, model: &Model<Candle>, examples: &[usize]) -> Result<Tensor, TrainError> {
        let pairs = examples.iter().map(|&at| &self.learn[at]);
        let (first, second) = vectors(model, pairs, self.pooling)?;
        let scores: Vec<f32> = examples.iter().map(|&at| self.learn[at].2).collect();
        Ok(match self.loss {
            Loss::Cosine => loss::cosine(&first, &second, &scores, &vec![1.0; scores.len()])?,
            Loss::Ranking(scale) => loss::ranking(&first, &second, scale)?,
        })
    }

    fn score(&self, model: &Model<Candle>) -> Result<Score, TrainError> {
        Ok(Score::order(compare(model, &self.held_out, self.pooling)?))
    }

    fn identity(&self, mut hash: &mut dyn Hasher) {
        identity_of_pairs(&self.learn, hash);
        identity_of_pairs(&self.held_out, hash);
        let scale = match self.loss {
            Loss::Cosine => None,
            Loss::Ranking(scale) => Some(scale.to_bits()),
        };
        (scale, self.pooling).hash(&mut hash);
    }
}
