//! `trireme quantize`

use serde::Serialize;
use trireme_domain::dataset::{Labelled, ScoredPair};
use trireme_domain::metrics::spearman;
use trireme_domain::similarity::cosine;
use trireme_domain::{Code, Fault};
use trireme_model::{Bundle, Cut, EmbedOptions, Precision};
use trireme_server::{ModelSettings, NamedCheckpoint, named_checkpoint, start};
use trireme_service::{Answer, Task, Text, from_model};

use super::eval::{cosines, judge, read_labelled, read_pairs, scores};
use super::pack::{self, Written};
use crate::args::Quantize;
use crate::host;
use crate::output::Output;

/// Texts to compare vectors of where there are no data.
const SENTENCES: &str = include_str!("sentences.txt");

/// What a model was asked before and after.
struct Questions {
    pairs: Vec<ScoredPair>,
    labelled: Vec<Labelled>,
    texts: Vec<String>,
}

/// A model of one precision, measured.
struct Measured {
    bytes: usize,
    vectors: Vec<Answer>,
    spearman: Option<f64>,
    accuracy: Option<f64>,
}

/// A figure in singles and in fewer bits.
#[derive(Serialize, Clone, Copy)]
struct Change<T> {
    before: T,
    after: T,
}

/// What fewer bits cost.
#[derive(Serialize)]
struct Cost {
    precision: &'static str,
    size: Change<usize>,
    cosine: Cosine,
    #[serde(skip_serializing_if = "Option::is_none")]
    spearman: Option<Change<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accuracy: Option<Change<f64>>,
}

/// How near vectors stay to those in singles.
#[derive(Serialize)]
struct Cosine {
    texts: usize,
    median: f64,
    smallest: f64,
}

/// The cost, and the file behind it.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    cost: Cost,
    #[serde(flatten)]
    written: Written,
}

pub async fn run(args: Quantize, settings: &ModelSettings, output: Output) -> Result<(), Fault> {
    let precision = to(settings.precision)?;
    let singles = named_checkpoint(settings).await?;
    let bytes = NamedCheckpoint {
        checkpoint: singles.checkpoint.quantized(precision).map_err(|e| from_model(&e))?,
        ..singles.clone()
    };
    let questions = Questions::read(&args, &singles)?;
    let before = measure(&questions, settings, singles, Precision::F32, output).await?;
    let after = measure(&questions, settings, bytes.clone(), precision, output).await?;
    let cost = Cost::new(precision, &before, &after);
    if !output.json {
        cost.print(output)?;
    }
    let bundle = Bundle::new(&bytes.checkpoint, None).map_err(|e| from_model(&e))?;
    let written = pack::write(&bundle, args.output)?;
    match output.json {
        true => output.json(&Report { cost, written }),
        false => output.result(&written.to_string()),
    }
}

/// The precision to keep weights in.
fn to(asked: Option<Precision>) -> Result<Precision, Fault> {
    match asked {
        None => Ok(Precision::Int8),
        Some(precision) if precision.in_bytes() => Ok(precision),
        Some(other) => {
            let message = format!("weights are quantised to int8 or int4, not to {}", other.name());
            Err(Fault::new(Code::InvalidOption, message))
        }
    }
}

impl Questions {
    fn read(args: &Quantize, model: &NamedCheckpoint) -> Result<Self, Fault> {
        let labels = model.checkpoint.spec().labels.as_ref();
        let labels = labels.map(|labels| labels.names.as_slice()).unwrap_or_default();
        let pairs = args.sts.as_deref().map(read_pairs).transpose()?.unwrap_or_default();
        let labelled = args.classify.as_deref().map(|file| read_labelled(file, labels));
        let labelled = labelled.transpose()?.unwrap_or_default();
        let of_pairs = pairs.iter().flat_map(|pair| [pair.first.clone(), pair.second.clone()]);
        let mut texts: Vec<String> =
            of_pairs.chain(labelled.iter().map(|row| row.text.clone())).collect();
        if texts.is_empty() {
            texts = SENTENCES.lines().map(str::to_owned).collect();
        }
        Ok(Self { pairs, labelled, texts })
    }
}

async fn measure(
    questions: &Questions,
    settings: &ModelSettings,
    model: NamedCheckpoint,
    precision: Precision,
    output: Output,
) -> Result<Measured, Fault> {
    let bundle = Bundle::new(&model.checkpoint, None).map_err(|e| from_model(&e))?;
    let bytes = bundle.pieces().map(<[u8]>::len).sum();
    let settings = ModelSettings { precision: Some(precision), ..settings.clone() };
    let opened = start(&settings, model)?;
    let ask = async |texts: &[String], task: Task| {
        let texts = texts.iter().cloned().map(Text::from).collect();
        host::answer(&opened, texts, &task, Cut::default(), output).await
    };
    let task = Task::Embed { options: EmbedOptions::default(), prompt: None };
    let vectors = ask(&questions.texts, task).await?;
    let of_pairs: Vec<&[f32]> = vectors
        .iter()
        .take(2 * questions.pairs.len())
        .map(|answer| answer.values.as_slice())
        .collect();
    let spearman = spearman(&scores(&questions.pairs), &cosines(&of_pairs));
    let accuracy = match questions.labelled.as_slice() {
        [] => None,
        rows => {
            let texts: Vec<String> = rows.iter().map(|row| row.text.clone()).collect();
            let answers = ask(&texts, Task::Classify).await?;
            Some(judge(rows, &answers, &opened.service.identity.labels)?.accuracy)
        }
    };
    Ok(Measured { bytes, vectors, spearman, accuracy })
}

impl Cost {
    fn new(precision: Precision, before: &Measured, after: &Measured) -> Self {
        let change = |of: fn(&Measured) -> Option<f64>| {
            Some(Change { before: of(before)?, after: of(after)? })
        };
        let vectors = before.vectors.iter().zip(&after.vectors);
        let mut cosines: Vec<f64> = vectors.map(|(a, b)| cosine(&a.values, &b.values)).collect();
        cosines.sort_by(f64::total_cmp);
        Self {
            precision: precision.name(),
            size: Change { before: before.bytes, after: after.bytes },
            cosine: Cosine {
                texts: cosines.len(),
                median: cosines.get(cosines.len() / 2).copied().unwrap_or(f64::NAN),
                smallest: cosines.first().copied().unwrap_or(f64::NAN),
            },
            spearman: change(|measured| measured.spearman),
            accuracy: change(|measured| measured.accuracy),
        }
    }

    fn print(&self, output: Output) -> Result<(), Fault> {
        let Self { precision, size, cosine, spearman, accuracy } = self;
        let mega = |bytes: usize| format!("{:.2} MB", bytes as f64 / 1e6);
        let row = |name: &str, before: &str, after: &str| {
            output.result(&format!("{name:20} {before:>14} {after:>14}"))
        };
        row("", "before", precision)?;
        row("size", &mega(size.before), &mega(size.after))?;
        row("cosine, median", "1", &format!("{:.5}", cosine.median))?;
        row("cosine, smallest", "1", &format!("{:.5}", cosine.smallest))?;
        for (name, change) in [("Spearman", spearman), ("accuracy", accuracy)] {
            if let Some(Change { before, after }) = change {
                row(name, &format!("{before:.5}"), &format!("{after:.5}"))?;
            }
        }
        output.result(&format!("cosines of {} texts to those before", cosine.texts))
    }
}
