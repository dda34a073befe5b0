//! A request of the protocol: JSON, and behind it the raw bytes of tensors.
//!
//! Nothing that a body says of itself is believed: not where its JSON ends, not how long a tensor
//! is, not how many texts are in it. What is read is never larger than what came.

use std::time::Duration;

use serde::Serialize;
use trireme_domain::{Code, Fault};
use trireme_service::{Text, parse};

use super::json::{Body, Input, InputParameters, Output as Named, OutputParameters};
use super::tensors;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The caller's own name for it.
    pub id: Option<String>,
    /// The model, where the body says it too.
    pub model: Option<String>,
    /// The texts, or pairs of texts.
    pub texts: Vec<Text>,
    /// What is wanted, in this order; where nothing is, what the model is for.
    pub outputs: Vec<Wanted>,
    /// Whether what is not named is wanted as raw bytes.
    pub binary: bool,
    /// How soon.
    pub timeout: Option<Duration>,
}

/// An output, and how it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Which.
    pub output: Output,
    /// As raw bytes behind the JSON.
    pub binary: bool,
}

/// A tensor that a model gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OipOutputName"))]
pub enum Output {
    /// The vector of every text.
    Embedding,
    /// The score of every class.
    Scores,
    /// The name of the best class.
    Label,
    /// Its id.
    Prediction,
}

impl Output {
    /// Every one there is.
    pub const ALL: [Self; 4] = [Self::Embedding, Self::Scores, Self::Label, Self::Prediction];

    /// The tensor's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedding => "embedding",
            Self::Scores => "scores",
            Self::Label => "label",
            Self::Prediction => "prediction",
        }
    }
}

/// The types of elements that the protocol knows.
const DATATYPES: [&str; 14] = [
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16",
    "FP32", "FP64", "BF16", "BYTES",
];

/// Reads a body; `json_bytes` is the header that says where its JSON ends.
///
/// # Errors
/// [`Code::InvalidJson`], [`Code::InvalidUtf8`], [`Code::InvalidRequest`] or
/// [`Code::InvalidOption`], with the field that is wrong.
pub fn read(body: &[u8], json_bytes: Option<&[u8]>) -> Result<Request, Fault> {
    let (json, mut raw) = split(body, json_bytes)?;
    let Body { id, model_name, parameters, inputs, outputs } = parse(json)?;
    let (mut firsts, mut seconds) = (None, None);
    for (at, input) in inputs.into_iter().enumerate() {
        let place = format!("inputs[{at}]");
        let slot = match input.name.as_str() {
            "text" => &mut firsts,
            "pair" => &mut seconds,
            other => {
                let message = format!("there is no input {other:?}; texts are sent as `text`");
                return Err(wrong(&format!("{place}.name"), &message));
            }
        };
        if slot.is_some() {
            let message = format!("`{}` is sent twice", input.name);
            return Err(wrong(&format!("{place}.name"), &message));
        }
        *slot = Some(texts(input, &mut raw, &place)?);
    }
    if !raw.is_empty() {
        let message = format!("{} bytes stand behind the last tensor", raw.len());
        return Err(wrong("the body", &message));
    }
    let parameters = parameters.unwrap_or_default();
    let binary = parameters.binary_data_output.unwrap_or(false);
    let timeout = parameters.timeout.filter(|micros| *micros > 0).map(Duration::from_micros);
    let outputs = wanted(&outputs.unwrap_or_default(), binary)?;
    let texts = paired(firsts, seconds)?;
    Ok(Request { id, model: model_name, texts, outputs, binary, timeout })
}

/// The JSON, and what stands behind it.
fn split<'a>(body: &'a [u8], json_bytes: Option<&[u8]>) -> Result<(&'a [u8], &'a [u8]), Fault> {
    let Some(header) = json_bytes else { return Ok((body, &[])) };
    let text = String::from_utf8_lossy(header);
    // A sign would parse too.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let length = text.parse::<usize>().ok().filter(|_| digits);
    length.and_then(|length| body.split_at_checked(length)).ok_or_else(|| {
        let message = format!("{text:?} is no number of bytes of a body of {}", body.len());
        wrong(super::JSON_BYTES, &message)
    })
}

/// The texts of a tensor: in its `data`, or the next of the raw bytes.
fn texts(input: Input, raw: &mut &[u8], place: &str) -> Result<Vec<String>, Fault> {
    let Input { name, shape, datatype, parameters, data } = input;
    let wrong = |field: &str, message: &str| Err(wrong(&format!("{place}{field}"), message));
    if datatype != "BYTES" {
        let known = DATATYPES.contains(&datatype.as_str());
        let what = if known { "not what texts are" } else { "no datatype" };
        return wrong(".datatype", &format!("{datatype:?} is {what}; `{name}` is BYTES"));
    }
    let InputParameters { binary_data_size, shared_memory_region, content_type } =
        parameters.unwrap_or_default();
    if shared_memory_region.is_some() {
        return wrong(".parameters.shared_memory_region", "no memory is shared; send the texts");
    }
    if content_type.as_deref() == Some("base64") {
        return wrong(".parameters.content_type", "base64 is not taken; send the texts");
    }
    let texts = match (data, binary_data_size) {
        (Some(data), None) => data.0,
        (None, Some(size)) => {
            let split = usize::try_from(size.0).ok().and_then(|size| raw.split_at_checked(size));
            let Some((tensor, rest)) = split else {
                let message = format!("{} bytes are claimed, {} are left", size.0, raw.len());
                return wrong(".parameters.binary_data_size", &message);
            };
            *raw = rest;
            tensors::texts(tensor, place)?
        }
        (Some(_), Some(_)) => {
            return wrong("", "there are both `data` and `parameters.binary_data_size`");
        }
        (None, None) => {
            return wrong("", "there is neither `data` nor `parameters.binary_data_size`");
        }
    };
    let shape: Vec<u64> = shape.into_iter().map(|count| count.0).collect();
    match shape[..] {
        [count] | [count, 1] if count == texts.len() as u64 => Ok(texts),
        [_] | [_, 1] => {
            let message = format!("{shape:?} is claimed, {} texts came", texts.len());
            wrong(".shape", &message)
        }
        _ => wrong(".shape", "texts stand in one row: [n], or [n, 1]"),
    }
}

fn wanted(outputs: &[Named], binary: bool) -> Result<Vec<Wanted>, Fault> {
    let mut all: Vec<Wanted> = Vec::new();
    for (at, Named { name, parameters }) in outputs.iter().enumerate() {
        let place = format!("outputs[{at}]");
        let Some(output) = Output::ALL.into_iter().find(|output| output.name() == name) else {
            let names = Output::ALL.map(Output::name).join(", ");
            let message = format!("there is no output {name:?}; there are: {names}");
            return Err(wrong(&format!("{place}.name"), &message));
        };
        if all.iter().any(|wanted| wanted.output == output) {
            return Err(wrong(&format!("{place}.name"), &format!("`{name}` is asked for twice")));
        }
        let default = OutputParameters::default();
        let parameters = parameters.as_ref().unwrap_or(&default);
        if parameters.classification.is_some_and(|classes| classes > 0) {
            let message = "classes are not ranked here; ask for `scores` or `label`";
            let message = format!("{place}.parameters.classification: {message}");
            return Err(Fault::new(Code::InvalidOption, message));
        }
        if parameters.shared_memory_region.is_some() {
            let field = format!("{place}.parameters.shared_memory_region");
            return Err(wrong(&field, "no memory is shared; take the tensor from the answer"));
        }
        all.push(Wanted { output, binary: parameters.binary_data.unwrap_or(binary) });
    }
    Ok(all)
}

/// Each text, with what it is judged with where that was sent.
fn paired(firsts: Option<Vec<String>>, seconds: Option<Vec<String>>) -> Result<Vec<Text>, Fault> {
    let Some(firsts) = firsts else { return Err(wrong("inputs", "there is no `text`")) };
    let Some(seconds) = seconds else { return Ok(firsts.into_iter().map(Text::from).collect()) };
    if firsts.len() != seconds.len() {
        let message = format!("`text` holds {}, `pair` {}", firsts.len(), seconds.len());
        return Err(wrong("inputs", &message));
    }
    let pair = |(first, second)| Text { first, second: Some(second) };
    Ok(firsts.into_iter().zip(seconds).map(pair).collect())
}

fn wrong(field: &str, message: &str) -> Fault {
    Fault::new(Code::InvalidRequest, format!("{field}: {message}"))
}
