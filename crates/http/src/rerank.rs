//! Reranking as Cohere and Jina ask for it.

use axum::extract::State;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use trireme_domain::wire::count;
#[cfg(test)]
use trireme_domain::wire::schema::{List, Text};
use trireme_service::{Service, Terms, parse};

use crate::answer::{Json, Outcome, Refused};
use crate::body::{Bytes, is_object};
use crate::call::Call;
use crate::route::Host;
use trireme_service::asking::{Cutting, order, ranked as ranks};

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
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "CohereRequest"))]
pub(crate) struct Request {
    model: Option<String>,
    #[cfg_attr(test, schemars(with = "Text"))]
    query: String,
    #[cfg_attr(test, schemars(with = "List<Document>"))]
    documents: Vec<Document>,
    #[serde(default, deserialize_with = "count")]
    top_n: Option<usize>,
    #[serde(default)]
    return_documents: bool,
    /// Which fields of a document are read: `text`, and no other.
    #[serde(rename = "rank_fields")]
    _fields: Option<Vec<Field>>,
    /// How soon, among others of Cohere's callers; here the header `x-priority` says it.
    #[serde(rename = "priority")]
    #[cfg_attr(test, schemars(with = "Option<u64>"))]
    _priority: Option<u64>,
    /// Cohere's limit on a document's tokens; ours is the model's.
    #[serde(rename = "max_tokens_per_doc")]
    #[cfg_attr(test, schemars(with = "Option<serde_json::Value>"))]
    _most: Option<IgnoredAny>,
    /// The same, in its first version.
    #[serde(rename = "max_chunks_per_doc")]
    #[cfg_attr(test, schemars(with = "Option<serde_json::Value>"))]
    _chunks: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "CohereField"))]
enum Field {
    Text,
}

/// A text, bare or in an object.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a document is a text, or an object with a `text`")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "CohereDocument"))]
enum Document {
    Text(#[cfg_attr(test, schemars(with = "Text"))] String),
    Object {
        #[cfg_attr(test, schemars(with = "Text"))]
        text: String,
    },
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "CohereAnswer"))]
pub(crate) struct Answer {
    id: String,
    model: String,
    results: Vec<Rank>,
    usage: Usage,
    meta: Meta,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "CohereRank"))]
struct Rank {
    index: usize,
    relevance_score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Shown"))]
    document: Option<Shown>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "CohereShown"))]
struct Shown {
    text: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "CohereUsage"))]
struct Usage {
    prompt_tokens: usize,
    total_tokens: usize,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "CohereMeta"))]
struct Meta {
    api_version: Version,
    billed_units: Units,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "CohereVersion"))]
struct Version {
    version: &'static str,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "CohereUnits"))]
struct Units {
    search_units: usize,
}

pub(crate) async fn rerank(
    State(service): Host,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_documents_text_is_read() {
        let reads = |more: &str| {
            let body = format!(r#"{{"query": "a", "documents": [{{"text": "b"}}], {more}}}"#);
            parse::<Request>(body.as_bytes()).is_ok()
        };
        assert!(reads(r#""rank_fields": ["text"], "priority": 3"#));
        assert!(!reads(r#""rank_fields": ["title", "text"]"#));
        assert!(!reads(r#""priority": "soon""#));
    }
}
