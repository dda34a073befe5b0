//! What a host's document says of it is so: its routes are there, and its examples are answered.

use std::process::Command;

use serde_json::Value;
use trireme_tests::{repo_root, schemathesis};

use super::start;
use crate::host::Host;

/// The document, as the host serves it.
fn document(host: &Host) -> Value {
    let (status, document) = host.get("/openapi.json");
    assert_eq!(status, 200, "{document}");
    document
}

/// Every operation: method, path with its examples in it, and the operation itself.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let each = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().unwrap().clone();
        let path = path.clone();
        methods.into_iter().map(move |(method, operation)| {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let filled = parameters.iter().fold(path.clone(), |path, parameter| {
                let name = format!("{{{}}}", parameter["name"].as_str().unwrap_or_default());
                path.replace(&name, parameter["example"].as_str().unwrap_or_default())
            });
            (method.to_uppercase(), filled, operation)
        })
    };
    paths.flat_map(each).collect()
}

#[test]
fn every_operation_of_the_document_answers_and_its_examples_do() {
    let host = start(None);
    let mut faults = Vec::new();
    for (method, path, operation) in operations(&document(&host)) {
        let examples = &operation["requestBody"]["content"]["application/json"]["examples"];
        let mut bodies: Vec<String> = examples
            .as_object()
            .map(|examples| examples.values().map(|one| one["value"].to_string()).collect())
            .unwrap_or_default();
        if bodies.is_empty() {
            bodies.push(String::new());
        }
        for body in bodies {
            let (status, answer) = host.text(&method, &path, body.as_bytes());
            let declared = &operation["responses"][status.to_string()];
            let expected = if path == "/embed_sparse" { 501 } else { 200 };
            if status != expected || declared.is_null() {
                faults.push(format!("{method} {path} {body}: {status} {answer}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_method_that_the_document_has_not_is_refused() {
    let host = start(None);
    for (method, path, _) in operations(&document(&host)) {
        let other = if method == "GET" && path != "/" { "POST" } else { "PUT" };
        let (status, answer) = host.send(other, &path, b"");
        assert_eq!((status, code(&answer)), (405, "method_not_allowed"), "{path}");
    }
}

/// What a fault is called; conventions put it in one of two places.
fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().or(answer["code"].as_str()).unwrap_or_default()
}

#[test]
fn a_body_that_is_no_json_is_refused_in_the_routes_own_words() {
    let host = start(None);
    let document = document(&host);
    let found = |reference: &Value| {
        let pointer = reference.as_str().unwrap().trim_start_matches('#');
        document.pointer(pointer).unwrap().clone()
    };
    for (method, path, operation) in operations(&document) {
        if operation["requestBody"].is_null() {
            continue;
        }
        let (status, answer) = host.send(&method, &path, b"{");
        assert_eq!((status, code(&answer)), (400, "invalid_json"), "{path}");
        let response = found(&operation["responses"]["400"]["$ref"]);
        let schema = &response["content"]["application/json"]["schema"];
        let shapes = schema["anyOf"].as_array().cloned().unwrap_or_else(|| vec![schema.clone()]);
        let is_of = |shape: &Value| {
            let shape = found(&shape["$ref"]);
            let required = shape["required"].as_array().unwrap().clone();
            required.iter().all(|name| answer.get(name.as_str().unwrap()).is_some())
                && answer
                    .as_object()
                    .unwrap()
                    .keys()
                    .all(|name| !shape["properties"][name].is_null())
        };
        assert!(shapes.iter().any(is_of), "{path}: {answer}");
    }
}

/// Requests that are as the document says, and requests that are not quite; `TRIREME_CALLS` of them.
#[test]
fn a_host_answers_as_its_document_says() {
    let python = schemathesis().join("bin/python");
    assert!(python.is_file(), "no schemathesis in {}; run `cargo xtask setup`", python.display());
    let host = start(None);
    let mut command = Command::new(python);
    command.arg(repo_root().join("tests/schemathesis/run.py")).arg(host.base());
    if let Ok(calls) = std::env::var("TRIREME_CALLS") {
        command.args(["--calls", &calls]);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}
