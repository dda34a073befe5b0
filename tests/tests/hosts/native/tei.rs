//! What Text Embeddings Inference has beside the contract's own: vectors of tokens, what an answer
//! took, and its names of what is counted.

use serde_json::{Value, json};
use trireme_domain::similarity::cosine;

use super::start;
use super::talk::ask;

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

#[test]
fn the_vectors_of_a_texts_tokens_make_the_texts_own() {
    let host = start(None);
    let texts = ["a quiet harbour", "two oars", "what a wonderful film , full of warmth and wit"];
    let (status, all) = host.post("/embed_all", &json!({ "inputs": texts }));
    assert_eq!(status, 200, "{all}");
    let (_, whole) = host.post("/embed", &json!({ "inputs": texts }));
    let (_, tokens) = host.post("/tokenize", &json!({ "inputs": texts }));
    for (at, text) in texts.iter().enumerate() {
        let rows: Vec<Vec<f32>> = all[at].as_array().unwrap().iter().map(numbers).collect();
        assert_eq!(rows.len(), tokens[at].as_array().unwrap().len(), "{text}: a vector a token");
        let sum = |column: usize| rows.iter().map(|row| row[column]).sum::<f32>();
        let mean: Vec<f32> = (0..rows[0].len()).map(sum).collect();
        let near = cosine(&mean, &numbers(&whole[at]));
        assert!(near > 0.999_999, "{text}: the default model takes the mean, cosine {near}");
    }
    let (_, alone) = host.post("/embed_all", &json!({ "inputs": texts[1] }));
    assert_eq!(alone[0], all[1], "alone and among others");
}

#[test]
fn more_numbers_than_an_answer_holds_are_refused_with_their_sum() {
    let host = start(None);
    let long = vec!["very good ".repeat(300); 200];
    let (status, answer) = host.post("/embed_all", &json!({ "inputs": long }));
    assert_eq!((status, &answer["code"]), (413, &json!("too_many_texts")), "{answer}");
    assert!(answer["error"].as_str().unwrap().contains("numbers"), "{answer}");
}

#[test]
fn a_fault_of_the_query_is_not_told_as_a_texts() {
    let host = start(None);
    let long = "very good ".repeat(300);
    let full = vec!["a port"; 256];
    for (path, body, expected) in [
        ("/rerank", json!({"query": " ", "texts": ["a port"]}), "the query is empty"),
        ("/rerank", json!({"query": " ", "texts": full}), "the query is empty"),
        ("/rerank", json!({"query": " ", "documents": ["a port"]}), "the query is empty"),
        ("/rerank", json!({"query": "boats", "texts": ["a port", " "]}), "text 1 is empty"),
        (
            "/rerank",
            json!({"query": long, "texts": ["a port"], "truncate": false}),
            "the query has 602 tokens",
        ),
        (
            "/rerank",
            json!({"query": "boats", "texts": ["a port", long], "truncate": false}),
            "text 1 has 602 tokens",
        ),
        (
            "/similarity",
            json!({"inputs": {"source_sentence": " ", "sentences": ["a port"]}}),
            "the query is empty",
        ),
    ] {
        let (status, answer) = host.post(path, &body);
        assert!((400..500).contains(&status), "{path}: {status} {answer}");
        let said = answer["error"].as_str().or_else(|| answer["message"].as_str());
        let said = said.or_else(|| answer["error"]["message"].as_str()).unwrap_or_default();
        assert!(said.starts_with(expected), "{path}: expected {expected:?}, got {answer}");
    }
}

#[test]
fn an_answer_says_what_it_took() {
    let host = start(None);
    let ranks = json!({"query": "boats", "texts": ["two oars", "a port"]}).to_string();
    let tokens = |texts: &[&str]| -> usize {
        let (_, tokens) = host.post("/tokenize", &json!({ "inputs": texts }));
        tokens.as_array().unwrap().iter().map(|text| text.as_array().unwrap().len()).sum()
    };
    let (oars, both) = (tokens(&["two oars"]), tokens(&["two oars", "ü"]));
    for (path, body, characters, tokens) in [
        ("/embed", r#"{"inputs": "two oars"}"#, 8, oars),
        ("/embed", r#"{"inputs": ["two oars", "ü"]}"#, 9, both),
        ("/embed_all", r#"{"inputs": "two oars"}"#, 8, oars),
        ("/predict", r#"{"inputs": [["two oars"], ["ü"]]}"#, 9, both),
        ("/rerank", ranks.as_str(), 19, tokens(&["boats", "two oars", "a port"])),
    ] {
        let reply = ask(&host, "POST", path, &[], body.as_bytes());
        assert_eq!(reply.status, 200, "{path} {body}: {reply:?}");
        let said = |name| reply.header(name).and_then(|value| value.parse::<usize>().ok());
        assert_eq!(said("x-compute-characters"), Some(characters), "{path} {body}");
        assert_eq!(said("x-compute-tokens"), Some(tokens), "{path} {body}");
        assert!(said("x-compute-time").is_some() && said("x-total-time").is_some(), "{reply:?}");
    }
}

#[test]
fn its_dashboards_find_what_they_look_for() {
    let host = start(None);
    for (path, body) in [
        ("/embed", r#"{"inputs": "one"}"#),
        ("/embed", r#"{"inputs": ["one", "two"]}"#),
        ("/predict", r#"{"inputs": "one"}"#),
        ("/embed", "{"),
        ("/encode", r#"{"text": "of another convention"}"#),
    ] {
        ask(&host, "POST", path, &[], body.as_bytes());
    }
    let text = host.text("GET", "/metrics", b"").1;
    for line in [
        "te_request_count{method=\"single\"} 3",
        "te_request_count{method=\"batch\"} 1",
        "te_request_success{method=\"batch\"} 1",
        "te_request_failure{err=\"validation\"} 1",
        "te_embed_count 3",
        "te_predict_count 1",
        "te_request_duration_count 3",
        "te_request_input_length_count 3",
        "te_queue_size 0",
        "te_batch_next_size_bucket{le=\"+Inf\"} 4",
        "te_request_queue_duration_count 5",
        "te_request_inference_duration_count 4",
        "trireme_run_texts_bucket{model=\"default\",version=\"0.1.0\",le=\"1.0\"} 3",
    ] {
        assert!(text.lines().any(|have| have == line), "no line {line:?} in\n{text}");
    }
}
