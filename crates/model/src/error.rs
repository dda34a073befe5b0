//! What can be wrong with a model, and with what is asked of it.

use trireme_backend::{BackendError, Precision};
use trireme_text::TextError;

use crate::weights::torch::TorchError;

/// Why a model could not be loaded, packed or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A file that every model needs is not there.
    #[error("the model has no {file}")]
    MissingFile {
        /// Its path inside the model.
        file: String,
    },
    /// A JSON file does not say what it must.
    #[error("{file}: {reason}")]
    Malformed {
        /// Its path inside the model.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The configuration names an architecture that this engine does not run.
    #[error("unknown architecture {found:?}; known: {known}")]
    UnknownArchitecture {
        /// `model_type`, as found.
        found: String,
        /// Those that run, separated by commas.
        known: String,
    },
    /// The configuration asks for something that this engine does not do.
    #[error("{file}: {key} = {value} is not supported")]
    Unsupported {
        /// The file that asks.
        file: String,
        /// The setting.
        key: &'static str,
        /// Its value.
        value: String,
    },
    /// A weight file is truncated, corrupt, or lies about its sizes.
    #[error("{file} is damaged: {reason}")]
    Damaged {
        /// The file.
        file: String,
        /// What gave it away.
        reason: String,
    },
    /// A `pytorch_model.bin` can't be read.
    #[error("{file}: {source}")]
    Torch {
        /// The file.
        file: String,
        /// What is wrong with it.
        source: TorchError,
    },
    /// A file is given as a bundle and is a plain safetensors file.
    #[error("this is a safetensors file, but no bundle; give the folder that it lies in")]
    NotABundle,
    /// A bundle was made for another version of this format.
    #[error(
        "bundle format {found:?} is not one that this version reads ({known}); upgrade trireme"
    )]
    BundleFormat {
        /// The format that the bundle names.
        found: String,
        /// The newest format that this version reads.
        known: &'static str,
    },
    /// The bytes are not the ones that the bundle was made of.
    #[error("bundle is corrupt: its data should hash to {expected}, but hashes to {got}")]
    BundleDigest {
        /// SHA-256 that the header promises.
        expected: String,
        /// SHA-256 of what is there.
        got: String,
    },
    /// The configuration needs tensors that the weights do not hold.
    #[error("missing tensors: {}", list(names))]
    MissingTensors {
        /// Their checkpoint names.
        names: Vec<String>,
    },
    /// The weights hold tensors that the configuration has no place for.
    #[error("unexpected tensors: {}; does config.json belong to these weights?", list(names))]
    UnexpectedTensors {
        /// Their checkpoint names.
        names: Vec<String>,
    },
    /// A tensor has not the shape that the configuration gives it.
    #[error("tensor {name} has shape {got:?}, but the configuration needs {expected:?}")]
    TensorShape {
        /// Its checkpoint name.
        name: String,
        /// The shape that fits.
        expected: Vec<usize>,
        /// The shape found.
        got: Vec<usize>,
    },
    /// A student is to have a layer that its teacher has not.
    #[error("a student can't have layer {layer}: its teacher has {there}, counted from 0")]
    NoLayer {
        /// The layer's number.
        layer: usize,
        /// How many there are.
        there: usize,
    },
    /// A student is to have more of its teacher than there is, or nothing.
    #[error("a student can't have {asked} {part}: its teacher has {available}")]
    Part {
        /// What of the teacher.
        part: &'static str,
        /// How many.
        asked: usize,
        /// How many there are.
        available: usize,
    },
    /// A tensor's elements are not floating-point numbers.
    #[error("tensor {name} holds {dtype} where floating-point numbers are needed")]
    TensorType {
        /// Its checkpoint name.
        name: String,
        /// Its element type.
        dtype: String,
    },
    /// A weight is NaN or infinite.
    #[error("tensor {name} holds {value} at element {index}")]
    NotFinite {
        /// Its checkpoint name.
        name: String,
        /// Where.
        index: usize,
        /// What.
        value: f32,
    },
    /// The tokenizer can't be built, does not fit, or refused a text.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The backend refused.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The host has not the memory that a tensor takes.
    #[error("out of memory for {bytes} bytes of tensor {name}; take a smaller model")]
    OutOfMemory {
        /// The tensor.
        name: String,
        /// What it asked for.
        bytes: usize,
    },
    /// A token id has no embedding.
    #[error("token id {id} is outside the model's {rows} embeddings")]
    IdOutOfRange {
        /// The id.
        id: u32,
        /// Rows of the embedding.
        rows: usize,
    },
    /// A text has more tokens than the model has positions.
    #[error("{tokens} tokens are more than the model's {limit} positions")]
    TooManyTokens {
        /// Tokens of the text.
        tokens: usize,
        /// Positions that the model has.
        limit: usize,
    },
    /// Weights that were quantised can't be quantised to another precision.
    #[error(
        "the weights are kept in {}, which can't become {}; quantise the original",
        kept.name(), asked.name()
    )]
    Precision {
        /// What they are kept in.
        kept: Precision,
        /// What was asked for.
        asked: Precision,
    },
    /// The model was not trained to classify.
    #[error("this model has no classification head; it can only embed")]
    NoHead,
    /// More dimensions are asked for than the model has.
    #[error("{asked} dimensions were asked for, but the model has {available}")]
    Dimensions {
        /// The number asked for.
        asked: usize,
        /// The number there is.
        available: usize,
    },
    /// A prompt is asked for that the model does not have.
    #[error("the model has no prompt {name:?}; it has: {known}")]
    UnknownPrompt {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The answer is not finite: the weights are broken or the input overflows them.
    #[error("the model's answer to this text is not a finite number")]
    AnswerNotFinite,
}

impl ModelError {
    pub(crate) fn malformed(file: &str, reason: impl std::fmt::Display) -> Self {
        Self::Malformed { file: file.to_owned(), reason: reason.to_string() }
    }

    pub(crate) fn damaged(file: &str, reason: impl std::fmt::Display) -> Self {
        Self::Damaged { file: file.to_owned(), reason: reason.to_string() }
    }

    pub(crate) fn unsupported(
        file: &str,
        key: &'static str,
        value: impl std::fmt::Display,
    ) -> Self {
        Self::Unsupported { file: file.to_owned(), key, value: value.to_string() }
    }
}

/// The first few names, and how many more there are.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
