//! Where a model is put: on the processor, or on a GPU that has shown to compute as it does.

use std::sync::Arc;

use trireme_cpu::Cpu;
use trireme_domain::{Code, Fault};
use trireme_model::{Checkpoint, Model, Precision};
use trireme_service::ports::{BoxFuture, Renew};
use trireme_service::{Engine, Placed, from_model};

#[cfg(feature = "gpu")]
use crate::tuning::tuned;
use crate::{Device, Tuning};

/// Tokens of one pass on a GPU: enough to fill it, and an answer that is read back is a pause.
const PASS_TOKENS: usize = 8192;

/// What to compute on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Processor {
    /// The processor.
    #[default]
    Cpu,
    /// A GPU; the processor, where there is none or it does not compute as it should.
    Gpu,
}

impl Processor {
    /// `cpu` or `gpu`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        }
    }

    /// The one of this name; the processor where nothing is said.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] where there is none.
    pub fn named(name: Option<&str>) -> Result<Self, Fault> {
        match name {
            None | Some("cpu") => Ok(Self::Cpu),
            Some("gpu") => Ok(Self::Gpu),
            Some(other) => {
                let message = format!("there is no device {other:?}; there are: cpu, gpu");
                Err(Fault::new(Code::InvalidOption, message))
            }
        }
    }
}

/// Puts a model on a device, and on another one when that is lost.
pub struct Devices {
    /// The model.
    pub checkpoint: Checkpoint,
    /// The numbers to compute in.
    pub precision: Precision,
    /// What to compute on.
    pub processor: Processor,
    /// The processor, with the host's threads and instructions.
    pub cpu: Box<dyn Fn() -> Cpu + Send + Sync>,
    /// Tokens of one pass of the processor, for a model of this width.
    pub pass_tokens: fn(width: usize) -> usize,
    /// The clock and the memory by which a GPU is tuned; not at all, where there are none.
    pub tuning: Option<Box<dyn Tuning>>,
    /// Hears of a model that was put on another device, and why that is not a GPU.
    pub moved: Option<fn(to: Processor, refused: Option<&Fault>)>,
}

impl Devices {
    /// The model, ready to answer; and why it is not on the GPU, where that was asked for.
    ///
    /// # Errors
    /// A [`Fault`] of the model on the processor.
    pub async fn engine(self) -> Result<(Engine<Device>, Option<Fault>), Fault> {
        let (model, refused) = self.place().await?;
        let Placed { model, pass_tokens } = self.sized(model);
        let processor = Processor::from(model.backend());
        let engine = Engine::new(model, pass_tokens);
        // The checkpoint stays for as long as the device may be lost.
        let engine = if processor == Processor::Gpu { engine.renewed_by(self) } else { engine };
        Ok((engine, refused))
    }

    fn sized(&self, model: Model<Device>) -> Placed<Device> {
        let pass_tokens = match Processor::from(model.backend()) {
            Processor::Cpu => (self.pass_tokens)(model.spec().width),
            Processor::Gpu => PASS_TOKENS,
        };
        Placed { model: Arc::new(model), pass_tokens }
    }

    /// The model in a device's memory; and why it is not the GPU's, where that was asked for.
    async fn place(&self) -> Result<(Model<Device>, Option<Fault>), Fault> {
        let trusted = self.on((self.cpu)().with_precision(self.of_the_processor()).into())?;
        if self.processor == Processor::Cpu {
            return Ok((trusted, None));
        }
        Ok(match self.on_gpu(&trusted).await {
            Ok(model) => (model, None),
            Err(fault) => (trusted, Some(fault)),
        })
    }

    /// The numbers that the processor computes in: beside a GPU's halves, and in their place, singles.
    fn of_the_processor(&self) -> Precision {
        match (self.processor, self.precision) {
            (Processor::Gpu, Precision::F16) => Precision::F32,
            (_, precision) => precision,
        }
    }

    #[cfg(feature = "gpu")]
    async fn on_gpu(&self, trusted: &Model<Device>) -> Result<Model<Device>, Fault> {
        let gpu = trireme_gpu::Gpu::open().await;
        let gpu = gpu.map_err(|e| Fault::new(Code::UnsupportedHere, e.to_string()))?;
        let mut gpu = gpu.with_precision(self.precision);
        // What only looks like a GPU has no tiles that pay.
        if let Some(tuning) = self.tuning.as_ref().filter(|_| !gpu.about().software) {
            gpu = tuned(gpu, &**tuning).await.map_err(|e| from_model(&e.into()))?;
        }
        let model = self.on(Device::Gpu(gpu))?;
        trireme_service::agrees(trusted, &model).await?;
        Ok(model)
    }

    #[cfg(not(feature = "gpu"))]
    async fn on_gpu(&self, _: &Model<Device>) -> Result<Model<Device>, Fault> {
        Err(Fault::new(Code::UnsupportedHere, "this build computes on the processor alone"))
    }

    fn on(&self, device: Device) -> Result<Model<Device>, Fault> {
        Model::new(device, &self.checkpoint).map_err(|e| from_model(&e))
    }
}

impl Renew<Device> for Devices {
    fn placed(&self) -> BoxFuture<'_, Result<Placed<Device>, Fault>> {
        Box::pin(async {
            let (model, refused) = self.place().await?;
            if let Some(moved) = self.moved {
                moved(model.backend().into(), refused.as_ref());
            }
            Ok(self.sized(model))
        })
    }
}
