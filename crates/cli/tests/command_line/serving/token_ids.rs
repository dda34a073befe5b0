//! Token ids, where they are taken.

use serde_json::json;

use super::*;

#[test]
fn ids_stand_for_their_text_where_the_operator_allows_it() {
    let server = Server::start(&["--token-ids"]);
    let text = "two oars and a quiet harbour";
    let tokens = server.post("/tokenize", &json!({ "inputs": text })).json();
    let ids: Vec<&Value> = tokens[0].as_array().unwrap().iter().map(|token| &token["id"]).collect();
    let vector = |path: &str, body: Value| server.post(path, &body).json();
    let expected = vector("/embed", json!({ "inputs": [text] }));
    assert_eq!(vector("/embed", json!({ "inputs": ids })), expected, "ids of one text");
    assert_eq!(vector("/embed", json!({ "inputs": [ids] })), expected, "in a list of their own");
    let both = vector("/embed", json!({ "inputs": [ids, text] }));
    assert_eq!(both, json!([expected[0], expected[0]]), "beside a text");
    let of_openai = |input: Value| {
        vector("/v1/embeddings", json!({ "input": input }))["data"][0]["embedding"].clone()
    };
    assert_eq!(of_openai(json!([ids])), of_openai(json!(text)));
    let unknown = server.post("/embed", &json!({ "inputs": [[4_000_000_000u32]] }));
    assert_eq!((unknown.status, &unknown.json()["code"]), (422, &json!("invalid_request")));
}

#[test]
fn ids_are_refused_where_nobody_allowed_them() {
    let server = Server::start(&[]);
    let refused = server.post("/v1/embeddings", &json!({"input": [[101, 102]]}));
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(refused.body.contains("--token-ids"), "{}", refused.body);
}
