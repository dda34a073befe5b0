//! A browser: the npm package's engine in a page of a real Chromium.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::time::Instant;

use serde_json::{Value, json};
use trireme_tests::{Process, built_host, minilm_dir, repo_root};

use crate::host::Host;
use crate::models::{pack, tiny, wrong};
use crate::package::node;
use crate::{bits, contract, parity};

/// A bridge to a browser with the shipped build, for all tests of this process.
static SHIPPED: LazyLock<(Process, String)> = LazyLock::new(|| bridge("web"));

/// The same with accidents to rehearse.
static DRILL: LazyLock<(Process, String)> = LazyLock::new(|| bridge("web-drill"));

/// The shipped build in a browser that has a GPU, or what does as if.
static GPU: LazyLock<(Process, String)> = LazyLock::new(|| with_gpu("right"));

/// Both, in pages that may share memory between workers.
static ISOLATED: LazyLock<(Process, String)> = LazyLock::new(|| isolated("web"));
static ISOLATED_DRILL: LazyLock<(Process, String)> = LazyLock::new(|| isolated("web-drill"));

fn bridge(build: &str) -> (Process, String) {
    bridge_with(build, &[])
}

fn with_gpu(how: &str) -> (Process, String) {
    bridge_with("web", &["--gpu", how])
}

fn isolated(build: &str) -> (Process, String) {
    bridge_with(build, &["--isolated"])
}

fn bridge_with(build: &str, flags: &[&str]) -> (Process, String) {
    let mut command = node("bridge.mjs");
    // Models lie in the checkout, in the cache and in temporary folders.
    command.arg("--web").arg(built_host(build)).args(["--root", "/"]).args(flags);
    Process::start(&mut command).unwrap()
}

/// Loads a model's folder or bundle, or the default model.
pub fn start(model: Option<&Path>) -> Host {
    on(&SHIPPED.1, model)
}

fn on(bridge: &str, model: Option<&Path>) -> Host {
    let path = model.map_or_else(|| "/default".to_owned(), |path| path.display().to_string());
    Host::new("browser", format!("{bridge}{path}"), ())
}

fn ask(host: &Host, text: &str) -> (u16, Value) {
    host.post("/predict", &json!({ "text": text }))
}

#[track_caller]
fn answers(host: &Host, when: &str) {
    let (status, answer) = ask(host, "two oars");
    assert_eq!(status, 200, "{when}: {answer}");
}

#[track_caller]
fn refuses(host: &Host, status: u16, code: &str) {
    let (got, answer) = ask(host, "two oars");
    let typed = got == status && answer["error"]["code"] == code;
    assert!(typed, "expected {status} {code}, got {got} {answer}");
}

#[test]
fn browser_gives_the_references_answers() {
    parity::engine_goldens("browser", |model| start(Some(model)));
}

#[test]
fn browser_is_the_reference_on_minilm() {
    parity::minilm(&start(Some(&minilm_dir())));
}

#[test]
fn browser_gives_natives_bits_in_bytes() {
    bits::agree(|model, precision| on(&format!("{}/@{precision}", SHIPPED.1), model));
}

#[test]
fn without_relaxed_vectors_the_bits_are_the_same() {
    bits::agree(|model, precision| on(&format!("{}/@{precision},simd128", SHIPPED.1), model));
}

/// The probe picks the faster module where its one instruction is right, and nowhere else: Node 20
/// has it behind a flag, and gives 120 for 67 until the function is hot.
#[test]
fn the_faster_module_runs_where_its_instruction_is_right() {
    assert_eq!(start(None).get("/lane"), (200, json!("relaxed-simd")), "in Chromium");
    for flag in ["--no-experimental-wasm-relaxed-simd", "--experimental-wasm-relaxed-simd"] {
        let mut node = Command::new("node");
        let output = node.arg(flag).arg(repo_root().join("tests/browser/probe.mjs")).output();
        let output = output.unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let facts: Value = serde_json::from_str(&said)
            .unwrap_or_else(|e| panic!("{e}: {said}{}", String::from_utf8_lossy(&output.stderr)));
        assert_eq!(facts["works"], facts["right"], "node {flag}: {facts}");
    }
}

#[test]
fn several_threads_give_natives_bits_in_bytes() {
    bits::agree(|model, precision| on(&format!("{}/@{precision},,2", ISOLATED.1), model));
}

#[test]
fn several_threads_keep_the_contract() {
    let host = on(&format!("{}/@,,3", ISOLATED.1), None);
    assert_eq!(host.get("/threads"), (200, json!(3)));
    contract::holds(&host, "client");
}

#[test]
fn threads_are_one_unless_asked_for_and_refused_where_memory_can_t_be_shared() {
    let loaded = |bridge: &str, threads: &str| {
        let (status, answer) = on(&format!("{bridge}/@,{threads}"), None).get("/threads");
        (status, answer.get("error").map_or(answer.clone(), |error| error["code"].clone()))
    };
    let cores = std::thread::available_parallelism().unwrap().get().min(8);
    let refused = (501, json!("unsupported_here"));
    let (plain, isolated) = (&SHIPPED.1, &ISOLATED.1);
    for (page, bridge, threads, expected) in [
        ("plain", plain, "", (200, json!(1))),
        ("plain", plain, ",1", (200, json!(1))),
        ("plain", plain, ",auto", (200, json!(1))),
        ("plain", plain, ",2", refused.clone()),
        ("isolated", isolated, "", (200, json!(1))),
        ("isolated", isolated, ",auto", (200, json!(cores))),
        ("isolated", isolated, "simd128,2", refused),
        ("isolated", isolated, ",0", (422, json!("invalid_option"))),
        ("isolated", isolated, ",1.5", (422, json!("invalid_option"))),
        ("isolated", isolated, ",9", (422, json!("invalid_option"))),
    ] {
        assert_eq!(loaded(bridge, threads), expected, "{page} page, \"{threads}\"");
    }
}

/// A model on the browser's GPU, in these numbers.
fn on_gpu(model: Option<&Path>, precision: &str) -> Host {
    on(&format!("{}/@{precision},,,webgpu", GPU.1), model)
}

#[test]
fn the_browsers_gpu_gives_the_references_answers() {
    parity::family_goldens("browser", |model| on_gpu(Some(model), "f32"));
}

/// In bytes a value between two steps goes to one or the other on each device.
#[test]
fn the_browsers_gpu_in_bytes_says_what_its_processor_says() {
    let (gpu, cpu) = (on_gpu(None, ""), on(&GPU.1, None));
    assert_eq!(gpu.get("/device"), (200, json!({ "device": "webgpu" })));
    for text in ["a wonderful film", "a dull, lifeless mess", "Rain again.", "Ισχύς εν τη ενώσει"]
    {
        let [got, expected] = [&gpu, &cpu].map(|host| ask(host, text).1);
        assert_eq!(got["label"], expected["label"], "{text}: {got}");
        let off = got["confidence"].as_f64().unwrap() - expected["confidence"].as_f64().unwrap();
        assert!(off.abs() < 0.03, "{text}: {got}, on the processor {expected}");
    }
}

/// A GPU that the browser takes away, between two answers and under one.
#[test]
fn a_gpu_that_is_taken_away_costs_no_answer() {
    // A browser of its own: in that of other tests theirs would be taken too.
    let (_process, bridge) = with_gpu("right");
    let host = on(&format!("{bridge}/@f32,,,webgpu"), None);
    let page = Host::new("browser", bridge.as_str(), ());
    let lose = || assert_eq!(page.post("/lose", &Value::Null).0, 200);
    let expected = ask(&on(&bridge, None), "two oars").1;
    let right = |when: &str| {
        let (status, got) = ask(&host, "two oars");
        assert_eq!((status, &got["label"]), (200, &expected["label"]), "{when}: {got}");
        assert_eq!(host.get("/device"), (200, json!({ "device": "webgpu" })), "{when}");
    };
    right("before");
    lose();
    right("taken between two answers");
    let texts = vec!["a long day at sea ".repeat(20); 8];
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| host.post("/encode", &json!({ "texts": texts })));
        let submits = || page.get("/gpu").1["submits"].as_u64().unwrap();
        let before = submits();
        while submits() == before && !asked.is_finished() {}
        lose();
        let (status, answer) = asked.join().unwrap();
        assert_eq!(status, 200, "taken under an answer: {answer}");
        assert_eq!(answer["embeddings"].as_array().map(Vec::len), Some(8));
    });
    right("after it");
}

/// A GPU that does not come back: the processor answers, and the page says so and why.
#[test]
fn a_gpu_that_is_gone_for_good_leaves_the_processor_which_says_so() {
    // A browser of its own: in that of other tests theirs would be taken too.
    let (_process, bridge) = with_gpu("right");
    let host = on(&format!("{bridge}/@f32,,,webgpu"), None);
    let before = ask(&host, "two oars").1;
    assert_eq!(host.get("/device"), (200, json!({ "device": "webgpu" })));
    let page = Host::new("browser", bridge.as_str(), ());
    assert_eq!(page.post("/lose?good", &Value::Null).0, 200);
    let (status, after) = ask(&host, "two oars");
    assert_eq!((status, &after["label"]), (200, &before["label"]), "{after}");
    let (status, facts) = host.get("/device");
    assert_eq!((status, &facts["device"]), (200, &json!("wasm")), "{facts}");
    assert!(facts["refused"].as_str().is_some_and(|why| !why.is_empty()), "{facts}");
}

/// One wrong function among all: the answers of the page are the processor's, and it says why.
#[test]
fn a_gpu_that_computes_something_else_is_refused() {
    let (_process, bridge) = with_gpu("broken");
    let host = on(&format!("{bridge}/@f32,,,webgpu"), None);
    let (status, facts) = host.get("/device");
    assert_eq!((status, &facts["device"]), (200, &json!("wasm")), "{facts}");
    let why = facts["refused"].as_str().unwrap_or_default();
    assert!(why.contains("have a cosine of"), "{facts}");
    answers(&host, "on the processor");
}

/// Chromium's stand-in for a GPU multiplies no halves.
#[test]
fn halves_that_a_gpu_has_not_are_singles_of_the_processor() {
    let host = on_gpu(None, "f16");
    let (_, facts) = host.get("/device");
    assert_eq!(facts["device"], "wasm", "{facts}");
    assert!(facts["refused"].as_str().is_some_and(|why| why.contains("f16")), "{facts}");
    assert_eq!(ask(&host, "two oars").1["precision"], "f32");
}

#[test]
fn a_forward_in_the_browser_is_few_runs_and_one_submission() {
    let (_process, bridge) = with_gpu("right");
    let page = Host::new("browser", bridge.as_str(), ());
    let forward = |host: &Host, text: &str| {
        let before = page.get("/gpu").1;
        let (status, answer) = host.post("/encode", &json!({ "text": text }));
        assert_eq!(status, 200, "{answer}");
        let after = page.get("/gpu").1;
        move |what: &str| after[what].as_u64().unwrap() - before[what].as_u64().unwrap_or(0)
    };
    // A stand-in for a GPU takes a second for a text of MiniLM's, so most lengths are a tiny model's.
    let cases =
        [(minilm_dir(), 44, vec![3, 7, 12, 31]), (tiny("bert-embed"), 16, (1..=20).collect())];
    for (model, runs, lengths) in cases {
        let host = on(&format!("{bridge}/@f32,,,webgpu"), Some(&model));
        drop(forward(&host, "two oars"));
        for length in lengths {
            let spent = forward(&host, &"sea ".repeat(length));
            let got = ["dispatches", "submits", "readBacks", "shaders"].map(&spent);
            let (written, read) = (spent("written"), spent("read"));
            println!("{length} words: {got:?}, {written} bytes written, {read} read");
            assert_eq!(got, [runs, 1, 1, 0], "runs, submissions, read-backs, new shaders");
        }
    }
}

#[test]
fn without_a_gpu_the_processor_answers_and_says_why() {
    let host = on(&format!("{}/@,,,webgpu", SHIPPED.1), None);
    let (status, facts) = host.get("/device");
    assert_eq!((status, &facts["device"]), (200, &json!("wasm")), "{facts}");
    let why = facts["refused"].as_str().unwrap_or_default();
    assert!(why.contains("no GPU"), "{facts}");
    answers(&host, "on the processor");
    let unknown = on(&format!("{}/@,,,abacus", SHIPPED.1), None);
    refuses(&unknown, 422, "invalid_option");
}

#[test]
fn browser_keeps_the_contract() {
    contract::holds(&start(None), "client");
}

#[test]
fn after_an_accident_the_next_request_is_answered() {
    recovers(&on(&DRILL.1, None));
}

#[test]
fn after_an_accident_several_threads_answer_the_next_request() {
    recovers(&on(&format!("{}/@,,2", ISOLATED_DRILL.1), None));
}

#[test]
fn a_helper_that_dies_of_its_piece_costs_the_next_request_nothing() {
    let host = &on(&format!("{}/@,,2", ISOLATED_DRILL.1), None);
    // Once before the model is warm, once after.
    for _attempt in 0..2 {
        let (status, answer) = ask(host, "drill: helper");
        println!("{answer}");
        assert_eq!((status, &answer["error"]["code"]), (500, &json!("internal")), "{answer}");
        answers(host, "after it");
    }
}

/// The page takes all the room that a process has for memories, so that the engine finds none.
#[test]
fn an_engine_whose_memory_is_refused_is_out_of_memory() {
    let (_browser, bridge) = &isolated("web");
    assert_eq!(on(bridge, None).post("/hoard", &Value::Null).0, 200);
    for (threads, name) in [("2", "shared"), ("1", "its own")] {
        println!("{name}");
        refuses(&on(&format!("{bridge}/@,,{threads}"), None), 503, "out_of_memory");
    }
}

fn recovers(host: &Host) {
    let accidents = [("panic", 500, "internal"), ("trap", 500, "internal")];
    for (accident, status, code) in
        accidents.into_iter().chain([("out of memory", 503, "out_of_memory")])
    {
        let (got, answer) = ask(host, &format!("drill: {accident}"));
        println!("{accident}: {answer}");
        assert_eq!((got, &answer["error"]["code"]), (status, &json!(code)), "{accident}: {answer}");
        answers(host, accident);
    }
}

#[test]
fn a_model_that_does_not_fit_is_out_of_memory() {
    // Builds that rehearse accidents have 128 MB.
    for _attempt in 0..2 {
        refuses(&on(&DRILL.1, Some(&minilm_dir())), 503, "out_of_memory");
    }
    answers(&on(&DRILL.1, None), "after it");
}

#[test]
fn an_accident_costs_nobody_else_an_answer() {
    let model = tiny("bert-classify");
    let host = &on(&DRILL.1, Some(&model));
    answers(host, "before");
    std::thread::scope(|scope| {
        let good: Vec<_> = (0..12)
            .map(|n| {
                scope.spawn(
                    move || if n == 4 { ask(host, "drill: panic") } else { ask(host, "oars") },
                )
            })
            .collect();
        let statuses: Vec<u16> = good.into_iter().map(|asked| asked.join().unwrap().0).collect();
        let expected: Vec<u16> = (0..12).map(|n| if n == 4 { 500 } else { 200 }).collect();
        assert_eq!(statuses, expected);
    });
}

#[test]
fn a_wrong_model_is_named_and_the_right_one_is_answered_after_it() {
    let folder = tempfile::tempdir().unwrap();
    for (model, status, code) in wrong(folder.path()) {
        println!("{}", model.display());
        refuses(&start(Some(&model)), status, code);
    }
    let bundle = folder.path().join("packed.trireme");
    let mut bytes = pack(&tiny("bert-classify"));
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&bundle, &bytes).unwrap();
    refuses(&start(Some(&bundle)), 500, "invalid_model");
    bytes[last] ^= 1;
    std::fs::write(&bundle, &bytes).unwrap();
    answers(&start(Some(&bundle)), "once it is mended");
}

#[test]
fn an_abort_is_seen_between_two_layers() {
    // A browser of its own: in that of other tests a model may have to make room for theirs.
    let (_process, bridge) = bridge("web");
    let host = on(&bridge, Some(&minilm_dir()));
    let timed = |path: &str, texts: usize| {
        let body = json!({ "texts": vec!["a long day at sea ".repeat(60); texts] });
        let start = Instant::now();
        let (status, answer) = host.post(path, &body);
        (status, answer["error"]["code"].clone(), start.elapsed())
    };
    timed("/encode", 1);
    let whole = timed("/encode", 24);
    assert_eq!(whole.0, 200);
    let (status, code, left) = timed("/encode?abort=50", 24);
    assert_eq!((status, code), (499, json!("cancelled")));
    // The next one waits for the worker: it shows that the worker stopped, and not the page alone.
    let (status, _, next) = timed("/encode", 1);
    assert_eq!(status, 200);
    println!("browser: whole {:?}, aborted after {left:?}, the next took {next:?}", whole.2);
    assert!(left + next < whole.2 / 2, "the worker went on: {left:?} + {next:?} of {:?}", whole.2);
}

#[test]
fn what_is_disposed_leaves_no_worker() {
    // A browser of its own: other tests have workers in theirs.
    let (_process, bridge) = bridge("web");
    let host = on(&bridge, None);
    let workers = || Host::new("browser", bridge.as_str(), ()).get("/workers").1;
    answers(&host, "first");
    let memory = host.get("/memory").1.as_u64().unwrap();
    assert!((4 << 20..64 << 20).contains(&memory), "the engine holds {memory} bytes");
    assert_eq!(workers(), 1);
    assert_eq!(host.post("/dispose", &json!({})).0, 200);
    // Each look is a journey to the browser and back.
    assert!((0..1000).any(|_| workers() == 0), "the worker outlived its model");
    answers(&host, "after it was disposed it is loaded again");
}

/// Numbers for people: what a machine does in a moment is no test.
#[test]
fn cold_start_and_first_answer_are_measured() {
    let start = Instant::now();
    let (_process, bridge) = bridge("web");
    println!("browser: Chromium and a page: {:?}", start.elapsed());
    let host = on(&bridge, None);
    answers(&host, "first");
    let (_, times) = host.get("/times");
    let memory = host.get("/memory").1.as_u64().unwrap_or_default() >> 20;
    println!("browser: default model, milliseconds: {times}; {memory} MiB");
    let host = on(&bridge, Some(&minilm_dir()));
    host.post("/encode", &json!({ "text": "two oars" }));
    let (_, times) = host.get("/times");
    let memory = host.get("/memory").1.as_u64().unwrap_or_default() >> 20;
    println!("browser: MiniLM, milliseconds: {times}; {memory} MiB");
}
