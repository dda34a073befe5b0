//! `cargo xtask check`: what CI runs, the cheapest step first.
//!
//! A failing step does not hide the later ones: a person who mends formatting wants to know about
//! the tests too.

use std::process::Command;
use std::time::Instant;

use crate::aarch64::{AARCH64, PACKAGES};
use crate::error::{Error, Result};
use crate::process::{Show, cargo, command, run};
use crate::toolchain::Toolchain;
use crate::totals::Totals;
use crate::wasm::WASM;
use crate::{WORKSPACES, fuzz, hosts, setup, tools};

/// Enough to catch what a change breaks at the surface; `soak` digs.
const FUZZ_SECONDS: u64 = 20;

/// These compile for every host from the same source; `design` calls them pure.
const PURE: &[&str] = &["backend", "cpu", "domain", "http", "kernels", "model", "service", "text"];

/// Where entropy comes from is for the host's crate to say; without it, nothing here asks.
/// `.cargo/config.toml` says what the hosts want instead.
const PURE_RUSTFLAGS: &[&str] =
    &["-Ctarget-feature=+simd128", "--cfg=getrandom_backend=\"unsupported\""];

/// How a step ended.
enum Verdict {
    Passed(String),
    Failed,
    Skipped(String),
}

/// What the steps leave for the closing lines.
#[derive(Default)]
struct Report {
    totals: Totals,
    skipped: Vec<String>,
}

struct Step {
    name: &'static str,
    run: fn(&mut Report) -> Result<Verdict>,
}

const STEPS: &[Step] = &[
    Step { name: "formatting", run: |_| formatting() },
    Step { name: "licences, bans, sources", run: |_| supply() },
    Step { name: "advisories", run: |_| Ok(Verdict::Skipped(ADVISORIES.to_owned())) },
    Step { name: "clippy", run: |_| program("clippy", clippy()) },
    Step { name: "documentation", run: |_| program("documentation", documentation()) },
    Step { name: "wasm compiles", run: |_| compiles(&WASM, PURE, PURE_RUSTFLAGS) },
    Step { name: "aarch64 compiles", run: |_| aarch64() },
    Step { name: "hosts", run: |_| built() },
    Step { name: "worker's deployment", run: |_| deployment() },
    Step { name: "tests", run: |report| test(report, false) },
    Step { name: "fuzzing", run: |_| fuzzing(FUZZ_SECONDS) },
];

const ADVISORIES: &str = "they need a database from the network; the GitHub workflow asks it";

const NO_AARCH64: &str = "no standard library for it is here; `cargo xtask soak aarch64` brings it";

/// Sets up, runs every step, prints a table of them, and ends with the tests' totals.
pub fn check() -> Result<()> {
    setup::setup()?;
    let mut report = Report::default();
    let mut rows = vec![format!("{:<24} {:>8}  {}", "step", "seconds", "result")];
    let mut failed = false;
    for step in STEPS {
        println!("check: {}", step.name);
        let start = Instant::now();
        let verdict = (step.run)(&mut report).unwrap_or_else(|error| {
            println!("{error}");
            Verdict::Failed
        });
        failed |= matches!(verdict, Verdict::Failed);
        let result = match verdict {
            Verdict::Passed(note) => format!("ok {note}"),
            Verdict::Failed => "FAILED".to_owned(),
            Verdict::Skipped(reason) => format!("skipped: {reason}"),
        };
        let row = format!("{:<24} {:>8}  {result}", step.name, start.elapsed().as_secs());
        rows.push(row.trim_end().to_owned());
    }
    println!("\n{}", rows.join("\n"));
    for line in &report.skipped {
        println!("{line}");
    }
    if report.totals.ignored > 0 {
        println!("tests that are marked as ignored: {}", report.totals.ignored);
    }
    // Alone on the last line, whatever else happened: tools read it.
    println!("{}", report.totals);
    if failed { Err(Error::Shown) } else { Ok(()) }
}

/// The workspace's tests at full size, for `soak`; returns their totals.
pub fn full_tests() -> Result<String> {
    hosts::build(&[])?;
    let mut report = Report::default();
    match test(&mut report, true)? {
        Verdict::Failed => Err(Error::Verdict(format!("the tests failed: {}", report.totals))),
        _ => Ok([report.skipped, vec![report.totals.to_string()]].concat().join("\n")),
    }
}

/// Runs a program quietly; what it said is shown where it fails.
fn program(label: &str, command: Command) -> Result<Verdict> {
    let outcome = run(label, command, Show::Progress)?;
    if outcome.success {
        return Ok(Verdict::Passed(String::new()));
    }
    println!("{}", outcome.output);
    Ok(Verdict::Failed)
}

fn formatting() -> Result<Verdict> {
    for manifest in WORKSPACES {
        let fmt = cargo(["fmt", "--all", "--check", "--manifest-path", manifest]);
        if let Verdict::Failed = program("formatting", fmt)? {
            println!("remedy: cargo xtask fmt");
            return Ok(Verdict::Failed);
        }
    }
    Ok(Verdict::Passed(String::new()))
}

fn supply() -> Result<Verdict> {
    let mut deny = command("cargo-deny");
    deny.args(["check", "licenses", "bans", "sources"]);
    program("cargo-deny", deny)
}

fn clippy() -> Command {
    cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
}

fn documentation() -> Command {
    let mut doc = cargo(["doc", "--workspace", "--no-deps"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    doc
}

/// Compiles crates for each of a toolchain's targets.
fn compiles(toolchain: &Toolchain, crates: &[&str], rustflags: &[&str]) -> Result<Verdict> {
    for target in toolchain.targets {
        let mut check = toolchain.cargo(["check", "--target", target]);
        check.env("CARGO_ENCODED_RUSTFLAGS", rustflags.join("\x1f"));
        check.args(crates.iter().flat_map(|name| ["-p".to_owned(), format!("trireme-{name}")]));
        if let Verdict::Failed = program(target, check)? {
            return Ok(Verdict::Failed);
        }
    }
    Ok(Verdict::Passed(String::new()))
}

/// Compiles the lanes of aarch64 where that costs no download; `soak` runs them.
fn aarch64() -> Result<Verdict> {
    if !AARCH64.present() {
        return Ok(Verdict::Skipped(NO_AARCH64.to_owned()));
    }
    compiles(&AARCH64, PACKAGES, &["-Dwarnings"])
}

/// Builds the hosts: the tests run what is shipped.
fn built() -> Result<Verdict> {
    hosts::build(&[])?;
    Ok(Verdict::Passed(String::new()))
}

/// `wrangler` builds anew, as it would for a person, and stops short of uploading.
fn deployment() -> Result<Verdict> {
    hosts::rehearse_deployment()?;
    Ok(Verdict::Passed(String::new()))
}

fn test(report: &mut Report, full: bool) -> Result<Verdict> {
    let mut test = cargo(["test", "--workspace", "--no-fail-fast"]);
    test.envs(tools::environment());
    if full {
        test.env("TRIREME_SOAK", "1");
    }
    let outcome = run("tests", test, Show::Everything)?;
    report.totals = Totals::read(&outcome.output);
    let skipped = outcome.output.lines().filter(|line| line.starts_with("skip: "));
    report.skipped = skipped.map(str::to_owned).collect();
    // No test at all is no proof, even where cargo is content.
    if outcome.success && report.totals.failed == 0 && report.totals.passed > 0 {
        return Ok(Verdict::Passed(report.totals.to_string()));
    }
    Ok(Verdict::Failed)
}

fn fuzzing(seconds: u64) -> Result<Verdict> {
    fuzz::fuzz(None, seconds)?;
    Ok(Verdict::Passed(format!("{seconds} s for each target")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pure_crates_exist() {
        for name in PURE {
            let manifest = trireme_tests::repo_root().join(format!("crates/{name}/Cargo.toml"));
            assert!(manifest.is_file(), "{}", manifest.display());
        }
    }
}
