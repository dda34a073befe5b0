//! A server whose models answer by rule.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use trireme_domain::wire::{Kind, Origin, Pooling};
use trireme_domain::{Fault, Limits};
use trireme_http::router;
use trireme_service::ports::{BoxFuture, Clock, Compute, Entropy, Reads, Vitals};
use trireme_service::{Answer, Answers, Identity, Job, Models, Served, Service, Task, Token};

/// Of each text its length and one more number, of each pair the lengths of both.
#[derive(Default)]
pub struct Lengths {
    pub asked: Mutex<Vec<Task>>,
    pub ill: bool,
}

impl Compute for Lengths {
    fn submit(&self, job: Job) -> BoxFuture<'_, Result<Answers, Fault>> {
        self.asked.lock().unwrap().push(job.task.clone());
        let values = |text: &trireme_service::Text| {
            let first = text.first.len() as f32;
            match (&job.task, &text.second) {
                (Task::Embed { .. } | Task::Tokens { .. }, _) => vec![first, 0.5, -1.0],
                (Task::Classify { .. }, None) => vec![first, 2.0],
                (Task::Classify { .. }, Some(second)) => vec![first, second.len() as f32],
            }
        };
        let answer = |text| Ok(Answer { values: values(text), tokens: 3, dropped: 0, id: None });
        let answers = job.texts.iter().map(answer).collect();
        Box::pin(async move { Ok(answers) })
    }

    fn vitals(&self) -> Vitals {
        Vitals { stopped: None, unready: self.ill.then(|| "it coughs".to_owned()) }
    }
}

struct Host;

impl Clock for Host {
    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

impl Entropy for Host {
    fn id(&self) -> String {
        "1".to_owned()
    }
}

impl Reads for Host {
    fn max_tokens(&self) -> usize {
        16
    }

    fn tokens(&self, _: &str, _: Option<&str>, _: bool) -> Result<Vec<Token>, Fault> {
        Ok(Vec::new())
    }

    fn text(&self, _: &[u32], _: bool) -> Result<String, Fault> {
        Ok(String::new())
    }
}

pub fn served(name: &str, labels: &[&str], compute: Arc<Lengths>) -> Served {
    let origin = Origin {
        model: name.to_owned(),
        version: "2".to_owned(),
        digest: "d1".to_owned(),
        precision: "f32".to_owned(),
        place: "origin".to_owned(),
    };
    let identity = Identity {
        origin,
        kind: if labels.is_empty() { Kind::Embedding } else { Kind::Classifier },
        architecture: "bert",
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        several: false,
        dimensions: 3,
        pooling: Pooling::Mean,
        normalizes: true,
    };
    Served { identity, compute, reader: Arc::new(Host) }
}

pub struct Server {
    pub service: Service,
    /// What the classifier was asked.
    pub mood: Arc<Lengths>,
}

impl Server {
    /// A classifier `mood`, and `owner/mini` for vectors.
    pub fn new() -> Self {
        let mood = Arc::new(Lengths::default());
        let models = Models::of(served("mood", &["bad", "good"], Arc::clone(&mood)));
        models.add(served("owner/mini", &[], Arc::default()));
        let limits = Limits { texts: 4, ..Limits::default() };
        let service = Service {
            models,
            clock: Arc::new(Host),
            entropy: Arc::new(Host),
            limits,
            policy: Arc::default(),
            telemetry: Arc::new(()),
            jobs: None,
            records: None,
        };
        Self { service, mood }
    }

    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body)).unwrap();
        let answer = now(router(&self.service, &[]).oneshot(request)).unwrap();
        let (parts, body) = answer.into_parts();
        let body = now(body.collect()).unwrap().to_bytes().to_vec();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    pub fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[], Vec::new())
    }

    pub fn infer(&self, path: &str, body: &Value) -> Reply {
        self.ask("POST", path, &[], body.to_string().into_bytes())
    }
}

pub struct Reply {
    pub status: StatusCode,
    headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn is(&self, status: u16, code: &str) {
        let got = self.json();
        assert_eq!((self.status.as_u16(), &got["code"]), (status, &json!(code)), "{got}");
        assert!(got["error"].is_string(), "{got}");
    }
}

/// Nothing here waits, so the first look finds an answer.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("it waits for something"),
    }
}
