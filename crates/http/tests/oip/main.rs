//! The Open Inference Protocol, through the router, over models that answer by rule.
#![allow(clippy::unwrap_used, reason = "a test's helpers are tests too, which the lint can't see")]

mod server;

use std::sync::Arc;

use serde_json::{Value, json};
use trireme_service::{Models, Service, Task};

use crate::server::{Lengths, Server, served};

fn texts(texts: &[&str]) -> Value {
    json!({"name": "text", "shape": [texts.len()], "datatype": "BYTES", "data": texts})
}

#[test]
fn a_server_and_its_models_say_what_they_are() {
    let server = Server::new();
    let got = server.get("/v2").json();
    assert_eq!(
        (&got["name"], &got["extensions"]),
        (&json!("trireme"), &json!(["binary_tensor_data"]))
    );
    assert_eq!(server.get("/v2/health/live").json(), json!({"live": true}));
    assert_eq!(server.get("/v2/health/ready").json(), json!({"ready": true}));

    let tensor =
        |name, datatype, shape| json!({"name": name, "datatype": datatype, "shape": shape});
    let made = json!({"digest": "d1", "precision": "f32", "place": "origin"});
    let mood = json!({
        "name": "mood", "versions": ["2"], "platform": "trireme",
        "inputs": [tensor("text", "BYTES", json!([-1])), tensor("pair", "BYTES", json!([-1]))],
        "outputs": [
            tensor("scores", "FP32", json!([-1, 2])),
            tensor("label", "BYTES", json!([-1])),
            tensor("prediction", "INT64", json!([-1])),
            tensor("embedding", "FP32", json!([-1, 3])),
        ],
        "parameters": made,
    });
    assert_eq!(server.get("/v2/models/mood").json(), mood);
    assert_eq!(server.get("/v2/models/mood/versions/2").json(), mood);
    let mini = json!({
        "name": "owner/mini", "versions": ["2"], "platform": "trireme",
        "inputs": [tensor("text", "BYTES", json!([-1]))],
        "outputs": [tensor("embedding", "FP32", json!([-1, 3]))],
        "parameters": made,
    });
    assert_eq!(server.get("/v2/models/owner/mini").json(), mini);
    assert_eq!(server.get("/v2/models/owner%2Fmini").json(), mini);
    let ready = server.get("/v2/models/owner/mini/versions/2/ready").json();
    assert_eq!(ready, json!({"name": "owner/mini", "ready": true}));

    let listed = |name| json!({"name": name, "version": "2", "state": "READY", "reason": ""});
    let index = server.ask("POST", "/v2/repository/index", &[], Vec::new()).json();
    assert_eq!(index, json!([listed("mood"), listed("owner/mini")]));
}

#[test]
fn a_model_that_is_ill_is_not_ready_and_says_so_with_a_status() {
    let server = Server::new();
    let ill = Arc::new(Lengths { ill: true, ..Lengths::default() });
    server.service.models.add(served("ill", &[], ill));
    assert_eq!(server.get("/v2/health/live").json(), json!({"live": true}));
    for path in ["/v2/health/ready", "/v2/models/ill/ready"] {
        let got = server.get(path);
        got.is(503, "not_ready");
        assert_eq!(got.json()["ready"], json!(false), "{path}");
        assert_eq!(got.header("retry-after"), Some("1"), "{path}");
    }
    assert_eq!(server.get("/v2/models/mood/ready").status, 200);
    let index = |body: &str| {
        let body = body.as_bytes().to_vec();
        server.ask("POST", "/v2/repository/index", &[], body).json()
    };
    let listed = index("");
    assert_eq!(listed[2]["state"], json!("UNAVAILABLE"));
    assert_eq!(listed[2]["reason"], json!("the model ill: it coughs"));
    assert_eq!(index(r#"{"ready": true}"#).as_array().unwrap().len(), 2);
}

#[test]
fn a_server_that_loads_its_models_is_alive_and_not_ready() {
    let server = Server {
        service: Service { models: Models::default(), ..Server::new().service },
        mood: Arc::default(),
    };
    assert_eq!(server.get("/v2").status, 200);
    assert_eq!(server.get("/v2/health/live").json(), json!({"live": true}));
    let got = server.get("/v2/health/ready");
    got.is(503, "not_ready");
    assert_eq!(got.json()["ready"], json!(false));
    server.get("/v2/models/mood").is(503, "not_ready");
}

#[test]
fn texts_in_json_get_tensors_in_json() {
    let server = Server::new();
    let body = json!({"id": "7", "inputs": [texts(&["abc", "a"])]});
    let got = server.infer("/v2/models/mood/infer", &body);
    assert_eq!(got.header("content-type"), Some("application/json"));
    assert_eq!(got.header("inference-header-content-length"), None);
    let expected = json!({
        "model_name": "mood", "model_version": "2", "id": "7",
        "parameters": {"digest": "d1", "precision": "f32", "place": "origin"},
        "outputs": [
            {"name": "scores", "datatype": "FP32", "shape": [2, 2], "data": [3.0, 2.0, 1.0, 2.0]},
            {"name": "label", "datatype": "BYTES", "shape": [2], "data": ["bad", "good"]},
            {"name": "prediction", "datatype": "INT64", "shape": [2], "data": [0, 1]},
        ],
    });
    assert_eq!(got.json(), expected);
    assert_eq!(*server.mood.asked.lock().unwrap(), [Task::CLASSES]);

    let body = json!({"inputs": [texts(&["abc"])]});
    let got = server.infer("/v2/models/owner/mini/versions/2/infer", &body).json();
    let vector = json!([{"name": "embedding", "datatype": "FP32", "shape": [1, 3], "data": [3.0, 0.5, -1.0]}]);
    assert_eq!(got["outputs"], vector);
    assert!(got.get("id").is_none(), "{got}");
}

#[test]
fn only_what_is_asked_for_is_computed() {
    let server = Server::new();
    let ask = |names: &[&str]| {
        let outputs: Vec<_> = names.iter().map(|name| json!({"name": name})).collect();
        let body = json!({"inputs": [texts(&["abc"])], "outputs": outputs});
        let got = server.infer("/v2/models/mood/infer", &body).json();
        let named: Vec<_> = got["outputs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|output| output["name"].clone())
            .collect();
        assert_eq!(json!(named), json!(names));
        std::mem::take(&mut *server.mood.asked.lock().unwrap())
    };
    assert_eq!(ask(&["embedding"]), [Task::default()]);
    assert_eq!(ask(&["prediction", "scores"]), [Task::CLASSES]);
    assert_eq!(ask(&["embedding", "label"]), [Task::CLASSES, Task::default()]);
}

/// As Triton's client sends it unless told otherwise.
#[test]
fn texts_in_bytes_get_tensors_in_bytes() {
    let server = Server::new();
    let input = |name: &str, size: usize| {
        let parameters = json!({"binary_data_size": size});
        json!({"name": name, "shape": [2, 1], "datatype": "BYTES", "parameters": parameters})
    };
    let asked = json!({
        "inputs": [input("text", 12), input("pair", 16)],
        "parameters": {"binary_data_output": true},
    })
    .to_string();
    let length = asked.len().to_string();
    let mut body = asked.into_bytes();
    body.extend(b"\x03\0\0\0abc\x01\0\0\0a\x02\0\0\0ab\x06\0\0\0abcdef");
    let headers = [("Inference-Header-Content-Length", length.as_str())];
    let got = server.ask("POST", "/v2/models/mood/infer", &headers, body);
    assert_eq!(got.header("content-type"), Some("application/octet-stream"));
    let length: usize = got.header("inference-header-content-length").unwrap().parse().unwrap();
    let (json, raw) = got.body.split_at(length);
    let json: Value = serde_json::from_slice(json).unwrap();
    let tensor = |name, datatype, shape, size: usize| {
        let parameters = json!({"binary_data_size": size});
        json!({"name": name, "datatype": datatype, "shape": shape, "parameters": parameters})
    };
    let expected = json!([
        tensor("scores", "FP32", json!([2, 2]), 16),
        tensor("label", "BYTES", json!([2]), 15),
        tensor("prediction", "INT64", json!([2]), 16),
    ]);
    assert_eq!(json["outputs"], expected);
    let scores: Vec<u8> = [3f32, 2.0, 1.0, 6.0].into_iter().flat_map(f32::to_le_bytes).collect();
    let ids: Vec<u8> = [0i64, 1].into_iter().flat_map(i64::to_le_bytes).collect();
    let expected = [&scores[..], b"\x03\0\0\0bad\x04\0\0\0good", &ids].concat();
    assert_eq!(raw, expected);
}

#[test]
fn each_output_comes_as_it_is_wanted() {
    let server = Server::new();
    let body = json!({
        "inputs": [texts(&["abc"])],
        "outputs": [
            {"name": "label", "parameters": {"binary_data": false}},
            {"name": "prediction", "parameters": {"binary_data": true}},
        ],
    });
    let got = server.infer("/v2/models/mood/infer", &body);
    let length: usize = got.header("inference-header-content-length").unwrap().parse().unwrap();
    let json: Value = serde_json::from_slice(&got.body[..length]).unwrap();
    assert_eq!(json["outputs"][0]["data"], json!(["bad"]));
    assert_eq!(json["outputs"][1]["parameters"], json!({"binary_data_size": 8}));
    assert_eq!(got.body[length..], 0i64.to_le_bytes());
}

#[test]
fn what_can_t_be_answered_is_a_fault_with_its_status() {
    let server = Server::new();
    let good = json!({"inputs": [texts(&["abc"])]});
    let (mood, mini) = ("/v2/models/mood/infer", "/v2/models/owner/mini/infer");
    let wants = |output: &str| json!({"inputs": [texts(&["a"])], "outputs": [{"name": output}]});
    let mut pair = texts(&["b"]);
    pair["name"] = json!("pair");
    let pairs =
        |output: &str| json!({"inputs": [texts(&["a"]), pair], "outputs": [{"name": output}]});
    let other = json!({"model_name": "mini", "inputs": [texts(&["a"])]});
    for (path, body, status, code) in [
        ("/v2/models/none/infer", &good, 404, "model_not_found"),
        ("/v2/models/mood/versions/3/infer", &good, 404, "model_not_found"),
        ("/v2/models/mood", &good, 405, "method_not_allowed"),
        ("/v2/models/none/ready", &good, 405, "method_not_allowed"),
        (mini, &wants("scores"), 422, "no_classifier"),
        (mood, &wants("logits"), 422, "invalid_request"),
        (mood, &pairs("embedding"), 422, "invalid_request"),
        (mood, &other, 422, "invalid_request"),
        (mood, &json!({"inputs": [texts(&[])]}), 422, "invalid_request"),
        (mood, &json!({"inputs": [texts(&["a", " "])]}), 422, "empty_text"),
        (mood, &json!({"inputs": [texts(&["a"; 5])]}), 413, "too_many_texts"),
    ] {
        server.infer(path, body).is(status, code);
    }
    let got = server.get(mood);
    got.is(405, "method_not_allowed");
    assert_eq!(got.header("allow"), Some("POST"));
    server.get("/v2/models/%ff/ready").is(400, "invalid_utf8");

    let ask = |headers: &[(&str, &str)]| server.ask("POST", mood, headers, good.to_string().into());
    let length = ("inference-header-content-length", good.to_string().len().to_string());
    let length = (length.0, length.1.as_str());
    assert_eq!(ask(&[length]).status, 200);
    ask(&[length, length]).is(422, "invalid_request");
    ask(&[("content-encoding", "gzip")]).is(415, "unsupported_encoding");
}
