//! Use cases, and the ports they stand on.
//!
//! A host brings a [`ports::Compute`], a [`ports::Clock`] and a [`ports::Entropy`], and gets the
//! answers of [`Service`]. [`load`] brings a model from a [`ports::ModelSource`]; [`Engine`] is
//! what runs it, on whatever thread the host chooses.

mod engine;
mod faults;
mod load;
pub mod ports;
mod service;

pub use engine::{Answer, Engine, Job, Task, Text};
pub use faults::{from_model, from_source, parse};
pub use load::load;
pub use service::{Identity, Service};
