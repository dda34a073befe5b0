//! The default model, so that a host answers with no argument and no network.
//!
//! A crate of its own, because a host that links it grows by the weights. Its card, terms and
//! recipes stand beside it, in `models/default/`.

/// What the model is called.
pub const NAME: &str = "default";

/// Its version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Its bundle: weights, tokenizer and settings in one file.
///
/// ```
/// // A safetensors file begins with the length of its header, and that with a brace.
/// assert_eq!(trireme_default_model::BUNDLE[8], b'{');
/// ```
pub static BUNDLE: &[u8] = include_bytes!("../../../models/default/default.trireme");
