//! The native host: where models come from, which threads compute, who listens.
//!
//! It decides nothing about requests. [`open`] brings a model into memory and puts it behind
//! [`Threads`]; [`serve`] listens for the routes of `trireme-http`.

mod compute;
mod durable;
mod host;
mod mmap;
mod open;
mod serve;
pub mod source;

pub use compute::{Queue, Threads};
pub use durable::replace;
pub use host::{Random, Steady, service};
pub use open::{
    ModelSettings, NamedCheckpoint, Opened, named_checkpoint, open, pass_tokens, start,
};
pub use serve::{Hosting, Log, LogFormat, Metrics, serve};
pub use trireme_cpu::Precision;
pub use trireme_pool::{Shared, wait};
