//! In Chromium, on one thread and on two: our package beside onnxruntime-web on the same weights.

use std::cell::RefCell;
use std::process::Command;
use std::time::Duration;

use trireme_tests::{built_host, cache_dir, minilm_dir};

use crate::Settings;
use crate::cases::{Case, Feed, UNIFORM_ONE_BY_ONE};
use crate::error::Result;
use crate::measure::{Run, in_turn};
use crate::native::{graphs_of, programs};
use crate::peer::{Peer, Request};
use crate::report::Report;
use crate::versus::{Versus, rate};

const CASES: [(&str, usize, usize); 3] =
    [("uniform 16", 32, 16), ("uniform 128", 8, 128), ("uniform 256", 4, 256)];

pub fn run(settings: &Settings) -> Result<()> {
    let peers = [(1, RefCell::new(page(1, None)?)), (2, RefCell::new(page(2, None)?))];
    let title = format!("tokens a second, ours over {}", peers[0].1.borrow().hello);
    let mut report = Report::new("browser", title);
    for (threads, peer) in &peers {
        measured(settings, *threads, peer, &mut report)?;
    }
    report.write(&settings.out)
}

/// A page for both, on wasm unless another device is named; the peer asks once how many threads it
/// may use.
pub fn page(threads: usize, device: Option<&str>) -> Result<Peer> {
    let mut command = Command::new("node");
    command.arg(programs().join("browser/peer.mjs"));
    command.arg("--web").arg(built_host("web"));
    let peer = cache_dir().join("bench/browser/node_modules/onnxruntime-web/dist");
    command.arg("--ort").arg(peer).args(["--threads", &threads.to_string()]);
    if let Some(device) = device {
        command.args(["--device", device]);
    }
    Peer::start("onnxruntime-web", command)
}

fn measured(
    settings: &Settings,
    threads: usize,
    peer: &RefCell<Peer>,
    report: &mut Report<Versus>,
) -> Result<()> {
    let model = minilm_dir();
    let [model, graphs] =
        [model.clone(), graphs_of(&model)].map(|path| path.to_string_lossy().into_owned());
    for precision in ["int8", "f32"] {
        for (name, texts, length) in CASES {
            let title = format!("MiniLM-L6, {name}, {precision}, Chromium, {threads} threads");
            if !settings.wants(&title) {
                continue;
            }
            let case = Case { name, lengths: vec![length; texts], feeds: UNIFORM_ONE_BY_ONE };
            let ask = |side, graphs: &str, batches: &[Vec<usize>]| -> Result<Duration> {
                let request = Request { side, graphs, precision, threads, batches };
                peer.borrow_mut().ask(&request)
            };
            let together = [case.lengths.clone()];
            let one_by_one = Feed::OneByOne.batches(&case.lengths);
            let mut ways: Vec<Run<'_>> = vec![
                Box::new(|| ask("ours", &model, &together)),
                Box::new(|| ask("theirs", &graphs, &one_by_one)),
            ];
            let times = in_turn(settings.rounds, &mut ways)?;
            let tokens = texts * length;
            report.add(
                title,
                vec![Versus {
                    label: Feed::OneByOne.name(),
                    padding: 1.0,
                    ours: rate(tokens, times[0]),
                    theirs: rate(tokens, times[1]),
                }],
            );
        }
    }
    Ok(())
}
