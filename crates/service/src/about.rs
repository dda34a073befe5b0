//! What a host says of itself.

use trireme_domain::wire::{HealthAnswer, InfoAnswer, RootAnswer};
use trireme_domain::{Code, Fault};

use crate::Service;

impl Service {
    /// Alive: the threads of every model go on.
    ///
    /// # Errors
    /// [`Code::NotReady`] where one does not, or none is there yet.
    pub fn live(&self) -> Result<HealthAnswer, Fault> {
        self.healthy(|vitals| vitals.alive)
    }

    /// Ready: every model answers as it should, and the host is not about to end.
    ///
    /// # Errors
    /// [`Code::NotReady`] with the reason.
    pub fn ready(&self) -> Result<HealthAnswer, Fault> {
        self.healthy(|vitals| vitals.alive.and(vitals.ready))
    }

    fn healthy(
        &self,
        well: impl Fn(crate::ports::Vitals) -> Result<(), String>,
    ) -> Result<HealthAnswer, Fault> {
        let first = self.models.get(None)?;
        for served in self.models.all() {
            well(served.compute.vitals()).map_err(|reason| {
                let message = format!("the model {}: {reason}", served.identity.origin.model);
                Fault::new(Code::NotReady, message)
            })?;
        }
        Ok(HealthAnswer { status: "ok", origin: first.identity.origin.clone() })
    }

    /// Name, version, and who answers.
    ///
    /// # Errors
    /// [`Code::NotReady`] where no model is loaded yet.
    pub fn root(&self) -> Result<RootAnswer, Fault> {
        let origin = self.models.get(None)?.identity.origin.clone();
        let models =
            self.models.all().iter().map(|served| served.identity.origin.model.clone()).collect();
        Ok(RootAnswer { name: "trireme", trireme: env!("CARGO_PKG_VERSION"), models, origin })
    }

    /// What a model can do.
    ///
    /// # Errors
    /// [`Code::ModelNotFound`], [`Code::NotReady`].
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
