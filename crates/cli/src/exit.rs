//! Exit codes, by the class of the fault.

use std::process::ExitCode;

use trireme_domain::{Class, Code};

/// Shown by `--help`.
pub const HELP: &str = "Exit codes: 0 done; 1 this machine or we ourselves; 2 usage or input; 3 the model; \
    4 the model's source; 5 busy or out of time; 6 not supported here.";

/// The exit code of a fault; clap itself uses 2 for usage.
pub fn code(code: Code) -> ExitCode {
    ExitCode::from(match code.class() {
        Class::Internal => 1,
        Class::Input | Class::Access => 2,
        Class::Model => 3,
        Class::Source => 4,
        Class::Busy => 5,
        Class::Unsupported => 6,
    })
}
