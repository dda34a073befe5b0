//! Accidents, and what a caller hears of each: a typed answer, and the next request its own.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trireme_domain::Limits;
use trireme_server::{Hosting, Queue};
use trireme_service::{Identity, Models, Served};

use super::gate::{Gate, Mood, model, threads};
use super::running::Running;
use super::talk::{Reply, Talk, ask, request};
use crate::host::Host;

/// More tokens than a calm text has, and no more than a long one.
const MANY: u32 = 9;
const CALM: &str = "a boat";
const LONG: &str = "a quiet harbour with two oars and a net";

/// A host over a small model that can be told to misbehave.
struct Rehearsal {
    host: Host,
    gate: Gate,
    models: Models,
}

impl Rehearsal {
    fn new(queue: Queue, change: impl FnOnce(&mut Hosting)) -> Self {
        let gate = Gate::new(Mood::Work);
        let model = model(&gate);
        let served = Served {
            identity: Identity::of(&model, "small", "1", "origin"),
            compute: Arc::new(threads(&gate, queue)),
            reader: model,
        };
        let running = Running::of(async { served }, Limits::default(), change);
        let models = running.models.clone();
        let host = Host::new("native", format!("http://{}", running.address), running);
        Self { host, gate, models }
    }

    fn usual() -> Self {
        Self::new(Queue::default(), |_| {})
    }

    fn ask(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        ask(&self.host, "POST", path, headers, body.to_string().as_bytes())
    }

    /// A connection whose request is being computed, and stays so.
    fn occupied(&self) -> Talk {
        let before = self.gate.calls.load(Ordering::SeqCst);
        self.gate.set(Mood::Wait);
        let mut talk = Talk::to(&self.host);
        let body = json!({ "text": CALM }).to_string();
        talk.say(request("POST", "/predict", &[], body.as_bytes()));
        self.gate.until(before + 1);
        talk
    }

    /// Everything is well again, and answers.
    fn recovers(&self, accident: &str) {
        self.gate.set(Mood::Work);
        let next = self.ask("/predict", &[], &json!({ "text": CALM }));
        assert_eq!(next.status, 200, "after {accident}: {next:?}");
    }
}

/// An accident, and what its caller hears.
struct Row {
    accident: &'static str,
    reply: Reply,
    expected: (u16, &'static str, bool),
}

fn row(accident: &'static str, reply: Reply, status: u16, code: &'static str, again: bool) -> Row {
    Row { accident, reply, expected: (status, code, again) }
}

fn of_worker() -> Vec<Row> {
    let rehearsal = Rehearsal::usual();
    let long = json!({ "text": LONG });
    rehearsal.gate.set(Mood::Choke(MANY));
    let panics = rehearsal.ask("/predict", &[], &long);
    let both = rehearsal.ask("/predict_batch", &[], &json!({ "texts": [CALM, LONG, CALM] }));
    let errors: Vec<bool> = both.json()["results"].as_array().unwrap().iter().map(fails).collect();
    assert_eq!(errors, [false, true, false], "a panic is its own text's: {both:?}");
    rehearsal.recovers("a panic");
    rehearsal.gate.set(Mood::Rave(MANY));
    let raves = rehearsal.ask("/predict", &[], &long);
    let both = rehearsal.ask("/predict_batch", &[], &json!({ "texts": [LONG, CALM] }));
    let errors: Vec<bool> = both.json()["results"].as_array().unwrap().iter().map(fails).collect();
    assert_eq!(errors, [true, false], "what is no number is its own text's: {both:?}");
    rehearsal.recovers("an answer that is no number");
    vec![
        row("a worker panics on a text", panics, 500, "internal", false),
        row("a model answers what is no number", raves, 500, "answer_not_finite", false),
    ]
}

fn fails(result: &Value) -> bool {
    !result["error"].is_null()
}

fn of_load() -> Vec<Row> {
    let rehearsal = Rehearsal::new(Queue::of_texts(1), |_| {});
    let mut first = rehearsal.occupied();
    let mut waits = Talk::to(&rehearsal.host);
    waits.say(request("POST", "/predict", &[], json!({ "text": CALM }).to_string().as_bytes()));
    let waiting = || rehearsal.models.get(None).unwrap().compute.work().waiting;
    while waiting() == 0 {
        std::thread::yield_now();
    }
    let full = rehearsal.ask("/predict", &[], &json!({ "text": CALM }));
    assert!(full.header("retry-after").is_some(), "it says when: {full:?}");
    rehearsal.gate.set(Mood::Work);
    for talk in [&mut first, &mut waits] {
        assert_eq!(talk.hear().map(|reply| reply.status), Some(200), "who was let in is answered");
    }
    rehearsal.recovers("a full queue");
    let mut first = rehearsal.occupied();
    let mut late = Talk::to(&rehearsal.host);
    let body = json!({ "text": CALM }).to_string();
    let terms = [("x-request-timeout", "1ms")];
    late.say(request("POST", "/predict", &terms, body.as_bytes()));
    while waiting() == 0 {
        std::thread::yield_now();
    }
    // It has come; a small model might else be done with the first before the time is up.
    let came = Instant::now();
    while came.elapsed() <= Duration::from_millis(1) {
        std::thread::yield_now();
    }
    rehearsal.gate.set(Mood::Work);
    let late = late.hear().unwrap();
    assert_eq!(first.hear().map(|reply| reply.status), Some(200));
    rehearsal.recovers("a late answer");
    vec![
        row("more wait than may", full, 429, "overloaded", true),
        row("an answer is too late", late, 504, "deadline_exceeded", true),
    ]
}

fn of_clients() -> Vec<Row> {
    let body = json!({ "text": CALM }).to_string();
    let whole = request("POST", "/predict", &[], body.as_bytes());
    let rehearsal = Rehearsal::usual();
    let mut half = Talk::to(&rehearsal.host);
    half.say(&whole[..20]);
    drop(half);
    rehearsal.recovers("a client that is half there");
    let leaves = rehearsal.occupied();
    drop(leaves);
    rehearsal.recovers("a client that leaves");
    vec![row("a body comes too slowly", of_one_who_is_slow(&whole), 408, "request_timeout", true)]
}

fn of_one_who_is_slow(whole: &[u8]) -> Reply {
    // Long enough for whoever means to write, even where the machine has other work.
    let short = Duration::from_secs(2);
    let rehearsal = Rehearsal::new(Queue::default(), |hosting| hosting.patience = short);
    let mut slow = Talk::to(&rehearsal.host);
    slow.say(&whole[..whole.len() - 3]);
    let reply = slow.hear().expect("one who is slow hears why");
    rehearsal.recovers("a slow client");
    reply
}

fn of_the_end() -> Vec<Row> {
    let rehearsal = Rehearsal::usual();
    rehearsal.models.close();
    let unready = ask(&rehearsal.host, "GET", "/ready", &[], b"");
    rehearsal.recovers("notice of the end");
    let answered = rehearsal.ask("/predict", &[], &json!({ "text": CALM }));
    assert_eq!(answered.header("connection"), Some("close"), "{answered:?}");
    vec![row("the host is asked to end", unready, 503, "shutting_down", true)]
}

#[test]
fn every_accident_is_a_typed_answer_and_the_next_request_has_its_own() {
    let rows = [of_worker(), of_load(), of_clients(), of_the_end()].into_iter().flatten();
    println!("{:<36} {:>6}  {:<20} again", "accident", "status", "code");
    for Row { accident, reply, expected: (status, code, again) } in rows {
        let said = reply.header("x-should-retry") == Some("true");
        println!("{accident:<36} {:>6}  {:<20} {said}", reply.status, reply.code());
        assert_eq!(
            (reply.status, reply.code().as_str(), said),
            (status, code, again),
            "{accident}: {reply:?}"
        );
    }
}
