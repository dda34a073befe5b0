//! Texts that are read and not run: in bounds, on threads that nobody else waits for, and an accident
//! there is the request's own.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::json;
use trireme_domain::{Fault, Limits};
use trireme_server::Queue;
use trireme_service::ports::{Compute as _, Reads};
use trireme_service::{Identity, Served, Terms, Token};

use super::gate::{Gate, Mood, model, threads};
use super::running::Running;
use super::start;
use super::talk::{Reply, Talk, ask, request};
use crate::host::Host;

/// What makes the reader panic.
const POISON: &str = "poison";

/// Callers of other addresses, as a proxy tells them.
const ANN: (&str, &str) = ("x-forwarded-for", "10.0.0.1");
const BEN: (&str, &str) = ("x-forwarded-for", "10.0.0.2");
const CAT: (&str, &str) = ("x-forwarded-for", "10.0.0.3");

/// No time for what has to wait.
const SOON: (&str, &str) = ("x-request-timeout", "50ms");

/// A small model's reader that may be told to wait.
struct Slow {
    reader: Arc<dyn Reads>,
    /// How many texts were begun, and whether they wait.
    state: Mutex<(usize, bool)>,
    changed: Condvar,
}

impl Slow {
    fn wait(&self, waits: bool) {
        self.state.lock().unwrap().1 = waits;
        self.changed.notify_all();
    }

    fn begun(&self) -> usize {
        self.state.lock().unwrap().0
    }

    fn until_begun(&self, texts: usize) {
        let state = self.state.lock().unwrap();
        drop(self.changed.wait_while(state, |(begun, _)| *begun < texts).unwrap());
    }
}

impl Reads for Slow {
    fn max_tokens(&self) -> usize {
        self.reader.max_tokens()
    }

    fn tokens(&self, text: &str, prompt: Option<&str>, special: bool) -> Result<Vec<Token>, Fault> {
        assert!(text != POISON, "the reader was told to panic");
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        self.changed.notify_all();
        drop(self.changed.wait_while(state, |(_, waits)| *waits).unwrap());
        self.reader.tokens(text, prompt, special)
    }

    fn text(&self, ids: &[u32], skip_special: bool) -> Result<String, Fault> {
        self.reader.text(ids, skip_special)
    }
}

/// A host with that reader, and one thread that listens.
struct Library {
    reader: Arc<Slow>,
    host: Host,
}

impl Library {
    fn new() -> Self {
        let gate = Gate::new(Mood::Work);
        let model = model(&gate);
        let state = Mutex::new((0, false));
        let identity = Identity::of(&model, "small", "1", "origin");
        let reader = Arc::new(Slow { reader: model, state, changed: Condvar::new() });
        let compute = Arc::new(threads(&gate, Queue::default()));
        let served = Served { identity, compute, reader: Arc::clone(&reader) as _ };
        let running = Running::of(async { served }, Limits::default(), |hosting| {
            hosting.forwarded = true;
        });
        let host = Host::new("native", format!("http://{}", running.address), running);
        Self { reader, host }
    }

    fn ask(&self, path: &str, headers: &[(&str, &str)], text: &str) -> Reply {
        ask(&self.host, "POST", path, headers, json!({ "inputs": text }).to_string().as_bytes())
    }

    /// A request that is not heard yet.
    fn sent(&self, path: &str, who: (&str, &str)) -> Talk {
        let mut talk = Talk::to(&self.host);
        let body = json!({ "inputs": "a boat" }).to_string();
        talk.say(request("POST", path, &[who], body.as_bytes()));
        talk
    }

    /// A request whose text is being read, and stays so.
    fn occupied(&self, path: &str, who: (&str, &str)) -> Talk {
        let before = self.reader.begun();
        self.reader.wait(true);
        let talk = self.sent(path, who);
        self.reader.until_begun(before + 1);
        talk
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        // A host does not end while somebody reads.
        self.reader.wait(false);
    }
}

#[test]
fn whoever_listens_waits_for_no_text_that_is_read() {
    let library = Library::new();
    let mut reading = [library.occupied("/tokenize", ANN), library.occupied("/embed_all", BEN)];
    assert_eq!(ask(&library.host, "GET", "/health", &[], b"").status, 200, "health asks no reader");
    let runs = ask(&library.host, "POST", "/predict", &[], br#"{"text": "a boat"}"#);
    assert_eq!(runs.status, 200, "nor does what is run: {runs:?}");
    let late = library.ask("/tokenize", &[CAT, SOON], "a third text");
    assert_eq!((late.status, &late.json()["code"]), (504, &json!("deadline_exceeded")), "{late:?}");
    assert_eq!(library.reader.begun(), 2, "no more are read at once");
    library.reader.wait(false);
    for talk in &mut reading {
        assert_eq!(talk.hear().map(|reply| reply.status), Some(200), "who is read is answered");
    }
    assert_eq!(library.ask("/tokenize", &[], "the next").status, 200);
}

#[test]
fn who_has_much_read_is_read_by_turns_and_fills_no_room_for_others() {
    let library = Library::new();
    let status = |who| library.ask("/tokenize", &[who, SOON], "a boat").status;
    let mut reading = vec![library.occupied("/tokenize", ANN)];
    let mut refused = Vec::new();
    reading.extend((0..19).map(|_| library.sent("/tokenize", ANN)));
    while refused.len() < 4 {
        refused.extend(reading.extract_if(.., |talk| talk.stirs(Duration::from_millis(5))));
    }
    for mut talk in refused {
        let reply = talk.hear().unwrap();
        assert_eq!((reply.status, &reply.json()["code"]), (429, &json!("overloaded")), "{reply:?}");
        assert_eq!(reply.header("retry-after"), Some("1"), "{reply:?}");
    }

    reading.push(library.occupied("/tokenize", BEN));
    assert_eq!(library.reader.begun(), 2, "one of hers, and his before the others of hers");
    assert_eq!(status(BEN), 429, "the room is full but for who has nothing there");
    assert_eq!(status(CAT), 504, "who was let in, and has no time");
    library.reader.wait(false);
    for talk in &mut reading {
        assert_eq!(talk.hear().map(|reply| reply.status), Some(200), "who is let in is answered");
    }
    assert_eq!(library.ask("/tokenize", &[ANN], "the next").status, 200, "there is room again");
}

#[test]
fn what_comes_after_reading_has_the_time_that_is_left() {
    let second = Duration::from_secs(1);
    let longest = 60 * second;
    let queue = Queue { timeout: longest, ..Queue::default() };
    let threads = threads(&Gate::new(Mood::Work), queue);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let takes = Duration::from_millis(20);
    let left = |timeout, patient| {
        let terms = Terms { owner: 7, timeout, patient, ..Terms::default() };
        let read = threads.aside(terms, Box::new(move || std::thread::sleep(takes)));
        let left = runtime.block_on(read).unwrap();
        assert_eq!((left.owner, left.patient), (7, patient), "nothing else changes");
        left.timeout
    };
    for (timeout, whole) in
        [(None, longest), (Some(30 * second), 30 * second), (Some(90 * second), longest)]
    {
        let left = left(timeout, false).unwrap();
        assert!(left > Duration::ZERO && left <= whole - takes, "{timeout:?} leaves {left:?}");
    }
    assert_eq!(left(None, true), None, "who is patient has all the time there is");
}

#[test]
fn a_reader_that_panics_costs_its_own_request_only() {
    let library = Library::new();
    // More often than texts are read at once.
    for path in ["/tokenize", "/embed_all", "/tokenize", "/embed_all"] {
        let reply = library.ask(path, &[], POISON);
        assert_eq!((reply.status, &reply.json()["code"]), (500, &json!("internal")), "{path}");
        assert_eq!(library.ask(path, &[], "the next").status, 200, "{path}");
    }
}

#[test]
fn more_tokens_than_an_answer_holds_are_refused_with_their_sum() {
    let host = start(None);
    let long = "!".repeat(100_000);
    let (status, answer) = host.post("/tokenize", &json!({ "inputs": [long, long, long] }));
    assert_eq!((status, &answer["code"]), (413, &json!("too_many_texts")), "{answer}");
    assert_eq!(answer["error"], "300006 tokens, and 250000 are the most; send less at once");
    let (status, answer) = host.post("/decode", &json!({ "ids": vec![100; 250_001] }));
    assert_eq!((status, &answer["code"]), (413, &json!("too_many_texts")), "{answer}");
    let (status, answer) = host.post("/tokenize", &json!({ "inputs": long }));
    let tokens = answer[0].as_array().map(Vec::len);
    assert_eq!((status, tokens), (200, Some(100_002)), "a text that may be sent may be read");
}
