//! The Cloudflare host, in Cloudflare's runtime.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trireme_server::{ModelSettings, Precision};
use trireme_tests::{built_host, minilm_dir, wasm};

use crate::host::Host;
use crate::models::{pack, quantized, tiny, wrong};
use crate::parity::floats;
use crate::workerd::{self, MODULE, Workerd, memory};
use crate::{bits, contract, native, parity};

/// What Cloudflare gives an isolate, for JavaScript and linear memory together.
const ISOLATE: u64 = 128 << 20;

/// What Cloudflare takes as one asset.
const ASSET: u64 = 25 << 20;

fn ask(host: &Host, text: &str) -> (u16, Value) {
    host.post("/predict", &json!({ "text": text }))
}

fn is_fault((got, answer): &(u16, Value), status: u16, code: &str) {
    let typed = *got == status && answer["error"]["code"] == code;
    assert!(typed, "expected {status} {code}, got {got} {answer}");
}

#[test]
fn workerd_keeps_the_contract() {
    contract::holds(&workerd::start(None), "edge");
}

#[test]
fn workerd_gives_natives_bits_in_bytes() {
    bits::agree(|model, precision| {
        workerd::serve(&Workerd { model, precision, ..Workerd::default() })
    });
}

#[test]
fn workerd_gives_the_references_answers() {
    parity::engine_goldens("workerd", |model| workerd::start(Some(model)));
}

/// 91 MB of weights, held twice while they are packed: the engine in this runtime, not something
/// that Cloudflare would run.
#[test]
fn undeployable_workerd_is_the_reference_on_minilm() {
    let minilm = minilm_dir();
    let host =
        workerd::serve(&Workerd { model: Some(&minilm), deployable: false, ..Workerd::default() });
    parity::minilm(&host);
    println!("workerd: MiniLM in f32 takes {} MiB: undeployable", memory(&host) >> 20);
}

/// A sentence encoder that people use, within what Cloudflare gives and takes.
#[test]
fn minilm_in_int8_can_be_deployed() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("minilm.trireme");
    std::fs::write(&bundle, quantized(&minilm_dir(), Precision::Int8)).unwrap();
    let size = std::fs::metadata(&bundle).unwrap().len();
    assert!(size <= ASSET, "an asset of {size} bytes, where {ASSET} may be");
    let host = workerd::start(Some(&bundle));
    let in_bytes = |settings: &mut ModelSettings| settings.precision = Some(Precision::Int8);
    let native = native::with(Some(&minilm_dir()), in_bytes);
    let long = "a quiet harbour with two oars and a net ".repeat(40);
    let texts = json!({ "texts": ["two oars", "a quiet harbour", long] });
    let [got, expected] = [&host, &native].map(|host| host.post("/encode", &texts));
    assert_eq!((got.0, &got.1["precision"]), (200, &json!("int8")), "{}", got.1);
    let vectors = |answer: &Value| -> Vec<Vec<f32>> {
        answer["embeddings"].as_array().unwrap().iter().map(floats).collect()
    };
    assert_eq!(vectors(&got.1), vectors(&expected.1), "workerd and native differ");
    let taken = memory(&host);
    assert!(taken <= ISOLATE, "{taken} bytes of memory");
    println!("workerd: MiniLM in int8 takes {} MiB, its file {} MB", taken >> 20, size / 1_000_000);
}

#[test]
fn a_model_that_does_not_fit_is_refused_and_the_isolate_lives_on() {
    let host = workerd::start(Some(&minilm_dir()));
    is_fault(&ask(&host, "two oars"), 503, "out_of_memory");
    is_fault(&host.get("/health"), 503, "out_of_memory");
    assert!(memory(&host) <= ISOLATE);
}

#[test]
fn memory_stays_within_an_isolates() {
    let cap = wasm::cap(&std::fs::read(built_host("worker").join(MODULE)).unwrap());
    assert!(cap.is_some_and(|cap| cap < ISOLATE), "the module may grow to {cap:?} bytes");
    let host = workerd::start(None);
    let idle = memory(&host);
    assert_eq!(ask(&host, "two oars").0, 200);
    let first = memory(&host);
    let texts = vec!["very good ".repeat(900); 64];
    assert_eq!(host.post("/encode", &json!({ "texts": texts })).0, 200);
    let [idle, first, busy] = [idle, first, memory(&host)].map(|bytes| bytes as f64 / 1048576.0);
    println!("workerd: {idle:.1} MiB idle, {first:.1} after an answer, {busy:.1} after long ones");
    assert!(busy < 48.0, "the default model and its work took {busy} MiB");
}

#[test]
fn an_accident_is_answered_and_the_next_request_too() {
    let host = workerd::serve(&Workerd { build: "worker-drill", ..Workerd::default() });
    let before = ask(&host, "two oars").1;
    let drills = [
        ("drill: panic", 500, "internal"),
        ("drill: trap", 500, "internal"),
        ("drill: out of memory", 503, "out_of_memory"),
    ];
    for (drill, status, code) in drills {
        is_fault(&ask(&host, drill), status, code);
        let (status, after) = ask(&host, "two oars");
        assert_eq!((status, &after["probabilities"]), (200, &before["probabilities"]), "{drill}");
    }
}

#[test]
fn requests_beside_an_accident_are_answered() {
    let host = workerd::serve(&Workerd { build: "worker-drill", ..Workerd::default() });
    for drill in ["drill: panic", "drill: trap", "drill: out of memory"] {
        let (mut beside, gone) = (begin(&host), begin(&host));
        drop(gone);
        assert!(ask(&host, drill).0 >= 500);
        let mut answer = String::new();
        let mut lines = BufReader::new(beside.try_clone().unwrap());
        while !answer.contains("\r\n\r\n{") {
            let more = lines.read_line(&mut answer);
            assert!(more.unwrap_or_else(|e| panic!("{drill}: {e}")) > 0, "{drill}: {answer}");
        }
        assert!(answer.starts_with("HTTP/1.1 50"), "{answer}");
        // What was still to come meets an instance that knows nothing of it.
        let _gone = beside.write_all(&[b' '; 20]);
        assert_eq!(ask(&host, "two oars").0, 200, "{drill}");
    }
}

/// A request that is under way, and lacks the rest of its body.
fn begin(host: &Host) -> TcpStream {
    let mut request = host.connect();
    request.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let head = "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{\"text\":";
    request.write_all(head.as_bytes()).unwrap();
    // Connections are taken in their order: when a later one is answered, this one is under way.
    assert_eq!(ask(host, "two oars").0, 200);
    request
}

#[test]
fn a_request_that_computes_too_long_is_told_so() {
    let host = workerd::start(None);
    assert_eq!(ask(&host, "two oars").0, 200);
    workerd::near_the_limit(&host);
    is_fault(&ask(&host, "two oars"), 504, "deadline_exceeded");
}

#[test]
fn a_wrong_model_is_named_and_the_isolate_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    for (model, status, code) in wrong(folder.path()) {
        let host = workerd::start(Some(&model));
        is_fault(&host.get("/health"), status, code);
        is_fault(&ask(&host, "two oars"), status, code);
        is_fault(&host.post("/encode", &json!({ "text": "two oars" })), status, code);
    }
}

#[test]
fn a_folder_and_its_bundle_answer_alike() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("packed.trireme");
    std::fs::write(&bundle, pack(&tiny("bert-classify"))).unwrap();
    let answers =
        [("bert-classify", tiny("bert-classify")), ("packed", bundle)].map(|(name, model)| {
            let (status, answer) = ask(&workerd::start(Some(&model)), "a quiet harbour");
            assert_eq!(
                (status, &answer["model"], &answer["place"]),
                (200, &json!(name), &json!("edge"))
            );
            [answer["digest"].clone(), answer["probabilities"].clone()]
        });
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn first_requests_at_once_bring_one_model() {
    let minilm = minilm_dir();
    let start = || {
        workerd::serve(&Workerd { model: Some(&minilm), deployable: false, ..Workerd::default() })
    };
    let alone = start();
    assert_eq!(alone.get("/health").0, 200);
    let crowded = start();
    std::thread::scope(|scope| {
        let asked = [(); 8].map(|()| scope.spawn(|| crowded.get("/health")));
        for answer in asked {
            assert_eq!(answer.join().unwrap(), alone.get("/health"));
        }
    });
    assert_eq!(memory(&crowded) >> 20, memory(&alone) >> 20, "MiB of memory");
}

#[test]
fn a_caller_who_leaves_while_the_model_comes_keeps_it_from_nobody() {
    let (server, stuck) = assets_that_get_stuck_once(tiny("bert-classify").parent().unwrap());
    let model = tiny("bert-classify");
    let host = workerd::serve(&Workerd {
        model: Some(&model),
        server: Some(server),
        ..Workerd::default()
    });
    let mut leaves = host.connect();
    leaves.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    stuck.recv_timeout(Duration::from_secs(10)).unwrap();
    drop(leaves);
    let start = Instant::now();
    assert_eq!(host.get("/health").0, 200);
    println!("workerd: another request took over after {} ms", start.elapsed().as_millis());
}

/// A server of files whose first answer never comes; it says when somebody waits for that one.
fn assets_that_get_stuck_once(folder: &Path) -> (SocketAddr, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let folder = folder.to_owned();
    let (somebody_waits, waits) = channel();
    std::thread::spawn(move || {
        let mut stuck = None;
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut head = String::new();
            BufReader::new(&stream).read_line(&mut head).unwrap();
            if stuck.is_none() {
                stuck = Some(stream);
                somebody_waits.send(()).unwrap();
                continue;
            }
            let path = head.split(' ').nth(1).unwrap().trim_start_matches('/');
            let (status, body) = match std::fs::read(folder.join(path)) {
                Ok(body) => ("200 OK", body),
                Err(_) => ("404 Not Found", Vec::new()),
            };
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close");
            // A client that is gone needs no answer.
            let _gone = stream.write_all(&[head.as_bytes(), b"\r\n\r\n", &body].concat());
        }
    });
    (address, waits)
}

#[test]
fn cold_start_and_first_answer() {
    let start = Instant::now();
    let host = workerd::start(None);
    let listening = start.elapsed();
    let answer = |host: &Host| {
        let start = Instant::now();
        assert_eq!(ask(host, "what a wonderful film").0, 200);
        start.elapsed().as_secs_f64() * 1e3
    };
    let first = answer(&host);
    let next = (0..20).map(|_| answer(&host)).fold(f64::INFINITY, f64::min);
    let listening = listening.as_millis();
    println!(
        "workerd: listens after {listening} ms, first answer {first:.1} ms, next {next:.1} ms"
    );
}
