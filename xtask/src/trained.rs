//! `cargo xtask soak trained`: what is trained and distilled is opened by Python, and answers there
//! as it does here.

use std::fs;
use std::path::{Path, PathBuf};

use trireme_tests::{cache_dir, repo_root, target_dir};

use crate::error::{Error, Result};
use crate::install::{environment, quietly};
use crate::process::{Show, cargo, command, run};

/// Python's side, pinned.
const REQUIREMENTS: &str = "tests/goldens/requirements.txt";

/// What is learnt from, and the recipe.
const DATA: &str = "tests/goldens/trained";

/// What every training begins with.
const BASE: &str = "tests/goldens/tiny/bert-embed";

/// Enough for a tiny model to become another.
const OPTIONS: &[&str] = &["--epochs", "6", "--batch", "8", "--rate", "0.01", "--quiet"];

/// Trains three folders, has Python answer from each, and holds the engine to that.
pub fn trained() -> Result<String> {
    let folder = target_dir().join("trained");
    match fs::remove_dir_all(&folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::file(&folder)(e)),
        _ => {}
    }
    train(&folder)?;
    let python = python()?;
    let mut script = command(&python.to_string_lossy());
    script.arg(repo_root().join("tests/goldens/trained.py")).arg(&folder);
    quietly("trained.py", script)?;
    let mut test = cargo(["test", "-p", "trireme-tests", "--test", "engine", "trained::"]);
    test.args(["--", "--nocapture"]).env("TRIREME_TRAINED", &folder);
    let outcome = run("trained", test, Show::Progress)?;
    match outcome.success {
        true => Ok(lines(&outcome.output)),
        false => Err(Error::Verdict(outcome.output)),
    }
}

/// What tests say of each folder.
fn lines(output: &str) -> String {
    let said = output.lines().filter(|line| line.starts_with("trained: "));
    said.collect::<Vec<_>>().join("\n")
}

fn train(folder: &Path) -> Result<()> {
    quietly("trireme", cargo(["build", "--release", "-p", "trireme-cli"]))?;
    let [data, base] = [DATA, BASE].map(|path| repo_root().join(path));
    let output = |name: &str| folder.join(name).into_os_string();
    let trireme = |args: &[&str]| {
        let mut command = command(&target_dir().join("release/trireme").to_string_lossy());
        command.args(args);
        command
    };
    for (task, file) in [("classify", "labelled.tsv"), ("embed", "pairs.tsv")] {
        let mut command = trireme(&["train", task]);
        command.arg("--model").arg(&base).arg("--data").arg(data.join(file));
        command.arg("--output").arg(output(task)).args(OPTIONS);
        quietly(task, command)?;
    }
    let mut distill = trireme(&["distill", "--quiet"]);
    distill.arg(data.join("recipe.toml")).arg("--output").arg(output("student"));
    for (name, path) in [("data", &data), ("trained", &folder.to_owned())] {
        distill.args(["--set", &format!("{name}={}", path.display())]);
    }
    quietly("distill", distill)
}

/// The Python of an environment with the reference in it.
pub fn python() -> Result<PathBuf> {
    environment(
        &cache_dir().join("reference"),
        REQUIREMENTS,
        "import scipy, sentence_transformers, transformers",
    )
}
