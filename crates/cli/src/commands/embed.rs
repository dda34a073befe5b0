//! `trireme embed`

use serde::Serialize;
use trireme_domain::wire::Origin;
use trireme_domain::{Code, Fault};
use trireme_server::Opened;
use trireme_service::{Answer, Task};

use crate::args::{Embed, Format};
use crate::output::{self, Output};
use crate::{host, input};

pub async fn run(args: Embed, opened: &Opened, output: Output) -> Result<(), Fault> {
    let texts = input::texts(&args.texts)?;
    if texts.iter().any(|text| text.second.is_some()) {
        let message = "a vector is of one text; `classify` takes pairs";
        return Err(Fault::new(Code::InvalidData, message));
    }
    let cut = args.texts.cut.into();
    let answers = host::answer(opened, texts, &Task::from(args.vector), cut, output).await?;
    let bytes = match args.format {
        Format::Json if output.json => full(opened, &answers)?.into_bytes(),
        Format::Json => lists(&answers)?.into_bytes(),
        Format::Csv => csv(&answers).into_bytes(),
        Format::Npy => npy(&answers),
    };
    output::write(args.output.as_deref(), &bytes)
}

fn lists(answers: &[Answer]) -> Result<String, Fault> {
    let vectors: Vec<_> = answers.iter().map(|answer| &answer.values).collect();
    Ok(output::to_json(&vectors)? + "\n")
}

/// What `--json` adds to the vectors.
#[derive(Serialize)]
struct Full<'a> {
    embeddings: Vec<&'a Vec<f32>>,
    dimensions: usize,
    tokens: usize,
    #[serde(flatten)]
    origin: &'a Origin,
}

fn full(opened: &Opened, answers: &[Answer]) -> Result<String, Fault> {
    let full = Full {
        embeddings: answers.iter().map(|answer| &answer.values).collect(),
        dimensions: answers.first().map_or(0, |answer| answer.values.len()),
        tokens: answers.iter().map(|answer| answer.tokens).sum(),
        origin: &opened.served.identity.origin,
    };
    Ok(output::to_json(&full)? + "\n")
}

fn csv(answers: &[Answer]) -> String {
    let line = |answer: &Answer| {
        let numbers: Vec<String> = answer.values.iter().map(f32::to_string).collect();
        numbers.join(",") + "\n"
    };
    answers.iter().map(line).collect()
}

/// NumPy's format, version 1: a magic word, a Python literal filled up to 64 bytes, the numbers.
fn npy(answers: &[Answer]) -> Vec<u8> {
    const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";
    let shape = (answers.len(), answers.first().map_or(0, |answer| answer.values.len()));
    let mut header = format!(
        "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}",
        shape.0, shape.1
    );
    let length = MAGIC.len() + size_of::<u16>();
    while !(length + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let mut file = MAGIC.to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.bytes());
    file.extend(answers.iter().flat_map(|answer| &answer.values).flat_map(|v| v.to_le_bytes()));
    file
}
