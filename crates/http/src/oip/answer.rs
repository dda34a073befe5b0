//! What a model takes and gives, and an answer's tensors as JSON or raw bytes.

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use axum::response::IntoResponse as _;
use serde::Serialize;
use trireme_domain::top::top;
use trireme_domain::wire::{Kind, Origin};
use trireme_domain::{Code, Fault};
use trireme_service::{Answer, Identity};

use super::read::{Output, Wanted};
use super::{JSON_BYTES, tensors};
use crate::answer::Json;

/// The outputs of a model, the ones it is for first.
pub(super) fn offered(kind: Kind) -> &'static [Output] {
    match kind {
        Kind::Classifier => &[Output::Scores, Output::Label, Output::Prediction, Output::Embedding],
        Kind::Reranker => &[Output::Scores, Output::Embedding],
        Kind::Embedding => &[Output::Embedding],
    }
}

/// What a model gives to those who name no output.
pub(super) fn usual(kind: Kind) -> impl Iterator<Item = Output> {
    let all = offered(kind);
    let only = all.len() == 1;
    all.iter().copied().filter(move |output| only || *output != Output::Embedding)
}

/// What a model is called, takes and gives.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OipModel"))]
pub(crate) struct Metadata<'a> {
    name: &'a str,
    versions: [&'a str; 1],
    #[cfg_attr(test, schemars(extend("const" = "trireme")))]
    platform: &'static str,
    inputs: Vec<Described>,
    outputs: Vec<Described>,
    parameters: Made<'a>,
}

/// A tensor; -1 stands for as many as there are texts.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OipDescribed"))]
struct Described {
    name: &'static str,
    datatype: Datatype,
    shape: Vec<i64>,
}

/// How an answer was made: of our origin, what the protocol has no field for.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OipMade"))]
struct Made<'a> {
    digest: &'a str,
    precision: &'a str,
    place: &'a str,
}

impl<'a> From<&'a Origin> for Made<'a> {
    fn from(origin: &'a Origin) -> Self {
        let Origin { digest, precision, place, .. } = origin;
        Self { digest, precision, place }
    }
}

impl<'a> From<&'a Identity> for Metadata<'a> {
    fn from(identity: &'a Identity) -> Self {
        let input = |name| Described { name, datatype: Datatype::Bytes, shape: vec![-1] };
        let second = (identity.kind != Kind::Embedding).then_some("pair");
        let output = |output: &Output| {
            let (datatype, width) = match output {
                Output::Embedding => (Datatype::Fp32, Some(identity.dimensions)),
                Output::Scores => (Datatype::Fp32, Some(identity.labels.len())),
                Output::Label => (Datatype::Bytes, None),
                Output::Prediction => (Datatype::Int64, None),
            };
            let shape = [-1].into_iter().chain(width.map(|width| width as i64)).collect();
            Described { name: output.name(), datatype, shape }
        };
        Self {
            name: &identity.origin.model,
            versions: [&identity.origin.version],
            platform: "trireme",
            inputs: ["text"].into_iter().chain(second).map(input).collect(),
            outputs: offered(identity.kind).iter().map(output).collect(),
            parameters: Made::from(&identity.origin),
        }
    }
}

/// The tensors of an answer.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OipAnswer"))]
pub(crate) struct Inferred<'a> {
    model_name: &'a str,
    model_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "String"))]
    id: Option<&'a str>,
    parameters: Made<'a>,
    outputs: Vec<Tensor>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OipTensor"))]
struct Tensor {
    name: Output,
    datatype: Datatype,
    shape: Vec<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Raw"))]
    parameters: Option<Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Data"))]
    data: Option<Data>,
}

/// Where a tensor's elements are instead of in `data`: among the bytes behind the JSON.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OipRaw"))]
struct Raw {
    binary_data_size: usize,
}

#[derive(Serialize, Clone, Copy)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OipDatatype"))]
enum Datatype {
    #[serde(rename = "BYTES")]
    Bytes,
    #[serde(rename = "FP32")]
    Fp32,
    #[serde(rename = "INT64")]
    Int64,
}

#[derive(Serialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OipData"))]
enum Data {
    Floats(Vec<f32>),
    Ids(Vec<i64>),
    Names(Vec<String>),
}

impl Data {
    fn datatype(&self) -> Datatype {
        match self {
            Self::Floats(_) => Datatype::Fp32,
            Self::Ids(_) => Datatype::Int64,
            Self::Names(_) => Datatype::Bytes,
        }
    }

    fn packed(&self) -> Vec<u8> {
        match self {
            Self::Floats(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::Ids(ids) => ids.iter().flat_map(|id| id.to_le_bytes()).collect(),
            Self::Names(names) => tensors::packed(names),
        }
    }
}

/// What was computed: of each text its class scores, its vector, or both.
#[derive(Default)]
pub(super) struct Rows {
    pub scores: Vec<Answer>,
    pub vectors: Vec<Answer>,
}

impl Rows {
    fn of(&self, output: Output, labels: &[String]) -> (Vec<usize>, Data) {
        let best = || self.scores.iter().map(|answer| top(&answer.values).unwrap_or_default());
        match output {
            Output::Embedding => table(&self.vectors),
            Output::Scores => table(&self.scores),
            Output::Prediction => {
                (vec![self.scores.len()], Data::Ids(best().map(|class| class as i64).collect()))
            }
            Output::Label => {
                let name = |class: usize| labels.get(class).cloned().unwrap_or_default();
                (vec![self.scores.len()], Data::Names(best().map(name).collect()))
            }
        }
    }
}

fn table(answers: &[Answer]) -> (Vec<usize>, Data) {
    let width = answers.first().map_or(0, |answer| answer.values.len());
    let values = answers.iter().flat_map(|answer| &answer.values).copied().collect();
    (vec![answers.len(), width], Data::Floats(values))
}

/// The answer: JSON, with the raw bytes of those tensors behind it that are wanted so.
pub(super) fn inferred(
    identity: &Identity,
    id: Option<&str>,
    wanted: &[Wanted],
    rows: &Rows,
) -> Result<Response<Body>, Fault> {
    let mut raw = Vec::new();
    let outputs = wanted.iter().map(|&Wanted { output, binary }| {
        let (shape, data) = rows.of(output, &identity.labels);
        let (name, datatype) = (output, data.datatype());
        if !binary {
            return Tensor { name, datatype, shape, parameters: None, data: Some(data) };
        }
        let packed = data.packed();
        let parameters = Some(Raw { binary_data_size: packed.len() });
        raw.extend(packed);
        Tensor { name, datatype, shape, parameters, data: None }
    });
    let answer = Inferred {
        outputs: outputs.collect(),
        model_name: &identity.origin.model,
        model_version: &identity.origin.version,
        id,
        parameters: Made::from(&identity.origin),
    };
    if wanted.iter().all(|wanted| !wanted.binary) {
        return Ok(Json(answer).into_response());
    }
    let mut body = serde_json::to_vec(&answer)
        .map_err(|error| Fault::new(Code::Internal, format!("the answer is no JSON: {error}")))?;
    let length = HeaderValue::from(body.len());
    body.extend(raw);
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(JSON_BYTES, length);
    let kind = HeaderValue::from_static("application/octet-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}
