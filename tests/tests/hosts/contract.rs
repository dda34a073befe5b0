//! The same requests to every host, good and bad; the answers differ in nothing but the place.

mod bad;
mod good;
mod poison;

use serde_json::{Value, json};

use crate::host::Host;
use crate::native;

/// What a host is held to.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    /// What every host answers.
    Core,
    /// What hosts that speak HTTP answer: a browser's package has no paths.
    Paths,
}

/// A request with what is to come of it.
struct Case {
    name: &'static str,
    part: Part,
    method: &'static str,
    path: &'static str,
    body: Vec<u8>,
    outcome: Outcome,
}

/// What comes of a request.
#[derive(Clone, Copy)]
enum Outcome {
    Answer,
    /// A status and a code, said in a convention.
    Fault(u16, &'static str, Said),
}

/// The convention in which a fault is said: the fields of its body, and where its code is.
#[derive(Clone, Copy)]
struct Said {
    fields: &'static [&'static str],
    code: &'static str,
}

/// As our own routes say it.
const OWN: Said = Said { fields: &["error"], code: "/error/code" };

impl Outcome {
    /// What is wrong with an answer, by this.
    fn judge(self, status: u16, answer: &Value) -> Option<String> {
        let Self::Fault(expected, code, said) = self else {
            return (status != 200).then(|| format!("expected an answer, got {status} {answer}"));
        };
        // What is no object has no fields, and is no fault as any convention says it.
        let keys = answer.as_object().into_iter().flat_map(|fields| fields.keys());
        let mut fields: Vec<&str> = keys.map(String::as_str).collect();
        fields.sort_unstable();
        let as_said = status == expected
            && answer.pointer(said.code) == Some(&json!(code))
            && fields == said.fields;
        let Said { fields, .. } = said;
        (!as_said)
            .then(|| format!("expected {expected} {code} in {fields:?}, got {status} {answer}"))
    }
}

/// Numbers of a host's own machine, in what Text Embeddings Inference tells of itself.
const OF_MACHINE: [&str; 3] = ["max_concurrent_requests", "max_batch_tokens", "max_batch_requests"];

/// Takes from an answer what may differ, wherever it stands, after looking at it.
fn strip(host: &str, answer: &mut Value, place: &str) -> Vec<String> {
    let mut faults = Vec::new();
    match answer {
        Value::Array(members) => {
            faults.extend(members.iter_mut().flat_map(|member| strip(host, member, place)));
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                let is_id = |value: &Value| value.as_str().is_some_and(|id| id.len() == 32);
                let sound = match key.as_str() {
                    "place" => *value == json!(place),
                    "processing_time" => {
                        value.as_f64().is_some_and(|seconds| (0.0..60.0).contains(&seconds))
                    }
                    "prediction_id" => is_id(value),
                    "id" if is_id(value) => true,
                    key if OF_MACHINE.contains(&key) => value.as_u64() > Some(0),
                    _ => {
                        faults.extend(strip(host, value, place));
                        continue;
                    }
                };
                if !sound {
                    faults.push(format!("{host} at {place} says that its {key} is {value}"));
                }
                *value = json!("its own");
            }
        }
        _ => {}
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
    let (mut faults, mut own_faults) = (Vec::new(), Vec::new());
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
    let next = json!({"text": "still here"});
    let answered = reference.post("/predict", &next);
    let all = good::cases().into_iter().chain(bad::cases()).chain(poison::cases());
    for case in all.filter(|case| case.part == Part::Core || place != "client") {
        let Case { name, method, path, body, outcome, .. } = &case;
        let expected = reference.send(method, path, body);
        let wrong = outcome.judge(expected.0, &expected.1);
        own_faults.extend(wrong.map(|wrong| format!("{name}: {wrong}")));
        compare(name, host.send(method, path, body), expected);
        compare(&format!("after {name}"), host.post("/predict", &next), answered.clone());
    }
    assert!(own_faults.is_empty(), "native is wrong:\n{}", own_faults.join("\n"));
    assert!(faults.is_empty(), "{} differs:\n{}", host.name, faults.join("\n"));
}

#[test]
fn every_bad_request_gets_its_code() {
    holds(&native::start(None), "origin");
}

#[test]
fn a_fault_that_is_said_otherwise_is_found() {
    let outcome = Outcome::Fault(422, "empty_text", OWN);
    trireme_tests::check_cases(
        [
            ("as it should be", (422, json!({"error": {"code": "empty_text"}})), true),
            ("another status", (400, json!({"error": {"code": "empty_text"}})), false),
            ("another code", (422, json!({"error": {"code": "internal"}})), false),
            ("a field more", (422, json!({"error": {"code": "empty_text"}, "a": 1})), false),
            ("a list", (422, json!([{"error": {"code": "empty_text"}}])), false),
            ("a list of an answer", (200, json!([[0.1, 0.2]])), false),
            ("no JSON at all", (422, Value::Null), false),
        ],
        |(status, answer): (u16, Value)| outcome.judge(status, &answer).is_none(),
    );
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

#[test]
fn what_is_a_hosts_own_is_looked_at_wherever_it_is() {
    let id = "0123456789abcdef0123456789abcdef";
    let answer = |place: &str, seconds: f64, id: &str| {
        json!({"results": [{"prediction_id": id, "parameters": {"place": place}}],
            "processing_time": seconds, "id": "short"})
    };
    let faults = |mut answer: Value| strip("host", &mut answer, "edge").len();
    assert_eq!(faults(answer("edge", 0.5, id)), 0);
    assert_eq!(faults(answer("origin", -1.0, "x")), 3);
    let mut two = [answer("edge", 0.5, id), answer("edge", 0.7, &id.replace('0', "f"))];
    two.iter_mut().for_each(|answer| assert!(strip("host", answer, "edge").is_empty()));
    assert_eq!(two[0], two[1]);
    assert_eq!(two[0]["id"], "short", "an id that is not ours to make stays");
}
