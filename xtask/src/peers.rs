//! What benchmarks are held against, made ready: each where it is not yet.

use std::fs;
use std::path::{Path, PathBuf};

use trireme_tests::{cache_dir, minilm_dir, repo_root, target_dir};

use crate::error::{Error, Result};
use crate::install::{environment, quietly};
use crate::process::{cargo, command};
use crate::wasm::{BROWSER, WASM};

/// What onnxruntime runs on, pinned.
const REQUIREMENTS: &str = "tests/bench/peers/onnxruntime/requirements.txt";

/// What a server in Python runs on, pinned.
const FASTAPI: &str = "tests/bench/peers/fastapi/requirements.txt";

/// candle's own workspace.
pub const CANDLE: &str = "tests/bench/peers/candle/Cargo.toml";

/// The micro-kernels' own workspace.
pub const ROOF: &str = "tests/bench/roof/Cargo.toml";

/// What wasm engines may or may not have, and what a module is called that wants it.
const LANES: [(&str, &str); 2] =
    [("simd128", "+simd128"), ("relaxed-simd", "+simd128,+relaxed-simd")];

/// Where peers are kept.
fn folder() -> PathBuf {
    cache_dir().join("bench")
}

/// onnxruntime, and its graphs of the models.
pub fn onnxruntime() -> Result<()> {
    let (bench, python) = (folder(), python()?);
    graphs(&python, &bench, &minilm_dir())?;
    graphs(&python, &bench, &shaped(&python, &bench)?).map(drop)
}

/// onnxruntime-web, and its graphs of the model.
pub fn onnxruntime_web() -> Result<()> {
    graphs(&python()?, &folder(), &minilm_dir())?;
    packages("browser").map(drop)
}

/// transformers.js in `node_modules`, and in `models/minilm` what both sides take from a hub.
pub fn transformers_js() -> Result<PathBuf> {
    let (python, model) = (python()?, minilm_dir());
    let graphs = graphs(&python, &folder(), &model)?;
    let packages = packages("transformers")?;
    let hub = packages.join("models/minilm");
    if !hub.join("onnx/model_quantized.onnx").is_file() {
        let mut script = command(&python.to_string_lossy());
        script.arg(repo_root().join("tests/bench/peers/transformers/hub.py"));
        script.args([&model, &graphs, &hub]);
        quietly("hub.py", script)?;
    }
    Ok(packages)
}

/// What a team would serve with today.
pub fn fastapi() -> Result<()> {
    let imports = "import fastapi, httptools, numpy, onnxruntime, tokenizers, uvicorn, uvloop";
    environment(&folder().join("fastapi"), FASTAPI, imports).map(drop)
}

/// candle, which takes minutes to compile.
pub fn candle() -> Result<()> {
    let mut build = cargo(["build", "--release", "--locked", "--manifest-path", CANDLE]);
    build.env("CARGO_TARGET_DIR", target_dir().join("candle"));
    quietly("candle", build)
}

/// A model of DistilBERT's shape, for benchmarks without a peer.
pub fn shape() -> Result<()> {
    shaped(&python()?, &folder()).map(drop)
}

/// The micro-kernels, as a module for each lane.
pub fn roof() -> Result<()> {
    for (lane, features) in LANES {
        let target = BROWSER;
        let mut build = WASM.cargo(["build", "--release", "--locked", "--manifest-path", ROOF]);
        build.args(["--target", target]).env("CARGO_TARGET_DIR", target_dir().join("roof"));
        // As written, a tile keeps one input in a register; LLVM's own order keeps them all.
        let flags = [&format!("-Ctarget-feature={features}"), "-Cllvm-args=-pre-RA-sched=source"];
        build.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
        quietly("roof", build)?;
        let built = target_dir().join("roof").join(target).join("release/trireme_roof.wasm");
        let module = target_dir().join("roof").join(lane).with_extension("wasm");
        fs::copy(&built, &module).map_err(Error::file(&built))?;
    }
    Ok(())
}

/// onnxruntime's graphs of a model, made where they are not yet.
fn graphs(python: &Path, bench: &Path, model: &Path) -> Result<PathBuf> {
    let folder = bench.join("graphs").join(model.file_name().unwrap_or_default());
    if folder.join("masked.int8.onnx").is_file() {
        return Ok(folder);
    }
    let mut script = command(&python.to_string_lossy());
    script.arg(repo_root().join("tests/bench/peers/onnxruntime/graph.py"));
    script.arg(model).arg(&folder);
    quietly("graph.py", script)?;
    Ok(folder)
}

/// A folder with the npm packages that a peer's lock names.
fn packages(peer: &str) -> Result<PathBuf> {
    let packages = folder().join(peer);
    fs::create_dir_all(&packages).map_err(Error::file(&packages))?;
    for name in ["package.json", "package-lock.json"] {
        let from = repo_root().join("tests/bench/peers").join(peer).join(name);
        fs::copy(&from, packages.join(name)).map_err(Error::file(&from))?;
    }
    let mut npm = command("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&packages);
    quietly("npm", npm)?;
    Ok(packages)
}

/// The Python of an environment with onnxruntime in it.
fn python() -> Result<PathBuf> {
    environment(
        &folder().join("python"),
        REQUIREMENTS,
        "import numpy, onnx, onnxruntime, safetensors",
    )
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
