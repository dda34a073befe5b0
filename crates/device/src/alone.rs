//! The CPU alone.

use trireme_cpu::Cpu;

use crate::Processor;

/// A place that computes.
pub type Device = Cpu;

/// Bytes of a GPU's memory: none.
#[must_use]
pub fn gpu_bytes(_: &Device) -> u64 {
    0
}

impl From<&Device> for Processor {
    fn from(_: &Device) -> Self {
        Self::Cpu
    }
}
