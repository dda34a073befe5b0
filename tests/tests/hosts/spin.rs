//! The Spin component, in a host that is made of the crates that Spin is made of.
//!
//! What breaks an instance down is answered by Spin: an empty 500. All else is answered by us.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trireme_tests::{built_host, minilm_dir, target_dir};

use crate::host::Host;
use crate::models::{pack, tiny, wrong};
use crate::{bits, contract, parity};

/// Serves a model's folder or bundle from a mount, or the model inside the component.
pub fn start(model: Option<&Path>) -> Host {
    Setting { model, ..LIKE_SPIN }.start()
}

/// What a component runs in.
struct Setting<'a> {
    /// What `cargo xtask build` calls it.
    component: &'static str,
    model: Option<&'a Path>,
    memory_mb: Option<u32>,
    precision: &'static str,
}

const LIKE_SPIN: Setting<'_> =
    Setting { component: "spin", model: None, memory_mb: None, precision: "" };

impl Setting<'_> {
    fn start(&self) -> Host {
        let mut command = Command::new(target_dir().join("debug/trireme-spin-host"));
        command.arg(built_host(self.component).join("trireme_spin.wasm"));
        if let Some((folder, name)) = self.model.and_then(|m| m.parent().zip(m.file_name())) {
            command.arg("--mount").arg(format!("{}::/models", folder.display()));
            let name = name.to_string_lossy();
            command.arg("--env").arg(format!("TRIREME_MODEL=/models/{name}"));
        }
        command.arg("--env").arg(format!("TRIREME_PRECISION={}", self.precision));
        if let Some(memory) = self.memory_mb {
            command.arg("--memory-mb").arg(memory.to_string());
        }
        Host::start("spin", &mut command)
    }
}

fn ask(host: &Host, text: &str) -> (u16, Value) {
    host.post("/predict", &json!({ "text": text }))
}

/// Asks twice: a fault is typed, and the component lives on.
fn refuses(host: &Host, status: u16, code: &str) {
    for attempt in ["first", "second"] {
        let (got, answer) = ask(host, "two oars");
        let typed = got == status && answer["error"]["code"] == code;
        assert!(typed, "{attempt}: expected {status} {code}, got {got} {answer}");
    }
}

#[test]
fn spin_keeps_the_contract() {
    contract::holds(&start(None), "edge");
}

#[test]
fn spin_gives_natives_bits_in_bytes() {
    bits::agree(|model, precision| Setting { model, precision, ..LIKE_SPIN }.start());
}

#[test]
fn spin_gives_the_references_answers() {
    parity::engine_goldens("spin", |model| start(Some(model)));
}

#[test]
fn spin_is_the_reference_on_minilm() {
    parity::minilm(&start(Some(&minilm_dir())));
}

#[test]
fn a_folder_and_its_bundle_answer_alike() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("packed.trireme");
    std::fs::write(&bundle, pack(&tiny("bert-classify"))).unwrap();
    let answers =
        [("bert-classify", tiny("bert-classify")), ("packed", bundle)].map(|(name, model)| {
            let (status, answer) = ask(&start(Some(&model)), "a quiet harbour");
            assert_eq!(
                (status, &answer["model"], &answer["place"]),
                (200, &json!(name), &json!("edge"))
            );
            [answer["digest"].clone(), answer["probabilities"].clone()]
        });
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn a_wrong_model_is_named_and_the_component_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    for (model, status, code) in wrong(folder.path()) {
        refuses(&start(Some(&model)), status, code);
    }
}

#[test]
fn a_model_that_does_not_fit_is_refused() {
    let minilm = minilm_dir();
    // One limit stops the reading of the file, the other the packing of its tensors.
    for memory_mb in [64, 150] {
        let setting = Setting { model: Some(&minilm), memory_mb: Some(memory_mb), ..LIKE_SPIN };
        refuses(&setting.start(), 503, "out_of_memory");
    }
}

#[test]
fn a_request_that_does_not_fit_is_refused_and_the_next_is_answered() {
    let host = Setting { memory_mb: Some(22), ..LIKE_SPIN }.start();
    let (status, answer) = host.post("/encode", &json!({ "texts": vec!["oar ".repeat(400); 64] }));
    assert_eq!((status, &answer["error"]["code"]), (503, &json!("out_of_memory")), "{answer}");
    let (status, answer) = ask(&host, "two oars");
    assert_eq!(status, 200, "{answer}");
}

const DRILLS: [&str; 3] = ["drill: panic", "drill: trap", "drill: out of memory"];

fn rehearsing() -> Host {
    Setting { component: "spin-drill", memory_mb: Some(128), ..LIKE_SPIN }.start()
}

#[test]
fn after_an_accident_the_next_request_is_answered() {
    let host = rehearsing();
    let before = ask(&host, "two oars").1;
    for drill in DRILLS {
        let body = json!({ "text": drill }).to_string();
        let answer = host.text("POST", "/predict", body.as_bytes());
        assert_eq!(answer, (500, String::new()), "{drill}: Spin says that much and no more");
        let (status, after) = ask(&host, "two oars");
        assert_eq!((status, &after["probabilities"]), (200, &before["probabilities"]), "{drill}");
    }
}

#[test]
fn requests_beside_an_accident_are_answered() {
    let host = rehearsing();
    for drill in DRILLS {
        assert_eq!(ask(&host, "two oars").0, 200);
        let mut beside = host.connect();
        beside.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let head = "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 15\r\n\r\n";
        beside.write_all(head.as_bytes()).unwrap();
        // Connections are taken in their order: when a later one is answered, this one is under way.
        assert_eq!(ask(&host, "two oars").0, 200);
        let body = json!({ "text": drill }).to_string();
        assert_eq!(host.text("POST", "/predict", body.as_bytes()).0, 500);
        // It waited for its body in the instance that broke down; else it is answered as if alone.
        let _may_be_over = beside.write_all(br#"{"text": "oar"}"#);
        let mut answer = [0; 1024];
        let length = beside.read(&mut answer).unwrap_or_else(|e| panic!("{drill}: {e}"));
        let answer = String::from_utf8_lossy(&answer[..length]);
        let status = answer.split(' ').nth(1);
        assert!(matches!(status, Some("500" | "200")), "{drill}: {answer}");
    }
}

#[test]
fn requests_at_once_get_the_answers_that_each_would_get_alone() {
    let host = start(None);
    let texts: Vec<String> = (1..=24).map(|n| "a quiet harbour ".repeat(n * 3)).collect();
    let scores = |text: &str| {
        let (status, answer) = ask(&host, text);
        assert_eq!(status, 200, "{answer}");
        answer["probabilities"].clone()
    };
    let alone: Vec<Value> = texts.iter().map(|text| scores(text)).collect();
    let at_once: Vec<Value> = std::thread::scope(|scope| {
        let asked: Vec<_> = texts.iter().map(|text| scope.spawn(|| scores(text))).collect();
        asked.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(at_once, alone);
}

#[test]
fn cold_start_and_first_answer() {
    // Spin compiles a component when it starts; here the first start leaves the code to the others.
    drop(start(None));
    let since = Instant::now();
    let host = start(None);
    let listening = since.elapsed().as_millis();
    let answer = || {
        let since = Instant::now();
        assert_eq!(ask(&host, "what a wonderful film").0, 200);
        since.elapsed().as_secs_f64() * 1e3
    };
    let first = answer();
    let next = (0..20).map(|_| answer()).fold(f64::INFINITY, f64::min);
    println!("spin: listens after {listening} ms, first answer {first:.1} ms, next {next:.1} ms");
}
