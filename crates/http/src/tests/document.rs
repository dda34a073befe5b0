//! The document, written from the table of routes and the types of requests and answers.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use axum::body::Bytes;
use axum::http::Method;
use schemars::SchemaGenerator;
use schemars::generate::{Contract, SchemaSettings};
use serde_json::{Map, Value, json};

use super::{Said, closed, faults};
use crate::routes::table;

/// The document is the table's; `TRIREME_WRITE=1` writes it anew.
#[test]
fn the_document_is_the_routes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let written = text(&document());
    if std::env::var_os("TRIREME_WRITE").is_some() {
        std::fs::write(&path, &written).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    let changed: Vec<_> = written.lines().filter(|line| !committed.contains(line)).collect();
    assert!(
        committed == written,
        "openapi.json is not what the types say; run this test with TRIREME_WRITE=1. New lines:\n{}",
        changed.join("\n")
    );
}

#[test]
fn every_body_has_an_example_that_is_read() {
    for route in table(Bytes::new()) {
        for Said { path, takes, .. } in &route.said {
            assert!(takes.iter().all(|taken| taken.reads), "an example of {path} is none");
            let bodiless = route.method != Method::POST || path == "/embed_sparse";
            assert_eq!(takes.is_empty(), bodiless, "{path}");
        }
    }
}

#[test]
fn every_object_is_closed_or_says_what_else_it_takes() {
    fn open(place: &str, schema: &Value, found: &mut Vec<String>) {
        let nested: Vec<(String, &Value)> = match schema {
            Value::Object(fields) => {
                let object = fields.get("properties").is_some_and(Value::is_object)
                    && fields.get("type") == Some(&json!("object"));
                if object && !fields.contains_key("additionalProperties") {
                    found.push(place.to_owned());
                }
                fields.iter().map(|(key, value)| (format!("{place}/{key}"), value)).collect()
            }
            Value::Array(items) => {
                items.iter().enumerate().map(|(at, item)| (format!("{place}/{at}"), item)).collect()
            }
            _ => Vec::new(),
        };
        for (place, value) in nested {
            open(&place, value, found);
        }
    }
    let mut found = Vec::new();
    open("", &document()["components"]["schemas"], &mut found);
    // Both ignore what else they are sent, as those who send it expect.
    found.retain(|place| !place.starts_with("/CohereDocument") && place != "/MlflowSplit");
    assert!(found.is_empty(), "open: {found:#?}");
}

pub fn document() -> Value {
    let (mut requests, mut answers) = (of(Contract::Deserialize), of(Contract::Serialize));
    let (mut paths, mut headings, mut used) = (Map::new(), Vec::new(), BTreeMap::new());
    for route in table(Bytes::new()) {
        let method = route.method.as_str().to_lowercase();
        for said in &route.said {
            let operation = said.operation(&method, &mut requests, &mut answers);
            for status in faults::statuses(!said.takes.is_empty(), &said.path) {
                let name = faults::name(&said.conventions, status);
                used.insert(name, (said.conventions.clone(), status));
            }
            if !headings.contains(&said.heading) {
                headings.push(said.heading);
            }
            let operations = paths.entry(said.path.clone()).or_insert_with(|| json!({}));
            operations[&method] = operation;
        }
    }
    let responses = faults::responses(&used, &mut answers);
    let headings: Vec<Value> = headings.into_iter().map(|name| json!({"name": name})).collect();
    let licence = env!("CARGO_PKG_LICENSE");
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Trireme",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Classes, vectors and ranks of texts.",
            "description": "One engine, the same routes on every host. \
                The routes of other services answer in their shapes, faults among them.",
            "license": {"name": licence, "identifier": licence},
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"bearer": []}],
        "tags": headings,
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http", "scheme": "bearer",
                    "description": "An API key, where the host wants one.",
                },
            },
            "parameters": {"IdempotencyKey": key(), "Timeout": timeout()},
            "headers": faults::all_headers(),
            "responses": responses,
            "schemas": schemas(requests, answers),
        },
    })
}

fn timeout() -> Value {
    json!({
        "name": "x-request-timeout", "in": "header",
        "description": "How long an answer may take: seconds (`2.5`) or milliseconds (`250ms`).",
        "schema": {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s)?$"},
        "example": "30s",
    })
}

fn key() -> Value {
    json!({
        "name": "idempotency-key", "in": "header",
        "description": "The same request under the same key is the same job, however often it is sent.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
        "example": "order-7",
    })
}

fn of(contract: Contract) -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12();
    settings.contract = contract;
    settings.definitions_path = "/components/schemas".into();
    settings.into_generator()
}

fn schemas(mut requests: SchemaGenerator, mut answers: SchemaGenerator) -> Value {
    let mut all = BTreeMap::new();
    let answers = answers.take_definitions(false).into_iter().map(|(name, mut schema)| {
        closed::close(&mut schema);
        (name, schema)
    });
    for (name, mut schema) in requests.take_definitions(false).into_iter().chain(answers) {
        closed::plain(&mut schema);
        let two = name.ends_with(|c: char| c.is_ascii_digit());
        assert!(!two, "two types are called {name}; rename one");
        if let Some(other) = all.insert(name.clone(), schema.clone()) {
            assert_eq!(other, schema, "{name} is read in one way and written in another");
        }
    }
    all.into_iter().collect()
}

/// A line for each operation and each schema, so that a change is a line too.
fn text(document: &Value) -> String {
    let mut text = String::new();
    write(document, 0, &mut text);
    text.push('\n');
    text
}

fn write(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Object(fields) if depth < 3 && !fields.is_empty() => {
            text.push('{');
            for (at, (key, value)) in fields.iter().enumerate() {
                let comma = if at > 0 { "," } else { "" };
                write!(text, "{comma}\n{}{}:", " ".repeat(depth), json!(key)).unwrap();
                write(value, depth + 1, text);
            }
            text.push('}');
        }
        _ => write!(text, "{value}").unwrap(),
    }
}
