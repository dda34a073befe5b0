//! A model that answers requests, and which of several a request means.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use trireme_backend::Backend;
use trireme_domain::wire::{Kind, Origin, Pooling};
use trireme_domain::{Code, Fault};
use trireme_model::{Model, Scoring};

use crate::cached::{Cached, Memory};
use crate::ports::{Compute, Reads};

/// What a model is called, and what it can do.
#[derive(Debug, Clone)]
pub struct Identity {
    /// On every answer.
    pub origin: Origin,
    /// What it can do.
    pub kind: Kind,
    /// The family of its architecture.
    pub architecture: &'static str,
    /// By id; empty where the model does not classify.
    pub labels: Vec<String>,
    /// Whether a text may be of several classes at once.
    pub several: bool,
    /// Numbers in a vector.
    pub dimensions: usize,
    /// How rows become a vector unless a request says otherwise.
    pub pooling: Pooling,
    /// Whether vectors have length one unless a request says otherwise.
    pub normalizes: bool,
}

impl Identity {
    /// What a loaded model says of itself, under this name and version, at this place.
    pub fn of<B: Backend>(
        model: &Model<B>,
        name: impl Into<String>,
        version: impl Into<String>,
        place: &str,
    ) -> Self {
        let origin = Origin {
            model: name.into(),
            version: version.into(),
            digest: model.digest().to_owned(),
            precision: model.backend().precision().name().to_owned(),
            place: place.to_owned(),
        };
        let labels = model.labels().map(|labels| labels.names.clone()).unwrap_or_default();
        let kind = match labels.len() {
            0 => Kind::Embedding,
            1 => Kind::Reranker,
            _ => Kind::Classifier,
        };
        Self {
            origin,
            kind,
            architecture: model.spec().architecture(),
            several: model.labels().is_some_and(|labels| labels.scoring != Scoring::Softmax),
            labels,
            dimensions: model.dimensions(),
            pooling: pooling(model.pooling()),
            normalizes: model.normalizes(),
        }
    }
}

fn pooling(pooling: trireme_model::Pooling) -> Pooling {
    match pooling {
        trireme_model::Pooling::Mean => Pooling::Mean,
        trireme_model::Pooling::Cls => Pooling::Cls,
        trireme_model::Pooling::Max => Pooling::Max,
        trireme_model::Pooling::LastToken => Pooling::LastToken,
    }
}

/// A model, and where its jobs are answered.
pub struct Served {
    /// What it is called and can do.
    pub identity: Identity,
    /// Where its jobs are answered.
    pub compute: Arc<dyn Compute>,
    /// How it reads texts.
    pub reader: Arc<dyn Reads>,
}

impl Served {
    /// The same, which remembers its answers.
    #[must_use]
    pub fn remembering(self, memory: Memory) -> Self {
        let compute = Arc::new(Cached::new(self.compute, &self.identity.origin, memory));
        Self { compute, ..self }
    }

    /// Alive: its threads go on.
    ///
    /// # Errors
    /// [`Code::NotReady`] with the reason.
    pub fn live(&self) -> Result<(), Fault> {
        self.well(self.compute.vitals().stopped)
    }

    /// Ready: it answers as it should, and will for a while.
    ///
    /// # Errors
    /// [`Code::NotReady`] with the reason.
    pub fn ready(&self) -> Result<(), Fault> {
        let vitals = self.compute.vitals();
        self.well(vitals.stopped.or(vitals.unready))
    }

    fn well(&self, ill: Option<String>) -> Result<(), Fault> {
        ill.map_or(Ok(()), |reason| {
            let message = format!("the model {}: {reason}", self.identity.origin.model);
            Err(Fault::new(Code::NotReady, message))
        })
    }
}

/// The models of a host. Clones are the same models.
#[derive(Clone, Default)]
pub struct Models(Arc<Shelf>);

#[derive(Default)]
struct Shelf {
    models: RwLock<Vec<Arc<Served>>>,
    closing: AtomicBool,
}

impl Models {
    /// One model.
    #[must_use]
    pub fn of(served: Served) -> Self {
        let models = Self::default();
        models.add(served);
        models
    }

    /// Adds a model; the first is the one that answers where a request names none.
    pub fn add(&self, served: Served) {
        self.0.models.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(served));
    }

    /// All there are.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Served>> {
        self.0.models.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The host is about to end: what comes is still answered, but better sent to another.
    pub fn close(&self) {
        self.0.closing.store(true, Ordering::Relaxed);
    }

    /// Whether the host is about to end.
    #[must_use]
    pub fn are_closing(&self) -> bool {
        self.0.closing.load(Ordering::Relaxed)
    }

    /// The model that a request means: by its name, or by `name@version`.
    ///
    /// # Errors
    /// [`Code::NotReady`] where none is loaded yet, [`Code::ModelNotFound`] with the names there
    /// are.
    pub fn get(&self, name: Option<&str>) -> Result<Arc<Served>, Fault> {
        let models = self.all();
        let Some(first) = models.first() else {
            return Err(Fault::new(Code::NotReady, "no model is loaded yet; try again later"));
        };
        let Some(name) = name else { return Ok(Arc::clone(first)) };
        let means = |served: &&Arc<Served>| {
            let Origin { model, version, .. } = &served.identity.origin;
            let versioned = name.strip_prefix(model).and_then(|rest| rest.strip_prefix('@'));
            name == model || versioned == Some(version)
        };
        models.iter().find(means).cloned().ok_or_else(|| {
            let known: Vec<_> =
                models.iter().map(|served| served.identity.origin.model.as_str()).collect();
            let message =
                format!("there is no model {name:?} here; there is: {}", known.join(", "));
            Fault::new(Code::ModelNotFound, message)
        })
    }
}
