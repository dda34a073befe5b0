//! Spans, as a collector gets them.

use std::io::{BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::message::Message;
use super::*;

/// A collector, and what it was sent: the path and the body of each request.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<(String, Value)>>>);

impl Collector {
    fn open() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let collector = Self::default();
        let keeping = collector.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let keeping = keeping.clone();
                std::thread::spawn(move || keeping.converse(&stream));
            }
        });
        (collector, address)
    }

    fn converse(&self, stream: &TcpStream) {
        let mut requests = BufReader::new(stream);
        while let Some(request) = Message::read(&mut requests) {
            let spans = serde_json::from_slice(&request.body).unwrap();
            self.0.lock().unwrap().push((request.first().to_owned(), spans));
            let mut answer = stream;
            answer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
        }
    }

    /// All spans so far, and the name of the service that they are of.
    fn spans(&self) -> Vec<(Value, Value)> {
        let all = self.0.lock().unwrap();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let resources = all.iter().flat_map(|(path, body)| {
            assert_eq!(path, "POST /v1/traces HTTP/1.1");
            list(&body["resourceSpans"])
        });
        let of_resource = |resource: Value| {
            let service = attribute(&resource["resource"], "service.name");
            let spans = list(&resource["scopeSpans"]).into_iter();
            let spans: Vec<Value> = spans.flat_map(|scope| list(&scope["spans"])).collect();
            spans.into_iter().map(move |span| (service.clone(), span))
        };
        resources.flat_map(of_resource).collect()
    }
}

/// An attribute's value, of whichever type.
fn attribute(of: &Value, name: &str) -> Value {
    let all = of["attributes"].as_array().cloned().unwrap_or_default();
    let found = all.into_iter().find(|pair| pair["key"] == name).unwrap_or_default();
    let value = found["value"].as_object().and_then(|value| value.values().next().cloned());
    value.unwrap_or_default()
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

#[test]
fn a_request_is_a_span_of_its_callers_trace_and_its_run_one_of_its_own() {
    let (collector, address) = Collector::open();
    let server = Server::start(&["--traces", &address, "--log-format", "json"]);
    let parent = format!("00-{TRACE}-{CALLER}-01");
    let text = "a text that nobody must see";
    let body = json!({ "text": text }).to_string();
    let reply = server.ask("POST", "/predict", &[("traceparent", &parent)], &body);
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(server.ask("POST", "/predict", &[], "{").status, 400);
    server.terminate();
    let (code, said) = server.ended();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(&format!("\"trace\":\"{TRACE}\"")), "the log names the trace: {said}");

    let spans = collector.spans();
    let named = |name: &str| -> Vec<&Value> {
        spans.iter().map(|(_, span)| span).filter(|span| span["name"] == name).collect()
    };
    assert!(spans.iter().all(|(service, _)| service == "trireme"), "{spans:?}");
    let [asked, refused] = named("POST /predict")[..] else { panic!("two requests: {spans:?}") };
    let [run] = named("compute")[..] else { panic!("one run: {spans:?}") };
    assert_eq!((&asked["traceId"], &asked["parentSpanId"]), (&json!(TRACE), &json!(CALLER)));
    assert_eq!((&run["traceId"], &run["parentSpanId"]), (&json!(TRACE), &asked["spanId"]));
    assert_eq!(attribute(asked, "http.route"), "/predict");
    assert_eq!(attribute(asked, "request_id"), reply.header("x-request-id").unwrap());
    assert_eq!(attribute(asked, "http.response.status_code"), "200");
    for of_run in ["waited_ms", "ran_ms"] {
        assert!(attribute(run, of_run).as_f64().is_some(), "{of_run}: {run}");
    }
    assert_ne!(refused["traceId"], TRACE, "whoever names no trace begins one");
    assert_eq!(attribute(refused, "error.type"), "invalid_json");
    let all = format!("{spans:?}");
    assert!(!all.contains(text), "a span holds no text: {all}");
}

#[test]
fn a_caller_decides_whether_it_is_traced_and_else_the_share_does() {
    let (collector, address) = Collector::open();
    let server = Server::start(&["--traces", &address, "--trace-share", "0"]);
    for flags in ["00", "01"] {
        let parent = format!("00-{TRACE}-{CALLER}-{flags}");
        server.ask("POST", "/predict", &[("traceparent", &parent)], r#"{"text": "fine"}"#);
    }
    server.post("/predict", &json!({"text": "fine"}));
    server.terminate();
    let (code, said) = server.ended();
    assert_eq!(code, Some(0), "{said}");
    let requests = collector.spans().into_iter().filter(|(_, span)| span["name"] != "compute");
    let traces: Vec<Value> = requests.map(|(_, span)| span["traceId"].clone()).collect();
    assert_eq!(traces, [json!(TRACE)], "one of the two that said so, and no other");
}

#[test]
fn a_collector_that_is_not_there_holds_nobody_up() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Server::start(&["--traces", &format!("http://{closed}")]);
    assert_eq!(server.post("/predict", &json!({"text": "fine"})).status, 200);
    server.terminate();
    let (code, said) = server.ended();
    assert_eq!(code, Some(0), "{said}");
}
