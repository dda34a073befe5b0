//! Which path answers what.

use axum::Router;
use axum::extract::State;
use axum::http::{Method, Uri};
use axum::routing::{get, post};
use trireme_domain::wire::{
    EncodeAnswer, EncodeRequest, HealthAnswer, PredictAnswer, PredictRequest,
};
use trireme_domain::{Code, Fault};
use trireme_service::Service;

use crate::answer::{Json, Outcome, Refused};
use crate::body::Parsed;

/// The routes of the contract, over one service.
pub fn router(service: Service) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/predict", post(predict))
        .route("/encode", post(encode))
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_method)
        .with_state(service)
}

async fn health(State(service): State<Service>) -> Json<HealthAnswer> {
    Json(service.health())
}

async fn predict(
    State(service): State<Service>,
    Parsed(request): Parsed<PredictRequest>,
) -> Outcome<PredictAnswer> {
    Ok(Json(service.predict(request).await?))
}

async fn encode(
    State(service): State<Service>,
    Parsed(request): Parsed<EncodeRequest>,
) -> Outcome<EncodeAnswer> {
    Ok(Json(service.encode(request).await?))
}

async fn nothing_here(uri: Uri) -> Refused {
    Fault::new(Code::NotFound, format!("there is nothing at {}", uri.path())).into()
}

async fn other_method(method: Method, uri: Uri) -> Refused {
    let message = format!("{} does not answer {method}", uri.path());
    Fault::new(Code::MethodNotAllowed, message).into()
}
