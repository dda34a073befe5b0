//! In Chromium on WebGPU: our package beside onnxruntime-web on the same weights and the same device.
//! Where the device is none, but the processor doing as if, its counts say more than its times.

use std::cell::RefCell;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use trireme_tests::minilm_dir;

use crate::Settings;
use crate::browser::page;
use crate::error::Result;
use crate::measure::{Run, in_turn};
use crate::native::graphs_of;
use crate::peer::{Peer, Request};
use crate::plot::Scale;
use crate::report::{Report, Row};
use crate::versus::rate;

/// How many texts of how many tokens: a batch each.
const CASES: [(usize, usize); 3] = [(1, 16), (8, 16), (4, 128)];

/// What a side asked of the GPU for a batch.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    dispatches: u64,
    submits: u64,
    read_backs: u64,
    groups: u64,
    written: u64,
    read: u64,
}

#[derive(Deserialize)]
struct Answered {
    seconds: f64,
    counts: Counts,
}

/// One side of a case.
#[derive(Serialize)]
struct Asked {
    side: &'static str,
    /// Tokens a second.
    rate: f64,
    /// Of ours to the other.
    ratio: f64,
    counts: Counts,
}

impl Row for Asked {
    const COLUMNS: &'static [&'static str] = &[
        "tokens",
        "ours is",
        "dispatches",
        "submits",
        "read-backs",
        "groups",
        "kB written",
        "kB read",
    ];
    const SCALE: Scale = Scale::Ratio;

    fn label(&self) -> &str {
        self.side
    }

    fn figures(&self) -> Vec<String> {
        let Counts { dispatches, submits, read_backs, groups, written, read } = self.counts;
        let kilobytes = |bytes: u64| format!("{:.1}", bytes as f64 / 1e3);
        let mut figures = vec![format!("{:.0}/s", self.rate), format!("{:.2}x", self.ratio)];
        figures.extend([dispatches, submits, read_backs, groups].map(|count| count.to_string()));
        figures.extend([written, read].map(kilobytes));
        figures
    }

    fn bar(&self) -> f64 {
        self.ratio
    }
}

pub fn run(settings: &Settings) -> Result<()> {
    let peer = RefCell::new(page(1, Some("webgpu"))?);
    let title = format!("tokens a second on WebGPU, ours and {}", peer.borrow().hello);
    let mut report = Report::new("webgpu", title);
    let model = minilm_dir();
    let [model, graphs] =
        [model.clone(), graphs_of(&model)].map(|path| path.to_string_lossy().into_owned());
    for precision in ["f32", "int8"] {
        for (texts, length) in CASES {
            let title = format!("MiniLM-L6, {precision}, {texts} of {length} tokens");
            if settings.wants(&title) {
                let batch = [vec![length; texts]];
                let sides = [("ours", &model), ("theirs", &graphs)];
                let rows = measured(settings, &peer, sides, precision, &batch)?;
                report.add(title, rows);
            }
        }
    }
    report.write(&settings.out)
}

fn measured(
    settings: &Settings,
    peer: &RefCell<Peer>,
    sides: [(&str, &String); 2],
    precision: &str,
    batches: &[Vec<usize>],
) -> Result<Vec<Asked>> {
    let mut counts = [Counts::default(), Counts::default()];
    let mut ways: Vec<Run<'_>> = Vec::new();
    for ((side, graphs), counts) in sides.into_iter().zip(&mut counts) {
        ways.push(Box::new(move || {
            let request = Request { side, graphs, precision, threads: 1, batches };
            let answered: Answered = peer.borrow_mut().answer(&request)?;
            *counts = answered.counts;
            Ok(Duration::from_secs_f64(answered.seconds))
        }));
    }
    let times = in_turn(settings.rounds, &mut ways)?;
    drop(ways);
    let tokens = batches.iter().flatten().sum();
    let [ours, theirs] = [0, 1].map(|side| rate(tokens, times[side]));
    let row = |side, rate, counts: &Counts| Asked {
        side,
        rate,
        ratio: ours / rate,
        counts: counts.clone(),
    };
    Ok(vec![row("ours", ours, &counts[0]), row("onnxruntime-web", theirs, &counts[1])])
}
