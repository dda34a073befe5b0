//! The CPU alone.

use trireme_cpu::Cpu;

use crate::Processor;

/// A place that computes.
pub type Device = Cpu;

impl From<&Device> for Processor {
    fn from(_: &Device) -> Self {
        Self::Cpu
    }
}
