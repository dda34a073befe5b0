//! `trireme quantize`

use serde::Serialize;
use trireme_domain::{Code, Fault};
use trireme_model::{Bundle, Precision};
use trireme_server::{ModelSettings, NamedCheckpoint, named_checkpoint, start};
use trireme_service::from_model;

use super::pack::{self, Written};
use super::quality::{Answered, Cosines, Questions};
use crate::args::Quantize;
use crate::output::Output;

/// A model of one precision, measured.
struct Measured {
    bytes: usize,
    answered: Answered,
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
    /// How near vectors stay to those in singles.
    cosine: Cosines,
    #[serde(skip_serializing_if = "Option::is_none")]
    spearman: Option<Change<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accuracy: Option<Change<f64>>,
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
    let labels = singles.checkpoint.spec().labels.as_ref();
    let labels = labels.map(|labels| labels.names.as_slice()).unwrap_or_default();
    let questions = Questions::read(args.sts.as_deref(), args.classify.as_deref(), labels)?;
    let before = measure(&questions, settings, singles, Precision::F32, output).await?;
    let after = measure(&questions, settings, bytes.clone(), precision, output).await?;
    let cost = Cost::new(precision, &before, &after)?;
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
    let opened = start(&settings, model).await?;
    let answered = questions.ask(&opened, output).await?;
    Ok(Measured { bytes, answered })
}

impl Cost {
    fn new(precision: Precision, before: &Measured, after: &Measured) -> Result<Self, Fault> {
        let change = |of: fn(&Answered) -> Option<f64>| {
            Some(Change { before: of(&before.answered)?, after: of(&after.answered)? })
        };
        let cosine = Cosines::between(&before.answered, &after.answered);
        let no_text = || Fault::new(Code::InvalidData, "there is no text to compare vectors of");
        Ok(Self {
            precision: precision.name(),
            size: Change { before: before.bytes, after: after.bytes },
            cosine: cosine.ok_or_else(no_text)?,
            spearman: change(|answered| answered.spearman),
            accuracy: change(|answered| answered.accuracy),
        })
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
