//! Schemathesis: the program that asks hosts what their document says may be asked.

use trireme_tests::schemathesis::{REQUIREMENTS, environment};

use crate::error::{Error, Result};
use crate::install;
use crate::process::{Show, ask, cargo, command, run};

/// What the program can't do without.
const IMPORTS: &str = "import hypothesis, jsonschema_rs, schemathesis";

/// Calls of a soak.
const CALLS: &str = "20000";

/// Whether it is here.
pub fn present() -> bool {
    let python = environment().join("bin/python");
    ask(command(&python.to_string_lossy()).args(["-c", IMPORTS])).is_some()
}

/// Installs what the lock names.
pub fn bring() -> Result<()> {
    install::environment(&environment(), REQUIREMENTS, IMPORTS).map(drop)
}

/// The suite's test of it at full size; what it printed.
pub fn soak() -> Result<String> {
    let mut test = cargo(["test", "-p", "trireme-tests", "--test", "hosts"]);
    test.args(["a_host_answers_as_its_document_says", "--", "--nocapture"]);
    test.env("TRIREME_CALLS", CALLS);
    let outcome = run("schemathesis", test, Show::Progress)?;
    let said = outcome.output.lines().filter(|line| line.starts_with("schemathesis: "));
    match outcome.success {
        true => Ok(said.collect::<Vec<_>>().join("\n")),
        false => Err(Error::Verdict(outcome.output)),
    }
}
