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
mod variables;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cli: args::Cli = variables::parse(std::env::args_os());
    let output = output::Output::new(&cli.global);
    match run::run(cli, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            output.fault(&fault);
            exit::code(fault.code)
        }
    }
}
