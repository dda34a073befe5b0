//! What a host says of itself.

use trireme_domain::wire::{HealthAnswer, InfoAnswer, RootAnswer};
use trireme_domain::{Code, Fault};

use crate::{Served, Service};

impl Service {
    /// Alive: the threads of every model go on. A host that loads its models is alive.
    ///
    /// # Errors
    /// [`Code::NotReady`] where a thread does not go on.
    pub fn live(&self) -> Result<HealthAnswer, Fault> {
        self.healthy(Served::live)?;
        let first = self.models.get(None).ok();
        let status = if first.is_some() { "ok" } else { "starting" };
        Ok(HealthAnswer { status, origin: first.map(|served| served.identity.origin.clone()) })
    }

    /// Started: its models are loaded.
    ///
    /// # Errors
    /// [`Code::NotReady`] where they are not.
    pub fn started(&self) -> Result<HealthAnswer, Fault> {
        let origin = Some(self.models.get(None)?.identity.origin.clone());
        Ok(HealthAnswer { status: "ok", origin })
    }

    /// Ready: every model answers as it should, and the host is not about to end.
    ///
    /// # Errors
    /// [`Code::NotReady`] or [`Code::ShuttingDown`], with the reason.
    pub fn ready(&self) -> Result<HealthAnswer, Fault> {
        if self.models.are_closing() {
            return Err(Fault::new(Code::ShuttingDown, "this host is shutting down"));
        }
        self.healthy(Served::ready)?;
        self.started()
    }

    fn healthy(&self, well: fn(&Served) -> Result<(), Fault>) -> Result<(), Fault> {
        self.models.all().iter().try_for_each(|served| well(served))
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
