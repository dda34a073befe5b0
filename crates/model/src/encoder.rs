//! One encoder for every family: the checkpoint says what it is, a backend computes it.

use trireme_backend::{Attention, Backend, BackendError, Epilogue, Layout, Lookup, Position};
use trireme_text::Encoded;

use crate::ModelError;
use crate::config::Spec;
use crate::upload::Weights;
use crate::weights::Tensors;

/// An encoder in a backend's memory.
pub(crate) struct Encoder<B: Backend> {
    spec: Spec,
    words: B::Table,
    positions: B::Table,
    types: Option<B::Table>,
    norm: B::Norm,
    project: Option<B::Linear>,
    relative: Option<B::Table>,
    layers: Vec<Layer<B>>,
}

struct Layer<B: Backend> {
    qkv: B::Linear,
    attended: B::Linear,
    attention_norm: B::Norm,
    up: B::Linear,
    down: B::Linear,
    norm: B::Norm,
}

/// What the embedding looks up, one entry for each token of a ragged batch.
pub(crate) struct Inputs {
    pub layout: Layout,
    words: Vec<u32>,
    positions: Vec<u32>,
    types: Vec<u32>,
}

impl Inputs {
    /// Lays encoded texts one after another.
    pub fn new(spec: &Spec, texts: &[Encoded]) -> Result<Self, ModelError> {
        let limit = spec.max_tokens();
        for text in texts {
            if text.ids.len() > limit {
                return Err(ModelError::TooManyTokens { tokens: text.ids.len(), limit });
            }
            if let Some(&id) = text.ids.iter().find(|&&id| id as usize >= spec.vocab) {
                return Err(ModelError::IdOutOfRange { id, rows: spec.vocab });
            }
        }
        let layout = Layout::from_lengths(texts.iter().map(|text| text.ids.len()))?;
        let words: Vec<u32> = texts.iter().flat_map(|text| text.ids.iter().copied()).collect();
        let positions = texts.iter().flat_map(|text| positions(spec, &text.ids)).collect();
        let types = if spec.family.sees_type_ids {
            texts.iter().flat_map(|text| text.type_ids.iter().copied()).collect()
        } else {
            vec![0; words.len()]
        };
        Ok(Self { layout, words, positions, types })
    }
}

/// BERT counts from zero. RoBERTa counts from behind its padding id, and gives a padding token
/// that stands in the text that id itself, without counting it.
fn positions(spec: &Spec, ids: &[u32]) -> Vec<u32> {
    let mut next = spec.first_position();
    ids.iter()
        .map(|&id| {
            if spec.family.positions_follow_pad && id == spec.pad {
                return spec.pad;
            }
            next += 1;
            next - 1
        })
        .collect()
}

impl<B: Backend> Encoder<B> {
    pub fn upload(backend: &B, spec: &Spec, tensors: &Tensors) -> Result<Self, ModelError> {
        let weights = Weights { backend, spec, tensors };
        let names = &spec.family.layer;
        let layer = |index: usize| {
            let name = |part: &str| format!("{}.{index}.{part}", names.stem);
            Ok(Layer {
                qkv: weights.stacked(&[names.query, names.key, names.value].map(name))?,
                attended: weights.linear(&name(names.attended))?,
                attention_norm: weights.norm(&name(names.attention_norm), spec.eps)?,
                up: weights.linear(&name(names.up))?,
                down: weights.linear(&name(names.down))?,
                norm: weights.norm(&name(names.norm), spec.eps)?,
            })
        };
        let projects = spec.embedding != spec.width;
        Ok(Self {
            words: weights.table("embeddings.word_embeddings")?,
            positions: weights.table("embeddings.position_embeddings")?,
            types: spec.family.types.map(|name| weights.table(name)).transpose()?,
            norm: weights.norm("embeddings.LayerNorm", spec.eps)?,
            project: projects.then(|| weights.linear("embeddings_project")).transpose()?,
            relative: spec.family.relative.map(|name| weights.distances(name)).transpose()?,
            layers: (0..spec.layers).map(layer).collect::<Result<_, ModelError>>()?,
            spec: spec.clone(),
        })
    }

    /// The rows that enter the first layer.
    pub fn embed(&self, backend: &B, inputs: &Inputs) -> Result<B::Acts, BackendError> {
        let mut lookups = vec![
            Lookup { table: &self.words, ids: &inputs.words },
            Lookup { table: &self.positions, ids: &inputs.positions },
        ];
        if let Some(table) = &self.types {
            lookups.push(Lookup { table, ids: &inputs.types });
        }
        let x = backend.embed(&lookups, Some(&self.norm))?;
        match &self.project {
            None => Ok(x),
            Some(project) => backend.linear(&x, project, Epilogue::PLAIN),
        }
    }

    /// One layer: attention, then two linear layers, each with its residual and norm behind it.
    pub fn layer(
        &self,
        backend: &B,
        index: usize,
        x: &B::Acts,
        layout: &Layout,
    ) -> Result<B::Acts, BackendError> {
        let layer = &self.layers[index];
        let heads = self.spec.heads;
        let attention = Attention {
            heads,
            scale: 1.0 / ((self.spec.width / heads) as f32).sqrt(),
            position: match &self.relative {
                None => Position::Embedded,
                Some(table) => Position::Relative { table, reach: reach(&self.spec) },
            },
            window: None,
        };
        let behind = |x, norm| Epilogue { residual: Some(x), norm: Some(norm), ..Epilogue::PLAIN };

        let qkv = backend.linear(x, &layer.qkv, Epilogue::PLAIN)?;
        let context = backend.attention(&qkv, layout, &attention)?;
        let attended =
            backend.linear(&context, &layer.attended, behind(x, &layer.attention_norm))?;

        let inner =
            backend.linear(&attended, &layer.up, Epilogue::activate(self.spec.activation))?;
        backend.linear(&inner, &layer.down, behind(&attended, &layer.norm))
    }
}

/// The largest distance between two tokens of one text.
pub(crate) fn reach(spec: &Spec) -> usize {
    spec.max_tokens().saturating_sub(1)
}
