//! Hugging Face's pipelines: one list of classes a text, also for one text.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde::de::IgnoredAny;
use trireme_domain::Fault;
use trireme_domain::wire::{Function, count};
use trireme_service::{EmbedOptions, Side, Text, parse};

use crate::answer::{Json, Outcome, Refused};
use crate::body::{Bytes, Parsed};
use crate::call::{Call, Name};
use crate::inputs::Inputs;
use crate::route::Host;
use crate::tei::{Direction, FloatOnly, Labelled, labelled};
use trireme_service::asking::{Cutting, is_raw, scores, vectors};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "PipelineRequest"))]
pub(crate) struct Request {
    inputs: Inputs,
    #[serde(default)]
    parameters: Classifying,
    /// Of the hub's own service: waiting for a model, a cache. Nothing here depends on it.
    #[serde(rename = "options")]
    #[cfg_attr(test, schemars(with = "Option<serde_json::Value>"))]
    _options: Option<IgnoredAny>,
    model: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "PipelineParameters"))]
struct Classifying {
    #[serde(default, deserialize_with = "count")]
    top_k: Option<usize>,
    function_to_apply: Option<Function>,
    truncate: Option<bool>,
}

/// `POST /pipeline/text-classification`.
pub(crate) async fn classification(
    State(service): Host,
    Call(terms): Call,
    Parsed(request): Parsed<Request>,
) -> Outcome<Vec<Vec<Labelled>>> {
    let served = service.models.get(request.model.as_deref())?;
    let raw = is_raw(request.parameters.function_to_apply, &served.identity)?;
    let (texts, terms) = request.inputs.texts(&service, &served, terms).await?;
    let texts = texts.into_iter().map(Text::from).collect();
    let cutting = Cutting::new(request.parameters.truncate, None);
    let answers = scores(&service, &served, texts, raw, cutting, terms).await?;
    let most = request.parameters.top_k.unwrap_or(usize::MAX);
    let row = |answer: &trireme_service::Answer| {
        let mut row = labelled(&served.identity.labels, &answer.values);
        row.truncate(most);
        row
    };
    Ok(Json(answers.iter().map(row).collect()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ExtractionRequest {
    inputs: Inputs,
    parameters: Option<Extracting>,
    // Hugging Face's clients send these bare.
    normalize: Option<bool>,
    truncate: Option<bool>,
    truncation_direction: Option<Direction>,
    prompt_name: Option<String>,
    #[serde(default, deserialize_with = "count")]
    dimensions: Option<usize>,
    #[serde(rename = "encoding_format")]
    _format: Option<FloatOnly>,
    #[serde(rename = "options")]
    #[cfg_attr(test, schemars(with = "Option<serde_json::Value>"))]
    _options: Option<IgnoredAny>,
    model: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Extracting {
    normalize: Option<bool>,
    truncate: Option<bool>,
    truncation_direction: Option<Direction>,
    prompt_name: Option<String>,
    #[serde(default, deserialize_with = "count")]
    dimensions: Option<usize>,
}

/// `POST /pipeline/feature-extraction`.
pub(crate) async fn extraction(
    State(service): Host,
    Call(terms): Call,
    Parsed(request): Parsed<ExtractionRequest>,
) -> Outcome<Vec<Vec<f32>>> {
    let served = service.models.get(request.model.as_deref())?;
    let inner = request.parameters.unwrap_or_default();
    let options = EmbedOptions {
        normalize: request.normalize.or(inner.normalize),
        dimensions: request.dimensions.or(inner.dimensions),
        ..Default::default()
    };
    let side = request.truncation_direction.or(inner.truncation_direction).map(Side::from);
    let cutting = Cutting::new(request.truncate.or(inner.truncate), side);
    let (texts, terms) = request.inputs.texts(&service, &served, terms).await?;
    let prompt = request.prompt_name.or(inner.prompt_name);
    let answers = vectors(&service, &served, texts, options, prompt, cutting, terms).await?;
    Ok(Json(answers.into_iter().map(|answer| answer.values).collect()))
}

/// `POST /models/{model}[/pipeline/{task}]`; without a task, what the model is for, as the hub's
/// own service decides it.
pub(crate) async fn of_model(
    State(service): Host,
    Name(path): Name,
    call: Call,
    Bytes(body): Bytes,
) -> Response {
    let (name, task) = named(&path);
    let model = Some(name.to_owned());
    let answer = async {
        let served = service.models.get(Some(name))?;
        let extracts = match task {
            None => served.identity.labels.is_empty(),
            Some(task) => task == Task::Extraction,
        };
        Ok(if extracts {
            let request = ExtractionRequest { model, ..parse(&body)? };
            extraction(State(service), call, Parsed(request)).await.into_response()
        } else {
            let request = Request { model, ..parse(&body)? };
            classification(State(service), call, Parsed(request)).await.into_response()
        })
    };
    answer.await.unwrap_or_else(|fault: Fault| Refused(fault).into_response())
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Task {
    Classification,
    Extraction,
}

/// A model's name, which may hold slashes, and the task behind it.
fn named(path: &str) -> (&str, Option<Task>) {
    match path.rsplit_once("/pipeline/") {
        Some((name, "text-classification")) => (name, Some(Task::Classification)),
        Some((name, "feature-extraction")) => (name, Some(Task::Extraction)),
        _ => (path, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_stands_behind_a_models_name() {
        for (path, name, task) in [
            ("mini", "mini", None),
            ("owner/mini", "owner/mini", None),
            ("mini/pipeline/text-classification", "mini", Some(Task::Classification)),
            ("owner/mini/pipeline/feature-extraction", "owner/mini", Some(Task::Extraction)),
            ("owner/mini/pipeline/translation", "owner/mini/pipeline/translation", None),
        ] {
            assert_eq!(named(path), (name, task), "{path}");
        }
    }
}
