//! On a GPU, beside PyTorch with its fused attention on the same card and the same weights.

use std::cell::RefCell;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use trireme_cpu::Precision;
use trireme_domain::similarity::cosine;
use trireme_gpu::Gpu;
use trireme_model::{Checkpoint, Spec};
use trireme_server::{Shared, wait};
use trireme_tests::{cache_dir, minilm_dir};

use crate::Settings;
use crate::error::{Error, Result};
use crate::measure::{Run, in_turn};
use crate::native::programs;
use crate::ours::{self, Ours};
use crate::peer::{Peer, Request};
use crate::plot::Scale;
use crate::report::{Report, Row};
use crate::versus::rate;

/// Tokens of one pass of ours.
const PASS: usize = 32_768;

/// Ours, and PyTorch's that it is set beside: it has no bytes for a GPU.
const PRECISIONS: [(Precision, &str); 3] =
    [(Precision::F32, "f32"), (Precision::F16, "f16"), (Precision::Int8, "f16")];

/// How many texts of how many tokens, and how many of them PyTorch gets at once.
const CASES: [(usize, usize, usize); 4] =
    [(1, 16, 1), (512, 16, 512), (64, 128, 64), (1024, 128, 256)];

/// Rows and columns of the product by which the card is measured.
const SIZE: usize = 8192;

/// Ours beside PyTorch's.
#[derive(Serialize)]
struct Beside {
    label: String,
    /// Tokens a second.
    ours: f64,
    theirs: f64,
    /// Of the vectors of one text, to each other.
    cosine: f64,
    /// Of the card's measured rate in PyTorch's numbers.
    share: f64,
}

impl Row for Beside {
    const COLUMNS: &'static [&'static str] = &["ours", "PyTorch", "ratio", "cosine", "of the card"];
    const SCALE: Scale = Scale::Ratio;

    fn label(&self) -> &str {
        &self.label
    }

    fn figures(&self) -> Vec<String> {
        vec![
            format!("{:.0}/s", self.ours),
            format!("{:.0}/s", self.theirs),
            format!("{:.2}x", self.bar()),
            format!("{:.7}", self.cosine),
            format!("{:.1} %", 100.0 * self.share),
        ]
    }

    fn bar(&self) -> f64 {
        self.ours / self.theirs
    }
}

#[derive(Serialize)]
struct Product {
    size: usize,
    precision: &'static str,
}

#[derive(Deserialize)]
struct Rate {
    rate: f64,
}

#[derive(Deserialize)]
struct Answered {
    seconds: f64,
    vector: Vec<f32>,
}

pub fn run(settings: &Settings) -> Result<()> {
    let opened = wait(Box::pin(Gpu::open())).map_err(|e| Error::Host(e.to_string()))?;
    println!("{:?}", opened.about());
    let mut python = Command::new(cache_dir().join("reference/bin/python"));
    python.arg(programs().join("gpu/peer.py"));
    let peer = RefCell::new(Peer::start("pytorch", python)?);
    let title = format!("tokens a second, ours over {}", peer.borrow().hello);
    let mut report = Report::new("gpu", title);
    for (name, folder) in [
        ("MiniLM-L6", minilm_dir()),
        ("DistilBERT-base shape", cache_dir().join("bench/models/distilbert-shape")),
    ] {
        let checkpoint = ours::checkpoint(&folder)?;
        for (precision, beside) in PRECISIONS {
            let title = format!("{name}, {}", precision.name());
            if settings.wants(&title) {
                let side = Side { settings, peer: &peer, folder: &folder, beside };
                report.add(title, side.measured(&opened, &checkpoint, precision)?);
            }
        }
    }
    report.write(&settings.out)
}

/// A model in PyTorch's hands.
struct Side<'a> {
    settings: &'a Settings,
    peer: &'a RefCell<Peer>,
    folder: &'a Path,
    beside: &'static str,
}

impl Side<'_> {
    fn measured(
        &self,
        gpu: &Gpu,
        checkpoint: &Checkpoint,
        precision: Precision,
    ) -> Result<Vec<Beside>> {
        let clock = Instant::now();
        let gpu = gpu.clone().with_precision(precision);
        let gpu = wait(Box::pin(gpu.tuned(&|| clock.elapsed())))?;
        println!("{}: tiles {}, chosen in {:?}", precision.name(), gpu.tiles(), clock.elapsed());
        let pool = Shared::new(1).map_err(|fault| Error::Host(fault.message))?;
        let ours = Ours::on(gpu, checkpoint, PASS, pool)?;
        let product = Product { size: SIZE, precision: self.beside };
        let Rate { rate: card } = self.peer.borrow_mut().answer(&product)?;
        println!("{}: the card multiplies {:.1} T/s", self.beside, card / 1e12);
        let case = |(texts, length, at_once)| {
            let lengths = vec![length; texts];
            let batches: Vec<_> = lengths.chunks(at_once).map(<[usize]>::to_vec).collect();
            let (mut own, mut other) = (Vec::new(), Vec::new());
            let mut ways: Vec<Run<'_>> = vec![
                Box::new(|| ours.timed(&lengths, &mut own)),
                Box::new(|| self.theirs(&batches, &mut other)),
            ];
            let times = in_turn(self.settings.rounds, &mut ways)?;
            drop(ways);
            let [ours_rate, theirs] = [0, 1].map(|way| rate(texts * length, times[way]));
            Ok(Beside {
                label: format!("{texts} of {length}, PyTorch {at_once} at once"),
                ours: ours_rate,
                theirs,
                cosine: cosine(&own, &other),
                share: ours_rate * operations(ours.model().spec(), length) / card,
            })
        };
        CASES.into_iter().map(case).collect()
    }

    fn theirs(&self, batches: &[Vec<usize>], vector: &mut Vec<f32>) -> Result<Duration> {
        let graphs = &*self.folder.to_string_lossy();
        let request =
            Request { side: "theirs", graphs, precision: self.beside, threads: 1, batches };
        let answered: Answered = self.peer.borrow_mut().answer(&request)?;
        *vector = answered.vector;
        Ok(Duration::from_secs_f64(answered.seconds))
    }
}

/// Operations for a token of a text of this length, in products alone.
fn operations(spec: &Spec, length: usize) -> f64 {
    let (width, inner) = (spec.width as f64, spec.inner as f64);
    let layer = 8.0 * width * width + 4.0 * width * inner + 4.0 * length as f64 * width;
    spec.layers as f64 * layer
}
