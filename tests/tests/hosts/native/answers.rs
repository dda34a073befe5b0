//! The routes and their answers, over a real socket, on the default model.

use std::io::{Read as _, Write as _};

use serde_json::{Value, json};

use super::start;
use crate::host::Host;

fn default() -> Host {
    start(None)
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// Every answer says who gave it.
fn assert_origin(answer: &Value) {
    assert_eq!(answer["model"], "default", "{answer}");
    assert_eq!(answer["precision"], "int8", "{answer}");
    assert_eq!(answer["place"], "origin", "{answer}");
    assert_eq!(answer["version"], env!("CARGO_PKG_VERSION"), "{answer}");
    assert_eq!(answer["digest"].as_str().map(str::len), Some(64), "{answer}");
}

#[test]
fn health_says_who_is_alive() {
    let (status, answer) = default().send("GET", "/health", b"");
    assert_eq!((status, &answer["status"]), (200, &json!("ok")));
    assert_origin(&answer);
}

#[test]
fn a_prediction_names_its_class_and_every_probability() {
    let server = default();
    for (text, expected) in [
        ("what a wonderful film , full of warmth and wit", "positive"),
        ("a dull , lifeless mess that wastes its cast", "negative"),
    ] {
        let (status, answer) = server.post("/predict", &json!({ "text": text }));
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["label"], expected, "{text}: {answer}");
        assert_origin(&answer);
        let probabilities = answer["probabilities"].as_object().unwrap();
        let sum: f64 = probabilities.values().map(|p| p.as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-6, "probabilities sum to {sum}");
        assert_eq!(probabilities[expected], answer["confidence"]);
        let class = probabilities.keys().position(|label| label == expected).unwrap();
        assert_eq!(answer["prediction"], class);
        assert!(answer["processing_time"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn each_prediction_has_an_id_of_its_own() {
    let server = default();
    let id = || server.post("/predict", &json!({"text": "fine"})).1["prediction_id"].clone();
    let (one, two) = (id(), id());
    assert_eq!(one.as_str().map(str::len), Some(32), "{one}");
    assert_ne!(one, two);
}

#[test]
fn probabilities_can_be_left_out() {
    let body = json!({"text": "fine", "return_probabilities": false});
    let (status, answer) = default().post("/predict", &body);
    assert_eq!((status, answer.get("probabilities")), (200, None));
}

#[test]
fn one_text_gives_a_vector_and_a_list_gives_a_list() {
    let server = default();
    let (status, one) = server.post("/encode", &json!({"sentence": "a quiet harbour"}));
    assert_eq!(status, 200, "{one}");
    assert_origin(&one);
    let vector = numbers(&one["embedding"]);
    assert_eq!(one["dimensions"], vector.len());
    let length = vector.iter().map(|v| v * v).sum::<f64>().sqrt();
    assert!((length - 1.0).abs() < 1e-5, "expected length 1, got {length}");

    let (_, same) = server.post("/encode", &json!({"text": "a quiet harbour"}));
    assert_eq!(same["embedding"], one["embedding"], "`text` and `sentence` are one thing");

    let texts = json!({"texts": ["two oars", "a quiet harbour", "x"]});
    let (_, many) = server.post("/encode", &texts);
    let vectors = many["embeddings"].as_array().unwrap();
    assert_eq!(vectors.len(), 3);
    assert_eq!(vectors[1], one["embedding"], "a batch changes no bit");
    let (_, list) = server.post("/encode", &json!({"texts": ["a quiet harbour"]}));
    assert_eq!(list["embeddings"], json!([one["embedding"]]), "a list of one is a list");
}

#[test]
fn vectors_can_be_shorter_and_smaller() {
    let server = default();
    let encode = |options: Value| {
        let mut body = json!({"text": "a quiet harbour"});
        body.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        server.post("/encode", &body).1
    };
    let float = numbers(&encode(json!({}))["embedding"]);
    assert_eq!(numbers(&encode(json!({"dimensions": 16}))["embedding"]).len(), 16);
    let int8 = numbers(&encode(json!({"encoding": "int8"}))["embedding"]);
    let expected: Vec<f64> = float.iter().map(|v| (v * 127.0).round_ties_even()).collect();
    assert_eq!(int8, expected);
    let binary = numbers(&encode(json!({"encoding": "ubinary"}))["embedding"]);
    assert_eq!(binary.len(), float.len() / 8);
    assert_eq!(binary[0] as u8 & 0x80 != 0, float[0] > 0.0);
    assert_ne!(numbers(&encode(json!({"pooling": "cls"}))["embedding"]), float);
}

#[test]
fn max_length_counts_special_tokens() {
    let encode = |text: &str, most: usize| {
        default().post("/encode", &json!({"text": text, "max_length": most})).1
    };
    let (cut, short) = (encode("good bad ugly", 3), encode("good", 8));
    assert_eq!(cut["tokens"], 3);
    assert_eq!(cut["embedding"], short["embedding"]);
}

#[test]
fn a_model_without_a_head_says_so() {
    let folder = trireme_tests::repo_root().join("tests/goldens/tiny/bert-embed");
    let server = start(Some(&folder));
    let (status, answer) = server.post("/predict", &json!({"text": "a"}));
    assert_eq!((status, &answer["error"]["code"]), (422, &json!("no_classifier")), "{answer}");
    let (status, answer) = server.post("/encode", &json!({"text": "a"}));
    assert_eq!((status, &answer["model"]), (200, &json!("bert-embed")), "{answer}");
}

#[test]
fn a_pair_gets_a_cross_encoders_score() {
    let folder = trireme_tests::repo_root().join("tests/goldens/tiny/bert-cross");
    let server = start(Some(&folder));
    let (status, pair) = server.post("/predict", &json!({"text": "a boat", "pair": "a ship"}));
    assert_eq!(status, 200, "{pair}");
    let (_, alone) = server.post("/predict", &json!({"text": "a boat"}));
    assert_ne!(pair["confidence"], alone["confidence"], "the second text is looked at");
}

#[test]
fn many_clients_at_once_get_the_answers_that_each_would_get_alone() {
    let server = default();
    let texts: Vec<String> =
        (0..24).map(|n| format!("film number {n} was {n} minutes long")).collect();
    let embed =
        |text: &String| server.post("/encode", &json!({ "text": text })).1["embedding"].clone();
    let alone: Vec<Value> = texts.iter().map(embed).collect();
    let together: Vec<Value> = std::thread::scope(|scope| {
        let all: Vec<_> = texts.iter().map(|text| scope.spawn(|| embed(text))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(together, alone);
}

#[test]
fn a_client_who_is_still_writing_hears_that_it_is_too_much() {
    let limit = trireme_domain::Limits::default().body_bytes;
    let host = default();
    for (case, size) in [("a byte over", limit + 1), ("twice as much", 2 * limit)] {
        let mut request = host.connect();
        let head = format!("POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n");
        request.write_all(head.as_bytes()).unwrap();
        // A client that writes all before it reads.
        request.write_all(&vec![b' '; size]).unwrap_or_else(|e| panic!("{case}: {e}"));
        let mut answer = [0; 12];
        request.read_exact(&mut answer).unwrap_or_else(|e| panic!("{case}: {e}"));
        assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 413", "{case}");
    }
}
