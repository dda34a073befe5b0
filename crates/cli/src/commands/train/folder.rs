//! The folder of a training: what it learnt from, how it went, and the model.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use trireme_domain::metrics::Calibration;
use trireme_domain::{Code, Fault};
use trireme_model::Checkpoint;
use trireme_server::replace;
use trireme_service::from_model;
use trireme_train::{Options, Point, Progress, plot};

use super::named;
use crate::input;
use crate::output::to_json;

const STATE: &str = "state.safetensors";
const METRICS: &str = "metrics.jsonl";
const RUN: &str = "run.json";
const PLOT: &str = "training.svg";
const MODEL: &str = "model";

/// A file that a training comes from.
#[derive(Default)]
pub struct Source {
    path: PathBuf,
    sha256: String,
    /// As text, whatever the file is.
    pub bytes: Vec<u8>,
}

impl Source {
    pub fn read(path: &Path) -> Result<Self, Fault> {
        let bytes = input::read(path)?;
        let sha256 = hex::encode(Sha256::digest(&bytes));
        Ok(Self { path: path.to_owned(), sha256, bytes: input::table(path, bytes)? })
    }

    pub fn fault(&self, error: impl std::fmt::Display) -> Fault {
        input::invalid(&self.path, error)
    }

    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// What the lineage says of it.
    pub fn record(&self) -> Data {
        Data { file: named(&self.path), sha256: self.sha256.clone() }
    }
}

/// Where a model comes from.
#[derive(Serialize)]
pub struct Lineage<'a> {
    pub trireme: &'static str,
    /// The digest of the model that was trained, its new head included.
    pub base: &'a str,
    pub digest: String,
    pub options: &'a Options,
    pub data: Vec<Data>,
    /// The best measurement, whole.
    pub score: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
}

#[derive(Serialize)]
pub struct Data {
    file: String,
    sha256: String,
}

/// What is read again of a step's record.
#[derive(Deserialize)]
struct Recorded {
    step: usize,
    loss: f64,
    score: Option<Value>,
}

impl Recorded {
    fn value(&self) -> Option<f64> {
        self.score.as_ref()?.get("value")?.as_f64()
    }

    fn name(&self) -> Option<&str> {
        self.score.as_ref()?.get("name")?.as_str()
    }
}

/// The folder of one training.
pub struct Folder {
    path: PathBuf,
    resumes: bool,
}

fn unwritable(path: &Path, error: &std::io::Error) -> Fault {
    Fault::new(Code::Unwritable, format!("could not write {}: {error}", named(path)))
}

impl Folder {
    /// Makes the folder, or goes on in one where a training was put away.
    pub fn open(path: &Path, resumes: bool) -> Result<Self, Fault> {
        fs::create_dir_all(path).map_err(|e| unwritable(path, &e))?;
        let folder = Self { path: path.to_owned(), resumes };
        let taken = [STATE, RUN].into_iter().find(|name| folder.at(name).exists());
        match taken {
            Some(RUN) if resumes => {
                let message = format!(
                    "the training in {} is done; its model is {}",
                    named(path),
                    named(&folder.at(MODEL))
                );
                Err(Fault::new(Code::Unwritable, message))
            }
            Some(name) if !resumes => {
                let message = format!(
                    "{} holds {name} of another training; go on with it by --resume, or choose \
                     another folder",
                    named(path)
                );
                Err(Fault::new(Code::Unwritable, message))
            }
            _ => Ok(folder),
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Fault> {
        let parent = path.parent().unwrap_or(&self.path);
        fs::create_dir_all(parent).map_err(|e| unwritable(parent, &e))?;
        replace(path, [bytes]).map_err(|e| unwritable(path, &e))
    }

    /// The training that was put away, if there is one to go on with.
    pub fn state(&self) -> Result<Option<Vec<u8>>, Fault> {
        let path = self.at(STATE);
        if !self.resumes || !path.exists() {
            return Ok(None);
        }
        input::read(&path).map(Some)
    }

    /// Puts a training away: the whole of it, or the one before.
    pub fn save(&self, state: &[u8]) -> Result<(), Fault> {
        self.write(&self.at(STATE), state)
    }

    /// The record of every step, less those that will be done again.
    pub fn metrics(&self, done: usize) -> Result<Metrics, Fault> {
        let path = self.at(METRICS);
        let before = match fs::read_to_string(&path) {
            Ok(before) if self.resumes => before,
            _ => String::new(),
        };
        let mut kept: String =
            before.lines().take(done).flat_map(|line| [line, "\n"]).collect::<String>();
        if done == 0 {
            kept.clear();
        }
        self.write(&path, kept.as_bytes())?;
        let file = File::options().append(true).open(&path);
        Ok(Metrics { file: file.map_err(|e| unwritable(&path, &e))?, path })
    }

    fn record(&self) -> Result<Vec<Recorded>, Fault> {
        let record = String::from_utf8_lossy(&input::read(&self.at(METRICS))?).into_owned();
        Ok(record.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// The record as a picture.
    fn picture(&self) -> Result<String, Fault> {
        let record = self.record()?;
        let name = record.iter().find_map(Recorded::name).unwrap_or("score");
        let point = |at: &Recorded| Point { step: at.step, loss: at.loss, score: at.value() };
        Ok(plot(&record.iter().map(point).collect::<Vec<_>>(), name))
    }

    /// The best measurement: the first, where others are as good.
    pub fn best(&self) -> Result<Option<Value>, Fault> {
        let mut best: Option<Recorded> = None;
        for at in self.record()? {
            if at.value() > best.as_ref().and_then(Recorded::value) {
                best = Some(at);
            }
        }
        Ok(best.and_then(|at| at.score))
    }

    /// Writes the model and where it comes from; the folder's name of the model is the result.
    pub fn finish(&self, best: &Checkpoint, lineage: &Lineage<'_>) -> Result<String, Fault> {
        let model = self.at(MODEL);
        for (name, bytes) in best.folder().map_err(|e| from_model(&e))?.present() {
            self.write(&model.join(name), bytes)?;
        }
        self.write(&self.at(PLOT), self.picture()?.as_bytes())?;
        self.write(&self.at(RUN), to_json(lineage)?.as_bytes())?;
        // What is done needs no going on.
        match fs::remove_file(self.at(STATE)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(unwritable(&self.at(STATE), &e))
            }
            _ => Ok(named(&model)),
        }
    }
}

/// One line for each step.
pub struct Metrics {
    file: File,
    path: PathBuf,
}

impl Metrics {
    pub fn add(&mut self, step: &Progress) -> Result<(), Fault> {
        let line = to_json(step)? + "\n";
        self.file.write_all(line.as_bytes()).map_err(|e| unwritable(&self.path, &e))
    }
}
