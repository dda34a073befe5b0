//! Environment variables: one that is set to nothing is not set, as container files often leave it.

use std::ffi::{OsStr, OsString};

use clap::{Command, Parser};

/// Reads arguments and variables, or ends the process with what is wrong with them.
pub fn parse<P: Parser>(arguments: impl IntoIterator<Item = OsString>) -> P {
    let matches = without_empty(P::command()).get_matches_from(arguments);
    P::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

fn without_empty(command: Command) -> Command {
    command
        .mut_args(|arg| match arg.get_env().is_some_and(is_empty) {
            true => arg.env(None::<&str>),
            false => arg,
        })
        .mut_subcommands(without_empty)
}

fn is_empty(name: &OsStr) -> bool {
    std::env::var_os(name).is_some_and(|value| value.is_empty())
}
