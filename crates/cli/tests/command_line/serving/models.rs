//! Several models in one server.

use serde_json::json;

use super::*;

#[test]
fn a_request_says_which_of_several_models_it_means() {
    let (vectors, classes) =
        (format!("vectors={}", tiny("bert-embed")), format!("moods={}", tiny("bert-classify")));
    let server = Server::start(&["--name", "first", "--with", &vectors, "--with", &classes]);
    let model = |body: serde_json::Value, path: &str| {
        let reply = server.post(path, &body);
        assert_eq!(reply.status, 200, "{path} {body}: {}", reply.body);
        reply.json()["model"].clone()
    };
    assert_eq!(model(json!({"text": "a"}), "/encode"), "first", "where none is named");
    for name in ["first", "vectors", "moods"] {
        assert_eq!(model(json!({"text": "a", "model": name}), "/encode"), name);
    }
    assert_eq!(model(json!({"text": "a", "model": "vectors@local"}), "/encode"), "vectors");
    assert_eq!(model(json!({"text": "a", "model": "moods"}), "/predict"), "moods");
    assert_eq!(server.get("/").json()["models"], json!(["first", "vectors", "moods"]));
    let info = server.get("/model_info?model=vectors").json();
    assert_eq!((&info["model"], &info["kind"]), (&json!("vectors"), &json!("embedding")));

    let other = server.post("/predict", &json!({"text": "a", "model": "second"}));
    assert_eq!(other.status, 404, "{}", other.body);
    let error = &other.json()["error"];
    assert_eq!(error["code"], "model_not_found");
    for name in ["second", "first", "vectors", "moods"] {
        assert!(error["message"].as_str().unwrap().contains(name), "{name} in {error}");
    }
    let metrics = server.get("/metrics").body;
    for name in ["first", "vectors", "moods"] {
        let line = format!("trireme_model_loaded{{model=\"{name}\"");
        assert!(metrics.contains(&line), "{line} in {metrics}");
    }
}

#[test]
fn models_that_can_t_stand_side_by_side_are_refused() {
    let model = tiny("bert-embed");
    let (a, b) = (format!("a={model}"), format!("b={model}"));
    let cases: [(&[&str], i32, &[&str]); 5] = [
        (&["--with", &a, "--with", &a], 2, &["two models", "\"a\""]),
        (&["--name", "a", "--with", &a], 2, &["two models", "\"a\""]),
        (&["--memory", "1"], 1, &["default takes 9 MB", "9 MB with", "more than 1", "--memory"]),
        (
            &["--memory", "8", "--model", &model, "--name", "x", "--with", "b=./nowhere"],
            3,
            &["nowhere"],
        ),
        (&["--memory", "9", "--with", &b, "--with", &format!("c={}", tiny("xlmr-embed"))], 0, &[]),
    ];
    for (args, code, words) in &cases[..4] {
        let (got, said) = fault(&[&["serve", "--port", "0", "--log", "warn"], *args].concat());
        assert_eq!(got, *code, "{args:?}: {said}");
        for word in *words {
            assert!(said.contains(word), "{args:?}: expected {word:?}, got {said}");
        }
    }
    // All three fit: the sum is what counts, and it is below the limit.
    let server = Server::start(cases[4].0);
    assert_eq!(server.get("/").json()["models"], json!(["default", "b", "c"]));
}

#[test]
fn the_sum_of_all_models_is_what_may_not_be_too_much() {
    let with: Vec<String> = (0..3).map(|n| format!("m{n}={}", default_bundle())).collect();
    let flags: Vec<&str> = with.iter().flat_map(|with| ["--with", with]).collect();
    let args = [&["serve", "--port", "0", "--memory", "20"], &flags[..]].concat();
    let (code, said) = fault(&args);
    assert_eq!(code, 1, "{said}");
    for words in ["m1 takes 9 MB", "makes 27 MB", "more than 20"] {
        assert!(said.contains(words), "expected {words:?}, got {said}");
    }
}

fn default_bundle() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join("models/default/default.trireme").display().to_string()
}
