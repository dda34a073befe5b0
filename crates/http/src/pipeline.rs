//! Hugging Face's pipelines: one list of classes a text, also for one text.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde::de::IgnoredAny;
use trireme_domain::{Code, Fault};
use trireme_service::{EmbedOptions, Service, Text};

use crate::answer::{Json, Outcome, Refused};
use crate::asking::{Cutting, scores, vectors};
use crate::body::{Bytes, Parsed};
use crate::call::{Call, Name};
use crate::inputs::Inputs;
use crate::tei::{Labelled, labelled};

type Host = State<Service>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "PipelineRequest"))]
pub(crate) struct Request {
    inputs: Inputs,
    #[serde(default)]
    parameters: Parameters,
    /// Of the hub's own service: waiting for a model, a cache. Nothing here depends on it.
    #[serde(rename = "options")]
    #[cfg_attr(test, schemars(with = "Option<serde_json::Value>"))]
    _options: Option<IgnoredAny>,
    #[serde(default)]
    model: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "PipelineParameters"))]
struct Parameters {
    top_k: Option<usize>,
    function_to_apply: Option<Function>,
    normalize: Option<bool>,
    truncate: Option<bool>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "PipelineFunction"))]
enum Function {
    None,
    Sigmoid,
    Softmax,
}

/// `POST /pipeline/text-classification`.
pub(crate) async fn classification(
    State(service): Host,
    Call(terms): Call,
    Parsed(request): Parsed<Request>,
) -> Outcome<Vec<Vec<Labelled>>> {
    let served = service.models.get(request.model.as_deref())?;
    let raw = match request.parameters.function_to_apply {
        Option::None => false,
        Some(Function::None) => true,
        Some(Function::Softmax) if !served.identity.several => false,
        Some(Function::Sigmoid) if served.identity.several => false,
        Some(_) => {
            let message = "function_to_apply is `none`, or what the model was trained for";
            return Err(Fault::new(Code::InvalidOption, message).into());
        }
    };
    let texts = request.inputs.into_texts().into_iter().map(Text::from).collect();
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

/// `POST /pipeline/feature-extraction`.
pub(crate) async fn extraction(
    State(service): Host,
    Call(terms): Call,
    Parsed(request): Parsed<Request>,
) -> Outcome<Vec<Vec<f32>>> {
    let served = service.models.get(request.model.as_deref())?;
    let options = EmbedOptions { normalize: request.parameters.normalize, ..Default::default() };
    let cutting = Cutting::new(request.parameters.truncate, None);
    let texts = request.inputs.into_texts();
    let answers = vectors(&service, &served, texts, options, None, cutting, terms).await?;
    Ok(Json(answers.into_iter().map(|answer| answer.values).collect()))
}

/// `POST /models/{model}`: what the model is for, as the hub's own service decides it.
pub(crate) async fn of_model(
    State(service): Host,
    Name(model): Name,
    call: Call,
    Bytes(body): Bytes,
) -> Response {
    let answer = async {
        let mut request: Request = trireme_service::parse(&body)?;
        let served = service.models.get(Some(model.as_str()))?;
        request.model = Some(model);
        let (service, request) = (State(service), Parsed(request));
        Ok(match served.identity.labels.is_empty() {
            true => extraction(service, call, request).await.into_response(),
            false => classification(service, call, request).await.into_response(),
        })
    };
    answer.await.unwrap_or_else(|fault: Fault| Refused(fault).into_response())
}
