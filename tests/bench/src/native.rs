//! Natively, beside onnxruntime and candle on the same weights.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use trireme_cpu::Precision;
use trireme_tests::{cache_dir, minilm_dir, target_dir};

use crate::cases::{self, Case, padding};
use crate::error::{Error, Result};
use crate::measure::{Run, in_turn};
use crate::ours::Ours;
use crate::peer::{Peer, Request};
use crate::report::Report;
use crate::versus::{Versus, rate};
use crate::{Settings, ours};

/// Ours, and onnxruntime's that it is set beside.
const PRECISIONS: [(Precision, &str); 3] =
    [(Precision::Int8, "int8"), (Precision::Bf16, "f32"), (Precision::F32, "f32")];

pub fn run(settings: &Settings) -> Result<()> {
    let data = std::env::var_os("TRIREME_DATA").map(PathBuf::from);
    let data = data.ok_or_else(|| {
        Error::Host("set TRIREME_DATA to the folder with sst2/ and stsb/".to_owned())
    })?;
    let bench = cache_dir().join("bench");
    let onnxruntime = onnxruntime(&bench)?;
    let candle = [candle(1)?, candle(2)?];
    let peers = [&onnxruntime, &candle[0]].map(|peer| peer.borrow().hello.to_string()).join(", ");
    let mut report = Report::new("native", format!("tokens a second, ours over {peers}"));
    for (name, folder) in [
        ("MiniLM-L6", minilm_dir()),
        ("DistilBERT-base shape", bench.join("models/distilbert-shape")),
    ] {
        let checkpoint = ours::checkpoint(&folder)?;
        let [graphs, folder] =
            [graphs_of(&folder), folder].map(|path| path.to_string_lossy().into_owned());
        let mut lengths = None;
        for (threads, candle) in [1, 2].into_iter().zip(&candle) {
            for (precision, beside) in PRECISIONS {
                let ours = Ours::new(&checkpoint, precision, threads)?;
                if lengths.is_none() {
                    lengths = Some(cases::all(ours.model().reader(), &data)?);
                }
                let mut peers = vec![Theirs {
                    peer: &onnxruntime,
                    graphs: &graphs,
                    precision: beside,
                    threads,
                }];
                if precision == Precision::F32 {
                    peers.push(Theirs {
                        peer: candle,
                        graphs: &folder,
                        precision: beside,
                        threads,
                    });
                }
                for case in lengths.iter().flatten() {
                    let title =
                        format!("{name}, {}, {}, {threads} threads", case.name, precision.name());
                    if settings.wants(&title) {
                        report.add(title, measured(settings.rounds, case, &ours, &peers)?);
                    }
                }
            }
        }
    }
    report.write(&settings.out)
}

fn onnxruntime(bench: &Path) -> Result<RefCell<Peer>> {
    let mut command = Command::new(bench.join("python/bin/python"));
    command.arg(programs().join("onnxruntime/peer.py"));
    Peer::start("onnxruntime", command).map(RefCell::new)
}

/// Candle asks once how many threads it may use, so each number is a process of its own.
fn candle(threads: usize) -> Result<RefCell<Peer>> {
    let mut command = Command::new(target_dir().join("candle/release/trireme-bench-candle"));
    command.env("RAYON_NUM_THREADS", threads.to_string());
    Peer::start("candle", command).map(RefCell::new)
}

/// A peer with a model.
struct Theirs<'a> {
    peer: &'a RefCell<Peer>,
    graphs: &'a str,
    precision: &'static str,
    threads: usize,
}

impl Theirs<'_> {
    fn run(&self, batches: &[Vec<usize>]) -> Result<Duration> {
        let Self { graphs, precision, threads, .. } = *self;
        self.peer.borrow_mut().ask(&Request { side: "theirs", graphs, precision, threads, batches })
    }
}

/// One case: ours, then each peer fed in each way.
fn measured(rounds: usize, case: &Case, ours: &Ours, peers: &[Theirs<'_>]) -> Result<Vec<Versus>> {
    let feeds = || peers.iter().flat_map(|peer| case.feeds.iter().map(move |feed| (peer, feed)));
    let batches: Vec<_> = feeds().map(|(_, feed)| feed.batches(&case.lengths)).collect();
    let mut ways: Vec<Run<'_>> = vec![Box::new(|| ours.run(&case.lengths))];
    for ((peer, _), batches) in feeds().zip(&batches) {
        ways.push(Box::new(move || peer.run(batches)));
    }
    let times = in_turn(rounds, &mut ways)?;
    let tokens = case.lengths.iter().sum();
    let rows = feeds().zip(&batches).zip(&times[1..]);
    Ok(rows
        .map(|(((peer, feed), batches), &theirs)| Versus {
            label: format!("{}, {}", peer.peer.borrow().hello.name, feed.name()),
            padding: padding(batches),
            ours: rate(tokens, times[0]),
            theirs: rate(tokens, theirs),
        })
        .collect())
}

/// Where `cargo xtask bench` wrote onnxruntime's graphs of a model.
pub fn graphs_of(model: &Path) -> PathBuf {
    cache_dir().join("bench/graphs").join(model.file_name().unwrap_or_default())
}

/// Where the peers' programs are.
pub fn programs() -> PathBuf {
    trireme_tests::repo_root().join("tests/bench/peers")
}
