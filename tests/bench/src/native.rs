//! Natively, beside onnxruntime on the same weights.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use trireme_cpu::Precision;
use trireme_tests::{cache_dir, minilm_dir};

use crate::cases::{self, Case, padding};
use crate::error::{Error, Result};
use crate::measure::{Run, in_turn};
use crate::ours::Ours;
use crate::peer::{Peer, Request};
use crate::report::{Report, Row};
use crate::{Settings, ours};

/// Ours, and the peer's that it is set beside.
const PRECISIONS: [(Precision, &str); 3] =
    [(Precision::Int8, "int8"), (Precision::Bf16, "f32"), (Precision::F32, "f32")];

pub fn run(settings: &Settings) -> Result<()> {
    let data = std::env::var_os("TRIREME_DATA").map(PathBuf::from);
    let data = data.ok_or_else(|| {
        Error::Host("set TRIREME_DATA to the folder with sst2/ and stsb/".to_owned())
    })?;
    let bench = cache_dir().join("bench");
    let python = bench.join("python/bin/python");
    let mut command = Command::new(&python);
    command.arg(peers().join("onnxruntime/peer.py"));
    let peer = RefCell::new(Peer::start("onnxruntime", command)?);
    let mut report = Report::new("native", &peer.borrow().hello);
    for (name, folder) in [
        ("MiniLM-L6", minilm_dir()),
        ("DistilBERT-base shape", bench.join("models/distilbert-shape")),
    ] {
        let graphs = graphs_of(&folder).to_string_lossy().into_owned();
        let checkpoint = ours::checkpoint(&folder)?;
        let mut lengths = None;
        for threads in [1, 2] {
            for (precision, theirs) in PRECISIONS {
                let ours = Ours::new(&checkpoint, precision, threads)?;
                if lengths.is_none() {
                    lengths = Some(cases::all(ours.model(), &data)?);
                }
                let theirs = Theirs { peer: &peer, graphs: &graphs, precision: theirs, threads };
                for case in lengths.iter().flatten() {
                    let title =
                        format!("{name}, {}, {}, {threads} threads", case.name, precision.name());
                    if settings.only.as_ref().is_none_or(|only| title.contains(only)) {
                        report.add(&title, beside(settings.rounds, case, &ours, &theirs)?);
                    }
                }
            }
        }
    }
    report.write(&settings.out)
}

/// The peer with a model.
struct Theirs<'a> {
    peer: &'a RefCell<Peer>,
    graphs: &'a str,
    precision: &'static str,
    threads: usize,
}

impl Theirs<'_> {
    fn run(&self, batches: &[Vec<usize>]) -> Result<Duration> {
        let Self { graphs, precision, threads, .. } = *self;
        self.peer.borrow_mut().run(&Request { side: "theirs", graphs, precision, threads, batches })
    }
}

/// One case: ours, then the peer fed in each way.
fn beside(rounds: usize, case: &Case, ours: &Ours, theirs: &Theirs<'_>) -> Result<Vec<Row>> {
    let feeds: Vec<_> = case.feeds.iter().map(|feed| feed.batches(&case.lengths)).collect();
    let mut ways: Vec<Run<'_>> = vec![Box::new(|| ours.run(&case.lengths))];
    for batches in &feeds {
        ways.push(Box::new(|| theirs.run(batches)));
    }
    let times = in_turn(rounds, &mut ways)?;
    let tokens: usize = case.lengths.iter().sum();
    let rate = |time: Duration| tokens as f64 / time.as_secs_f64();
    let rows = case.feeds.iter().zip(&feeds).zip(&times[1..]);
    Ok(rows
        .map(|((feed, batches), &theirs)| Row {
            feed: feed.name(),
            padding: padding(batches),
            ours: rate(times[0]),
            theirs: rate(theirs),
        })
        .collect())
}

/// Where `cargo xtask bench` wrote the peer's graphs of a model.
pub fn graphs_of(model: &Path) -> PathBuf {
    cache_dir().join("bench/graphs").join(model.file_name().unwrap_or_default())
}

/// Where the peers' programs are.
pub fn peers() -> PathBuf {
    trireme_tests::repo_root().join("tests/bench/peers")
}
