//! A step of training, beside PyTorch: its time, and what both take of memory.

use std::cell::RefCell;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Serialize;
use trireme_model::Encoded;
use trireme_server::Shared;
use trireme_tests::{cache_dir, minilm_dir};
use trireme_train::{Classify, Options, Trainer, fresh_weights};

use crate::Settings;
use crate::cases;
use crate::error::{Error, Result};
use crate::host::resident;
use crate::measure::{Run, in_turn};
use crate::native::programs;
use crate::ours::{checkpoint, text};
use crate::peer::{Peer, Request};
use crate::plot::Scale;
use crate::report::{Report, Row};
use crate::versus::{Versus, rate};

/// Texts of a step.
const BATCH: usize = 32;

/// What a side has taken of memory at most.
#[derive(Serialize)]
struct Peak {
    side: String,
    bytes: f64,
}

impl Row for Peak {
    const COLUMNS: &'static [&'static str] = &["at most"];
    const SCALE: Scale = Scale::Amount;

    fn label(&self) -> &str {
        &self.side
    }

    fn figures(&self) -> Vec<String> {
        vec![format!("{:.0} MiB", self.bar())]
    }

    fn bar(&self) -> f64 {
        self.bytes / 1_048_576.0
    }
}

pub fn run(settings: &Settings) -> Result<()> {
    let data = std::env::var_os("TRIREME_DATA").map(PathBuf::from);
    let data = data.ok_or_else(|| {
        Error::Host("set TRIREME_DATA to the folder with sst2/ and stsb/".to_owned())
    })?;
    let lengths = cases::lengths_of_sst2(&data)?;
    let tokens: usize = lengths.iter().sum();
    let batches: Vec<Vec<usize>> = lengths.chunks(BATCH).map(<[usize]>::to_vec).collect();
    let padded: usize =
        batches.iter().map(|batch| batch.len() * batch.iter().max().unwrap_or(&0)).sum();
    let padding = padded as f64 / tokens as f64;

    let peer = RefCell::new(pytorch()?);
    let folder = minilm_dir().to_string_lossy().into_owned();
    let mut ours = trainer(&lengths)?;
    let title = format!("tokens a second in training, ours over {}", peer.borrow().hello);
    let mut report = Report::new("train", title);
    for threads in [1, 2] {
        let pool = Shared::new(threads).map_err(|fault| Error::Host(fault.message))?;
        // An epoch: as many steps as there are batches, over the same lengths.
        let epoch = || -> Result<Duration> {
            let start = Instant::now();
            for _ in &batches {
                let ours = &mut ours;
                pool.run(|| ours.step()).map_err(|error| Error::Host(error.to_string()))?;
            }
            Ok(start.elapsed())
        };
        let theirs = || {
            let (side, precision) = ("theirs", "f32");
            let request = Request { side, graphs: &folder, precision, threads, batches: &batches };
            peer.borrow_mut().ask(&request)
        };
        let mut ways: [Run<'_>; 2] = [Box::new(epoch), Box::new(theirs)];
        let times = in_turn(settings.rounds, &mut ways)?;
        let label = format!("PyTorch, {BATCH} as they arrive");
        let [ours, theirs] = [times[0], times[1]].map(|time| rate(tokens, time));
        let row = Versus { label, padding, ours, theirs };
        report.add(format!("MiniLM-L6, SST-2 lengths, {threads} threads"), vec![row]);
    }
    report.write(&settings.out)?;

    let mut report = Report::new("train-memory", "memory of training");
    let peak = |side: &str, process: u32| -> Result<Peak> {
        Ok(Peak { side: side.to_owned(), bytes: resident(process, "VmHWM:")? })
    };
    let rows = vec![peak("ours", std::process::id())?, peak("PyTorch", peer.borrow().id())?];
    report.add("MiniLM-L6, SST-2 lengths", rows);
    report.write(&settings.out)
}

/// A training that never ends by itself; what it measures by costs next to nothing.
fn trainer(lengths: &[usize]) -> Result<Trainer<Classify>> {
    let failed = |error: trireme_train::TrainError| Error::Host(error.to_string());
    let names = ["first", "second"].map(str::to_owned).to_vec();
    let checkpoint = checkpoint(&minilm_dir())?.classifying(&names, fresh_weights(0))?;
    let examples: Vec<(Encoded, usize)> =
        lengths.iter().enumerate().map(|(at, &length)| (text(length), at % 2)).collect();
    let held_out = vec![(text(3), 0)];
    let task = Classify::new(names, examples, held_out).map_err(failed)?;
    let options = Options { epochs: 1_000_000, batch: BATCH, ..Options::default() };
    Trainer::new(checkpoint, task, options).map_err(failed)
}

fn pytorch() -> Result<Peer> {
    let mut command = Command::new(cache_dir().join("reference/bin/python"));
    command.arg(programs().join("pytorch/peer.py"));
    command.env("HF_HUB_OFFLINE", "1").env("TOKENIZERS_PARALLELISM", "false");
    Peer::start("PyTorch", command)
}
