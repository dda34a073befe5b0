//! The project's own task runner; `cargo xtask` is an alias for it.
//!
//! Standard library only, so that a bare machine has it after a few seconds of compiling.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a terminal program")]

mod aarch64;
mod apps;
mod bench;
mod check;
mod clients;
mod error;
mod fuzz;
mod hosts;
mod install;
mod machine;
mod minilm;
mod mutants;
mod mutation;
mod nginx;
mod objects;
mod package;
mod peers;
mod process;
mod schemathesis;
mod serving;
mod setup;
mod soak;
mod toolchain;
mod tools;
mod totals;
mod trained;
mod wasm;

use std::process::ExitCode;

use error::{Error, Result};
use process::{Show, cargo, run};

/// What the command line understands.
pub const USAGE: &str = "\
usage: cargo xtask TASK

  setup                      find what this machine lacks and bring it
  build [HOST …]             build web, worker and spin, or those named, into the target folder's
                             hosts/, each also with the accidents that tests rehearse (web-drill …)
  check                      everything that CI runs, cheapest first; ends with the test totals
  soak [NAME] [--seconds N]  the proofs at full size (tests, mutants, fuzzing, aarch64, trained,
                             schemathesis, package, serving, kills, or the one named; N seconds for each fuzz
                             target, 3600 unless said), in docs/proofs/
  bench [NAME] [ARGS]        kernels, native (beside onnxruntime and candle), browser and webgpu
                             (Chromium, beside onnxruntime-web), package (beside transformers.js),
                             edge (workerd and wasmtime, under their roofs), memory, first (answers),
                             train and gpu (beside PyTorch), serve (beside FastAPI), batch, or all;
                             ARGS (--rounds N, --only CASE) go to the benchmark
  fuzz [TARGET] [--seconds N] [--input FILE]
                             fuzz every target, or one, for N seconds each (60 unless said);
                             with --input, run one target on one file
  mutants [NAME]             break the engine on purpose, and see a test go red each time
  fmt                        format everything";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Error::Shown) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(if matches!(error, Error::Usage(_)) { 2 } else { 1 })
        }
    }
}

fn dispatch(args: &[String]) -> Result<()> {
    let Some((task, rest)) = args.split_first() else {
        return Err(Error::Usage("no task given".to_owned()));
    };
    match task.as_str() {
        "setup" => Args::parse(rest, 0, &[]).and_then(|_| setup::setup()),
        "check" => Args::parse(rest, 0, &[]).and_then(|_| check::check()),
        "build" => {
            let args = Args::parse(rest, usize::MAX, &[])?;
            setup::setup()?;
            hosts::build(&args.names)
        }
        "fmt" => Args::parse(rest, 0, &[]).and_then(|_| fmt()),
        "soak" => {
            let args = Args::parse(rest, 1, &["--seconds"])?;
            soak::soak(args.name(), args.seconds()?.unwrap_or(3600))
        }
        "fuzz" => {
            let args = Args::parse(rest, 1, &["--seconds", "--input"])?;
            match (args.name(), args.option("--input")) {
                (Some(target), Some(input)) => fuzz::replay(target, input),
                (None, Some(_)) => Err(Error::Usage("--input needs a TARGET".to_owned())),
                (only, None) => fuzz::fuzz(only, args.seconds()?.unwrap_or(60)).map(drop),
            }
        }
        "mutants" => {
            let args = Args::parse(rest, 1, &[])?;
            mutation::mutants(args.name()).map(drop)
        }
        "bench" => bench::bench(rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => Err(Error::Usage(format!("there is no task \"{other}\""))),
    }
}

/// The manifest of every workspace in the checkout.
pub const WORKSPACES: &[&str] = &["Cargo.toml", fuzz::MANIFEST, peers::CANDLE, peers::ROOF];

/// Formats every workspace.
fn fmt() -> Result<()> {
    for manifest in WORKSPACES {
        let fmt = cargo(["fmt", "--all", "--manifest-path", manifest]);
        run("fmt", fmt, Show::Everything)?.or_fail("fmt")?;
    }
    Ok(())
}

/// A task's own arguments.
struct Args<'a> {
    names: Vec<&'a str>,
    options: Vec<(&'a str, &'a str)>,
}

impl<'a> Args<'a> {
    /// At most `names` plain words, and options that each take a value.
    fn parse(args: &'a [String], names: usize, known: &[&str]) -> Result<Self> {
        let mut parsed = Self { names: Vec::new(), options: Vec::new() };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if known.contains(&arg.as_str()) {
                let value = args.next();
                let value = value.ok_or_else(|| Error::Usage(format!("{arg} needs a value")))?;
                parsed.options.push((arg, value));
            } else if parsed.names.len() < names && !arg.starts_with('-') {
                parsed.names.push(arg);
            } else {
                return Err(Error::Usage(format!("unexpected argument \"{arg}\"")));
            }
        }
        Ok(parsed)
    }

    fn name(&self) -> Option<&'a str> {
        self.names.first().copied()
    }

    fn option(&self, name: &str) -> Option<&'a str> {
        self.options.iter().rev().find(|(known, _)| *known == name).map(|&(_, value)| value)
    }

    fn seconds(&self) -> Result<Option<u64>> {
        let parse = |text: &str| {
            let positive = text.parse().ok().filter(|&seconds: &u64| seconds > 0);
            positive.ok_or_else(|| Error::Usage(format!("\"{text}\" is not a number of seconds")))
        };
        self.option("--seconds").map(parse).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trireme_tests::check_cases;

    #[test]
    fn arguments_are_understood_or_refused() {
        let parse = |line: &str| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            let args = Args::parse(&words, 1, &["--seconds"]).ok()?;
            Some((args.name().map(str::to_owned), args.seconds().ok()?))
        };
        check_cases(
            [
                ("nothing", "", Some((None, None))),
                ("a name", "x", Some((Some("x".to_owned()), None))),
                ("both, any order", "--seconds 3 x", Some((Some("x".to_owned()), Some(3)))),
                ("two names", "x y", None),
                ("unknown option", "--minutes 3", None),
                ("no value", "--seconds", None),
                ("no number", "--seconds many", None),
                ("no time", "--seconds 0", None),
            ],
            parse,
        );
    }

    #[test]
    fn the_usage_names_every_task() {
        let source = include_str!("main.rs");
        let arms = source.lines().filter_map(|line| line.trim().strip_prefix('"')?.split_once('"'));
        for (task, _) in arms.filter(|(_, rest)| rest.starts_with(" =>")) {
            assert!(USAGE.contains(&format!("\n  {task}")), "{task} is not in the usage");
        }
    }
}
