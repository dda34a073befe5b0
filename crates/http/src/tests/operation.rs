//! What the table says of a route, as an operation of the document.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::faults;
use crate::style::Convention;

type Shape = fn(&mut SchemaGenerator) -> Schema;

/// A body that a route takes.
pub(crate) struct Taken {
    shape: Shape,
    example: &'static str,
    /// Whether the example is one.
    pub reads: bool,
}

/// What the table says of a route.
#[derive(Default)]
pub(crate) struct Said {
    pub path: String,
    pub heading: &'static str,
    pub summary: &'static str,
    pub takes: Vec<Taken>,
    bodiless: bool,
    later: bool,
    gives: Vec<Shape>,
    media: Option<&'static str>,
    parameters: Vec<(&'static str, &'static str, &'static str)>,
    pub conventions: Vec<Convention>,
}

impl Said {
    pub fn at(path: String) -> Self {
        Self { path, ..Self::default() }
    }

    pub fn summary(&mut self, summary: &'static str) {
        self.summary = summary;
    }

    pub fn takes<R: JsonSchema + DeserializeOwned>(&mut self, example: &'static str) {
        let reads = serde_json::from_str::<R>(example).is_ok();
        self.takes.push(Taken { shape: SchemaGenerator::subschema_for::<R>, example, reads });
    }

    pub fn or_nothing(&mut self) {
        self.bodiless = true;
    }

    pub fn later(&mut self) {
        self.later = true;
    }

    pub fn gives<A: JsonSchema>(&mut self) {
        self.gives.push(SchemaGenerator::subschema_for::<A>);
    }

    pub fn serves(&mut self, media: &'static str) {
        self.media = Some(media);
    }

    pub fn asks(&mut self, name: &'static str, example: &'static str, why: &'static str) {
        self.parameters.push((name, example, why));
    }

    pub fn also(&mut self, convention: Convention) {
        self.conventions.push(convention);
    }

    pub fn under(&mut self, heading: &'static str, convention: Convention) {
        self.heading = heading;
        self.conventions.insert(0, convention);
    }

    /// The operation. Requests are described as they are read, answers as they are written.
    pub fn operation(
        &self,
        method: &str,
        requests: &mut SchemaGenerator,
        answers: &mut SchemaGenerator,
    ) -> Value {
        let (path, mut operation) = (self.path.as_str(), Map::new());
        operation.insert("tags".to_owned(), json!([self.heading]));
        operation.insert("summary".to_owned(), json!(self.summary));
        operation.insert("operationId".to_owned(), json!(id(method, path)));
        let mut parameters: Vec<Value> =
            self.parameters.iter().map(|asked| parameter(path, *asked)).collect();
        if !self.takes.is_empty() {
            let name = if self.later { "IdempotencyKey" } else { "Timeout" };
            parameters.push(json!({"$ref": format!("#/components/parameters/{name}")}));
            operation.insert("requestBody".to_owned(), self.body(requests));
        }
        if !parameters.is_empty() {
            operation.insert("parameters".to_owned(), json!(parameters));
        }
        let mut responses = Map::new();
        if let Some(answer) = self.answer(answers) {
            let status = if self.later { "202" } else { "200" };
            responses.insert(status.to_owned(), answer);
        }
        for status in faults::statuses(!self.takes.is_empty(), path) {
            let name = faults::name(&self.conventions, status);
            let response = json!({"$ref": format!("#/components/responses/{name}")});
            responses.insert(status.to_string(), response);
        }
        operation.insert("responses".to_owned(), responses.into());
        operation.into()
    }

    fn body(&self, requests: &mut SchemaGenerator) -> Value {
        let shapes = self.takes.iter().map(|taken| (taken.shape)(requests).to_value());
        let mut content = Map::from_iter([("schema".to_owned(), any(shapes.collect()))]);
        let mut examples: Vec<Value> = Vec::new();
        for Taken { example, .. } in &self.takes {
            let example: Value = serde_json::from_str(example).expect("examples are JSON");
            if !examples.contains(&example) {
                examples.push(example);
            }
        }
        let named = examples.into_iter().enumerate();
        let named = named.map(|(at, value)| (format!("{}", at + 1), json!({"value": value})));
        content.insert("examples".to_owned(), Value::Object(named.collect()));
        json!({"required": !self.bodiless, "content": {"application/json": content}})
    }

    fn answer(&self, answers: &mut SchemaGenerator) -> Option<Value> {
        let mut content = Map::new();
        if !self.gives.is_empty() {
            let shapes = self.gives.iter().map(|shape| shape(answers).to_value());
            let schema = any(shapes.collect());
            content.insert("application/json".to_owned(), json!({"schema": schema}));
        }
        if let Some(media) = self.media {
            let kind = if media == "application/json" { "object" } else { "string" };
            content.insert(media.to_owned(), json!({"schema": {"type": kind}}));
        }
        let answer = json!({"description": "The answer.", "content": content});
        Some(answer).filter(|_| !content.is_empty())
    }
}

/// Any of several shapes, which may come with more than one example each.
pub fn any(mut shapes: Vec<Value>) -> Value {
    shapes.dedup();
    match shapes.len() {
        1 => shapes.remove(0),
        _ => json!({"anyOf": shapes}),
    }
}

fn parameter(path: &str, (name, example, why): (&str, &str, &str)) -> Value {
    let place = if path.contains(&format!("{{{name}}}")) { "path" } else { "query" };
    // A query's parameter without a value is as good as none.
    let (schema, example) = match (place, example.parse::<u64>()) {
        ("path", _) => (json!({"type": "string", "minLength": 1}), json!(example)),
        (_, Ok(number)) => (json!({"type": "integer", "minimum": 0}), json!(number)),
        (_, Err(_)) => (json!({"type": "string"}), json!(example)),
    };
    json!({
        "name": name, "in": place, "required": place == "path", "description": why,
        "schema": schema, "example": example,
    })
}

/// `post_v1_embeddings`.
fn id(method: &str, path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<_> = words.collect();
    let name = if words.is_empty() { "root".to_owned() } else { words.join("_") };
    format!("{}_{name}", method.to_lowercase())
}
