//! `trireme train`

mod folder;

use std::path::Path;

use serde::Serialize;
use trireme_domain::{Code, Fault, dataset};
use trireme_model::{Checkpoint, Cut, Encoded};
use trireme_server::{ModelSettings, NamedCheckpoint, Opened, Shared, named_checkpoint, start};
use trireme_service::from_model;
use trireme_train::{
    Classify, Loss, Objective, Options, Pairs, TrainError, Trainer, fresh_weights, split,
};

use crate::args::{PairLoss, TrainClassify, TrainEmbed, Training};
use crate::output::Output;
use crate::{input, progress};
use folder::{Folder, Source};

/// Scores of the STS Benchmark end here.
const HIGHEST_SCORE: f64 = 5.0;

/// A training that ended.
#[derive(Serialize)]
struct Trained {
    model: String,
    steps: usize,
    score: Option<f64>,
    digest: String,
}

/// Trains a model to name the classes of a file.
pub async fn classify(
    args: TrainClassify,
    settings: &ModelSettings,
    output: Output,
) -> Result<(), Fault> {
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
    let texts = Encoder::new(settings, &checkpoint, &args.training)?;
    let encoded = |source: &Source| {
        let rows = read_labelled(source, &names, &args.training)?.into_iter();
        rows.map(|row| Ok((texts.encode(&row.text)?, row.label))).collect::<Result<Vec<_>, Fault>>()
    };
    let (learn, measure) = parts(&args.training, &data, held_out.as_ref(), encoded)?;
    let mut task = Classify::new(names, learn, measure).map_err(|e| fault(&e))?;
    if args.balanced {
        task = task.balanced();
    }
    train(checkpoint, task, &args.training, &[Some(data), held_out], settings, output)
}

/// Trains a model to put near texts near each other.
pub async fn embed(
    args: TrainEmbed,
    settings: &ModelSettings,
    output: Output,
) -> Result<(), Fault> {
    let NamedCheckpoint { checkpoint, .. } = named_checkpoint(settings).await?;
    let (data, held_out) = sources(&args.training)?;
    let texts = Encoder::new(settings, &checkpoint, &args.training)?;
    let encoded = |source: &Source| {
        let pairs = columns(&args.training).read_pairs(&source.bytes);
        let pairs = pairs.map_err(|e| source.fault(e))?;
        let highest = args.highest.unwrap_or(HIGHEST_SCORE);
        let pair = |pair: dataset::ScoredPair| {
            let score = (pair.score / highest).clamp(0.0, 1.0) as f32;
            Ok((
                texts.encode_for_vector(&pair.first)?,
                texts.encode_for_vector(&pair.second)?,
                score,
            ))
        };
        pairs.into_iter().map(pair).collect::<Result<Vec<_>, Fault>>()
    };
    let (learn, measure) = parts(&args.training, &data, held_out.as_ref(), encoded)?;
    let loss = match args.loss {
        PairLoss::Cosine => Loss::Cosine,
        PairLoss::Mnr => Loss::Ranking(20.0),
    };
    let pooling = texts.0.model.pooling();
    let task = Pairs::new(learn, measure, loss, pooling).map_err(|e| fault(&e))?;
    train(checkpoint, task, &args.training, &[Some(data), held_out], settings, output)
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

/// The model's tokenizer.
struct Encoder(Opened, Cut);

impl Encoder {
    fn new(
        settings: &ModelSettings,
        checkpoint: &Checkpoint,
        args: &Training,
    ) -> Result<Self, Fault> {
        let (name, version) = (String::new(), String::new());
        let model = NamedCheckpoint { checkpoint: checkpoint.clone(), name, version };
        Ok(Self(start(settings, model)?, Cut { max_tokens: args.max_length, side: None }))
    }

    fn encode(&self, text: &str) -> Result<Encoded, Fault> {
        input::check(&[text.to_owned().into()])?;
        self.0.model.encode(text, None, self.1).map_err(|e| from_model(&e))
    }

    fn encode_for_vector(&self, text: &str) -> Result<Encoded, Fault> {
        input::check(&[text.to_owned().into()])?;
        self.0.model.encode_for_vector(text, None, self.1).map_err(|e| from_model(&e))
    }
}

fn train<O: Objective + Send>(
    checkpoint: Checkpoint,
    task: O,
    args: &Training,
    sources: &[Option<Source>],
    settings: &ModelSettings,
    output: Output,
) -> Result<(), Fault> {
    let options = Options::from(args);
    let base = checkpoint.digest();
    let folder = Folder::open(&args.output, args.resume)?;
    // Everything that candle does is shared out over this pool.
    let pool = Shared::new(settings.threads)?;
    let trained = pool.run(|| -> Result<Trained, Fault> {
        let mut trainer = Trainer::new(checkpoint, task, options.clone()).map_err(|e| fault(&e))?;
        if let Some(state) = folder.state()? {
            trainer.resume(&state).map_err(|e| fault(&e))?;
        }
        let mut metrics = folder.metrics(trainer.done())?;
        let bar = progress::steps(output, trainer.done(), trainer.steps());
        while let Some(step) = trainer.step().map_err(|e| fault(&e))? {
            metrics.add(&step)?;
            bar.set_position(step.step as u64);
            bar.set_message(format!("loss {:.4}", step.loss));
            if let Some(score) = &step.score {
                let line = format!("step {}: {} {:.4}", step.step, score.name, score.value);
                bar.suspend(|| output.note(&line));
            }
            if step.score.is_some() || step.step.is_multiple_of(args.save_every) {
                folder.save(&trainer.state().map_err(|e| fault(&e))?)?;
            }
        }
        bar.finish_and_clear();
        let best = trainer.best().map_err(|e| fault(&e))?;
        let model = folder.finish(&best, &options, sources, &base, trainer.best_score())?;
        let (steps, score) = (trainer.done(), trainer.best_score());
        Ok(Trained { model, steps, score, digest: best.digest() })
    })?;
    match output.json {
        true => output.json(&trained),
        false => {
            let score = trained.score.map_or(String::new(), |score| format!(", score {score:.4}"));
            output.result(&format!("{}: {} steps{score}", trained.model, trained.steps))
        }
    }
}

/// What went wrong, as every host says it.
fn fault(error: &TrainError) -> Fault {
    let code = match error {
        TrainError::Option { .. } | TrainError::Diverged { .. } => Code::InvalidOption,
        TrainError::Data { .. } | TrainError::State { .. } => Code::InvalidData,
        TrainError::Model(error) => return from_model(error),
        _ => Code::Internal,
    };
    Fault::new(code, error.to_string())
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
