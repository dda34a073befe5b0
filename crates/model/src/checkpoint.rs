//! A model's files, read and checked, before any backend sees them.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use trireme_backend::{Pooling, Precision};
use trireme_text::{Side, Tokenizer, TokenizerFiles};

use crate::config::{self, Spec};
use crate::files::{Files, within};
use crate::sentence::{Modules, SAVED, SENTENCE_CONFIGS, Sentence};
use crate::weights::{self, Tensor, Tensors};
use crate::{ModelError, bundle, inventory};

/// A model that fits together: its configuration, its text files, and exactly the tensors that it
/// needs, by canonical name.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    pub(crate) spec: Spec,
    pub(crate) sentence: Sentence,
    pub(crate) root: String,
    /// Configuration and tokenizer; the weights are in `tensors`.
    pub(crate) texts: Files,
    pub(crate) tensors: Tensors,
}

/// What of `tokenizer_config.json` limits a text. The number may be larger than any integer.
#[derive(Deserialize, Default)]
#[serde(default)]
struct TokenizerConfig {
    model_max_length: Option<f64>,
    truncation_side: Option<String>,
}

impl Checkpoint {
    /// Reads the files that [`wanted`](crate::files::wanted) asked for.
    ///
    /// # Errors
    /// Every [`ModelError`] that is about files, configurations or tensors.
    pub fn from_files(files: &Files) -> Result<Self, ModelError> {
        let modules = Modules::read(files)?;
        let spec = config::read(files, &modules.transformer)?;
        let sentence = Sentence::read(files, &modules)?;
        let encoder = weights::read(files, &modules.transformer)?;
        let dense: BTreeMap<String, Tensors> = modules
            .dense
            .iter()
            .map(|path| Ok((path.clone(), weights::read(files, path)?)))
            .collect::<Result<_, ModelError>>()?;
        let tensors = inventory::settle(&spec, &sentence, encoder, dense)?;
        let texts = texts(files, &modules);
        Ok(Self { spec, sentence, root: modules.transformer, texts, tensors })
    }

    /// Reads a bundle; its tensors stay where they lie.
    ///
    /// # Errors
    /// As [`from_files`](Self::from_files), and [`ModelError::BundleFormat`] or
    /// [`ModelError::BundleDigest`].
    pub fn from_bundle(bytes: &Bytes) -> Result<Self, ModelError> {
        let (texts, tensors) = bundle::open(bytes)?;
        let modules = Modules::read(&texts)?;
        let spec = config::read(&texts, &modules.transformer)?;
        let sentence = Sentence::read(&texts, &modules)?;
        let tensors = inventory::check(&spec, &sentence, tensors)?;
        Ok(Self { spec, sentence, root: modules.transformer, texts, tensors })
    }

    /// The same model with its weights in fewer bits: as loading it in this precision makes them.
    ///
    /// # Errors
    /// [`ModelError::Precision`] where they are in fewer bits already.
    pub fn quantized(&self, precision: Precision) -> Result<Self, ModelError> {
        self.precision(Some(precision))?;
        let tensors = self.tensors.iter().map(|(name, tensor)| {
            let role = inventory::role(&self.spec, name, tensor.shape.len());
            Ok((name.clone(), tensor.quantized(name, role, precision)?))
        });
        let tensors = tensors.collect::<Result<_, ModelError>>()?;
        Ok(Self { tensors, ..self.clone() })
    }

    /// The precision that the weights are kept in; [`Precision::F32`] for all that is not
    /// quantised.
    #[must_use]
    pub fn kept(&self) -> Precision {
        self.tensors.values().map(Tensor::kept).max().unwrap_or_default()
    }

    /// The precision to compute in: the one asked for, or the one that the weights are kept in.
    ///
    /// # Errors
    /// [`ModelError::Precision`] where they were quantised to another.
    pub fn precision(&self, asked: Option<Precision>) -> Result<Precision, ModelError> {
        let kept = self.kept();
        match asked {
            None => Ok(kept),
            Some(asked) if kept.in_bytes() && asked.in_bytes() && asked != kept => {
                Err(ModelError::Precision { kept, asked })
            }
            Some(asked) => Ok(asked),
        }
    }

    /// The shape of the encoder.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// How rows become a vector, unless a request says otherwise.
    #[must_use]
    pub fn pooling(&self) -> Pooling {
        self.sentence.pooling
    }

    /// Bytes of its weights, as they are kept.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.tensors.values().map(|tensor| tensor.data.len() as u64).sum()
    }

    /// Dimensions of its vectors.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.sentence.dense.last().map_or(self.spec.width, |dense| dense.outputs)
    }

    /// The identity of this model: what its bundle is called by.
    #[must_use]
    pub fn digest(&self) -> String {
        bundle::Bundle::lay_out(self).digest()
    }

    pub(crate) fn tokenizer(&self) -> Result<Tokenizer, ModelError> {
        let file = |name: &str| self.texts.get(&within(&self.root, name)).map(Bytes::as_ref);
        let tokenizer = Tokenizer::new(&TokenizerFiles {
            tokenizer_json: file("tokenizer.json"),
            vocab_txt: file("vocab.txt"),
            tokenizer_config: file("tokenizer_config.json"),
            lowercase: self.sentence.lowercase,
        })?;
        tokenizer.fits(self.spec.vocab)?;
        Ok(tokenizer)
    }

    /// Where a text that is too long is cut off, unless a request says otherwise.
    pub(crate) fn side(&self) -> Result<Side, ModelError> {
        match self.tokenizer_config()?.truncation_side.as_deref() {
            None | Some("right") => Ok(Side::Right),
            Some("left") => Ok(Side::Left),
            Some(other) => {
                Err(ModelError::unsupported("tokenizer_config.json", "truncation_side", other))
            }
        }
    }

    fn tokenizer_config(&self) -> Result<TokenizerConfig, ModelError> {
        let file = within(&self.root, "tokenizer_config.json");
        Ok(self.texts.json(&file)?.unwrap_or_default())
    }

    /// The most tokens of a text that the model sees: sentence-transformers' limit wins over the
    /// tokenizer's, and neither may pass the positions that there are.
    pub(crate) fn max_tokens(&self) -> Result<usize, ModelError> {
        let there = self.spec.max_tokens();
        let tokenizer = self.tokenizer_config()?.model_max_length.filter(|&most| most >= 1.0);
        let tokenizer = tokenizer.filter(|&most| most < there as f64).map(|most| most as usize);
        Ok(self.sentence.max_tokens.or(tokenizer).unwrap_or(there).min(there))
    }
}

/// The files that are not weights, without those that nothing reads.
fn texts(files: &Files, modules: &Modules) -> Files {
    let root = &modules.transformer;
    let mut names = vec!["modules.json".to_owned(), SAVED.to_owned()];
    let encoder = ["config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"];
    names.extend(encoder.iter().chain(&SENTENCE_CONFIGS).map(|name| within(root, name)));
    names.extend(modules.configured.iter().map(|path| within(path, "config.json")));
    let mut texts = Files::default();
    for name in names {
        let bytes = files.get(&name).cloned();
        texts.insert(name, bytes);
    }
    texts
}
