//! `trireme`: one binary that embeds, classifies, measures, packs and serves.

mod args;
mod commands;
mod exit;
mod host;
mod input;
mod output;
mod progress;
mod redacted;
mod run;
mod serving;
mod table;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let mut cli = args::Cli::parse();
    cli.global.forget_empty();
    let output = output::Output::new(&cli.global);
    match run::run(cli, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            output.fault(&fault);
            exit::code(fault.code)
        }
    }
}
