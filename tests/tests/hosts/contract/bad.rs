//! Requests that are refused, and how each convention says so.

use serde_json::json;

use super::{Case, OWN, Outcome, Part, Said};

const TEI: Said = Said { fields: &["code", "error", "error_type"], code: "/code" };
const OPENAI: Said = Said { fields: &["error"], code: "/error/code" };
const COHERE: Said = Said { fields: &["code", "message"], code: "/code" };
const PLAIN: Said = Said { fields: &["code", "error"], code: "/code" };

/// Name, path, body, status, code.
type Row = (&'static str, &'static str, &'static [u8], u16, &'static str);

const CORE: &[Row] = &[
    ("no JSON", "/predict", b"{", 400, "invalid_json"),
    ("nothing", "/predict", b"", 400, "invalid_json"),
    ("no UTF-8", "/predict", b"{\"text\": \"\xff\"}", 400, "invalid_utf8"),
    ("half a surrogate", "/predict", br#"{"text": "\ud800"}"#, 400, "invalid_json"),
    ("a list", "/predict", b"[]", 422, "invalid_request"),
    ("no text", "/predict", b"{}", 422, "invalid_request"),
    ("a number", "/predict", br#"{"text": 3}"#, 422, "invalid_request"),
    ("an unknown field", "/predict", br#"{"text": "a", "x": 1}"#, 422, "invalid_request"),
    ("an empty text", "/predict", br#"{"text": ""}"#, 422, "empty_text"),
    ("white space", "/encode", br#"{"text": " \n"}"#, 422, "empty_text"),
    ("no list", "/encode", br#"{"texts": []}"#, 422, "invalid_request"),
    ("two texts", "/encode", br#"{"text": "a", "sentence": "b"}"#, 422, "invalid_request"),
    ("dimensions", "/encode", br#"{"text": "a", "dimensions": 9999}"#, 422, "invalid_option"),
    ("no room", "/predict", br#"{"text": "a", "max_length": 1}"#, 422, "invalid_option"),
    ("no prompt", "/encode", br#"{"text": "a", "prompt": "q"}"#, 422, "invalid_option"),
    ("no pooling", "/encode", br#"{"text": "a", "pooling": "sum"}"#, 422, "invalid_request"),
    ("another model", "/predict", br#"{"text": "a", "model": "b"}"#, 404, "model_not_found"),
];

const OURS: &[Row] = &[
    ("sentiment: no text", "/sentiment", b"{}", 422, "invalid_request"),
    ("batch: no list", "/predict_batch", br#"{"texts": []}"#, 422, "invalid_request"),
    ("batch: one text", "/predict_batch", br#"{"texts": "a"}"#, 422, "invalid_request"),
    ("batch: a number", "/batch_predict", br#"["a", 3]"#, 422, "invalid_request"),
    ("batch: a text", "/batch_predict", br#""a""#, 422, "invalid_request"),
    (
        "batch: another model",
        "/batch-sentiment",
        br#"{"texts": ["a"], "model": "b"}"#,
        404,
        "model_not_found",
    ),
];

const OF_TEI: &[Row] = &[
    ("tei: no inputs", "/embed", b"{}", 422, "invalid_request"),
    ("tei: no JSON", "/embed", b"{", 400, "invalid_json"),
    ("tei: an empty text", "/embed", br#"{"inputs": ""}"#, 422, "empty_text"),
    ("tei: an empty text of several", "/embed", br#"{"inputs": ["a", ""]}"#, 422, "empty_text"),
    ("tei: ids", "/embed", br#"{"inputs": [101, 2023, 102]}"#, 422, "invalid_request"),
    ("tei: ids of several", "/embed_all", br#"{"inputs": ["a", [102]]}"#, 422, "invalid_request"),
    ("tei: no list", "/embed", br#"{"inputs": []}"#, 422, "invalid_request"),
    ("tei: another model", "/embed", br#"{"inputs": "a", "model": "b"}"#, 404, "model_not_found"),
    ("tei: three texts", "/predict", br#"{"inputs": [["a", "b", "c"]]}"#, 422, "invalid_request"),
    (
        "tei: no room for more",
        "/embed",
        br#"{"inputs": "a", "truncate": 3}"#,
        422,
        "invalid_request",
    ),
    ("tei: sparse", "/embed_sparse", br#"{"inputs": "a"}"#, 501, "unsupported_here"),
    (
        "tei: no sentences",
        "/similarity",
        br#"{"inputs": {"source_sentence": "a", "sentences": []}}"#,
        422,
        "invalid_request",
    ),
    ("tei: no texts", "/rerank", br#"{"query": "a", "texts": []}"#, 422, "invalid_request"),
    ("tei: no ids", "/decode", br#"{"ids": "a"}"#, 422, "invalid_request"),
    ("tei: no such id", "/decode", br#"{"ids": [4294967295]}"#, 422, "invalid_request"),
    ("mlflow: no text", "/invocations", br#"{"instances": [3]}"#, 422, "invalid_request"),
    ("mlflow: a list", "/invocations", b"[]", 422, "invalid_request"),
];

const OF_OPENAI: &[Row] = &[
    ("openai: no input", "/v1/embeddings", b"{}", 422, "invalid_request"),
    ("openai: ids", "/v1/embeddings", br#"{"input": [1, 2]}"#, 422, "invalid_request"),
    ("openai: an empty text", "/v1/embeddings", br#"{"input": [""]}"#, 422, "empty_text"),
    (
        "openai: another model",
        "/v1/embeddings",
        br#"{"input": "a", "model": "b"}"#,
        404,
        "model_not_found",
    ),
    (
        "openai: another format",
        "/v1/embeddings",
        br#"{"input": "a", "encoding_format": "int8"}"#,
        422,
        "invalid_request",
    ),
];

const OF_COHERE: &[Row] = &[
    ("cohere: no documents", "/v1/rerank", br#"{"query": "a"}"#, 422, "invalid_request"),
    (
        "cohere: an empty list",
        "/v1/rerank",
        br#"{"query": "a", "documents": []}"#,
        422,
        "invalid_request",
    ),
    (
        "cohere: on a shared path",
        "/rerank",
        br#"{"query": "", "documents": ["a"]}"#,
        422,
        "empty_text",
    ),
];

const OF_OTHERS: &[Row] = &[
    ("pipeline: no inputs", "/pipeline/text-classification", b"{}", 422, "invalid_request"),
    (
        "pipeline: another function",
        "/pipeline/text-classification",
        br#"{"inputs": "a", "parameters": {"function_to_apply": "sigmoid"}}"#,
        422,
        "invalid_option",
    ),
    ("pipeline: another model", "/models/b", br#"{"inputs": "a"}"#, 404, "model_not_found"),
    ("tensors: none", "/v2/models/default/infer", b"{}", 422, "invalid_request"),
    ("tensors: of another model", "/v2/models/b/infer", b"{}", 404, "model_not_found"),
];

pub fn cases() -> Vec<Case> {
    let rows = |part, rows: &'static [Row], said| {
        rows.iter().map(move |&(name, path, body, status, code)| Case {
            name,
            part,
            method: "POST",
            path,
            body: body.to_vec(),
            outcome: Outcome::Fault(status, code, said),
        })
    };
    let core = rows(Part::Core, CORE, OWN).chain(rows(Part::Paths, OURS, OWN));
    let others = rows(Part::Paths, OF_TEI, TEI)
        .chain(rows(Part::Paths, OF_OPENAI, OPENAI))
        .chain(rows(Part::Paths, OF_COHERE, COHERE))
        .chain(rows(Part::Paths, OF_OTHERS, PLAIN));
    core.chain(large()).chain(others).chain(elsewhere()).chain(kept()).collect()
}

/// What a host without a store can't do.
fn kept() -> impl Iterator<Item = Case> {
    let job = br#"{"kind": "classify", "texts": ["a"]}"#.as_slice();
    let texts = br#"{"texts": ["a"]}"#.as_slice();
    [
        ("a job", "POST", "/jobs", job),
        ("a job of no kind", "POST", "/jobs", b"{"),
        ("what became of a job", "GET", "/jobs/1", b""),
        ("the same, by another path", "GET", "/job/1", b""),
        ("calling a job off", "DELETE", "/jobs/1", b""),
        ("a sentiment, later", "POST", "/async-sentiment", texts),
        ("what is kept of a prediction", "GET", "/predictions/1", b""),
        ("deleting it", "DELETE", "/predictions/1", b""),
    ]
    .into_iter()
    .map(|(name, method, path, body)| Case {
        name,
        part: Part::Paths,
        method,
        path,
        body: body.to_vec(),
        outcome: Outcome::Fault(501, "unsupported_here", OWN),
    })
}

/// More than a host takes.
fn large() -> Vec<Case> {
    let long = json!({"text": "x".repeat(200_000)}).to_string().into_bytes();
    let many = json!({"texts": vec!["x"; 257]}).to_string().into_bytes();
    let huge = vec![b' '; 3 << 20];
    [
        ("a long text", "/predict", long, "text_too_long"),
        ("many texts", "/encode", many, "too_many_texts"),
        ("a huge body", "/predict", huge, "body_too_large"),
    ]
    .map(|(name, path, body, code)| Case {
        name,
        part: Part::Core,
        method: "POST",
        path,
        body,
        outcome: Outcome::Fault(413, code, OWN),
    })
    .into()
}

/// Paths and methods that there are not.
fn elsewhere() -> Vec<Case> {
    [
        ("another path", Part::Core, "GET", "/nowhere", 404, "not_found", OWN),
        ("another method", Part::Core, "GET", "/predict", 405, "method_not_allowed", OWN),
        ("another root", Part::Paths, "DELETE", "/", 405, "method_not_allowed", OWN),
        ("tei: another method", Part::Paths, "GET", "/embed", 405, "method_not_allowed", TEI),
        (
            "openai: no such model",
            Part::Paths,
            "GET",
            "/v1/models/b",
            404,
            "model_not_found",
            OPENAI,
        ),
        ("no such model", Part::Paths, "GET", "/v2/models/b", 404, "model_not_found", PLAIN),
        (
            "nothing known of it",
            Part::Paths,
            "GET",
            "/model_info?model=b",
            404,
            "model_not_found",
            OWN,
        ),
    ]
    .map(|(name, part, method, path, status, code, said)| Case {
        name,
        part,
        method,
        path,
        body: Vec::new(),
        outcome: Outcome::Fault(status, code, said),
    })
    .into()
}
