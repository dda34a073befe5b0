//! What follows the encoder: dense layers after the pooling, or a classifier.

use trireme_backend::{Activation, Backend, BackendError, Epilogue};

use crate::config::Spec;
use crate::sentence::Sentence;
use crate::upload::Weights;
use crate::{ModelError, files::within};

/// Linear layers with an activation each, applied to pooled rows.
pub(crate) struct Head<B: Backend> {
    layers: Vec<(B::Linear, Activation)>,
}

impl<B: Backend> Head<B> {
    /// The dense modules of a sentence encoder; often none.
    pub fn sentence(weights: &Weights<'_, B>, sentence: &Sentence) -> Result<Self, ModelError> {
        let layer = |dense: &crate::sentence::Dense| {
            Ok((weights.linear(&within(&dense.path, "linear"))?, dense.activation))
        };
        Ok(Self { layers: sentence.dense.iter().map(layer).collect::<Result<_, ModelError>>()? })
    }

    /// The classifier, where the model has one.
    pub fn classifier(weights: &Weights<'_, B>, spec: &Spec) -> Result<Option<Self>, ModelError> {
        if spec.labels.is_none() {
            return Ok(None);
        }
        let names = &spec.family.head;
        let dense = weights.linear(names.dense)?;
        let classifier = weights.linear(names.classifier)?;
        Ok(Some(Self { layers: vec![(dense, names.activation), (classifier, Activation::None)] }))
    }

    pub fn apply(&self, backend: &B, mut rows: B::Acts) -> Result<B::Acts, BackendError> {
        for (layer, activation) in &self.layers {
            rows = backend.linear(&rows, layer, Epilogue::activate(*activation))?;
        }
        Ok(rows)
    }
}
