//! The same requests to every host, good and bad; the answers differ in nothing but the place.

use serde_json::{Value, json};

use crate::host::Host;
use crate::native;

/// A request that is refused: name, method, path, body, status, code.
type Bad = (&'static str, &'static str, &'static str, Vec<u8>, u16, &'static str);

fn bad_requests() -> Vec<Bad> {
    let long = json!({"text": "x".repeat(200_000)}).to_string().into_bytes();
    let many = json!({"texts": vec!["x"; 257]}).to_string().into_bytes();
    let texts: [(&str, &str, &[u8], u16, &str); 18] = [
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
        ("a long text", "/predict", &long, 413, "text_too_long"),
        ("many texts", "/encode", &many, 413, "too_many_texts"),
        ("no list", "/encode", br#"{"texts": []}"#, 422, "invalid_request"),
        ("two texts", "/encode", br#"{"text": "a", "sentence": "b"}"#, 422, "invalid_request"),
        ("dimensions", "/encode", br#"{"text": "a", "dimensions": 9999}"#, 422, "invalid_option"),
        ("no room", "/predict", br#"{"text": "a", "max_length": 1}"#, 422, "invalid_option"),
        ("no prompt", "/encode", br#"{"text": "a", "prompt": "q"}"#, 422, "invalid_option"),
        ("no pooling", "/encode", br#"{"text": "a", "pooling": "sum"}"#, 422, "invalid_request"),
    ];
    let post = texts
        .map(|(name, path, body, status, code)| (name, "POST", path, body.to_vec(), status, code));
    let huge = vec![b' '; 3 << 20];
    let routes = [
        ("a huge body", "POST", "/predict", huge, 413, "body_too_large"),
        ("another path", "GET", "/nowhere", Vec::new(), 404, "not_found"),
        ("another method", "GET", "/predict", Vec::new(), 405, "method_not_allowed"),
    ];
    post.into_iter().chain(routes).collect()
}

/// A request that is answered: name, path, body.
fn good_requests() -> Vec<(&'static str, &'static str, Value)> {
    let text = "a quiet harbour — «naïve» 船 🙂";
    vec![
        ("a class", "/predict", json!({"text": "what a wonderful film , full of warmth"})),
        ("the other class", "/predict", json!({"text": "a dull , lifeless mess"})),
        ("no list", "/predict", json!({"text": text, "return_probabilities": false})),
        ("a short look", "/predict", json!({"text": text, "max_length": 4})),
        ("a long text", "/predict", json!({"text": "very good ".repeat(900)})),
        ("a vector", "/encode", json!({"text": text})),
        ("a sentence", "/encode", json!({"sentence": text})),
        ("a list", "/encode", json!({"texts": ["two oars", text, "x"]})),
        ("a list of one", "/encode", json!({"texts": [text]})),
        ("raw", "/encode", json!({"text": text, "normalize": false})),
        ("the first row", "/encode", json!({"text": text, "pooling": "cls"})),
        ("fewer dimensions", "/encode", json!({"text": text, "dimensions": 16})),
        ("bytes", "/encode", json!({"text": text, "encoding": "int8"})),
        ("bits", "/encode", json!({"text": text, "encoding": "ubinary"})),
        ("signed bits", "/encode", json!({"text": text, "encoding": "binary"})),
    ]
}

/// Takes from an answer what may differ, after looking at it.
fn strip(host: &str, answer: &mut Value, place: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let Some(fields) = answer.as_object_mut() else { return vec!["no object".to_owned()] };
    match fields.remove("place") {
        None if fields.contains_key("error") => {}
        got if got == Some(json!(place)) => {}
        got => faults.push(format!("{host} says its place is {got:?}, not {place}")),
    }
    if let Some(time) = fields.remove("processing_time")
        && !time.as_f64().is_some_and(|seconds| (0.0..60.0).contains(&seconds))
    {
        faults.push(format!("{host} took {time} seconds"));
    }
    if let Some(id) = fields.remove("prediction_id")
        && id.as_str().is_none_or(|id| id.len() != 32)
    {
        faults.push(format!("{host} calls its prediction {id}"));
    }
    faults
}

/// Where two answers differ: numbers by more than a little, anything else at all.
fn difference(path: &str, got: &Value, expected: &Value) -> Option<String> {
    let differ = || Some(format!("{path}: expected {expected}, got {got}"));
    match (got, expected) {
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) if path.contains("embedding") && (a - b).abs() <= 1 => None,
            (Some(a), Some(b)) if a == b => None,
            _ if (a.as_f64()? - b.as_f64()?).abs() <= 1e-5 && a.is_f64() && b.is_f64() => None,
            _ => differ(),
        },
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let each = a.iter().zip(b).enumerate();
            each.filter_map(|(i, (a, b))| difference(&format!("{path}[{i}]"), a, b)).next()
        }
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            let each = a.iter().zip(b.values());
            each.filter_map(|((key, a), b)| difference(&format!("{path}.{key}"), a, b)).next()
        }
        (a, b) if a == b => None,
        _ => differ(),
    }
}

/// Holds a host that serves the default model to the contract, and to what native answers.
pub fn holds(host: &Host, place: &str) {
    let reference = native::start(None);
    let mut faults = Vec::new();
    let mut compare = |case: &str, got: (u16, Value), expected: (u16, Value)| {
        let ((status, mut answer), (expected_status, mut expected)) = (got, expected);
        faults.extend(strip("native", &mut expected, "origin"));
        faults.extend(strip(host.name, &mut answer, place));
        if status != expected_status {
            faults.push(format!("{case}: native says {expected_status}, got {status} {answer}"));
        }
        faults.extend(difference(case, &answer, &expected));
    };
    compare("health", host.get("/health"), reference.get("/health"));
    for (case, path, body) in good_requests() {
        let (got, expected) = (host.post(path, &body), reference.post(path, &body));
        assert_eq!(expected.0, 200, "native, {case}: {}", expected.1);
        compare(case, got, expected);
    }
    for (case, method, path, body, status, code) in bad_requests() {
        let (got, expected) = (host.send(method, path, &body), reference.send(method, path, &body));
        let as_declared = expected.0 == status && expected.1["error"]["code"] == code;
        assert!(as_declared, "native, {case}: expected {status} {code}, got {expected:?}");
        compare(case, got, expected);
    }
    let still = host.post("/predict", &json!({"text": "still here"}));
    compare("after all that", still, reference.post("/predict", &json!({"text": "still here"})));
    assert!(faults.is_empty(), "{} differs:\n{}", host.name, faults.join("\n"));
}

#[test]
fn every_bad_request_gets_its_code() {
    holds(&native::start(None), "origin");
}

#[test]
fn a_difference_is_found_wherever_it_is() {
    let one = json!({"a": [1, 2.0, {"b": "x"}]});
    trireme_tests::check_cases(
        [
            ("the same", json!({"a": [1, 2.0, {"b": "x"}]}), true),
            ("a hair", json!({"a": [1, 2.000001, {"b": "x"}]}), true),
            ("a number", json!({"a": [1, 2.1, {"b": "x"}]}), false),
            ("an integer", json!({"a": [2, 2.0, {"b": "x"}]}), false),
            ("a word", json!({"a": [1, 2.0, {"b": "y"}]}), false),
            ("a key", json!({"a": [1, 2.0, {"c": "x"}]}), false),
            ("a length", json!({"a": [1, 2.0]}), false),
            ("a kind", json!({"a": "1"}), false),
        ],
        |other: Value| difference("", &other, &one).is_none(),
    );
}
