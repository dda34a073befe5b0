//! Use cases, and the ports they stand on.
//!
//! A host brings a [`ports::Compute`], a [`ports::Clock`] and a [`ports::Entropy`], and gets the
//! answers of [`Service`]. [`load`] brings a model from a [`ports::ModelSource`]; [`Engine`] is
//! what runs it, on whatever thread the host chooses.

mod about;
mod agreement;
pub mod asking;
mod cached;
mod direct;
#[cfg(test)]
mod doubles;
#[cfg(feature = "drill")]
pub mod drill;
mod encode;
mod engine;
mod faults;
pub mod jobs;
mod load;
mod names;
pub mod numbers;
mod objects;
pub mod ports;
mod precision;
mod predict;
pub mod reading;
mod reads;
pub mod records;
mod served;
mod service;
pub mod store;
#[cfg(test)]
mod told_tests;

pub use agreement::{NEAR, agrees};
pub use cached::{Cached, Memory};
pub use direct::direct;
pub use encode::{check_encoding, encoded};
pub use engine::{Answer, Answers, Engine, Job, Placed, Task, Text, all, together};
pub use faults::{from_model, from_source, from_store, parse};
pub use load::load;
pub use names::relative_path;
pub use precision::{Precision, precision};
pub use predict::Best;
pub use served::{Identity, Models, Served};
pub use service::{Asked, Caching, Policy, Service, Terms};
pub use trireme_model::{Cut, EmbedOptions, Side, Token};
