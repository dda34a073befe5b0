//! `trireme train`

pub mod embed;
pub mod folder;
pub mod run;

use std::path::Path;

use trireme_domain::{Fault, dataset};
use trireme_model::{Checkpoint, Cut, Encoded, Reader};
use trireme_server::{ModelSettings, named_checkpoint};
use trireme_service::from_model;
use trireme_train::{Classify, Options, Pair, Place, fresh_weights, split};

use crate::args::{TrainClassify, Training};
use crate::input;
use crate::output::Output;
use folder::Source;
use run::{Run, fault, one_of_several};

/// Trains a model to name the classes of a file.
pub async fn classify(
    args: TrainClassify,
    settings: &ModelSettings,
    place: Place,
    output: Output,
) -> Result<(), Fault> {
    let run = run_of(&args.training, place)?;
    let base = named_checkpoint(settings).await?;
    let (data, held_out) = sources(&args.training)?;
    let names = match (&args.labels[..], &base.checkpoint.spec().labels) {
        ([], Some(labels)) if read_labelled(&data, &labels.names, &args.training).is_ok() => {
            labels.names.clone()
        }
        ([], _) => columns(&args.training).classes(&data.bytes).map_err(|e| data.fault(e))?,
        (names, _) => names.to_vec(),
    };
    let checkpoint = base.checkpoint.classifying(&names, fresh_weights(args.training.seed));
    let checkpoint = checkpoint.map_err(|e| from_model(&e))?;
    let texts = Texts::new(&checkpoint, args.training.max_length)?;
    let encoded = |source: &Source| {
        let rows = read_labelled(source, &names, &args.training)?.into_iter();
        rows.map(|row| Ok((texts.encode(&row.text)?, row.label))).collect::<Result<Vec<_>, Fault>>()
    };
    let (learn, measure) = parts(&args.training, &data, held_out.as_ref(), encoded)?;
    let mut task = Classify::new(names, learn, measure).map_err(|e| fault(&e))?;
    one_of_several(checkpoint.spec().labels.as_ref())?;
    if args.balanced {
        task = task.balanced();
    }
    let known = if args.calibrate { task.held_out.clone() } else { Vec::new() };
    let mut ended = run.train(checkpoint, task, settings, output)?;
    if args.calibrate {
        ended = ended.calibrated(settings, &known).await?;
    }
    ended.finish(std::iter::once(&data).chain(&held_out), output)
}

fn run_of(args: &Training, place: Place) -> Result<Run, Fault> {
    Run::new(Options::from(args), &args.keeping, place)
}

/// The file to learn from, and the one to measure by, where it is another.
fn sources(args: &Training) -> Result<(Source, Option<Source>), Fault> {
    let held_out = args.validation.as_deref().map(Source::read).transpose()?;
    Ok((Source::read(&args.data)?, held_out))
}

fn read_labelled(
    source: &Source,
    names: &[String],
    args: &Training,
) -> Result<Vec<dataset::Labelled>, Fault> {
    columns(args).read_labelled(&source.bytes, names).map_err(|e| source.fault(e))
}

fn columns(args: &Training) -> dataset::Columns {
    dataset::Columns(args.column.iter().cloned().collect())
}

/// What to learn from and what to measure by: two files, or a share of one.
fn parts<T>(
    args: &Training,
    data: &Source,
    held_out: Option<&Source>,
    encoded: impl Fn(&Source) -> Result<Vec<T>, Fault>,
) -> Result<(Vec<T>, Vec<T>), Fault> {
    match held_out {
        Some(held_out) => Ok((encoded(data)?, encoded(held_out)?)),
        None => Ok(split(encoded(data)?, args.held_out, args.seed)),
    }
}

/// A model's tokenizer, and how much of a text it is to see.
pub struct Texts(Reader, Cut);

impl Texts {
    pub fn new(checkpoint: &Checkpoint, max_tokens: Option<usize>) -> Result<Self, Fault> {
        let reader = Reader::new(checkpoint).map_err(|e| from_model(&e))?;
        Ok(Self(reader, Cut { max_tokens, side: None }))
    }

    pub fn encode(&self, text: &str) -> Result<Encoded, Fault> {
        input::check(&[text.to_owned().into()])?;
        self.0.encode(text, None, self.1).map_err(|e| from_model(&e))
    }

    pub fn encode_for_vector(&self, text: &str) -> Result<Encoded, Fault> {
        input::check(&[text.to_owned().into()])?;
        self.0.encode_for_vector(text, None, self.1).map_err(|e| from_model(&e))
    }

    /// A pair whose score is a share of the highest there is.
    pub fn encode_pair(&self, pair: &dataset::ScoredPair, highest: f64) -> Result<Pair, Fault> {
        let score = (pair.score / highest).clamp(0.0, 1.0) as f32;
        let first = self.encode_for_vector(&pair.first)?;
        Ok((first, self.encode_for_vector(&pair.second)?, score))
    }
}

impl From<&Training> for Options {
    fn from(args: &Training) -> Self {
        Self {
            epochs: args.epochs,
            batch: args.batch,
            rate: args.rate,
            warmup: args.warmup,
            schedule: args.schedule.into(),
            decay: args.decay,
            clip: args.clip,
            dropout: args.dropout,
            seed: args.seed,
            frozen: args.freeze.clone(),
            evaluate_every: args.evaluate_every,
            patience: args.patience,
        }
    }
}

/// A file's name, as a fault shows it.
fn named(path: &Path) -> String {
    path.display().to_string()
}
