//! A smaller model made of parts of a larger one, for it to be taught by that.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use trireme_text::{Pieces, TokenizerFiles};

use crate::config::{self, Spec};
use crate::files::within;
use crate::sentence::SENTENCE_CONFIGS;
use crate::trained::singles;
use crate::weights::Tensor;
use crate::{Checkpoint, ModelError, inventory};

/// What a student keeps of its teacher; what is not said stays whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Student {
    /// The teacher's layers, by their numbers from 0, in the student's order.
    pub layers: Option<Vec<usize>>,
    /// Columns between the two linear layers of a block: those whose weights are largest.
    pub inner: Option<usize>,
    /// Pieces of the vocabulary: those that are seen most.
    pub vocabulary: Option<usize>,
    /// Positions: the first.
    pub positions: Option<usize>,
    /// Columns of the embeddings, behind which a linear layer makes as many as there were. Of BERT
    /// only, which becomes an ELECTRA without a head.
    pub embedding: Option<usize>,
}

impl Checkpoint {
    /// The student that these parts make. `seen` says how often each token was met in texts like
    /// those that the student will get.
    ///
    /// # Errors
    /// [`ModelError::Part`] where the teacher has not so much, and [`ModelError::Text`] for a
    /// vocabulary that can't be made smaller.
    pub fn student(
        &self,
        student: &Student,
        seen: &BTreeMap<u32, usize>,
    ) -> Result<Self, ModelError> {
        let mut made = self.clone();
        if let Some(layers) = &student.layers {
            made = made.with_layers(layers)?;
        }
        if let Some(inner) = student.inner {
            made = made.with_inner(inner)?;
        }
        if let Some(most) = student.vocabulary {
            made = made.with_vocabulary(most, seen)?;
        }
        if let Some(positions) = student.positions {
            made = made.with_positions(positions)?;
        }
        if let Some(columns) = student.embedding {
            made = made.with_embedding(columns)?;
        }
        let spec = config::read(&made.texts, &made.root)?;
        let tensors = inventory::check(&spec, &made.sentence, made.tensors)?;
        Ok(Self { spec, tensors, ..made })
    }

    fn with_layers(mut self, layers: &[usize]) -> Result<Self, ModelError> {
        let there = self.spec.layers;
        match layers.iter().find(|&&layer| layer >= there) {
            Some(&layer) => return Err(ModelError::NoLayer { layer, there }),
            None => part("layers", layers.len().min(there), there)?,
        }
        let stem = format!("{}.", self.spec.family.layer.stem);
        let of_teacher: BTreeMap<String, Tensor> =
            self.tensors.extract_if(.., |name, _| name.starts_with(&stem)).collect();
        for (new, old) in layers.iter().enumerate() {
            let of_layer = format!("{stem}{old}.");
            for (name, tensor) in &of_teacher {
                if let Some(part) = name.strip_prefix(&of_layer) {
                    self.tensors.insert(format!("{stem}{new}.{part}"), tensor.clone());
                }
            }
        }
        self.configure(&["num_hidden_layers", "n_layers"], layers.len())
    }

    fn with_inner(mut self, inner: usize) -> Result<Self, ModelError> {
        let Spec { inner: there, width, family, .. } = self.spec;
        part("inner columns", inner, there)?;
        for layer in 0..self.layers_there() {
            let name = |part: &str, kind| format!("{}.{layer}.{part}.{kind}", family.layer.stem);
            let (up, down) = (name(family.layer.up, "weight"), name(family.layer.down, "weight"));
            let (rows, columns) = (self.values(&up)?, self.values(&down)?);
            let kept = largest(&rows, &columns, width, inner);
            let bias = name(family.layer.up, "bias");
            self.keep_rows(&up, &kept)?;
            self.keep_rows(&bias, &kept)?;
            let values = columns.chunks(there).flat_map(|row| kept.iter().map(|&at| row[at]));
            let values: Vec<f32> = values.collect();
            self.tensors.insert(down, singles(vec![width, inner], &values));
        }
        self.configure(&["intermediate_size", "hidden_dim"], inner)
    }

    fn with_vocabulary(
        mut self,
        most: usize,
        seen: &BTreeMap<u32, usize>,
    ) -> Result<Self, ModelError> {
        part("pieces", most, self.spec.vocab)?;
        let file = |name: &str| self.texts.get(&within(&self.root, name)).map(Bytes::as_ref);
        let pieces = Pieces::most_frequent(
            &TokenizerFiles {
                tokenizer_json: file("tokenizer.json"),
                vocab_txt: file("vocab.txt"),
                ..TokenizerFiles::default()
            },
            seen,
            most,
        )?;
        let ids: Vec<usize> = pieces.ids.iter().map(|&id| id as usize).collect();
        self.keep_rows("embeddings.word_embeddings.weight", &ids)?;
        self.texts.insert(within(&self.root, "tokenizer.json"), Some(pieces.tokenizer_json.into()));
        if let Some(lines) = pieces.vocab_txt {
            self.texts.insert(within(&self.root, "vocab.txt"), Some(lines.into()));
        }
        let new = |old: &Value| Some(json!(ids.binary_search(&(old.as_u64()? as usize)).ok()?));
        self.edit("config.json", |config| {
            let ids = config.iter_mut().filter(|(key, _)| key.ends_with("_token_id"));
            for (_, id) in ids {
                // One that no piece had has no other now.
                *id = new(id).unwrap_or_else(|| id.clone());
            }
        })?;
        self.configure(&["vocab_size"], ids.len())
    }

    fn with_positions(mut self, positions: usize) -> Result<Self, ModelError> {
        part("positions", positions, self.spec.positions)?;
        let tokens = positions.saturating_sub(self.spec.first_position() as usize);
        part("positions of tokens", tokens, self.spec.max_tokens())?;
        let kept: Vec<usize> = (0..positions).collect();
        self.keep_rows("embeddings.position_embeddings.weight", &kept)?;
        // Those who read the folder believe these before they count positions.
        let sentence = SENTENCE_CONFIGS.map(|file| (file, "max_seq_length"));
        for (file, key) in
            sentence.into_iter().chain([("tokenizer_config.json", "model_max_length")])
        {
            let longer = |value: &Value| value.as_f64().is_some_and(|most| most > tokens as f64);
            self.edit(file, |config| {
                if config.get(key).is_some_and(longer) {
                    config.insert(key.to_owned(), json!(tokens));
                }
            })?;
        }
        self.sentence.max_tokens = self.sentence.max_tokens.map(|most| most.min(tokens));
        self.configure(&["max_position_embeddings"], positions)
    }

    /// How many layers there are by now.
    fn layers_there(&self) -> usize {
        let names = &self.spec.family.layer;
        let has = |layer: &usize| {
            self.tensors.contains_key(&format!("{}.{layer}.{}.weight", names.stem, names.norm))
        };
        (0..).take_while(has).count()
    }

    pub(crate) fn values(&self, name: &str) -> Result<Vec<f32>, ModelError> {
        let missing = || ModelError::MissingTensors { names: vec![name.to_owned()] };
        self.tensors.get(name).ok_or_else(missing)?.to_f32(name).map(Cow::into_owned)
    }

    fn keep_rows(&mut self, name: &str, kept: &[usize]) -> Result<(), ModelError> {
        let values = self.values(name)?;
        let mut shape =
            self.tensors.get(name).map(|tensor| tensor.shape.clone()).unwrap_or_default();
        let width: usize = shape.iter().skip(1).product();
        let rows = kept.iter().flat_map(|&row| &values[row * width..][..width]);
        let rows: Vec<f32> = rows.copied().collect();
        if let Some(first) = shape.first_mut() {
            *first = kept.len();
        }
        self.tensors.insert(name.to_owned(), singles(shape, &rows));
        Ok(())
    }

    /// Sets the one of these keys that the configuration has.
    fn configure(mut self, keys: &[&str], value: usize) -> Result<Self, ModelError> {
        self.edit("config.json", |config| {
            for key in keys {
                if let Some(old) = config.get_mut(*key) {
                    *old = json!(value);
                }
            }
        })?;
        Ok(self)
    }

    /// Changes a file of JSON, where it is there.
    pub(crate) fn edit(
        &mut self,
        name: &str,
        change: impl FnOnce(&mut Map<String, Value>),
    ) -> Result<(), ModelError> {
        let file = within(&self.root, name);
        let Some(mut fields) = self.texts.json::<Map<String, Value>>(&file)? else { return Ok(()) };
        change(&mut fields);
        let bytes =
            serde_json::to_vec_pretty(&fields).map_err(|e| ModelError::malformed(&file, e))?;
        self.texts.insert(file, Some(bytes.into()));
        Ok(())
    }
}

pub(crate) fn part(part: &'static str, asked: usize, available: usize) -> Result<(), ModelError> {
    match (1..=available).contains(&asked) {
        true => Ok(()),
        false => Err(ModelError::Part { part, asked, available }),
    }
}

/// The inner columns that can change the answer most: by the lengths of what goes in and of what
/// comes out.
fn largest(up: &[f32], down: &[f32], width: usize, count: usize) -> Vec<usize> {
    let inner = up.len() / width;
    let square = |value: &f32| f64::from(*value) * f64::from(*value);
    let reach = |at: usize| {
        let goes_in: f64 = up[at * width..][..width].iter().map(square).sum();
        let comes_out: f64 = down.chunks(inner).map(|row| square(&row[at])).sum();
        goes_in * comes_out
    };
    let mut order: Vec<(f64, usize)> = (0..inner).map(|at| (reach(at), at)).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut kept: Vec<usize> = order.into_iter().take(count).map(|(_, at)| at).collect();
    kept.sort_unstable();
    kept
}
