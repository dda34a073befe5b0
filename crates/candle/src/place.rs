//! Where candle computes.

use candle_core::{Device, Result};

/// A device, and whose operations run on it.
#[derive(Debug, Clone)]
pub struct Place {
    device: Device,
    by_parts: bool,
}

impl Default for Place {
    fn default() -> Self {
        Self { device: Device::Cpu, by_parts: false }
    }
}

impl Place {
    /// The first GPU of NVIDIA's.
    ///
    /// # Errors
    /// Where there is none, or this program was built without CUDA.
    pub fn cuda() -> Result<Self> {
        Ok(Self { device: Device::new_cuda(0)?, by_parts: true })
    }

    /// The processor, with candle's own operations alone, as on a GPU.
    #[must_use]
    pub fn by_parts() -> Self {
        Self { device: Device::Cpu, by_parts: true }
    }

    /// What tensors are made on.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Whether every operation is made of candle's own.
    #[must_use]
    pub fn is_by_parts(&self) -> bool {
        self.by_parts
    }
}
