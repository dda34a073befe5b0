//! A training as bytes: put away between two steps, and gone on with.

use std::borrow::Cow;
use std::collections::BTreeMap;

use safetensors::tensor::{Dtype, SafeTensors, View, serialize};
use serde::{Deserialize, Serialize};
use trireme_candle::core::Tensor;

use crate::adam::{Moments, called};
use crate::trainer::{Best, Reached};
use crate::{Objective, TrainError, Trainer};

/// Where all that is no weight stands in the file.
const KEY: &str = "trireme.training";

#[derive(Serialize, Deserialize, PartialEq)]
struct Facts {
    /// The options as they are written: numbers that are read again may differ in their last bit.
    options: String,
    examples: usize,
    task: u64,
    step: usize,
    stale: usize,
    /// The bits of the best score.
    best: Option<u64>,
}

/// A vector as the file has it.
struct Values {
    values: Vec<f32>,
    shape: [usize; 1],
}

impl From<Vec<f32>> for Values {
    fn from(values: Vec<f32>) -> Self {
        Self { shape: [values.len()], values }
    }
}

impl View for Values {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>().into()
    }

    fn data_len(&self) -> usize {
        self.values.len() * size_of::<f32>()
    }
}

fn misfit(reason: impl std::fmt::Display) -> TrainError {
    TrainError::State { reason: reason.to_string() }
}

impl<O: Objective> Trainer<O> {
    /// All that going on takes: weights, the optimiser's memory, how far it came. A safetensors
    /// file.
    ///
    /// # Errors
    /// [`TrainError::Backend`].
    pub fn state(&self) -> Result<Vec<u8>, TrainError> {
        let mut entries: BTreeMap<String, Values> = BTreeMap::new();
        for parameter in self.model.backend().parameters() {
            let values = parameter.var.flatten_all()?.to_vec1::<f32>()?;
            entries.insert(format!("weight/{}", called(&parameter)), values.into());
        }
        for (name, Moments { mean, square }) in &self.adam.moments {
            entries.insert(format!("mean/{name}"), mean.to_vec1::<f32>()?.into());
            entries.insert(format!("square/{name}"), square.to_vec1::<f32>()?.into());
        }
        for (name, values) in self.reached.best.iter().flat_map(|best| &best.weights) {
            entries.insert(format!("best/{name}"), values.clone().into());
        }
        let facts = serde_json::to_string(&self.facts()?).map_err(misfit)?;
        serialize(entries, Some([(KEY.to_owned(), facts)].into())).map_err(misfit)
    }

    /// Goes on where a training of the same model, examples and options was put away.
    ///
    /// # Errors
    /// [`TrainError::State`] where it is of another one, or damaged.
    pub fn resume(&mut self, state: &[u8]) -> Result<(), TrainError> {
        let (_, header) = SafeTensors::read_metadata(state).map_err(misfit)?;
        let facts = header.metadata().as_ref().and_then(|facts| facts.get(KEY));
        let facts = facts.ok_or_else(|| misfit("it is not a training's"))?;
        let facts: Facts = serde_json::from_str(facts).map_err(misfit)?;
        let own = self.facts()?;
        for (what, fits) in [
            ("the options", facts.options == own.options),
            ("the number of examples", facts.examples == own.examples),
            ("the model, or what it learns,", facts.task == own.task),
            ("the number of steps", facts.step <= self.steps()),
        ] {
            if !fits {
                return Err(misfit(format!("{what} changed")));
            }
        }
        let tensors = SafeTensors::deserialize(state).map_err(misfit)?;
        let values = |name: String, len: usize| -> Result<Vec<f32>, TrainError> {
            let tensor = tensors.tensor(&name).map_err(misfit)?;
            let bytes = tensor.data().as_chunks::<4>().0;
            if bytes.len() != len {
                return Err(misfit(format!("{name} has {} values, not {len}", bytes.len())));
            }
            Ok(bytes.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
        };
        // All is read before anything changes.
        let mut weights = Vec::new();
        let mut moments = BTreeMap::new();
        for parameter in self.model.backend().parameters() {
            let (name, len) = (called(&parameter), parameter.var.elem_count());
            let read = values(format!("weight/{name}"), len)?;
            weights.push((parameter.var.clone(), read));
            // A head that this task never runs has no gradient, so nothing is remembered of it.
            if tensors.tensor(&format!("mean/{name}")).is_ok() {
                let moment = |kind| -> Result<Tensor, TrainError> {
                    let values = values(format!("{kind}/{name}"), len)?;
                    Ok(Tensor::from_vec(values, len, parameter.var.device())?)
                };
                let (mean, square) = (moment("mean")?, moment("square")?);
                moments.insert(name, Moments { mean, square });
            }
        }
        let best = match facts.best {
            None => None,
            Some(score) => {
                let mut weights = BTreeMap::new();
                for (name, len) in self.trained_lengths() {
                    let read = values(format!("best/{name}"), len)?;
                    weights.insert(name, read);
                }
                Some(Best { score: f64::from_bits(score), weights })
            }
        };
        for (var, values) in weights {
            var.set(&Tensor::from_vec(values, var.shape(), var.device())?)?;
        }
        self.adam.moments = moments;
        self.go_to(Reached { step: facts.step, stale: facts.stale, best });
        Ok(())
    }

    fn facts(&self) -> Result<Facts, TrainError> {
        let Reached { step, stale, best } = &self.reached;
        Ok(Facts {
            options: serde_json::to_string(&self.options).map_err(misfit)?,
            examples: self.examples(),
            task: self.task,
            step: *step,
            stale: *stale,
            best: best.as_ref().map(|best| best.score.to_bits()),
        })
    }

    /// The trained tensors' names in the checkpoint, and how many values each has.
    fn trained_lengths(&self) -> Vec<(String, usize)> {
        let parameters = self.model.backend().parameters().into_iter();
        let parts = parameters.flat_map(|parameter| {
            let part = parameter.var.elem_count() / parameter.names.len();
            parameter.names.into_iter().map(move |name| (name, part))
        });
        parts.collect()
    }
}
