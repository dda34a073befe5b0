//! Ours beside the peers, in turn, in one run: `cargo xtask bench` builds this and runs it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a terminal program")]

mod batch;
mod browser;
mod cases;
mod deployed;
mod edge;
mod engine;
mod error;
mod first;
mod gpu;
mod host;
mod load;
mod measure;
mod memory;
mod native;
mod ours;
mod peer;
mod plot;
mod report;
mod roof;
mod serve;
mod train;
mod versus;
mod webgpu;

use std::path::PathBuf;
use std::process::ExitCode;

use error::{Error, Result};

/// What a run is told.
struct Settings {
    bench: fn(&Settings) -> Result<()>,
    /// Where the table, its JSON and its plot are written.
    out: PathBuf,
    /// Only cases whose name holds this.
    only: Option<String>,
    /// Times that each side of a case is run.
    rounds: usize,
}

impl Settings {
    fn wants(&self, case: &str) -> bool {
        self.only.as_ref().is_none_or(|only| case.contains(only))
    }
}

const USAGE: &str = "usage: trireme-bench native|browser|edge|memory|first|train|serve|batch|gpu|webgpu --out FOLDER \
                     [--only CASE] [--rounds N]";

fn main() -> ExitCode {
    match settings(std::env::args().skip(1)).and_then(|settings| (settings.bench)(&settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn settings(mut args: impl Iterator<Item = String>) -> Result<Settings> {
    let usage = || Error::Usage(USAGE);
    let bench = match args.next().as_deref() {
        Some("native") => native::run,
        Some("browser") => browser::run,
        Some("edge") => edge::run,
        Some("memory") => memory::run,
        Some("first") => first::run,
        Some("train") => train::run,
        Some("serve") => serve::run,
        Some("batch") => batch::run,
        Some("gpu") => gpu::run,
        Some("webgpu") => webgpu::run,
        _ => return Err(usage()),
    };
    let mut settings = Settings { bench, out: PathBuf::new(), only: None, rounds: 5 };
    while let Some(option) = args.next() {
        let value = args.next().ok_or_else(usage)?;
        match option.as_str() {
            "--out" => settings.out = value.into(),
            "--only" => settings.only = Some(value),
            "--rounds" => settings.rounds = value.parse().map_err(|_| usage())?,
            _ => return Err(usage()),
        }
    }
    if settings.out.as_os_str().is_empty() { Err(usage()) } else { Ok(settings) }
}
