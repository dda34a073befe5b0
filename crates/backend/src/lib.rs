//! The compute port.
//!
//! An encoder needs few operations when each is fused: look up and sum embeddings, normalise,
//! multiply by a weight with an epilogue, attend, pool, read back. [`Backend`] names them; a
//! backend is a crate that implements it and passes [`conformance`]. [`oracle`] says in plain
//! `f64` what each operation means.
//!
//! Activations are ragged: the tokens of all texts lie one after another, and a [`Layout`] says
//! where each text begins. No operation ever sees padding, so none can get it wrong.
//!
//! ```
//! use trireme_backend::Layout;
//!
//! let layout = Layout::from_lengths([3, 1, 4])?;
//! assert_eq!(layout.tokens(), 8);
//! assert_eq!(layout.texts().collect::<Vec<_>>(), [0..3, 3..4, 4..8]);
//! # Ok::<(), trireme_backend::BackendError>(())
//! ```

pub mod bytes;
pub mod conformance;
mod error;
mod layout;
pub mod oracle;
mod port;
mod precision;
pub mod shapes;

pub use bytes::{ByteRows, Weight};
pub use error::BackendError;
pub use layout::Layout;
pub use port::{
    Activation, Attention, Backend, BoxFuture, Epilogue, Lookup, Matrix, Per, Pooling, Position,
};
pub use precision::Precision;
