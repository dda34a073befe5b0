//! Our own routes.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use trireme_domain::wire::{
    BatchAnswer, BatchRequest, EncodeAnswer, EncodeRequest, HealthAnswer, IndexedAnswer,
    InfoAnswer, ListRequest, PredictRequest, RootAnswer, SentimentAnswer, SentimentBatchAnswer,
    SentimentRequest,
};
use trireme_service::parse;

use crate::answer::{Json, Outcome, Refused};
use crate::body::{Bytes, Parsed};
use crate::call::{Call, ModelQuery};
use crate::route::Host;
use crate::style::{Convention, said};
use crate::tei;

pub(crate) async fn root(State(service): Host) -> Outcome<RootAnswer> {
    Ok(Json(service.root()?))
}

pub(crate) async fn live(State(service): Host) -> Outcome<HealthAnswer> {
    Ok(Json(service.live()?))
}

pub(crate) async fn ready(State(service): Host) -> Outcome<HealthAnswer> {
    Ok(Json(service.ready()?))
}

pub(crate) async fn started(State(service): Host) -> Outcome<HealthAnswer> {
    Ok(Json(service.started()?))
}

pub(crate) async fn info(State(service): Host, query: ModelQuery) -> Outcome<InfoAnswer> {
    Ok(Json(service.info(query.0.as_deref())?))
}

/// `inputs` is how Text Embeddings Inference asks; our own requests have a `text`.
pub(crate) async fn predict(State(service): Host, call: Call, Bytes(body): Bytes) -> Response {
    if tei::asks(&body) {
        let answer = tei::predicted(&service, call.0, &body).await;
        return said(answer.into_response(), Convention::Tei);
    }
    let answer = async {
        let request: PredictRequest = parse(&body)?;
        service.predict(request, call.0).await
    };
    answer.await.map(Json).map_err(Refused).into_response()
}

pub(crate) async fn sentiment(
    State(service): Host,
    Call(terms): Call,
    Parsed(request): Parsed<SentimentRequest>,
) -> Outcome<SentimentAnswer> {
    Ok(Json(service.sentiment(request, terms).await?))
}

pub(crate) async fn predict_batch(
    State(service): Host,
    Call(terms): Call,
    Parsed(request): Parsed<BatchRequest>,
) -> Outcome<BatchAnswer> {
    Ok(Json(service.predict_batch(request, terms).await?))
}

pub(crate) async fn batch_predict(
    State(service): Host,
    Call(terms): Call,
    Parsed(ListRequest(request)): Parsed<ListRequest>,
) -> Outcome<IndexedAnswer> {
    Ok(Json(service.batch_predict(request, terms).await?))
}

pub(crate) async fn batch_sentiment(
    State(service): Host,
    Call(terms): Call,
    Parsed(request): Parsed<BatchRequest>,
) -> Outcome<SentimentBatchAnswer> {
    Ok(Json(service.batch_sentiment(request, terms).await?))
}

pub(crate) async fn encode(
    State(service): Host,
    Call(terms): Call,
    Parsed(request): Parsed<EncodeRequest>,
) -> Outcome<EncodeAnswer> {
    Ok(Json(service.encode(request, terms).await?))
}
