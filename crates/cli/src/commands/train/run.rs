//! From a task to a folder with the model that learnt it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use trireme_domain::metrics::Calibration;
use trireme_domain::{Code, Fault};
use trireme_model::{Checkpoint, Encoded, Labels, ModelError, Scoring, Want};
use trireme_server::{ModelSettings, NamedCheckpoint, Shared, start};
use trireme_service::from_model;
use trireme_train::{Objective, Options, Place, TrainError, Trainer};

use super::folder::{Folder, Lineage, Source};
use crate::args::Keeping;
use crate::output::Output;
use crate::progress;

/// Texts of one forward while a classifier is cooled.
const TOGETHER: usize = 32;

/// One training.
pub struct Run {
    options: Options,
    folder: Folder,
    save_every: usize,
    place: Place,
}

/// A training that ended, and is not written yet.
pub struct Ended {
    base: String,
    options: Options,
    best: Checkpoint,
    score: Option<f64>,
    steps: usize,
    calibration: Option<Calibration>,
    folder: Folder,
}

/// What a measurement says of one class.
#[derive(Deserialize)]
struct Class {
    precision: f64,
    recall: f64,
    f1: f64,
    support: usize,
}

/// What is said of it.
#[derive(Serialize)]
struct Trained {
    model: String,
    steps: usize,
    score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    calibration: Option<Calibration>,
    digest: String,
    #[serde(skip)]
    table: String,
}

/// A line for each class, and how often it was taken for each.
fn table(best: Option<&Value>, names: &[String]) -> String {
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let line = |(at, name): (usize, &String)| {
        let class = best?.get("classes")?.get("per_class")?.get(name)?;
        let taken = best?.get("confusion")?.get(at)?.as_array()?;
        let Class { precision, recall, f1, support } = Class::deserialize(class).ok()?;
        let taken: Vec<String> = taken.iter().map(Value::to_string).collect();
        Some(format!(
            "\n{name:longest$}  precision {precision:.4}  recall {recall:.4}  F1 {f1:.4}  of \
             {support}: {}",
            taken.join(", ")
        ))
    };
    names.iter().enumerate().filter_map(line).collect()
}

impl Run {
    /// Takes the folder before anything is read or asked, which may take long.
    pub fn new(options: Options, keeping: &Keeping, place: Place) -> Result<Self, Fault> {
        let folder = Folder::open(&keeping.output, keeping.resume)?;
        Ok(Self { options, folder, save_every: keeping.save_every, place })
    }

    /// Trains a model to the end, or from where it was put away.
    pub fn train<O: Objective + Send>(
        self,
        checkpoint: Checkpoint,
        task: O,
        settings: &ModelSettings,
        output: Output,
    ) -> Result<Ended, Fault> {
        let base = checkpoint.digest();
        // Everything that candle does is shared out over this pool.
        let pool = Shared::new(settings.threads)?;
        pool.run(|| {
            let (place, options) = (self.place.clone(), self.options.clone());
            let mut trainer =
                Trainer::on(place, checkpoint, task, options).map_err(|e| fault(&e))?;
            if let Some(state) = self.folder.state()? {
                trainer.resume(&state).map_err(|e| fault(&e))?;
            }
            self.steps(&mut trainer, output)?;
            let best = trainer.best().map_err(|e| fault(&e))?;
            let (score, steps) = (trainer.best_score(), trainer.done());
            let Self { options, folder, .. } = self;
            Ok(Ended { base, options, best, score, steps, calibration: None, folder })
        })
    }

    fn steps<O: Objective>(&self, trainer: &mut Trainer<O>, output: Output) -> Result<(), Fault> {
        let mut metrics = self.folder.metrics(trainer.done())?;
        let bar = progress::steps(output, trainer.done(), trainer.steps());
        while let Some(step) = trainer.step().map_err(|e| fault(&e))? {
            metrics.add(&step)?;
            bar.set_position(step.step as u64);
            bar.set_message(format!("loss {:.4}", step.loss));
            if let Some(score) = &step.score {
                let line = format!("step {}: {} {:.4}", step.step, score.name, score.value);
                bar.suspend(|| output.note(&line));
            }
            if step.score.is_some() || step.step.is_multiple_of(self.save_every) {
                self.folder.save(&trainer.state().map_err(|e| fault(&e))?)?;
            }
        }
        bar.finish_and_clear();
        Ok(())
    }
}

impl Ended {
    /// The same, as sure as it is right on texts that it did not learn from.
    pub async fn calibrated(
        self,
        settings: &ModelSettings,
        held_out: &[(Encoded, usize)],
    ) -> Result<Self, Fault> {
        let (name, version) = (String::new(), String::new());
        let model = NamedCheckpoint { checkpoint: self.best.clone(), name, version };
        let opened = start(settings, model).await?;
        let mut logits = Vec::with_capacity(held_out.len());
        for some in held_out.chunks(TOGETHER) {
            let texts: Vec<Encoded> = some.iter().map(|(text, _)| text.clone()).collect();
            let pass = opened.model.start(&texts, Want::Logits).map_err(|e| from_model(&e))?;
            for row in pass.finish().await.map_err(|e| from_model(&e))? {
                logits.push(row.map_err(|e| from_model(&e))?);
            }
        }
        let classes: Vec<usize> = held_out.iter().map(|(_, class)| *class).collect();
        let calibration = Calibration::new(&logits, &classes);
        let best = self.best.with_temperature(calibration.temperature);
        Ok(Self { best: best.map_err(|e| from_model(&e))?, calibration: Some(calibration), ..self })
    }

    /// Writes the model and where it comes from, and says where they are.
    pub fn finish<'a>(
        self,
        learnt_from: impl IntoIterator<Item = &'a Source>,
        output: Output,
    ) -> Result<(), Fault> {
        let Self { base, options, best, score, steps, calibration, folder } = self;
        let measured = folder.best()?;
        let names = best.spec().labels.as_ref().map_or(&[][..], |labels| &labels.names);
        let table = table(measured.as_ref(), names);
        let lineage = Lineage {
            trireme: env!("CARGO_PKG_VERSION"),
            base: &base,
            digest: best.digest(),
            options: &options,
            data: learnt_from.into_iter().map(Source::record).collect(),
            score: measured,
            calibration,
        };
        let model = folder.finish(&best, &lineage)?;
        let trained = Trained { model, steps, score, calibration, digest: best.digest(), table };
        match output.json {
            true => output.json(&trained),
            false => output.result(&trained.to_string()),
        }
    }
}

impl std::fmt::Display for Trained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} steps", self.model, self.steps)?;
        if let Some(score) = self.score {
            write!(f, ", score {score:.4}")?;
        }
        if let Some(Calibration { temperature, error_before, error_after }) = self.calibration {
            write!(
                f,
                ", temperature {temperature:.3}: calibration error {error_before:.4}, then \
                 {error_after:.4}"
            )?;
        }
        f.write_str(&self.table)
    }
}

/// The classes of a model that takes a text for one of them.
pub fn one_of_several(labels: Option<&Labels>) -> Result<&[String], Fault> {
    let labels = labels.ok_or_else(|| from_model(&ModelError::NoHead))?;
    match labels.scoring {
        Scoring::Softmax => Ok(&labels.names),
        Scoring::Sigmoid | Scoring::Raw => {
            let message = "the model takes a text for several classes at once, or scores it; only \
                           one that takes it for one of several can learn, teach or be calibrated";
            Err(Fault::new(Code::InvalidOption, message))
        }
    }
}

/// What went wrong, as every host says it.
pub fn fault(error: &TrainError) -> Fault {
    let code = match error {
        TrainError::Option { .. } | TrainError::Diverged { .. } => Code::InvalidOption,
        TrainError::Data { .. } | TrainError::State { .. } => Code::InvalidData,
        TrainError::Model(error) => return from_model(error),
        _ => Code::Internal,
    };
    Fault::new(code, error.to_string())
}
