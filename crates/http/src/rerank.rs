//! Reranking as Cohere and Jina ask for it.

use axum::extract::State;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use trireme_service::{Service, Terms, parse};

use crate::answer::{Json, Outcome, Refused};
use crate::asking::{Cutting, order, ranked as ranks};
use crate::body::{Bytes, is_object};
use crate::call::Call;

/// Whether a body speaks this convention: it has `documents`.
pub(crate) fn asks(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Probe {
        documents: Option<IgnoredAny>,
    }
    is_object(body) && parse::<Probe>(body).is_ok_and(|probe| probe.documents.is_some())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    model: Option<String>,
    query: String,
    documents: Vec<Document>,
    top_n: Option<usize>,
    #[serde(default)]
    return_documents: bool,
    /// Cohere's limit on a document's tokens; ours is the model's.
    #[serde(rename = "max_tokens_per_doc", alias = "max_chunks_per_doc")]
    _most: Option<IgnoredAny>,
}

/// A text, bare or in an object.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a document is a text, or an object with a `text`")]
enum Document {
    Text(String),
    Object { text: String },
}

#[derive(Serialize)]
pub(crate) struct Answer {
    id: String,
    model: String,
    results: Vec<Rank>,
    usage: Usage,
    meta: Meta,
}

#[derive(Serialize)]
struct Rank {
    index: usize,
    relevance_score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<Shown>,
}

#[derive(Serialize)]
struct Shown {
    text: String,
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: usize,
    total_tokens: usize,
}

#[derive(Serialize)]
struct Meta {
    api_version: Version,
    billed_units: Units,
}

#[derive(Serialize)]
struct Version {
    version: &'static str,
}

#[derive(Serialize)]
struct Units {
    search_units: usize,
}

pub(crate) async fn rerank(
    State(service): State<Service>,
    Call(terms): Call,
    Bytes(body): Bytes,
) -> Outcome<Answer> {
    ranked(&service, terms, &body).await
}

pub(crate) async fn ranked(
    service: &Service,
    terms: Terms,
    body: &[u8],
) -> Result<Json<Answer>, Refused> {
    let request: Request = parse(body)?;
    let served = service.models.get(request.model.as_deref())?;
    let text = |document| match document {
        Document::Text(text) | Document::Object { text } => text,
    };
    let texts: Vec<String> = request.documents.into_iter().map(text).collect();
    let cutting = Cutting::new(None, None);
    let (scores, tokens) =
        ranks(service, &served, &request.query, &texts, false, cutting, terms).await?;
    let shown = |index: usize| {
        texts
            .get(index)
            .filter(|_| request.return_documents)
            .map(|text| Shown { text: text.clone() })
    };
    let rank =
        |index: usize| Rank { index, relevance_score: scores[index], document: shown(index) };
    let best = order(&scores).into_iter().take(request.top_n.unwrap_or(usize::MAX));
    Ok(Json(Answer {
        id: service.entropy.id(),
        model: served.identity.origin.model.clone(),
        results: best.map(rank).collect(),
        usage: Usage { prompt_tokens: tokens, total_tokens: tokens },
        meta: Meta {
            api_version: Version { version: "2" },
            billed_units: Units { search_units: 1 },
        },
    }))
}
