//! The default model's files, so that a host answers with no argument and no network.
//!
//! A crate of its own, because a host that links it grows by the weights. Its card, terms and
//! recipe stand beside the files, in `models/default/`.

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../../models/default/", $name)))),*]
    };
}

/// What the model is called.
pub const NAME: &str = "default";

/// Its version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Each file's name inside the model, and its bytes.
///
/// ```
/// let names = trireme_default_model::FILES.iter().map(|(name, _)| *name);
/// assert!(names.into_iter().any(|name| name == "model.safetensors"));
/// ```
pub static FILES: &[(&str, &[u8])] = embedded![
    "config.json",
    "config_sentence_transformers.json",
    "model.safetensors",
    "modules.json",
    "sentence_bert_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "1_Pooling/config.json",
];
