//! `cargo xtask bench`: kernels alone, whole models beside the peers, and what each host costs.

use trireme_tests::{built_host, minilm_dir, target_dir};

use crate::error::{Error, Result};
use crate::install::quietly;
use crate::process::{Show, cargo, command, run};
use crate::{hosts, peers, setup, tools, trained};

/// A benchmark by its name.
type Bench = (&'static str, fn(args: &[String]) -> Result<()>);

const BENCHES: [Bench; 12] = [
    ("kernels", kernels),
    ("native", native),
    ("browser", browser),
    ("package", package),
    ("edge", edge),
    ("memory", memory),
    ("first", first),
    ("train", train),
    ("serve", serve),
    ("batch", batch),
    ("gpu", gpu),
    ("webgpu", webgpu),
];

/// Runs one benchmark with the arguments behind its name, or all of them.
pub fn bench(args: &[String]) -> Result<()> {
    let Some((name, rest)) = args.split_first() else {
        return BENCHES.iter().try_for_each(|(_, run)| run(&[]));
    };
    match BENCHES.iter().find(|(known, _)| known == name) {
        Some((_, run)) => run(rest),
        None => {
            let names = BENCHES.map(|(name, _)| name).join(", ");
            Err(Error::Usage(format!("there is no benchmark \"{name}\"; there are {names}")))
        }
    }
}

fn kernels(args: &[String]) -> Result<()> {
    let mut bench = cargo(["bench", "-p", "trireme-kernels"]);
    bench.args(args);
    run("bench", bench, Show::Everything)?.or_fail("bench").map(drop)
}

/// Natively, beside onnxruntime and candle.
fn native(args: &[String]) -> Result<()> {
    setup::setup()?;
    peers::onnxruntime()?;
    peers::candle()?;
    measure("native", args)
}

/// In Chromium, beside onnxruntime-web.
fn browser(args: &[String]) -> Result<()> {
    setup::setup()?;
    hosts::build(&["web"])?;
    peers::onnxruntime_web()?;
    measure("browser", args)
}

/// The package in Chromium, beside transformers.js.
fn package(args: &[String]) -> Result<()> {
    setup::setup()?;
    hosts::build(&["web"])?;
    let peer = peers::transformers_js()?;
    quietly("trireme", cargo(["build", "--release", "-p", "trireme-cli"]))?;
    // Anew each time: one of an earlier build would be measured for this one's.
    let trireme = target_dir().join("release/trireme");
    let mut quantize = command(&trireme.to_string_lossy());
    quantize.args(["quantize", "--precision", "int8", "--model"]).arg(minilm_dir());
    quantize.arg("--output").arg(peer.join("models/minilm.trireme"));
    quietly("trireme quantize", quantize)?;
    let mut node = command("node");
    node.args(["tests/bench/peers/transformers/bench.mjs", "--web"]).arg(built_host("web"));
    node.arg("--modules").arg(peer.join("node_modules"));
    node.arg("--models").arg(peer.join("models"));
    node.args(args).envs(tools::environment());
    run("bench", node, Show::Everything)?.or_fail("bench").map(drop)
}

/// In workerd, wasmtime and Chromium, beside what these engines can do at most.
fn edge(args: &[String]) -> Result<()> {
    setup::setup()?;
    hosts::build(&["web", "worker", "spin"])?;
    peers::roof()?;
    measure("edge", args)
}

/// The memory that every host takes.
fn memory(args: &[String]) -> Result<()> {
    every_host()?;
    peers::shape()?;
    measure("memory", args)
}

/// The time to a first answer in every host.
fn first(args: &[String]) -> Result<()> {
    every_host()?;
    measure("first", args)
}

/// A step of training, beside PyTorch.
fn train(args: &[String]) -> Result<()> {
    setup::setup()?;
    trained::python()?;
    measure("train", args)
}

/// The server under load, beside `FastAPI` over onnxruntime.
fn serve(args: &[String]) -> Result<()> {
    setup::setup()?;
    peers::onnxruntime()?;
    peers::fastapi()?;
    quietly("trireme", cargo(["build", "--release", "-p", "trireme-cli"]))?;
    measure("serve", args)
}

/// A file through `trireme batch`, beside a loop in Python over onnxruntime.
fn batch(args: &[String]) -> Result<()> {
    setup::setup()?;
    peers::onnxruntime()?;
    peers::fastapi()?;
    quietly("trireme", cargo(["build", "--release", "-p", "trireme-cli"]))?;
    measure("batch", args)
}

/// In Chromium on WebGPU, beside onnxruntime-web.
fn webgpu(args: &[String]) -> Result<()> {
    setup::setup()?;
    hosts::build(&["web"])?;
    peers::onnxruntime_web()?;
    measure("webgpu", args)
}

/// On a GPU, beside PyTorch.
fn gpu(args: &[String]) -> Result<()> {
    setup::setup()?;
    trained::python()?;
    peers::shape()?;
    measure("gpu", args)
}

fn every_host() -> Result<()> {
    setup::setup()?;
    hosts::build(&["web", "worker", "spin"])?;
    quietly("trireme", cargo(["build", "--release", "-p", "trireme-cli"]))
}

/// Writes a benchmark's figures and its plot into the target folder's `bench/`.
fn measure(name: &str, args: &[String]) -> Result<()> {
    let mut program = cargo(["run", "--release", "-p", "trireme-bench", "--", name, "--out"]);
    program.arg(target_dir().join("bench")).args(args).envs(tools::environment());
    run("bench", program, Show::Everything)?.or_fail("bench").map(drop)
}
