//! Which path answers what.

use axum::Router;
use axum::http::{Method, Uri};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, post};
use trireme_domain::{Code, Fault};
use trireme_service::Service;

use crate::answer::Refused;
use crate::dress::dressed;
use crate::style::{self, Style};
use crate::{invocations, oip, openai, own, pipeline, rerank, tei};

/// The routes of the contract, over one service, with what every answer has.
pub fn router(service: &Service) -> Router {
    dressed(routes(service.clone()), service, &[])
}

/// The routes alone, for hosts that have more of them.
pub fn routes(service: Service) -> Router {
    own()
        .merge(speaking(tei(), style::tei))
        .merge(speaking(openai(), style::openai))
        .merge(speaking(cohere(), style::cohere))
        .merge(speaking(pipelines(), style::plain))
        .merge(speaking(oip(), style::plain))
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_method)
        .with_state(service)
}

type Routes = Router<Service>;

/// Some of them decide by a key of the body whether they speak another convention.
fn own() -> Routes {
    Router::new()
        .route("/", get(own::root).post(tei::task))
        .route("/health", get(own::live))
        .route("/health/live", get(own::live))
        .route("/health/ready", get(own::ready))
        .route("/health/startup", get(own::started))
        .route("/ready", get(own::ready))
        .route("/ping", get(own::live))
        .route("/model_info", get(own::info))
        .route("/predict", post(own::predict))
        .route("/sentiment", post(own::sentiment))
        .route("/predict_batch", post(own::predict_batch))
        .route("/batch_predict", post(own::batch_predict))
        .route("/batch-sentiment", post(own::batch_sentiment))
        .route("/concurrent-batch-sentiment", post(own::batch_sentiment))
        .route("/encode", post(own::encode))
        .route("/rerank", post(tei::rerank))
}

fn tei() -> Routes {
    Router::new()
        .route("/info", get(tei::info))
        .route("/embed", post(tei::embed))
        .route("/embed_sparse", post(tei::no_sparse))
        .route("/similarity", post(tei::similarity))
        .route("/tokenize", post(tei::tokenize))
        .route("/decode", post(tei::decode))
        .route("/invocations", post(invocations::invoke))
}

fn openai() -> Routes {
    Router::new()
        .route("/v1/embeddings", post(openai::embeddings))
        .route("/embeddings", post(openai::embeddings))
        .route("/v1/models", get(openai::models))
        .route("/v1/models/{*id}", get(openai::model))
}

fn cohere() -> Routes {
    Router::new()
        .route("/v1/rerank", post(rerank::rerank))
        .route("/v2/rerank", post(rerank::rerank))
}

fn pipelines() -> Routes {
    Router::new()
        .route("/pipeline/text-classification", post(pipeline::classification))
        .route("/pipeline/feature-extraction", post(pipeline::extraction))
        .route("/models/{*model}", post(pipeline::of_model))
}

fn oip() -> Routes {
    Router::new()
        .route("/v2", get(oip::about))
        .route("/v2/health/live", get(oip::live))
        .route("/v2/health/ready", get(oip::ready))
        .route("/v2/models/{*rest}", get(oip::model).post(oip::infer))
        .route("/v2/repository/index", post(oip::index))
}

/// Routes whose faults are said this way, whoever found them.
fn speaking(routes: Routes, style: Style) -> Routes {
    routes
        .layer(map_response(move |response: Response| async move { style::said(response, style) }))
}

async fn nothing_here(uri: Uri) -> Refused {
    Fault::new(Code::NotFound, format!("there is nothing at {}", uri.path())).into()
}

async fn other_method(method: Method, uri: Uri) -> Refused {
    let message = format!("{} does not answer {method}", uri.path());
    Fault::new(Code::MethodNotAllowed, message).into()
}
