//! From `config.json` to a [`Spec`]: what the one generic encoder must be.

mod family;
mod labels;

use serde::Deserialize;
use trireme_backend::Activation;

use crate::ModelError;
use crate::files::{Files, within};
use crate::sentence;

pub(crate) use family::Family;
pub use labels::{Labels, Scoring};

/// An encoder's shape and its departures from plain BERT.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Which family's names and conventions the checkpoint follows.
    pub(crate) family: &'static Family,
    /// Embeddings.
    pub vocab: usize,
    /// Columns of an embedding; ELECTRA's differ from the encoder's.
    pub embedding: usize,
    /// Columns of the encoder.
    pub width: usize,
    /// Layers.
    pub layers: usize,
    /// Heads.
    pub heads: usize,
    /// Columns between the two linear layers of a block.
    pub inner: usize,
    /// What stands between them.
    pub activation: Activation,
    /// Epsilon of every layer norm.
    pub eps: f32,
    /// Rows of the position table.
    pub positions: usize,
    /// Id of the padding token; RoBERTa's positions begin after it.
    pub pad: u32,
    /// Rows of the token-type table; zero where the family has none.
    pub types: usize,
    /// Buckets of MPNet's relative bias; zero where the family has none.
    pub buckets: usize,
    /// Whether it has a classification head, and for what.
    pub labels: Option<Labels>,
}

impl Spec {
    /// The most tokens that the position table can tell apart.
    #[must_use]
    pub fn max_tokens(&self) -> usize {
        self.positions.saturating_sub(self.first_position() as usize)
    }

    /// The position of the first token.
    #[must_use]
    pub fn first_position(&self) -> u32 {
        if self.family.positions_follow_pad { self.pad.saturating_add(1) } else { 0 }
    }

    /// `model_type`, as a person would name it.
    #[must_use]
    pub fn architecture(&self) -> &'static str {
        self.family.model_type
    }
}

/// The keys of `config.json` that matter. DistilBERT has names of its own for some.
#[derive(Deserialize)]
struct Raw {
    architectures: Option<Vec<String>>,
    vocab_size: usize,
    embedding_size: Option<usize>,
    #[serde(alias = "dim")]
    hidden_size: usize,
    #[serde(alias = "n_layers")]
    num_hidden_layers: usize,
    #[serde(alias = "n_heads")]
    num_attention_heads: usize,
    #[serde(alias = "hidden_dim")]
    intermediate_size: usize,
    #[serde(alias = "activation")]
    hidden_act: Option<String>,
    layer_norm_eps: Option<f32>,
    max_position_embeddings: usize,
    type_vocab_size: Option<usize>,
    pad_token_id: Option<u32>,
    position_embedding_type: Option<String>,
    relative_attention_num_buckets: Option<usize>,
    #[serde(default)]
    is_decoder: bool,
    #[serde(flatten)]
    labels: labels::Raw,
}

/// No model is this large; a product of two such numbers still fits into `u64`.
const LARGEST: usize = 1 << 24;
/// The reference always looks relative biases up as if there were so many.
const BUCKETS: usize = 32;
/// Each layer is a dozen names to look for, before anything shows that the number is a lie.
const MOST_LAYERS: usize = 1 << 10;

/// Reads the configuration under `root`.
///
/// # Errors
/// [`ModelError::MissingFile`], [`ModelError::Malformed`], [`ModelError::UnknownArchitecture`] or
/// [`ModelError::Unsupported`].
pub fn read(files: &Files, root: &str) -> Result<Spec, ModelError> {
    let file = within(root, "config.json");
    let found: Kind =
        files.json(&file)?.ok_or_else(|| ModelError::MissingFile { file: file.clone() })?;
    // The architecture first: another one's config lacks keys, and that is not what is wrong.
    let family = Family::named(found.model_type.as_deref())?;
    let raw: Raw =
        files.json(&file)?.ok_or_else(|| ModelError::MissingFile { file: file.clone() })?;
    check(&file, &raw)?;
    let mut named = raw.architectures.iter().flatten();
    let classifies = named.any(|name| name.ends_with("ForSequenceClassification"));
    let saved = files.json(sentence::SAVED)?.unwrap_or_default();
    let labels = classifies.then(|| Labels::read(&file, &raw.labels, &saved)).transpose()?;
    Ok(Spec {
        family,
        vocab: raw.vocab_size,
        embedding: raw.embedding_size.filter(|_| family.projects).unwrap_or(raw.hidden_size),
        width: raw.hidden_size,
        layers: raw.num_hidden_layers,
        heads: raw.num_attention_heads,
        inner: raw.intermediate_size,
        activation: activation(&file, raw.hidden_act.as_deref().unwrap_or("gelu"))?,
        eps: raw.layer_norm_eps.filter(|_| family.configures_eps).unwrap_or(1e-12),
        positions: raw.max_position_embeddings,
        pad: raw.pad_token_id.filter(|_| family.configures_pad).unwrap_or(family.default_pad),
        types: if family.types.is_some() { raw.type_vocab_size.unwrap_or(2) } else { 0 },
        buckets: if family.relative.is_some() { BUCKETS } else { 0 },
        labels,
    })
}

#[derive(Deserialize)]
struct Kind {
    model_type: Option<String>,
}

fn check(file: &str, raw: &Raw) -> Result<(), ModelError> {
    let sizes = [
        ("vocab_size", raw.vocab_size),
        ("hidden_size", raw.hidden_size),
        ("num_hidden_layers", raw.num_hidden_layers),
        ("num_attention_heads", raw.num_attention_heads),
        ("intermediate_size", raw.intermediate_size),
        ("max_position_embeddings", raw.max_position_embeddings),
        ("embedding_size", raw.embedding_size.unwrap_or(1)),
        ("type_vocab_size", raw.type_vocab_size.unwrap_or(1)),
    ];
    for (key, value) in sizes {
        let most = if key == "num_hidden_layers" { MOST_LAYERS } else { LARGEST };
        if value == 0 || value > most {
            return Err(ModelError::malformed(file, format!("{key} = {value} makes no encoder")));
        }
    }
    if !raw.hidden_size.is_multiple_of(raw.num_attention_heads) {
        let heads = raw.num_attention_heads;
        let reason = format!("hidden_size = {} is not {heads} equal heads", raw.hidden_size);
        return Err(ModelError::malformed(file, reason));
    }
    if let Some(eps) = raw.layer_norm_eps.filter(|eps| !(eps.is_finite() && *eps >= 0.0)) {
        return Err(ModelError::malformed(file, format!("layer_norm_eps = {eps}")));
    }
    if let Some(kind) = raw.position_embedding_type.as_deref().filter(|kind| *kind != "absolute") {
        return Err(ModelError::unsupported(file, "position_embedding_type", kind));
    }
    let buckets = raw.relative_attention_num_buckets;
    if let Some(buckets) = buckets.filter(|&buckets| buckets != BUCKETS) {
        return Err(ModelError::unsupported(file, "relative_attention_num_buckets", buckets));
    }
    if raw.is_decoder {
        return Err(ModelError::unsupported(file, "is_decoder", true));
    }
    Ok(())
}

fn activation(file: &str, name: &str) -> Result<Activation, ModelError> {
    match name {
        "gelu" | "gelu_python" => Ok(Activation::Gelu),
        "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" => Ok(Activation::GeluTanh),
        "relu" => Ok(Activation::Relu),
        "silu" | "swish" => Ok(Activation::Silu),
        "tanh" => Ok(Activation::Tanh),
        _ => Err(ModelError::unsupported(file, "hidden_act", name)),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const BERT: &str = r#"{"model_type": "bert", "vocab_size": 9, "hidden_size": 8,
        "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 4,
        "max_position_embeddings": 16}"#;

    fn spec(config: &str) -> Result<Spec, ModelError> {
        let mut files = Files::default();
        files.insert("config.json", Some(Bytes::copy_from_slice(config.as_bytes())));
        read(&files, "")
    }

    #[test]
    fn gaps_are_filled_as_the_reference_does() {
        let got = spec(BERT).unwrap();
        assert_eq!((got.types, got.eps, got.activation), (2, 1e-12, Activation::Gelu));
        assert_eq!((got.max_tokens(), got.first_position()), (16, 0));
        let roberta = BERT.replace("\"bert\"", "\"roberta\"");
        let got = spec(&roberta).unwrap();
        assert_eq!((got.max_tokens(), got.first_position()), (14, 2));
    }

    #[test]
    fn what_does_not_run_is_named() {
        for (change, to, expected) in [
            ("\"bert\"", "\"mamba\"", "unknown architecture \"mamba\""),
            ("\"hidden_size\": 8", "\"hidden_size\": 0", "hidden_size = 0 makes no encoder"),
            ("\"num_attention_heads\": 2", "\"num_attention_heads\": 3", "is not 3 equal heads"),
            ("layers\": 1", "layers\": 99999", "num_hidden_layers = 99999 makes no encoder"),
            ("16}", "16, \"hidden_act\": \"mish\"}", "hidden_act = mish is not supported"),
            ("16}", "16, \"is_decoder\": true}", "is_decoder = true is not supported"),
            (
                "16}",
                "16, \"position_embedding_type\": \"relative_key\"}",
                "position_embedding_type = relative_key is not supported",
            ),
            ("\"vocab_size\": 9,", "", "missing field `vocab_size`"),
        ] {
            let got = spec(&BERT.replace(change, to)).unwrap_err().to_string();
            assert!(got.contains(expected), "{to}: expected {expected:?} in {got:?}");
        }
    }
}
