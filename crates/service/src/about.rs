//! What a host says of itself.

use trireme_domain::Fault;
use trireme_domain::wire::{HealthAnswer, InfoAnswer, RootAnswer};

use crate::{Served, Service};

impl Service {
    /// Alive: the threads of every model go on.
    ///
    /// # Errors
    /// [`trireme_domain::Code::NotReady`] where one does not, or none is there yet.
    pub fn live(&self) -> Result<HealthAnswer, Fault> {
        self.healthy(Served::live)
    }

    /// Ready: every model answers as it should, and the host is not about to end.
    ///
    /// # Errors
    /// [`trireme_domain::Code::NotReady`] with the reason.
    pub fn ready(&self) -> Result<HealthAnswer, Fault> {
        self.healthy(Served::ready)
    }

    fn healthy(&self, well: fn(&Served) -> Result<(), Fault>) -> Result<HealthAnswer, Fault> {
        let first = self.models.get(None)?;
        self.models.all().iter().try_for_each(|served| well(served))?;
        Ok(HealthAnswer { status: "ok", origin: first.identity.origin.clone() })
    }

    /// Name, version, and who answers.
    ///
    /// # Errors
    /// [`trireme_domain::Code::NotReady`] where no model is loaded yet.
    pub fn root(&self) -> Result<RootAnswer, Fault> {
        let origin = self.models.get(None)?.identity.origin.clone();
        let models =
            self.models.all().iter().map(|served| served.identity.origin.model.clone()).collect();
        Ok(RootAnswer { name: "trireme", trireme: env!("CARGO_PKG_VERSION"), models, origin })
    }

    /// What a model can do.
    ///
    /// # Errors
    /// [`trireme_domain::Code::ModelNotFound`], [`trireme_domain::Code::NotReady`].
    pub fn info(&self, model: Option<&str>) -> Result<InfoAnswer, Fault> {
        let served = self.models.get(model)?;
        let identity = &served.identity;
        Ok(InfoAnswer {
            kind: identity.kind,
            architecture: identity.architecture.to_owned(),
            labels: identity.labels.clone(),
            dimensions: identity.dimensions,
            pooling: identity.pooling,
            normalize: identity.normalizes,
            max_length: served.reader.max_tokens(),
            max_texts: self.limits.texts,
            origin: identity.origin.clone(),
        })
    }
}
