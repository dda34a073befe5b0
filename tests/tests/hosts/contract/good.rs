//! Requests that are answered.

use serde_json::{Value, json};

use super::{Case, Outcome, Part};

const TEXT: &str = "a quiet harbour — «naïve» 船 🙂";

/// What every host answers, and then what is asked for in other conventions.
pub fn cases() -> Vec<Case> {
    let case = |part, method, (name, path, body): (&'static str, &'static str, Vec<u8>)| Case {
        name,
        part,
        method,
        path,
        body,
        outcome: Outcome::Answer,
    };
    let sent = |(name, path, body): (&'static str, &'static str, Value)| {
        (name, path, body.to_string().into_bytes())
    };
    let core = core().into_iter().map(|row| case(Part::Core, "POST", sent(row)));
    let posts = own().into_iter().chain(tei()).chain(others());
    let posts = posts.map(|row| case(Part::Paths, "POST", sent(row)));
    let gets = GETS.iter().map(|path| case(Part::Paths, "GET", (*path, *path, Vec::new())));
    core.chain(posts).chain(gets).collect()
}

type Row = (&'static str, &'static str, Value);

fn core() -> Vec<Row> {
    vec![
        ("a class", "/predict", json!({"text": "what a wonderful film , full of warmth"})),
        ("the other class", "/predict", json!({"text": "a dull , lifeless mess"})),
        ("no list", "/predict", json!({"text": TEXT, "return_probabilities": false})),
        ("a short look", "/predict", json!({"text": TEXT, "max_length": 4})),
        (
            "a longer look than 32 bits count",
            "/predict",
            json!({"text": TEXT, "max_length": 1u64 << 33}),
        ),
        ("a long text", "/predict", json!({"text": "very good ".repeat(900)})),
        ("by the model's name", "/predict", json!({"text": TEXT, "model": "default"})),
        ("a vector", "/encode", json!({"text": TEXT})),
        ("a sentence", "/encode", json!({"sentence": TEXT})),
        ("a list", "/encode", json!({"texts": ["two oars", TEXT, "x"]})),
        ("a list of one", "/encode", json!({"texts": [TEXT]})),
        ("raw", "/encode", json!({"text": TEXT, "normalize": false})),
        ("the first row", "/encode", json!({"text": TEXT, "pooling": "cls"})),
        ("fewer dimensions", "/encode", json!({"text": TEXT, "dimensions": 16})),
        ("bytes", "/encode", json!({"text": TEXT, "encoding": "int8"})),
        ("bits", "/encode", json!({"text": TEXT, "encoding": "ubinary"})),
        ("signed bits", "/encode", json!({"text": TEXT, "encoding": "binary"})),
    ]
}

/// Our own routes; in a list, one bad text spoils no other.
fn own() -> Vec<Row> {
    let texts = json!(["a wonderful film", "", TEXT, "a dull mess"]);
    vec![
        ("a sentiment", "/sentiment", json!({"text": "a dull mess"})),
        ("classes", "/predict_batch", json!({"texts": texts})),
        ("classes alone", "/predict_batch", json!({"texts": texts, "return_probabilities": false})),
        ("classes of a bare list", "/batch_predict", texts.clone()),
        ("classes of a list in an object", "/batch_predict", json!({"texts": texts})),
        ("sentiments", "/batch-sentiment", json!({"texts": texts})),
        ("sentiments at once", "/concurrent-batch-sentiment", json!({"texts": texts})),
        ("nothing but bad texts", "/predict_batch", json!({"texts": ["", " "]})),
    ]
}

/// Text Embeddings Inference, and what SageMaker sends.
fn tei() -> Vec<Row> {
    let nearness = json!({"source_sentence": TEXT, "sentences": ["a calm port", "no"]});
    vec![
        ("tei: a vector", "/embed", json!({"inputs": TEXT})),
        ("tei: vectors", "/embed", json!({"inputs": [TEXT, "x"], "normalize": false})),
        ("tei: vectors of tokens", "/embed_all", json!({"inputs": [TEXT, "x"]})),
        ("tei: a class", "/predict", json!({"inputs": TEXT})),
        ("tei: classes", "/predict", json!({"inputs": [[TEXT], ["x"]]})),
        ("tei: raw scores", "/predict", json!({"inputs": TEXT, "raw_scores": true})),
        ("tei: a task", "/", json!({"inputs": TEXT})),
        ("tei: similarity", "/similarity", json!({"inputs": nearness})),
        ("tei: similarity as a task", "/", json!({"inputs": nearness})),
        ("tei: ranks", "/rerank", json!({"query": TEXT, "texts": ["no", "a calm port"]})),
        (
            "tei: ranks with texts",
            "/rerank",
            json!({"query": TEXT, "texts": ["no", "a calm port"], "return_text": true}),
        ),
        ("tei: tokens", "/tokenize", json!({"inputs": TEXT})),
        ("tei: bare tokens", "/tokenize", json!({"inputs": [TEXT], "add_special_tokens": false})),
        ("tei: words", "/decode", json!({"ids": [101, 1037, 4248, 102]})),
        ("tei: all words", "/decode", json!({"ids": [[101, 5]], "skip_special_tokens": false})),
        ("sagemaker", "/invocations", json!({"inputs": TEXT})),
        ("mlflow", "/invocations", json!({"instances": [TEXT, {"text": "x"}]})),
        ("mlflow: rows", "/invocations", json!({"dataframe_records": [{"text": TEXT}]})),
    ]
}

/// OpenAI, Cohere, Hugging Face's pipelines, the Open Inference Protocol.
fn others() -> Vec<Row> {
    let infer = "/v2/models/default/infer";
    let tensor = json!({"name": "text", "datatype": "BYTES", "shape": [2], "data": [TEXT, "x"]});
    let outputs = json!([{"name": "embedding"}, {"name": "label"}]);
    let list = json!({"inputs": [TEXT, "x"], "parameters": {"top_k": 1}});
    vec![
        ("openai: a vector", "/v1/embeddings", json!({"input": TEXT, "model": "default"})),
        ("openai: vectors", "/v1/embeddings", json!({"input": [TEXT, "x"], "dimensions": 16})),
        ("cohere", "/rerank", json!({"query": TEXT, "documents": ["no", {"text": "a port"}]})),
        ("cohere: its path", "/v1/rerank", json!({"query": TEXT, "documents": ["no"], "top_n": 1})),
        ("pipeline: classes", "/pipeline/text-classification", json!({"inputs": TEXT})),
        ("pipeline: the best", "/pipeline/text-classification", list),
        ("pipeline: vectors", "/pipeline/feature-extraction", json!({"inputs": TEXT})),
        ("pipeline of a model", "/models/default", json!({"inputs": TEXT})),
        ("tensors", infer, json!({"id": "7", "inputs": [tensor.clone()]})),
        ("other tensors", infer, json!({"inputs": [tensor], "outputs": outputs})),
    ]
}

const GETS: &[&str] = &[
    "/",
    "/health/live",
    "/health/ready",
    "/health/startup",
    "/ready",
    "/ping",
    "/model_info",
    "/model_info?model=default",
    "/info",
    "/v1/models",
    "/v1/models/default",
    "/v2",
    "/v2/health/live",
    "/v2/health/ready",
    "/v2/models/default",
    "/v2/models/default/ready",
];
