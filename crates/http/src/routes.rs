//! Which path answers what: one table, of which the router and the document are made.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::MatchedPath;
use axum::http::{Method, Uri};
use axum::response::IntoResponse as _;
use axum::routing::MethodRouter;
use trireme_domain::records::{Forgotten, Record};
use trireme_domain::wire::{
    AsyncSentimentRequest, BatchAnswer, BatchRequest, EncodeAnswer, EncodeRequest, HealthAnswer,
    IndexedAnswer, InfoAnswer, JobAnswer, JobRequest, JobStanding, ListRequest, PredictAnswer,
    PredictRequest, RootAnswer, SentimentAnswer, SentimentBatchAnswer, SentimentRequest,
};
use trireme_domain::{Code, Fault};
use trireme_service::Service;

use crate::answer::Refused;
use crate::dress::{cors, identified};
use crate::route::{Route, Shared, delete, get, group, post};
use crate::style::{Convention, said};
use crate::{docs, invocations, jobs, oip, openai, own, pipeline, predictions, rerank, tei};

/// The routes of the contract, over one service, with what every answer has. Paths that the host
/// can't serve, as the document writes them, answer 501 `unsupported_here` and are not in its
/// document; so do those of jobs and of records where the service keeps none.
pub fn router(service: &Service, absent: &[&str]) -> Router {
    let routes = routes(service.clone(), absent, |route| route);
    identified(routes, Arc::clone(&service.entropy)).layer(cors(&[]))
}

/// The routes alone, each behind what its host puts around it: there a fault is still said as the
/// route's convention says it.
pub fn routes(
    service: Service,
    absent: &[&str],
    around: impl Fn(MethodRouter<Shared>) -> MethodRouter<Shared>,
) -> Router {
    let of_jobs: &[&str] = if service.jobs.is_some() { &[] } else { &jobs::PATHS };
    let of_records: &[&str] = if service.records.is_some() { &[] } else { &predictions::PATHS };
    let absent = [absent, of_jobs, of_records].concat();
    let routed = |router: Router<Shared>, route: Route| {
        let lacking = absent.contains(&documented(route.path).as_str());
        router.route(route.path, route.answering(lacking, &around))
    };
    let table = table(docs::document(&absent));
    // Where two conventions share a path, the first has its fallback.
    let spoken: HashMap<_, _> =
        table.iter().rev().map(|route| (route.path, route.convention)).collect();
    let other_method = move |method: Method, uri: Uri, path: Option<MatchedPath>| {
        let convention = path.and_then(|path| spoken.get(path.as_str()).copied());
        let message = format!("{} does not answer {method}", uri.path());
        let fault = Refused(Fault::new(Code::MethodNotAllowed, message));
        async move { said(fault.into_response(), convention.unwrap_or(Convention::Own)) }
    };
    table
        .into_iter()
        .fold(Router::new(), routed)
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_method)
        .with_state(Arc::new(service))
}

/// A path as the document writes it: a name that spans slashes has no other mark there.
pub(crate) fn documented(path: &str) -> String {
    path.replace("{*", "{")
}

/// Every route there is.
pub(crate) fn table(document: Bytes) -> Vec<Route> {
    [
        host(document),
        classes(),
        vectors(),
        kept(),
        recorded(),
        tei(),
        openai(),
        cohere(),
        pipelines(),
        oip(),
        pages(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn host(document: Bytes) -> Vec<Route> {
    let openapi = move || async move { docs::openapi(document) };
    let health = |path, says| get(path, own::live).says(says).gives::<HealthAnswer>();
    let ready = |path, says| get(path, own::ready).says(says).gives::<HealthAnswer>();
    group(
        "Host",
        Convention::Own,
        [
            get("/", own::root).says("Name, version and models").gives::<RootAnswer>(),
            health("/health", "Whether the host is alive"),
            health("/health/live", "Whether the host is alive"),
            ready("/health/ready", "Whether the host answers as it should"),
            get("/health/startup", own::started)
                .says("Whether the host has started")
                .gives::<HealthAnswer>(),
            ready("/ready", "Whether the host answers as it should"),
            health("/ping", "Whether the host is alive, as SageMaker asks"),
            get("/model_info", own::info)
                .says("What a model can do")
                .asks("model", "default", "Which model.")
                .gives::<InfoAnswer>(),
            get("/openapi.json", openapi).says("This document").serves("application/json"),
        ],
    )
}

fn classes() -> Vec<Route> {
    const TEXTS: &str = r#"{"texts": ["a quiet harbour", "a dull, lifeless mess"]}"#;
    group(
        "Classes",
        Convention::Own,
        [
            post("/predict", own::predict)
                .says("The class of a text")
                .takes::<PredictRequest>(r#"{"text": "What a wonderful film, full of warmth."}"#)
                .takes::<tei::PredictRequest>(r#"{"inputs": "What a wonderful film."}"#)
                .gives::<PredictAnswer>()
                .gives::<tei::PredictAnswer>()
                .also(Convention::Tei),
            post("/predict_batch", own::predict_batch)
                .says("The class of each of several texts")
                .takes::<BatchRequest>(TEXTS)
                .gives::<BatchAnswer>(),
            post("/batch_predict", own::batch_predict)
                .says("The class of each of several texts, with its place")
                .takes::<ListRequest>(r#"["a quiet harbour", "a dull, lifeless mess"]"#)
                .gives::<IndexedAnswer>(),
            post("/sentiment", own::sentiment)
                .says("The sentiment of a text")
                .takes::<SentimentRequest>(r#"{"text": "What a wonderful film."}"#)
                .gives::<SentimentAnswer>(),
            post("/batch-sentiment", own::batch_sentiment)
                .says("The sentiment of each of several texts")
                .takes::<BatchRequest>(TEXTS)
                .gives::<SentimentBatchAnswer>(),
            post("/concurrent-batch-sentiment", own::batch_sentiment)
                .says("The same, by another name")
                .takes::<BatchRequest>(TEXTS)
                .gives::<SentimentBatchAnswer>(),
        ],
    )
}

fn vectors() -> Vec<Route> {
    group(
        "Vectors",
        Convention::Own,
        [post("/encode", own::encode)
            .says("The vector of a text, or of each of several")
            .takes::<EncodeRequest>(r#"{"text": "a quiet harbour", "dimensions": 8}"#)
            .gives::<EncodeAnswer>()],
    )
}

fn kept() -> Vec<Route> {
    const CLASSES: &str =
        r#"{"kind": "classify", "texts": ["a quiet harbour", "a dull, lifeless mess"]}"#;
    const VECTORS: &str = r#"{"kind": "embed", "texts": ["two oars"], "dimensions": 8}"#;
    const TEXTS: &str = r#"{"texts": ["a quiet harbour", "a dull, lifeless mess"]}"#;
    let read = |path, says| {
        job(get(path, jobs::read).says(says))
            .asks("from", "0", "The place of the first result.")
            .asks("limit", "100", "How many results at most.")
            .gives::<JobAnswer>()
    };
    group(
        "Jobs",
        Convention::Own,
        [
            post("/jobs", jobs::submit)
                .says("Texts to be answered later, however long it takes")
                .takes::<JobRequest>(CLASSES)
                .takes::<JobRequest>(VECTORS)
                .later()
                .gives::<JobStanding>(),
            read("/jobs/{id}", "How a job is, and its results so far"),
            job(delete("/jobs/{id}", jobs::cancel).says("Calls a job off")).gives::<JobStanding>(),
            post("/async-sentiment", jobs::async_sentiment)
                .says("The sentiment of texts, later")
                .takes::<AsyncSentimentRequest>(TEXTS)
                .later()
                .gives::<JobStanding>(),
            read("/job/{id}", "How a job is, by another path"),
        ],
    )
}

/// A route with a job's name in its path.
fn job(route: Route) -> Route {
    route.asks("id", "3f1c9a5e0b7d4c2f8a6e1d0b9c8f7e6d", "The job's name.")
}

fn recorded() -> Vec<Route> {
    let prediction =
        |route: Route| route.asks("id", "3f1c9a5e0b7d4c2f8a6e1d0b9c8f7e6d", "The prediction's id.");
    group(
        "Records",
        Convention::Own,
        [
            prediction(get("/predictions/{id}", predictions::read))
                .says("What is kept of a prediction")
                .gives::<Record>(),
            prediction(delete("/predictions/{id}", predictions::forget))
                .says("Deletes what is kept of a prediction")
                .gives::<Forgotten>(),
        ],
    )
}

fn tei() -> Vec<Route> {
    const RERANK: &str = r#"{"query": "boats", "texts": ["two oars", "a dull film"]}"#;
    const COHERE: &str = r#"{"query": "boats", "documents": ["two oars", "a dull film"]}"#;
    const PREDICT: &str = r#"{"inputs": "What a wonderful film."}"#;
    const SIMILARITY: &str =
        r#"{"inputs": {"source_sentence": "boats", "sentences": ["two oars", "a dull film"]}}"#;
    group(
        "Text Embeddings Inference",
        Convention::Tei,
        [
            get("/info", tei::info).says("What the model can do").gives::<tei::Info>(),
            post("/", tei::task)
                .says("What the model is for: vectors, classes, ranks or similarities")
                .takes::<tei::PredictRequest>(PREDICT)
                .takes::<tei::RerankRequest>(RERANK)
                .takes::<tei::SimilarityRequest>(SIMILARITY)
                .takes::<rerank::Request>(COHERE)
                .takes::<tei::EmbedRequest>(PREDICT)
                .gives::<tei::PredictAnswer>()
                .gives::<Vec<tei::Rank>>()
                .gives::<Vec<f32>>()
                .gives::<rerank::Answer>()
                .gives::<Vec<Vec<f32>>>()
                .also(Convention::Cohere),
            post("/embed", tei::embed)
                .says("The vectors of texts")
                .takes::<tei::EmbedRequest>(r#"{"inputs": ["two oars"], "dimensions": 8}"#)
                .gives::<Vec<Vec<f32>>>(),
            post("/embed_all", tei::embed_all)
                .says("The vector of each token of texts")
                .takes::<tei::EmbedAllRequest>(r#"{"inputs": ["two oars"]}"#)
                .gives::<Vec<Vec<Vec<f32>>>>(),
            post("/embed_sparse", tei::no_sparse).says("Not served: 501"),
            post("/similarity", tei::similarity)
                .says("How near sentences are to another")
                .takes::<tei::SimilarityRequest>(SIMILARITY)
                .gives::<Vec<f32>>(),
            post("/rerank", tei::rerank)
                .says("Texts by how well they answer a query")
                .takes::<tei::RerankRequest>(RERANK)
                .takes::<rerank::Request>(COHERE)
                .gives::<Vec<tei::Rank>>()
                .gives::<rerank::Answer>()
                .also(Convention::Cohere),
            post("/tokenize", tei::tokenize)
                .says("The tokens of texts")
                .takes::<tei::TokenizeRequest>(r#"{"inputs": "two oars"}"#)
                .gives::<Vec<Vec<tei::SimpleToken>>>(),
            post("/decode", tei::decode)
                .says("The text of tokens")
                .takes::<tei::DecodeRequest>(r#"{"ids": [100, 200, 300]}"#)
                .gives::<Vec<String>>(),
            post("/invocations", invocations::invoke)
                .says("What SageMaker and MLflow send")
                .takes::<invocations::Table>(r#"{"instances": ["two oars"]}"#)
                .takes::<tei::PredictRequest>(PREDICT)
                .takes::<tei::RerankRequest>(RERANK)
                .takes::<tei::SimilarityRequest>(SIMILARITY)
                .takes::<rerank::Request>(COHERE)
                .takes::<tei::EmbedRequest>(PREDICT)
                .gives::<invocations::Predictions>()
                .gives::<tei::PredictAnswer>()
                .gives::<Vec<tei::Rank>>()
                .gives::<Vec<f32>>()
                .gives::<rerank::Answer>()
                .gives::<Vec<Vec<f32>>>()
                .also(Convention::Cohere),
        ],
    )
}

fn openai() -> Vec<Route> {
    const INPUT: &str = r#"{"input": ["two oars"], "dimensions": 8}"#;
    group(
        "OpenAI",
        Convention::OpenAi,
        [
            post("/v1/embeddings", openai::embeddings)
                .says("The vectors of texts")
                .takes::<openai::EmbeddingsRequest>(INPUT)
                .gives::<openai::Embeddings>(),
            post("/embeddings", openai::embeddings)
                .says("The same, by another path")
                .takes::<openai::EmbeddingsRequest>(INPUT)
                .gives::<openai::Embeddings>(),
            get("/v1/models", openai::models).says("The models").gives::<openai::Models>(),
            get("/v1/models/{*id}", openai::model)
                .says("One model")
                .asks("id", "default", "The model's name.")
                .gives::<openai::Model>(),
        ],
    )
}

fn cohere() -> Vec<Route> {
    const RERANK: &str =
        r#"{"query": "boats", "documents": ["two oars", "a dull film"], "top_n": 1}"#;
    let rerank = |path, says| {
        post(path, rerank::rerank)
            .says(says)
            .takes::<rerank::Request>(RERANK)
            .gives::<rerank::Answer>()
    };
    group(
        "Cohere and Jina",
        Convention::Cohere,
        [
            rerank("/v1/rerank", "Documents by how well they answer a query"),
            rerank("/v2/rerank", "The same, by another path"),
        ],
    )
}

fn pipelines() -> Vec<Route> {
    const INPUTS: &str = r#"{"inputs": "What a wonderful film."}"#;
    let classes = |route: Route| {
        route
            .says("Every class of each text")
            .takes::<pipeline::Request>(INPUTS)
            .gives::<Vec<Vec<tei::Labelled>>>()
    };
    let vectors = |route: Route| {
        route
            .says("The vector of each text")
            .takes::<pipeline::ExtractionRequest>(INPUTS)
            .gives::<Vec<Vec<f32>>>()
    };
    let of_model = post("/models/{*model}", pipeline::of_model)
        .written("/models/{model}")
        .says("What the model is for: classes or vectors")
        .takes::<pipeline::Request>(INPUTS)
        .takes::<pipeline::ExtractionRequest>(INPUTS)
        .gives::<Vec<Vec<tei::Labelled>>>()
        .gives::<Vec<Vec<f32>>>();
    let of_model = model(of_model).written("/models/{model}/pipeline/text-classification");
    let of_model = model(classes(of_model)).written("/models/{model}/pipeline/feature-extraction");
    group(
        "Hugging Face pipelines",
        Convention::Plain,
        [
            classes(post("/pipeline/text-classification", pipeline::classification)),
            vectors(post("/pipeline/feature-extraction", pipeline::extraction)),
            model(vectors(of_model)),
        ],
    )
}

fn oip() -> Vec<Route> {
    group(
        "Open Inference Protocol",
        Convention::Plain,
        [
            get("/v2", oip::about).says("Name, version and extensions").gives::<oip::About>(),
            get("/v2/health/live", oip::live)
                .says("Whether the host is alive")
                .gives::<oip::Live>(),
            get("/v2/health/ready", oip::ready)
                .says("Whether its models are ready")
                .gives::<oip::Ready>(),
            oip_model(),
            oip_infer(),
            post("/v2/repository/index", oip::index)
                .says("The models")
                .takes::<oip::IndexRequest>(r#"{"ready": true}"#)
                .or_nothing()
                .gives::<Vec<oip::Listed>>(),
        ],
    )
}

fn oip_model() -> Route {
    let about =
        |route: Route| route.says("What a model takes and gives").gives::<oip::Metadata<'_>>();
    let ready =
        |route: Route| route.says("Whether a model is ready").gives::<oip::ModelReady<'_>>();
    let route = get("/v2/models/{*model}", oip::model);
    let route = model(about(route.written("/v2/models/{model}")));
    let route = model(ready(route.written("/v2/models/{model}/ready")));
    let route = version(about(route.written("/v2/models/{model}/versions/{version}")));
    version(ready(route.written("/v2/models/{model}/versions/{version}/ready")))
}

fn oip_infer() -> Route {
    const TEXTS: &str = r#"{"inputs": [{"name": "text", "shape": [2], "datatype": "BYTES",
        "data": ["two oars", "a dull film"]}]}"#;
    const VECTOR: &str = r#"{"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES",
        "data": ["two oars"]}], "outputs": [{"name": "embedding"}]}"#;
    let infer = |route: Route| {
        route
            .says("Tensors of texts; as raw bytes behind the JSON where they are wanted so")
            .takes::<oip::InferRequest>(TEXTS)
            .takes::<oip::InferRequest>(VECTOR)
            .gives::<oip::Inferred<'_>>()
            .serves("application/octet-stream")
    };
    let route = post("/v2/models/{*model}", oip::infer);
    let route = model(infer(route.written("/v2/models/{model}/infer")));
    version(infer(route.written("/v2/models/{model}/versions/{version}/infer")))
}

/// A route with a model's name in its path.
fn model(route: Route) -> Route {
    route.asks("model", "default", "The model's name.")
}

/// The same, with one of the model's versions.
fn version(route: Route) -> Route {
    // The model inside has the version of the program that carries it.
    model(route).asks("version", env!("CARGO_PKG_VERSION"), "Which of its versions.")
}

fn pages() -> Vec<Route> {
    group(
        "Documentation",
        Convention::Own,
        [
            get("/docs", docs::page).says("This document as a page").serves("text/html"),
            get("/docs/page.css", docs::style).says("How it looks").serves("text/css"),
            get("/docs/page.js", docs::script).says("How it answers").serves("text/javascript"),
        ],
    )
}

async fn nothing_here(uri: Uri) -> Refused {
    Fault::new(Code::NotFound, format!("there is nothing at {}", uri.path())).into()
}
