//! Models from disk, and answers from models, without a host in between.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use trireme_backend::Backend;
use trireme_backend::conformance::{Inline as Now, Wait};
use trireme_cpu::{Cpu, Executor, Inline, Lane};
use trireme_model::files::{Files, gathered};
use trireme_model::{Checkpoint, Cut, EmbedOptions, Encoded, Model, ModelError, Want};

/// The files of a folder that a model asks for.
pub fn files(folder: &Path) -> Result<Files, ModelError> {
    gathered(|name| std::fs::read(folder.join(name)).ok().map(Bytes::from))
}

/// Where goldens lie.
pub fn goldens() -> PathBuf {
    trireme_tests::repo_root().join("tests/goldens")
}

pub fn tiny(name: &str) -> PathBuf {
    goldens().join("tiny").join(name)
}

pub fn checkpoint(folder: &Path) -> Checkpoint {
    let files = files(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    Checkpoint::from_files(&files).unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
}

/// A model on this lane, computed by this executor.
pub fn model_on(checkpoint: &Checkpoint, lane: Lane, executor: Box<dyn Executor>) -> Model<Cpu> {
    Model::new(Cpu::new(executor, lane), checkpoint).unwrap_or_else(|e| panic!("{e}"))
}

pub fn model(folder: &Path) -> Model<Cpu> {
    model_on(&checkpoint(folder), Lane::detect(), Box::new(Inline))
}

/// Runs a whole pass. Natively a GPU's answer is there when it is asked for the first time, too.
pub fn run<B: Backend>(
    model: &Model<B>,
    texts: &[Encoded],
    want: Want,
) -> Result<Vec<Vec<f32>>, ModelError> {
    Now.wait(Box::pin(model.start(texts, want)?.finish()))?.into_iter().collect()
}

/// The vector of one text, alone.
pub fn embed<B: Backend>(model: &Model<B>, text: &str, options: EmbedOptions) -> Vec<f32> {
    let encoded = model.reader().encode_for_vector(text, None, Cut::default()).unwrap();
    let mut rows = run(model, &[encoded], model.vectors(options).unwrap()).unwrap();
    model.finish_vector(rows.remove(0), options)
}
