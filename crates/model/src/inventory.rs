//! Which tensors a model is made of: compared with what a checkpoint holds, before any is used.

use std::collections::BTreeMap;

use crate::ModelError;
use crate::config::Spec;
use crate::files::within;
use crate::sentence::Sentence;
use crate::weights::Tensors;
use crate::weights::quantized::Role;

/// The tensors that the configuration calls for, by canonical name, with their shapes.
type Inventory = BTreeMap<String, Vec<usize>>;

/// Renames the encoder's tensors to their canonical names, drops what no answer needs, and checks
/// that exactly the rest is there. `dense` holds those of the dense modules, by path.
pub(crate) fn settle(
    spec: &Spec,
    sentence: &Sentence,
    encoder: Tensors,
    dense: BTreeMap<String, Tensors>,
) -> Result<Tensors, ModelError> {
    let mut there: Tensors =
        encoder.into_iter().map(|(name, tensor)| (canonical(spec, &name), tensor)).collect();
    for (path, tensors) in dense {
        there.extend(tensors.into_iter().map(|(name, tensor)| (within(&path, &name), tensor)));
    }
    check(spec, sentence, there)
}

/// Checks tensors that already have their canonical names.
pub(crate) fn check(
    spec: &Spec,
    sentence: &Sentence,
    mut there: Tensors,
) -> Result<Tensors, ModelError> {
    chained(spec, sentence)?;
    let needed = needed(spec, sentence);
    let missing: Vec<String> =
        needed.keys().filter(|name| !there.contains_key(*name)).cloned().collect();
    if !missing.is_empty() {
        return Err(ModelError::MissingTensors { names: missing });
    }
    there.retain(|name, _| needed.contains_key(name) || !is_spare(name, spec));
    let unexpected: Vec<String> =
        there.keys().filter(|name| !needed.contains_key(*name)).cloned().collect();
    if !unexpected.is_empty() {
        return Err(ModelError::UnexpectedTensors { names: unexpected });
    }
    for (name, expected) in needed {
        let got = there.get(&name).map(|tensor| tensor.shape.clone()).unwrap_or_default();
        if got != expected {
            return Err(ModelError::TensorShape { name, expected, got });
        }
    }
    Ok(there)
}

/// What a tensor of this canonical name and so many extents is for.
pub(crate) fn role(spec: &Spec, name: &str, extents: usize) -> Role {
    if extents != 2 {
        Role::Small
    } else if name.starts_with("embeddings.word_embeddings") {
        // Positions and types are few, and what is lost in them is lost in every token.
        Role::Table
    } else if name.starts_with(spec.family.layer.stem) || name.starts_with("embeddings_project") {
        Role::PerToken
    } else {
        Role::Small
    }
}

/// Checks that each dense layer takes what the one before it gives.
fn chained(spec: &Spec, sentence: &Sentence) -> Result<(), ModelError> {
    let mut width = spec.width;
    for dense in &sentence.dense {
        if dense.inputs != width || dense.outputs == 0 {
            let reason = format!("{} to {} after {width}", dense.inputs, dense.outputs);
            return Err(ModelError::malformed(&within(&dense.path, "config.json"), reason));
        }
        width = dense.outputs;
    }
    Ok(())
}

/// The name without the family's prefix, and without TensorFlow's words for weight and bias.
fn canonical(spec: &Spec, name: &str) -> String {
    let name = name.strip_prefix(spec.family.prefix).unwrap_or(name);
    match (name.strip_suffix(".gamma"), name.strip_suffix(".beta")) {
        (Some(stem), _) => format!("{stem}.weight"),
        (_, Some(stem)) => format!("{stem}.bias"),
        _ => name.to_owned(),
    }
}

/// Tensors that checkpoints carry and no answer needs: heads of pre-training, other tasks' heads,
/// and buffers that older versions of the reference saved.
fn is_spare(name: &str, spec: &Spec) -> bool {
    const HEADS: [&str; 12] = [
        "cls.",
        "discriminator_predictions.",
        "generator_lm_head.",
        "generator_predictions.",
        "lm_head.",
        "pooler.",
        "qa_outputs.",
        "seq_relationship.",
        "summary.",
        "vocab_layer_norm.",
        "vocab_projector.",
        "vocab_transform.",
    ];
    const BUFFERS: [&str; 3] =
        ["embeddings.position_ids", "embeddings.token_type_ids", "position_ids"];
    let other_head = spec.labels.is_none()
        && (name.starts_with("classifier.") || name.starts_with("pre_classifier."));
    other_head || BUFFERS.contains(&name) || HEADS.iter().any(|head| name.starts_with(head))
}

fn needed(spec: &Spec, sentence: &Sentence) -> Inventory {
    let mut all = Inventory::new();
    let family = spec.family;
    let mut table = |name: &str, rows: usize, cols: usize| {
        all.insert(format!("{name}.weight"), vec![rows, cols]);
    };
    table("embeddings.word_embeddings", spec.vocab, spec.embedding);
    table("embeddings.position_embeddings", spec.positions, spec.embedding);
    if let Some(types) = family.types {
        table(types, spec.types, spec.embedding);
    }
    if let Some(relative) = family.relative {
        table(relative, spec.buckets, spec.heads);
    }
    norm(&mut all, "embeddings.LayerNorm", spec.embedding);
    if spec.embedding != spec.width {
        linear(&mut all, "embeddings_project", spec.width, spec.embedding);
    }
    let names = &family.layer;
    for layer in 0..spec.layers {
        let name = |part: &str| format!("{}.{layer}.{part}", names.stem);
        for part in [names.query, names.key, names.value, names.attended] {
            linear(&mut all, &name(part), spec.width, spec.width);
        }
        norm(&mut all, &name(names.attention_norm), spec.width);
        linear(&mut all, &name(names.up), spec.inner, spec.width);
        linear(&mut all, &name(names.down), spec.width, spec.inner);
        norm(&mut all, &name(names.norm), spec.width);
    }
    if let Some(labels) = &spec.labels {
        linear(&mut all, family.head.dense, spec.width, spec.width);
        linear(&mut all, family.head.classifier, labels.names.len(), spec.width);
    }
    for dense in &sentence.dense {
        let stem = within(&dense.path, "linear");
        all.insert(format!("{stem}.weight"), vec![dense.outputs, dense.inputs]);
        if dense.bias {
            all.insert(format!("{stem}.bias"), vec![dense.outputs]);
        }
    }
    all
}

fn linear(all: &mut Inventory, name: &str, outputs: usize, inputs: usize) {
    all.insert(format!("{name}.weight"), vec![outputs, inputs]);
    all.insert(format!("{name}.bias"), vec![outputs]);
}

fn norm(all: &mut Inventory, name: &str, width: usize) {
    all.insert(format!("{name}.weight"), vec![width]);
    all.insert(format!("{name}.bias"), vec![width]);
}
