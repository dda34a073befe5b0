//! `cargo xtask bench`: kernels alone, and whole models beside the peers.

use std::fs;
use std::path::{Path, PathBuf};

use trireme_tests::{cache_dir, minilm_dir, repo_root, target_dir};

use crate::error::{Error, Result};
use crate::install::quietly;
use crate::process::{Show, ask, cargo, command, run};
use crate::{hosts, setup, tools};

/// A benchmark by its name.
type Bench = (&'static str, fn(args: &[String]) -> Result<()>);

const BENCHES: [Bench; 3] = [("kernels", kernels), ("native", native), ("browser", browser)];

/// What the peer runs on, pinned.
const REQUIREMENTS: &str = "tests/bench/peers/onnxruntime/requirements.txt";

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

/// Natively, beside onnxruntime.
fn native(args: &[String]) -> Result<()> {
    setup::setup()?;
    let bench = cache_dir().join("bench");
    let python = python(&bench)?;
    graphs(&python, &bench, &minilm_dir())?;
    graphs(&python, &bench, &shaped(&python, &bench)?)?;
    beside("native", args)
}

/// In Chromium, beside onnxruntime-web.
fn browser(args: &[String]) -> Result<()> {
    setup::setup()?;
    hosts::build(&["web"])?;
    let bench = cache_dir().join("bench");
    graphs(&python(&bench)?, &bench, &minilm_dir())?;
    let packages = bench.join("browser");
    fs::create_dir_all(&packages).map_err(Error::file(&packages))?;
    for name in ["package.json", "package-lock.json"] {
        let from = repo_root().join("tests/bench/peers/browser").join(name);
        fs::copy(&from, packages.join(name)).map_err(Error::file(&from))?;
    }
    let mut npm = command("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&packages);
    quietly("npm", npm)?;
    beside("browser", args)
}

/// Writes a benchmark's figures and its plot into the target folder's `bench/`.
fn beside(name: &str, args: &[String]) -> Result<()> {
    let mut program = cargo(["run", "--release", "-p", "trireme-bench", "--", name, "--out"]);
    program.arg(target_dir().join("bench")).args(args).envs(tools::environment());
    run("bench", program, Show::Everything)?.or_fail("bench").map(drop)
}

/// The peer's graphs of a model, where they are not yet.
fn graphs(python: &Path, bench: &Path, model: &Path) -> Result<()> {
    let folder = bench.join("graphs").join(model.file_name().unwrap_or_default());
    if folder.join("masked.int8.onnx").is_file() {
        return Ok(());
    }
    let mut script = command(&python.to_string_lossy());
    script.arg(repo_root().join("tests/bench/peers/onnxruntime/graph.py"));
    script.arg(model).arg(&folder);
    quietly("graph.py", script)
}

/// The Python of an environment with the peer in it.
fn python(bench: &Path) -> Result<PathBuf> {
    let environment = bench.join("python");
    let python = environment.join("bin/python");
    let imports = "import numpy, onnx, onnxruntime, safetensors";
    if ask(command(&python.to_string_lossy()).args(["-c", imports])).is_some() {
        return Ok(python);
    }
    println!("bench: bringing onnxruntime");
    let mut venv = command("python3");
    venv.args(["-m", "venv"]).arg(&environment);
    quietly("python -m venv", venv)?;
    let mut pip = command(&python.to_string_lossy());
    pip.args(["-m", "pip", "install", "--quiet", "--requirement", REQUIREMENTS]);
    quietly("pip", pip)?;
    Ok(python)
}

/// A model of DistilBERT's shape: its weights mean nothing and take the same time.
fn shaped(python: &Path, bench: &Path) -> Result<PathBuf> {
    let folder = bench.join("models/distilbert-shape");
    if folder.join("config.json").is_file() {
        return Ok(folder);
    }
    fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
    let mut script = command(&python.to_string_lossy());
    script.arg(repo_root().join("tests/bench/peers/shape.py")).arg(minilm_dir()).arg(&folder);
    quietly("shape.py", script)?;
    Ok(folder)
}
