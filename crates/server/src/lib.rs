//! The native host: where models come from, which threads compute, who listens.
//!
//! It decides nothing about requests. [`open`] brings a model into memory and puts it behind
//! [`Threads`]; [`serve`] listens for the routes of `trireme-http`.

mod compute;
mod durable;
mod host;
mod manifest;
mod mmap;
mod objects;
mod open;
mod predictions;
mod runtime;
mod serve;
pub mod source;
mod state;
mod tiles;
mod trace;

pub use compute::{Queue, Threads};
pub use durable::{publish, replace};
pub use host::{Random, Steady, service};
pub use objects::Object;
pub use open::{
    ModelSettings, NamedCheckpoint, Opened, named_checkpoint, open, pass_tokens, start,
};
pub use predictions::{Files, Places, keep_predictions};
pub use runtime::runtime;
pub use serve::{Hosting, Log, LogFormat, Messenger, Metrics, serve};
pub use state::{State, Stores};
pub use trace::Traces;
pub use trireme_cpu::Precision;
pub use trireme_device::Processor;
pub use trireme_pool::{Shared, wait};
