//! Embeddings as `OpenAI`'s clients ask for them.

use axum::extract::State;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use trireme_domain::wire::count;
#[cfg(test)]
use trireme_domain::wire::schema::Positive;
use trireme_service::{EmbedOptions, Served};

use crate::answer::{Json, Outcome};
use crate::body::Parsed;
use crate::call::{Call, Name};
use crate::inputs::Inputs;
use crate::route::Host;
use trireme_service::asking::{Cutting, vectors};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OpenAiEmbeddingsRequest"))]
pub(crate) struct EmbeddingsRequest {
    input: Inputs,
    model: Option<String>,
    #[serde(default)]
    encoding_format: Format,
    #[cfg_attr(test, schemars(with = "Option<Positive>"))]
    #[serde(default, deserialize_with = "count")]
    dimensions: Option<usize>,
    /// Whose end user asks; nothing here depends on it.
    #[serde(rename = "user")]
    #[cfg_attr(test, schemars(with = "Option<serde_json::Value>"))]
    _user: Option<IgnoredAny>,
}

#[derive(Deserialize, Clone, Copy, Default, PartialEq)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OpenAiFormat"))]
enum Format {
    #[default]
    Float,
    /// Little-endian singles.
    Base64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OpenAiEmbeddings"))]
pub(crate) struct Embeddings {
    object: List,
    data: Vec<Embedding>,
    model: String,
    usage: Usage,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OpenAiModels"))]
pub(crate) struct Models {
    object: List,
    data: Vec<Model>,
}

/// What every list of this convention calls itself.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OpenAiList"))]
enum List {
    List,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OpenAiUsage"))]
struct Usage {
    prompt_tokens: usize,
    total_tokens: usize,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OpenAiEmbedding"))]
pub(crate) struct Embedding {
    #[cfg_attr(test, schemars(extend("const" = "embedding")))]
    object: &'static str,
    index: usize,
    embedding: Numbers,
}

#[derive(Serialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OpenAiNumbers"))]
enum Numbers {
    Float(Vec<f32>),
    Base64(String),
}

pub(crate) async fn embeddings(
    State(service): Host,
    Call(terms): Call,
    Parsed(request): Parsed<EmbeddingsRequest>,
) -> Outcome<Embeddings> {
    let served = service.models.get(request.model.as_deref())?;
    let options =
        EmbedOptions { pooling: None, normalize: Some(true), dimensions: request.dimensions };
    let (texts, terms) = request.input.texts(&service, &served, terms).await?;
    let cutting = Cutting::new(None, None);
    let answers = vectors(&service, &served, texts, options, None, cutting, terms).await?;
    let tokens = answers.iter().map(|answer| answer.tokens).sum();
    let numbers = |values: Vec<f32>| match request.encoding_format {
        Format::Float => Numbers::Float(values),
        Format::Base64 => {
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            Numbers::Base64(BASE64_STANDARD.encode(bytes))
        }
    };
    let embedding = |(index, answer): (usize, trireme_service::Answer)| Embedding {
        object: "embedding",
        index,
        embedding: numbers(answer.values),
    };
    Ok(Json(Embeddings {
        object: List::List,
        data: answers.into_iter().enumerate().map(embedding).collect(),
        model: served.identity.origin.model.clone(),
        usage: Usage { prompt_tokens: tokens, total_tokens: tokens },
    }))
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OpenAiModel"))]
pub(crate) struct Model {
    id: String,
    #[cfg_attr(test, schemars(extend("const" = "model")))]
    object: &'static str,
    created: u64,
    owned_by: &'static str,
}

impl Model {
    fn of(served: &Served) -> Self {
        let id = served.identity.origin.model.clone();
        Self { id, object: "model", created: 0, owned_by: "trireme" }
    }
}

pub(crate) async fn models(State(service): Host) -> Outcome<Models> {
    service.models.get(None)?;
    let data = service.models.all().iter().map(|served| Model::of(served)).collect();
    Ok(Json(Models { object: List::List, data }))
}

pub(crate) async fn model(State(service): Host, Name(id): Name) -> Outcome<Model> {
    Ok(Json(Model::of(&*service.models.get(Some(&id))?)))
}
