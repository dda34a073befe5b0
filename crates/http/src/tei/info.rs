//! What the model can do.

use axum::extract::State;
use serde::Serialize;
use serde_json::{Map, Value};
use trireme_domain::wire::{Kind, Pooling};

use crate::answer::{Json, Outcome};
use crate::route::Host;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TeiInfo"))]
pub(crate) struct Info {
    model_id: String,
    model_sha: String,
    model_dtype: String,
    served_model_name: String,
    model_type: ModelType,
    max_concurrent_requests: usize,
    max_input_length: usize,
    max_batch_tokens: usize,
    max_batch_requests: Option<usize>,
    max_client_batch_size: usize,
    auto_truncate: bool,
    tokenization_workers: usize,
    version: &'static str,
    sha: Option<&'static str>,
    docker_label: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TeiModelType"))]
enum ModelType {
    Embedding { pooling: Pooling },
    Classifier(Named),
    Reranker(Named),
}

/// The classes by their ids, and the other way about.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TeiNamed"))]
struct Named {
    #[cfg_attr(test, schemars(with = "std::collections::BTreeMap<String, String>"))]
    id2label: Map<String, Value>,
    #[cfg_attr(test, schemars(with = "std::collections::BTreeMap<String, usize>"))]
    label2id: Map<String, Value>,
}

pub(crate) async fn info(State(service): Host) -> Outcome<Info> {
    let served = service.models.get(None)?;
    let (identity, origin) = (&served.identity, &served.identity.origin);
    let named = || {
        let ids = || identity.labels.iter().enumerate();
        Named {
            id2label: ids().map(|(id, label)| (id.to_string(), label.as_str().into())).collect(),
            label2id: ids().map(|(id, label)| (label.clone(), id.into())).collect(),
        }
    };
    let model_type = match identity.kind {
        Kind::Embedding => ModelType::Embedding { pooling: identity.pooling },
        Kind::Classifier => ModelType::Classifier(named()),
        Kind::Reranker => ModelType::Reranker(named()),
    };
    let capacity = served.compute.capacity();
    Ok(Json(Info {
        model_id: origin.model.clone(),
        model_sha: origin.digest.clone(),
        model_dtype: origin.precision.clone(),
        served_model_name: origin.model.clone(),
        model_type,
        max_concurrent_requests: capacity.waiting,
        max_input_length: served.reader.max_tokens(),
        max_batch_tokens: capacity.batch_tokens,
        max_batch_requests: Some(capacity.batch_texts),
        max_client_batch_size: service.limits.texts,
        auto_truncate: true,
        tokenization_workers: 1,
        version: env!("CARGO_PKG_VERSION"),
        sha: None,
        docker_label: None,
    }))
}
