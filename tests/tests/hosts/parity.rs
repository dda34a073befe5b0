//! The reference's answers, asked of every host over its own wire.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};
use trireme_domain::top::top;

use crate::golden::{self, Case};
use crate::host::Host;
use crate::native;

/// How far a host's answers are from the reference's.
#[derive(Debug)]
struct Parity {
    host: &'static str,
    texts: usize,
    refused: usize,
    vectors: usize,
    min_cosine: f64,
    vector_gap: f64,
    predictions: usize,
    labels_agree: usize,
    score_gap: f64,
    faults: Vec<String>,
}

impl fmt::Display for Parity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<9} {:>5} texts ({} refused) | {:>5} vectors: min cosine {:.8}, max |Δ| {:.2e} | \
             {:>4} predictions: labels {}/{}, max |Δ| {:.2e}",
            self.host,
            self.texts,
            self.refused,
            self.vectors,
            self.min_cosine,
            self.vector_gap,
            self.predictions,
            self.labels_agree,
            self.predictions,
            self.score_gap,
        )
    }
}

impl Parity {
    fn of(host: &'static str) -> Self {
        Self {
            host,
            texts: 0,
            refused: 0,
            vectors: 0,
            min_cosine: 1.0,
            vector_gap: 0.0,
            predictions: 0,
            labels_agree: 0,
            score_gap: 0.0,
            faults: Vec::new(),
        }
    }

    /// Asks for one case of a golden.
    fn case(&mut self, host: &Host, model: &str, labels: &[String], case: &Case) {
        self.texts += 1;
        let path = if case.embedding.is_some() { "/encode" } else { "/predict" };
        let (status, answer) = host.post(path, &request(case));
        let refuses = blank(&case.text) || case.pair.as_deref().is_some_and(blank);
        let as_it_should = match (refuses, status) {
            (true, 422) => {
                self.refused += 1;
                answer["error"]["code"] == "empty_text"
            }
            (false, 200) => match &case.embedding {
                Some(expected) => self.vector(&floats(&answer["embedding"]), expected),
                None => self.scores(&answer, labels, case.scores.as_deref().unwrap()),
            },
            _ => false,
        };
        if !as_it_should {
            let mut answer = answer.to_string();
            answer.truncate(answer.floor_char_boundary(300));
            self.faults.push(format!("{} {model} {}: {status} {answer}", self.host, case.id));
        }
    }

    fn vector(&mut self, got: &[f32], expected: &[f32]) -> bool {
        if got.len() != expected.len() {
            return false;
        }
        self.vectors += 1;
        self.min_cosine = self.min_cosine.min(golden::cosine(got, expected));
        self.vector_gap = self.vector_gap.max(golden::gap(got, expected));
        golden::differs(got, expected).is_none()
    }

    fn scores(&mut self, answer: &Value, labels: &[String], expected: &[f32]) -> bool {
        let probabilities = answer["probabilities"].as_object();
        let Some(probabilities) = probabilities.filter(|p| p.len() == expected.len()) else {
            return false;
        };
        let got: Vec<f32> =
            labels.iter().map(|label| probabilities[label].as_f64().unwrap() as f32).collect();
        self.predictions += 1;
        let best = top(expected).unwrap();
        let agrees = answer["prediction"] == best && answer["label"] == labels[best];
        self.labels_agree += usize::from(agrees);
        let gap = golden::gap(&got, expected);
        self.score_gap = self.score_gap.max(gap);
        agrees && gap <= 1e-4
    }

    fn assert(&self) {
        println!("{self}");
        let count = self.faults.len();
        assert!(count == 0, "{count} faults:\n{}\n{self}", self.faults.join("\n"));
    }
}

fn request(case: &Case) -> Value {
    let mut body = json!({ "text": case.text });
    let more = [("pair", &case.pair), ("prompt", &case.prompt_name)];
    for (key, value) in more.into_iter().filter_map(|(key, v)| Some((key, v.as_ref()?))) {
        body[key] = json!(value);
    }
    body
}

fn blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// A list of numbers as singles.
pub fn floats(value: &Value) -> Vec<f32> {
    let numbers = value.as_array().map(Vec::as_slice).unwrap_or_default();
    numbers.iter().filter_map(Value::as_f64).map(|v| v as f32).collect()
}

fn goldens() -> PathBuf {
    trireme_tests::repo_root().join("tests/goldens")
}

/// Every tiny model, and every container and tokenizer variant, with the golden it is held to.
fn models() -> Vec<(PathBuf, golden::Golden)> {
    let mut models = Vec::new();
    for family in ["tiny", "variants"] {
        for entry in std::fs::read_dir(goldens().join(family)).unwrap() {
            let folder = entry.unwrap().path();
            let own = folder.join("golden.json").is_file();
            let golden = if own { folder.clone() } else { goldens().join("tiny/bert-embed") };
            models.push((folder, golden::read(&golden)));
        }
    }
    models.sort_by(|a, b| a.0.cmp(&b.0));
    models
}

/// Holds a host to every golden of the engine; `start` serves one model folder.
pub fn engine_goldens(name: &'static str, start: impl Fn(&Path) -> Host) {
    let models = models();
    assert!(models.len() >= 38, "expected 38 models, got {}", models.len());
    goldens_of(name, models, start);
}

/// One model of each family, and each head: for hosts that take long to start one.
const FAMILIES: &[&str] = &[
    "bert-classify",
    "bert-embed-dense",
    "distilbert-embed",
    "electra-embed",
    "mpnet-embed",
    "roberta-classify",
    "xlmr-embed",
];

/// Holds a host to the goldens of every family; of every model, in `soak`.
pub fn family_goldens(name: &'static str, start: impl Fn(&Path) -> Host) {
    if std::env::var_os("TRIREME_SOAK").is_some() {
        return engine_goldens(name, start);
    }
    let mut models = models();
    models.retain(|(folder, _)| FAMILIES.iter().any(|family| folder.ends_with(family)));
    assert_eq!(models.len(), FAMILIES.len());
    goldens_of(name, models, start);
}

fn goldens_of(
    name: &'static str,
    models: Vec<(PathBuf, golden::Golden)>,
    start: impl Fn(&Path) -> Host,
) {
    let mut parity = Parity::of(name);
    for (folder, golden) in models {
        let host = start(&folder);
        let model = folder.file_name().unwrap().to_string_lossy();
        for case in &golden.cases {
            parity.case(&host, &model, &golden.labels, case);
        }
    }
    parity.assert();
}

#[derive(Deserialize)]
struct Text {
    id: String,
    text: String,
}

/// Holds a host that serves the real MiniLM to the reference's vectors of 247 texts.
pub fn minilm(host: &Host) {
    let read = |name: &str| std::fs::read(goldens().join(name)).unwrap();
    let texts: Vec<Text> = serde_json::from_slice(&read("texts.json")).unwrap();
    let vectors = read("minilm/vectors.safetensors").into();
    let vectors = trireme_model::weights::safetensors::read("vectors", &vectors).unwrap();
    let vectors = vectors.tensors["embeddings"].to_f32("embeddings").unwrap().into_owned();
    let mut parity = Parity::of(host.name);
    let pairs = texts.iter().zip(vectors.chunks(384));
    let (refused, asked): (Vec<_>, Vec<_>) = pairs.partition(|(text, _)| blank(&text.text));
    parity.refused = refused.len();
    parity.texts = refused.len();
    for batch in asked.chunks(32) {
        let body = json!({ "texts": batch.iter().map(|(t, _)| &t.text).collect::<Vec<_>>() });
        let (status, answer) = host.post("/encode", &body);
        let rows = answer["embeddings"].as_array();
        let rows = rows.unwrap_or_else(|| panic!("{}: {status} {answer}", host.name));
        for ((text, expected), row) in batch.iter().zip(rows) {
            parity.texts += 1;
            if !parity.vector(&floats(row), expected) {
                parity.faults.push(format!("{}: {}", host.name, text.id));
            }
        }
    }
    assert_eq!(parity.texts, texts.len(), "every text is asked for");
    parity.assert();
}

#[test]
fn native_gives_the_references_answers() {
    engine_goldens("native", |model| native::start(Some(model)));
}

#[test]
fn native_is_the_reference_on_minilm() {
    minilm(&native::start(Some(&trireme_tests::minilm_dir())));
}
