//! Our side: a model in this process.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use trireme_backend::Backend;
use trireme_cpu::{Cpu, Lane, Precision};
use trireme_domain::Fault;
use trireme_model::files::gathered;
use trireme_model::{Checkpoint, EmbedOptions, Encoded, Model};
use trireme_server::{Shared, pass_tokens, wait};
use trireme_service::Engine;

use crate::error::{Error, Result};

/// A sentence-transformers folder, or a bundle.
pub fn checkpoint(path: &Path) -> Result<Checkpoint> {
    if path.is_file() {
        let bytes = std::fs::read(path).map_err(Error::file(path))?;
        return Ok(Checkpoint::from_bundle(&Bytes::from(bytes))?);
    }
    let files = gathered(|name| std::fs::read(path.join(name)).ok().map(Bytes::from))?;
    Ok(Checkpoint::from_files(&files)?)
}

/// A model as the server runs it.
pub struct Ours<B: Backend = Cpu> {
    engine: Engine<B>,
    pool: Shared,
}

impl Ours {
    pub fn new(checkpoint: &Checkpoint, precision: Precision, threads: usize) -> Result<Self> {
        let pool = Shared::new(threads).map_err(|fault| Error::Host(fault.message))?;
        let cpu = Cpu::new(Box::new(pool.clone()), Lane::detect()).with_precision(precision);
        let model = Arc::new(Model::new(cpu, checkpoint)?);
        let tokens = pass_tokens(model.spec().width);
        Ok(Self { engine: Engine::new(model, tokens).spread(pool.clone()), pool })
    }
}

impl<B: Backend> Ours<B> {
    /// On another device, in passes of so many tokens.
    pub fn on(backend: B, checkpoint: &Checkpoint, tokens: usize, pool: Shared) -> Result<Self> {
        let model = Arc::new(Model::new(backend, checkpoint)?);
        Ok(Self { engine: Engine::new(model, tokens), pool })
    }

    pub fn model(&self) -> Arc<Model<B>> {
        self.engine.model()
    }

    /// The time from token ids to a vector for each text.
    pub fn run(&self, lengths: &[usize]) -> Result<Duration> {
        self.timed(lengths, &mut Vec::new())
    }

    /// The same, and the first text's vector.
    pub fn timed(&self, lengths: &[usize], first: &mut Vec<f32>) -> Result<Duration> {
        let texts: Vec<Encoded> = lengths.iter().copied().map(text).collect();
        let want = self.model().vectors(EmbedOptions::default())?;
        let go_on = || Ok(());
        let start = Instant::now();
        let rows = self.pool.run(|| wait(Box::pin(self.engine.rows(&texts, want, &go_on))));
        let time = start.elapsed();
        let failed = |fault: Fault| Error::Host(fault.message);
        *first = rows.map_err(failed)?.swap_remove(0).map_err(failed)?;
        Ok(time)
    }
}

pub fn text(length: usize) -> Encoded {
    Encoded {
        ids: (0..length).map(|at| 1000 + (at as u32 * 7919) % 20_000).collect(),
        type_ids: vec![0; length],
        offsets: vec![(0, 0); length],
        dropped: 0,
    }
}
