//! Embeddings as `OpenAI`'s clients ask for them.

use axum::extract::{Path, State};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use trireme_service::{EmbedOptions, Served, Service};

use crate::answer::{Json, Outcome};
use crate::asking::{Cutting, vectors};
use crate::body::Parsed;
use crate::call::Call;
use crate::inputs::Inputs;

type Host = State<Service>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmbeddingsRequest {
    input: Inputs,
    model: Option<String>,
    #[serde(default)]
    encoding_format: Format,
    dimensions: Option<usize>,
    /// Whose end user asks; nothing here depends on it.
    #[serde(rename = "user")]
    _user: Option<IgnoredAny>,
}

#[derive(Deserialize, Clone, Copy, Default, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Float,
    /// Little-endian singles.
    Base64,
}

#[derive(Serialize)]
pub(crate) struct List<T> {
    object: &'static str,
    data: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: usize,
    total_tokens: usize,
}

#[derive(Serialize)]
pub(crate) struct Embedding {
    object: &'static str,
    index: usize,
    embedding: Numbers,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Numbers {
    Float(Vec<f32>),
    Base64(String),
}

pub(crate) async fn embeddings(
    State(service): Host,
    Call(terms): Call,
    Parsed(request): Parsed<EmbeddingsRequest>,
) -> Outcome<List<Embedding>> {
    let served = service.models.get(request.model.as_deref())?;
    let options =
        EmbedOptions { pooling: None, normalize: Some(true), dimensions: request.dimensions };
    let (texts, cutting) = (request.input.into_texts(), Cutting::new(None, None));
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
    Ok(Json(List {
        object: "list",
        data: answers.into_iter().enumerate().map(embedding).collect(),
        model: Some(served.identity.origin.model.clone()),
        usage: Some(Usage { prompt_tokens: tokens, total_tokens: tokens }),
    }))
}

#[derive(Serialize)]
pub(crate) struct Model {
    id: String,
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

pub(crate) async fn models(State(service): Host) -> Outcome<List<Model>> {
    service.models.get(None)?;
    let data = service.models.all().iter().map(|served| Model::of(served)).collect();
    Ok(Json(List { object: "list", data, model: None, usage: None }))
}

pub(crate) async fn model(State(service): Host, Path(id): Path<String>) -> Outcome<Model> {
    Ok(Json(Model::of(&*service.models.get(Some(&id))?)))
}
