//! Coverage-guided fuzzing on stable Rust.
//!
//! libFuzzer needs only the coverage counters that LLVM's own pass inserts, and stable rustc hands
//! flags to LLVM; `cargo fuzz` needs nightly for the sanitizers, which safe parsers can do without.
//! A target called `canary` fails on purpose on one prefix of eleven bytes: as long as each run
//! finds it, the instrumentation works, and silence of the other targets means something.

use std::fs;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread::{self, ScopedJoinHandle};
use std::time::Instant;

use trireme_tests::repo_root;

use crate::error::{Error, Result};
use crate::machine;
use crate::process::{Outcome, Show, cargo, command, run, target_dir};

/// The fuzz targets' own workspace.
pub const MANIFEST: &str = "tests/fuzz/Cargo.toml";

const TARGETS: &str = "tests/fuzz/src/bin";
const SEEDS: &str = "tests/fuzz/corpus";

/// The target that must crash.
const CANARY: &str = "canary";

/// How `cargo fuzz` instruments, less what only nightly has. Debug assertions and overflow checks
/// stay on: they are what a fuzzer of safe code trips over.
const RUSTFLAGS: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    // A short `memcmp` would become a few loads and one comparison to zero, which tell libFuzzer
    // nothing; as a call it is intercepted, and the wanted bytes are learnt from it.
    "-Cllvm-args=-max-loads-per-memcmp=0",
    "-Cdebug-assertions",
    "-Coverflow-checks",
    "-Ccodegen-units=1",
];

/// 64 KiB reaches every length field of our formats; the fuzzer grows towards it by itself.
/// What takes too long is a crash; slow units are not asked for besides, because a busy machine makes
/// them of any input.
const LIMITS: &[&str] =
    &["-rss_limit_mb=2048", "-timeout=10", "-report_slow_units=3600", "-max_len=131072"];

/// What became of one target.
pub struct Row {
    target: String,
    runs: u64,
    found: u64,
    peak_mb: u64,
    seconds: u64,
    verdict: String,
}

/// Fuzzes every target, or the one named, for `seconds` each; returns the printed table.
pub fn fuzz(only: Option<&str>, seconds: u64) -> Result<String> {
    let targets = select(discover(&repo_root().join(TARGETS))?, only)?;
    let programs = build()?;
    let mut rows = Vec::new();
    let mut crashes = Vec::new();
    // Each takes one core.
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    for some in targets.chunks(cores) {
        let attacks = thread::scope(|scope| {
            let begin = |target: &String| {
                let (programs, target) = (&programs, target.clone());
                scope.spawn(move || attack(programs, target, seconds))
            };
            let begun: Vec<_> = some.iter().map(begin).collect();
            let end = |attack: ScopedJoinHandle<'_, _>| {
                attack.join().unwrap_or_else(|panic| resume_unwind(panic))
            };
            begun.into_iter().map(end).collect::<Result<Vec<_>>>()
        })?;
        for (row, crash) in attacks {
            rows.push(row);
            crashes.extend(crash);
        }
    }
    let table = table(&rows);
    println!("\n{table}");
    if crashes.is_empty() { Ok(table) } else { Err(Error::Verdict(crashes.join("\n"))) }
}

/// Runs one target on one file, as a developer does after a crash.
pub fn replay(target: &str, input: &str) -> Result<()> {
    // A relative path is relative to where the person stands, not to the checkout.
    let input = std::path::absolute(input).map_err(Error::file(Path::new(input)))?;
    select(discover(&repo_root().join(TARGETS))?, Some(target))?;
    let mut program = command(&build()?.join(target).to_string_lossy());
    program.args(LIMITS).arg(input);
    run(target, program, Show::Everything)?.or_fail(target).map(drop)
}

/// The targets are the files of a folder: adding one there is all that it takes.
fn discover(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).map_err(Error::file(folder))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let sources = paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let mut names: Vec<String> =
        sources.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    // The canary first: where it is not found, the rest is not worth the time.
    names.sort_by_key(|name| (name != CANARY, name.clone()));
    Ok(names)
}

fn select(targets: Vec<String>, only: Option<&str>) -> Result<Vec<String>> {
    let Some(only) = only else { return Ok(targets) };
    if targets.iter().any(|target| target == only) {
        return Ok(vec![only.to_owned()]);
    }
    let known = targets.join(", ");
    Err(Error::Usage(format!("there is no fuzz target \"{only}\"; there are {known}")))
}

/// Builds every target and says where the programs are.
fn build() -> Result<PathBuf> {
    let host = machine::host();
    let host = host.ok_or_else(|| Error::Verdict("`rustc -vV` names no host".to_owned()))?;
    let folder = target_dir().join("fuzz");
    // Naming the target keeps the flags away from build scripts, which would not link with them.
    let mut build = cargo(["build", "--release", "--manifest-path", MANIFEST, "--target", &host]);
    build.env("CARGO_TARGET_DIR", &folder).env("CARGO_ENCODED_RUSTFLAGS", RUSTFLAGS.join("\x1f"));
    run("fuzz build", build, Show::Progress)?.or_fail("fuzz build")?;
    Ok(folder.join(host).join("release"))
}

/// Runs one target and reads what the fuzzer printed; a crash comes with how to repeat it.
fn attack(programs: &Path, target: String, seconds: u64) -> Result<(Row, Option<String>)> {
    let work = target_dir().join("fuzz");
    let (found, crashes) = (work.join("corpus").join(&target), work.join("crashes").join(&target));
    for folder in [&found, &crashes] {
        fs::create_dir_all(folder).map_err(Error::file(folder))?;
    }
    if target == CANARY {
        // What an earlier run found would be found again without any instrumentation.
        for folder in [&found, &crashes] {
            let emptied = fs::remove_dir_all(folder).and_then(|()| fs::create_dir(folder));
            emptied.map_err(Error::file(folder))?;
        }
    }
    let seeds = repo_root().join(SEEDS).join(&target);

    let mut program = command(&programs.join(&target).to_string_lossy());
    program.args(LIMITS).arg("-print_final_stats=1");
    program.arg(format!("-max_total_time={seconds}"));
    program.arg(format!("-artifact_prefix={}/", crashes.display()));
    program.arg(&found).args(seeds.is_dir().then_some(seeds)).env("RUST_BACKTRACE", "0");
    let start = Instant::now();
    let outcome = run(&format!("fuzz {target}"), program, Show::Progress)?;

    let artefact = artefact(&outcome);
    let (verdict, crash) = match (target == CANARY, &artefact) {
        (true, Some(_)) => ("found, as it must be".to_owned(), None),
        (true, None) => {
            let complaint = "the fuzzer missed the canary's planted crash: its instrumentation \
                             does not work here, and no other target proves anything";
            ("MISSED".to_owned(), Some(complaint.to_owned()))
        }
        (false, None) if outcome.success => ("no crash".to_owned(), None),
        (false, _) => ("CRASH".to_owned(), Some(explain(&target, artefact, &outcome))),
    };
    let row = Row {
        runs: statistic(&outcome, "number_of_executed_units"),
        found: statistic(&outcome, "new_units_added"),
        peak_mb: statistic(&outcome, "peak_rss_mb"),
        seconds: start.elapsed().as_secs(),
        target,
        verdict,
    };
    Ok((row, crash))
}

fn explain(target: &str, artefact: Option<&str>, outcome: &Outcome) -> String {
    let Some(artefact) = artefact else {
        return format!("fuzz target {target} failed without an input:\n{}", outcome.tail());
    };
    format!(
        "fuzz target {target} crashed: {}\n  input:     {artefact}\n  \
         reproduce: cargo xtask fuzz {target} --input {artefact}\n  \
         once mended, keep the input under {SEEDS}/{target}/",
        reason(outcome)
    )
}

/// What the target said as it panicked, else what libFuzzer says of time or memory.
fn reason(outcome: &Outcome) -> String {
    let panicked = |line: &&str| line.contains("panicked at");
    let panic = outcome.output.lines().skip_while(|line| !panicked(line)).take(2);
    let panic: Vec<&str> = panic.collect();
    if !panic.is_empty() {
        return panic.join("\n  ");
    }
    let error = outcome.output.lines().find_map(|line| Some(line.split_once("ERROR: ")?.1));
    error.unwrap_or("for a reason that it did not print").to_owned()
}

/// The file that libFuzzer wrote for a crash, a time-out or too much memory.
fn artefact(outcome: &Outcome) -> Option<&str> {
    outcome.output.lines().find_map(|line| Some(line.split_once("Test unit written to ")?.1))
}

fn statistic(outcome: &Outcome, name: &str) -> u64 {
    let find = |line: &str| {
        line.strip_prefix("stat::")?.strip_prefix(name)?.strip_prefix(':')?.trim().parse().ok()
    };
    outcome.output.lines().find_map(find).unwrap_or(0)
}

fn table(rows: &[Row]) -> String {
    let mut lines = vec![format!(
        "{:<24} {:>12} {:>9} {:>8} {:>8}  {}",
        "fuzz target", "runs", "new", "peak MB", "seconds", "result"
    )];
    lines.extend(rows.iter().map(|row| {
        let Row { target, runs, found, peak_mb, seconds, verdict } = row;
        format!("{target:<24} {runs:>12} {found:>9} {peak_mb:>8} {seconds:>8}  {verdict}")
    }));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(output: &str) -> Outcome {
        Outcome { success: false, output: output.to_owned() }
    }

    #[test]
    fn a_crash_says_how_to_repeat_it() {
        let outcome = said(
            "thread '<unnamed>' panicked at a.rs:1:2:\nindex out of bounds\n\
             artifact_prefix='x/'; Test unit written to x/crash-12\nstat::peak_rss_mb:   28\n",
        );
        assert_eq!(statistic(&outcome, "peak_rss_mb"), 28);
        let text = explain("header", artefact(&outcome), &outcome);
        assert!(text.contains("cargo xtask fuzz header --input x/crash-12"), "{text}");
        assert!(text.contains("index out of bounds"), "{text}");
        assert_eq!(reason(&said("==7== ERROR: libFuzzer: timeout\n")), "libFuzzer: timeout");
    }

    #[test]
    fn the_canary_is_first_and_every_target_is_found() {
        let targets = discover(&repo_root().join(TARGETS)).unwrap();
        assert_eq!(targets[0], CANARY);
        assert!(targets.len() > 1);
        assert!(select(targets, Some("nothing")).is_err());
    }
}
