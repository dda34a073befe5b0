//! From a Hugging Face folder to answers.
//!
//! A [`Checkpoint`] is a model's files, read and checked. A [`Model`] is a checkpoint in a
//! backend's memory. A [`Pass`] is one forward of it, which can stop between layers.
//!
//! Nothing here opens a file or a socket: [`files::wanted`] says which files a model needs, and
//! whoever has a disk or a network brings them.

mod axes;
mod bundle;
mod checkpoint;
mod config;
mod encoder;
mod error;
pub mod files;
mod finish;
mod head;
mod inventory;
mod model;
mod narrow;
mod pass;
mod reader;
mod relative;
mod sentence;
mod student;
mod trained;
mod upload;
pub mod weights;

pub use bundle::Bundle;
pub use checkpoint::Checkpoint;
pub use config::{Labels, Scoring, Spec};
pub use error::ModelError;
pub use model::{EmbedOptions, Model};
pub use pass::{Pass, Progress, Want};
pub use reader::{Cut, Reader};
pub use student::Student;
pub use trireme_backend::{Pooling, Precision};
pub use trireme_text::{Encoded, Side, TextError, Token};
