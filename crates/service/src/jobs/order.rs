//! What is wanted of each text of a job, as it is kept beside them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use trireme_domain::batching::Priority;
use trireme_domain::wire::{JobKind, JobRequest, JobResult, Origin, Pooling};
use trireme_domain::{Code, Fault};
use trireme_model::{Cut, EmbedOptions};

use crate::encode::pooling;
use crate::engine::{Answer, Task};
use crate::predict::{Best, felt, predicted};
use crate::served::Served;
use crate::service::{Asked, Service, Terms};

/// What is wanted of each text, and who answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub kind: JobKind,
    max_length: Option<usize>,
    return_probabilities: Option<bool>,
    normalize: Option<bool>,
    pooling: Option<Pooling>,
    dimensions: Option<usize>,
    prompt: Option<String>,
    pub origin: Origin,
}

/// What a model is known by to jobs: another one under the same name would answer differently.
pub fn answerer(origin: &Origin) -> String {
    format!("{}/{}", origin.digest, origin.precision)
}

impl Order {
    /// Of a request, of this model.
    pub fn of(request: &JobRequest, served: &Served) -> Result<Self, Fault> {
        let wrong = |code, message: &str| Err(Fault::new(code, message));
        let vectors = request.kind == JobKind::Embed;
        let of_vectors = request.normalize.is_some()
            || request.pooling.is_some()
            || request.dimensions.is_some()
            || request.prompt.is_some();
        if !vectors && of_vectors {
            let message = "`normalize`, `pooling`, `dimensions` and `prompt` are for vectors";
            return wrong(Code::InvalidOption, message);
        }
        if vectors && request.return_probabilities.is_some() {
            return wrong(Code::InvalidOption, "`return_probabilities` is for classes");
        }
        if request.max_length == Some(0) {
            return wrong(Code::InvalidOption, "max_length is one token at least");
        }
        if !vectors && served.identity.labels.is_empty() {
            return wrong(Code::NoClassifier, "this model was not trained to classify");
        }
        Ok(Self {
            kind: request.kind,
            max_length: request.max_length,
            return_probabilities: request.return_probabilities,
            normalize: request.normalize,
            pooling: request.pooling,
            dimensions: request.dimensions,
            prompt: request.prompt.clone(),
            origin: served.identity.origin.clone(),
        })
    }

    pub fn read(text: &str) -> Result<Self, Fault> {
        let broken = |e: serde_json::Error| {
            Fault::new(Code::InvalidState, format!("what is kept of this job can't be read: {e}"))
        };
        serde_json::from_str(text).map_err(broken)
    }

    pub fn write(&self) -> Result<String, Fault> {
        serde_json::to_string(self).map_err(|e| Fault::new(Code::Internal, e.to_string()))
    }

    /// What is asked of the model. Whoever looks at a screen goes first; jobs take turns.
    pub fn asked(&self, owner: u64, tenant: &Arc<str>) -> Asked {
        let task = match self.kind {
            JobKind::Classify | JobKind::Sentiment => Task::CLASSES,
            JobKind::Embed => Task::Embed {
                options: EmbedOptions {
                    pooling: self.pooling.map(pooling),
                    normalize: self.normalize,
                    dimensions: self.dimensions,
                },
                prompt: self.prompt.clone(),
            },
        };
        let cut = Cut { max_tokens: self.max_length, ..Cut::default() };
        let (tenant, priority) = (Arc::clone(tenant), Priority::Batch);
        let terms = Terms { owner, tenant, priority, patient: true, ..Terms::default() };
        Asked { task, cut, terms }
    }
}

impl Service {
    /// A text's result, as it is kept.
    pub(super) fn result(
        &self,
        order: &Order,
        served: &Served,
        text: &str,
        answer: Result<Answer, Fault>,
    ) -> Result<String, Fault> {
        let best = |answer: Result<Answer, Fault>| Best::of(&served.identity, answer?);
        let result = match order.kind {
            JobKind::Classify => {
                let listed = order.return_probabilities.unwrap_or(true);
                JobResult::Class(predicted(best(answer), listed))
            }
            JobKind::Sentiment => JobResult::Sentiment(felt(text.to_owned(), best(answer))),
            JobKind::Embed => match answer {
                Ok(answer) => JobResult::Vector { embedding: answer.values },
                Err(error) => JobResult::Fault { error },
            },
        };
        serde_json::to_string(&result).map_err(|e| Fault::new(Code::Internal, e.to_string()))
    }
}
