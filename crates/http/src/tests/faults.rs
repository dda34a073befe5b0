//! Which faults a route can send, and how each convention says them.

use std::collections::{BTreeMap, BTreeSet};

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};
use trireme_domain::wire::FaultAnswer;
use trireme_domain::{Class, Code};

use super::operation::any;
use crate::style::{CohereFault, Convention, OpenAiFault, PlainFault, TeiFault};

/// Faults that no caller sees: of other paths and methods, of files, of one who left; of a job,
/// which is in the answer to whoever asks for it.
const ELSEWHERE: &[Code] = &[
    Code::NotFound,
    Code::MethodNotAllowed,
    Code::InvalidData,
    Code::Unwritable,
    Code::Unreadable,
    Code::Cancelled,
    Code::JobFailed,
    Code::NewerState,
];

/// Whether a path is about jobs.
fn of_jobs(path: &str) -> bool {
    path.starts_with("/job") || path == "/async-sentiment"
}

/// The statuses of a route's faults, the lowest first.
pub fn statuses(body: bool, path: &str) -> BTreeSet<u16> {
    let sends = |code: &&Code| {
        let (named, jobs) = (path.contains('{'), of_jobs(path));
        let of_caller = match code {
            Code::JobNotFound => jobs && named,
            Code::PredictionNotFound => path.starts_with("/predictions/"),
            Code::IdempotencyConflict => jobs && body,
            Code::InvalidUtf8 => body || named,
            // Of a page that is no number.
            Code::InvalidOption => body || jobs,
            _ => body,
        };
        !ELSEWHERE.contains(code) && (code.class() != Class::Input || of_caller)
    };
    Code::ALL.iter().filter(sends).map(|code| code.status()).collect()
}

/// What a response is called in the document.
pub fn name(conventions: &[Convention], status: u16) -> String {
    let words: Vec<_> = conventions.iter().map(|convention| format!("{convention:?}")).collect();
    format!("{}{status}", words.join("Or"))
}

/// Every response with a fault that a route refers to.
pub fn responses(
    used: &BTreeMap<String, (Vec<Convention>, u16)>,
    answers: &mut SchemaGenerator,
) -> Value {
    let response = |(name, (conventions, status)): (&String, &(Vec<Convention>, u16))| {
        let shapes = conventions.iter().map(|convention| shape(*convention, answers)).collect();
        let response = json!({
            "description": meaning(*status),
            "headers": headers(*status),
            "content": {"application/json": {"schema": any(shapes)}},
        });
        (name.clone(), response)
    };
    Value::Object(used.iter().map(response).collect())
}

/// The headers of faults.
pub fn all_headers() -> Value {
    json!({
        "Should-Retry": {
            "description": "Whether the same request may be answered when it is sent again.",
            "required": true,
            "schema": {"type": "string", "enum": ["true", "false"]},
        },
        "Retry-After": {
            "description": "Seconds to wait before that.",
            "schema": {"type": "string", "pattern": "^[0-9]+$"},
        },
        "Retry-After-Ms": {
            "description": "The same in milliseconds.",
            "schema": {"type": "string", "pattern": "^[0-9]+$"},
        },
        "Authenticate": {
            "description": "How to show an API key.",
            "schema": {"type": "string", "const": "Bearer"},
        },
    })
}

fn shape(convention: Convention, answers: &mut SchemaGenerator) -> Value {
    let schema = match convention {
        Convention::Own => answers.subschema_for::<FaultAnswer>(),
        Convention::Tei => answers.subschema_for::<TeiFault>(),
        Convention::OpenAi => answers.subschema_for::<OpenAiFault>(),
        Convention::Cohere => answers.subschema_for::<CohereFault>(),
        Convention::Plain => answers.subschema_for::<PlainFault>(),
    };
    schema.to_value()
}

fn codes(status: u16) -> impl Iterator<Item = Code> {
    let sends = move |code: &Code| code.status() == status && !ELSEWHERE.contains(code);
    Code::ALL.iter().copied().filter(sends)
}

fn meaning(status: u16) -> String {
    let names: Vec<_> = codes(status).map(|code| format!("`{}`", code.name())).collect();
    names.join(", ")
}

fn headers(status: u16) -> Map<String, Value> {
    let header = |name: &str| json!({"$ref": format!("#/components/headers/{name}")});
    let mut headers = Map::from_iter([("x-should-retry".to_owned(), header("Should-Retry"))]);
    if codes(status).any(|code| code.class() == Class::Busy) {
        headers.insert("retry-after".to_owned(), header("Retry-After"));
        headers.insert("retry-after-ms".to_owned(), header("Retry-After-Ms"));
    }
    if status == Code::Unauthorized.status() {
        headers.insert("www-authenticate".to_owned(), header("Authenticate"));
    }
    headers
}
