//! The CPU or a GPU: which of them computes is known when a model is loaded, and not before.
//!
//! [`Devices`] puts a model where it was asked for and where it computes; [`Device`] hands each
//! operation to the one that is there. A build without a GPU has the CPU alone.

mod devices;

#[cfg(feature = "gpu")]
mod either;

#[cfg(not(feature = "gpu"))]
#[path = "alone.rs"]
mod either;

mod tuning;

pub use devices::{Devices, Processor};
pub use either::Device;
pub use tuning::Tuning;
