//! The steps of a training.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use serde::Serialize;
use trireme_candle::{Candle, Place};
use trireme_model::{Checkpoint, Model};

use crate::adam::Adam;
use crate::identity::Identity;
use crate::{Objective, Options, Score, Stream, TrainError, order, stream};

/// A model that is being trained.
pub struct Trainer<O> {
    pub(crate) model: Model<Candle>,
    checkpoint: Checkpoint,
    objective: O,
    pub(crate) options: Options,
    /// A hash of what is trained, and of what it learns.
    pub(crate) task: u64,
    pub(crate) adam: Adam,
    pub(crate) reached: Reached,
    /// The examples of this epoch, in order.
    order: Vec<usize>,
}

/// How far a training has come, besides its weights.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reached {
    pub step: usize,
    /// Measurements since the best.
    pub stale: usize,
    pub best: Option<Best>,
}

/// The best weights so far.
#[derive(Debug, Clone)]
pub(crate) struct Best {
    pub score: f64,
    pub weights: BTreeMap<String, Vec<f32>>,
}

/// What one step did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Progress {
    /// Steps that are done.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// The epoch that this step belongs to, from 0.
    pub epoch: usize,
    /// How wrong the model was before it.
    pub loss: f64,
    /// The learning rate.
    pub rate: f64,
    /// The length of the gradient, before it was shortened.
    pub gradient: f64,
    /// How good the model is now, where that was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
}

impl<O: Objective> Trainer<O> {
    /// Begins to train a checkpoint.
    ///
    /// # Errors
    /// [`TrainError`] where an option makes no sense, nothing is left to train, or the model can't
    /// be had in singles.
    pub fn new(checkpoint: Checkpoint, objective: O, options: Options) -> Result<Self, TrainError> {
        Self::on(Place::default(), checkpoint, objective, options)
    }

    /// The same in another place.
    ///
    /// # Errors
    /// As [`Trainer::new`].
    pub fn on(
        place: Place,
        checkpoint: Checkpoint,
        objective: O,
        options: Options,
    ) -> Result<Self, TrainError> {
        options.check()?;
        let frozen = options.frozen.clone();
        let trains = move |name: &str| !frozen.iter().any(|prefix| name.starts_with(prefix));
        let model = Model::new(Candle::on(place, trains), &checkpoint)?;
        if model.backend().parameters().is_empty() {
            let value = options.frozen.join(", ");
            let expected = "it leaves some of the model's tensors";
            return Err(TrainError::Option { name: "frozen", value, expected });
        }
        let mut hash = Identity::default();
        checkpoint.digest().hash(&mut hash);
        objective.identity(&mut hash);
        let task = hash.finish();
        let by_parts = model.backend().place().is_by_parts();
        let (adam, reached) = (Adam { by_parts, ..Adam::default() }, Reached::default());
        let order = order::epoch(objective.examples(), options.seed, 0);
        Ok(Self { model, checkpoint, objective, options, task, adam, reached, order })
    }

    /// Steps in all.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.options.epochs * self.steps_of_epoch()
    }

    fn steps_of_epoch(&self) -> usize {
        self.objective.examples().div_ceil(self.options.batch)
    }

    /// Does the next step; nothing, where none is left or the score stopped rising.
    ///
    /// # Errors
    /// [`TrainError::Diverged`], or what the model says.
    pub fn step(&mut self) -> Result<Option<Progress>, TrainError> {
        let (step, steps, seed) = (self.reached.step, self.steps(), self.options.seed);
        if step == steps || self.is_stale() {
            return Ok(None);
        }
        let (epoch, at) = (step / self.steps_of_epoch(), step % self.steps_of_epoch());
        if at == 0 {
            self.order = order::epoch(self.objective.examples(), seed, epoch);
        }
        let batch = self.options.batch;
        let examples = &self.order[at * batch..self.order.len().min((at + 1) * batch)];

        let dropout = self.model.backend().dropout();
        dropout.set(self.options.dropout, stream(seed, Stream::Dropout).part(step as u64));
        let wrong = self.objective.loss(&self.model, examples)?;
        dropout.set(0.0, stream(seed, Stream::Dropout));
        let loss = f64::from(wrong.to_scalar::<f32>()?);
        if !loss.is_finite() {
            return Err(TrainError::Diverged { step, loss });
        }
        let rate = self.options.rate_at(step, steps);
        let (parameters, gradients) = (self.model.backend().parameters(), wrong.backward()?);
        let gradient = self.adam.step(&parameters, &gradients, &self.options, rate, step)?;
        self.reached.step += 1;
        let score = if self.measures() { Some(self.measure()?) } else { None };
        let step = self.reached.step;
        Ok(Some(Progress { step, steps, epoch, loss, rate, gradient, score }))
    }

    /// Steps that are done.
    #[must_use]
    pub fn done(&self) -> usize {
        self.reached.step
    }

    /// The best score that was measured.
    #[must_use]
    pub fn best_score(&self) -> Option<f64> {
        self.reached.best.as_ref().map(|best| best.score)
    }

    /// Whether the score has not risen for as long as it may.
    fn is_stale(&self) -> bool {
        self.options.patience > 0 && self.reached.stale >= self.options.patience
    }

    /// Whether it is time to measure: every so many steps, or at the end of an epoch; and at the
    /// end of all.
    fn measures(&self) -> bool {
        let every = match self.options.evaluate_every {
            0 => self.steps_of_epoch(),
            steps => steps,
        };
        self.reached.step.is_multiple_of(every) || self.reached.step == self.steps()
    }

    fn measure(&mut self) -> Result<Score, TrainError> {
        let score = self.objective.score(&self.model)?;
        if self.reached.best.as_ref().is_none_or(|best| score.value > best.score) {
            let weights = self.weights()?;
            self.reached.best = Some(Best { score: score.value, weights });
            self.reached.stale = 0;
        } else {
            self.reached.stale += 1;
        }
        Ok(score)
    }

    /// The model with the weights that scored best; as it is now, where nothing was measured.
    ///
    /// # Errors
    /// [`TrainError::Model`].
    pub fn best(&self) -> Result<Checkpoint, TrainError> {
        Ok(match &self.reached.best {
            Some(best) => self.checkpoint.with_weights(&best.weights)?,
            None => self.checkpoint.with_weights(&self.weights()?)?,
        })
    }

    /// Goes to the step that was reached, which may be in the middle of an epoch.
    pub(crate) fn go_to(&mut self, reached: Reached) {
        let epoch = reached.step / self.steps_of_epoch();
        self.order = order::epoch(self.objective.examples(), self.options.seed, epoch);
        self.reached = reached;
    }

    pub(crate) fn examples(&self) -> usize {
        self.objective.examples()
    }

    /// Every trained tensor, by its name in the checkpoint.
    fn weights(&self) -> Result<BTreeMap<String, Vec<f32>>, TrainError> {
        let mut all = BTreeMap::new();
        for parameter in self.model.backend().parameters() {
            let values = parameter.var.flatten_all()?.to_vec1::<f32>()?;
            let part = values.len() / parameter.names.len();
            for (name, values) in parameter.names.iter().zip(values.chunks_exact(part)) {
                all.insert(name.clone(), values.to_vec());
            }
        }
        Ok(all)
    }
}
