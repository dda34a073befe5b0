//! What the families of encoders call their tensors, and where they depart from each other.
//!
//! Names are those of the checkpoints, so that this file reads beside the reference's
//! `modeling_*.py`. A new post-norm family is one more table here.

use trireme_backend::Activation;

use crate::ModelError;

/// One family's conventions.
#[derive(Debug)]
pub(crate) struct Family {
    /// `model_type` of `config.json`.
    pub model_type: &'static str,
    /// Other `model_type`s with the same conventions.
    aliases: &'static [&'static str],
    /// Prefix of the encoder's tensors in checkpoints that have a head.
    pub prefix: &'static str,
    /// Token-type table; its presence says that the family has one.
    pub types: Option<&'static str>,
    /// Whether the tokenizer's type ids reach the model; RoBERTa always sees type 0.
    pub sees_type_ids: bool,
    /// Whether positions begin after the padding id, and skip padding tokens.
    pub positions_follow_pad: bool,
    /// The padding id where the configuration names none.
    pub default_pad: u32,
    /// Whether the configuration's padding id counts; MPNet's positions know only their own.
    pub configures_pad: bool,
    /// Whether `embedding_size` may differ, with a projection after the embeddings.
    pub projects: bool,
    /// Whether the configuration sets the layer norms' epsilon.
    pub configures_eps: bool,
    /// Table of relative biases.
    pub relative: Option<&'static str>,
    /// Names of a layer's tensors.
    pub layer: LayerNames,
    /// Names of the classification head.
    pub head: HeadNames,
}

/// A layer's tensors; `stem` takes the layer's number between its halves.
#[derive(Debug)]
pub(crate) struct LayerNames {
    pub stem: &'static str,
    pub query: &'static str,
    pub key: &'static str,
    pub value: &'static str,
    pub attended: &'static str,
    pub attention_norm: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    pub norm: &'static str,
}

/// Every head is the same: the first row, a dense layer, an activation, the classifier.
#[derive(Debug)]
pub(crate) struct HeadNames {
    pub dense: &'static str,
    pub activation: Activation,
    pub classifier: &'static str,
}

const BERT_LAYER: LayerNames = LayerNames {
    stem: "encoder.layer",
    query: "attention.self.query",
    key: "attention.self.key",
    value: "attention.self.value",
    attended: "attention.output.dense",
    attention_norm: "attention.output.LayerNorm",
    up: "intermediate.dense",
    down: "output.dense",
    norm: "output.LayerNorm",
};

const BERT: Family = Family {
    model_type: "bert",
    aliases: &[],
    prefix: "bert.",
    types: Some("embeddings.token_type_embeddings"),
    sees_type_ids: true,
    positions_follow_pad: false,
    default_pad: 0,
    configures_pad: true,
    projects: false,
    configures_eps: true,
    relative: None,
    layer: BERT_LAYER,
    head: HeadNames {
        dense: "pooler.dense",
        activation: Activation::Tanh,
        classifier: "classifier",
    },
};

const ROBERTA: Family = Family {
    model_type: "roberta",
    aliases: &["xlm-roberta", "camembert"],
    prefix: "roberta.",
    sees_type_ids: false,
    positions_follow_pad: true,
    default_pad: 1,
    head: HeadNames {
        dense: "classifier.dense",
        activation: Activation::Tanh,
        classifier: "classifier.out_proj",
    },
    ..BERT
};

const ELECTRA: Family = Family {
    model_type: "electra",
    prefix: "electra.",
    projects: true,
    head: HeadNames {
        dense: "classifier.dense",
        activation: Activation::Gelu,
        classifier: "classifier.out_proj",
    },
    ..BERT
};

const DISTILBERT: Family = Family {
    model_type: "distilbert",
    prefix: "distilbert.",
    types: None,
    sees_type_ids: false,
    configures_eps: false,
    layer: LayerNames {
        stem: "transformer.layer",
        query: "attention.q_lin",
        key: "attention.k_lin",
        value: "attention.v_lin",
        attended: "attention.out_lin",
        attention_norm: "sa_layer_norm",
        up: "ffn.lin1",
        down: "ffn.lin2",
        norm: "output_layer_norm",
    },
    head: HeadNames {
        dense: "pre_classifier",
        activation: Activation::Relu,
        classifier: "classifier",
    },
    ..BERT
};

const MPNET: Family = Family {
    model_type: "mpnet",
    prefix: "mpnet.",
    types: None,
    sees_type_ids: false,
    positions_follow_pad: true,
    default_pad: 1,
    configures_pad: false,
    relative: Some("encoder.relative_attention_bias"),
    layer: LayerNames {
        query: "attention.attn.q",
        key: "attention.attn.k",
        value: "attention.attn.v",
        attended: "attention.attn.o",
        attention_norm: "attention.LayerNorm",
        ..BERT_LAYER
    },
    head: HeadNames {
        dense: "classifier.dense",
        activation: Activation::Tanh,
        classifier: "classifier.out_proj",
    },
    ..BERT
};

static FAMILIES: [Family; 5] = [BERT, DISTILBERT, ELECTRA, MPNET, ROBERTA];

impl Family {
    /// The family of a `model_type`.
    pub fn named(model_type: Option<&str>) -> Result<&'static Self, ModelError> {
        let found = model_type.unwrap_or_default();
        FAMILIES
            .iter()
            .find(|family| family.model_type == found || family.aliases.contains(&found))
            .ok_or_else(|| ModelError::UnknownArchitecture {
                found: found.to_owned(),
                known: FAMILIES
                    .iter()
                    .flat_map(|family| [&[family.model_type], family.aliases].concat())
                    .collect::<Vec<_>>()
                    .join(", "),
            })
    }
}
