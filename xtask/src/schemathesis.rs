//! Schemathesis: the program that asks hosts what their document says may be asked.

use trireme_tests::{SCHEMATHESIS, schemathesis};

use crate::error::{Error, Result};
use crate::install::{imports, python_packages};
use crate::process::{Show, cargo, run};

/// Calls of a soak.
const CALLS: &str = "20000";

/// Whether it is here, for the Python that is.
pub fn present() -> bool {
    imports(&schemathesis(), "hypothesis, jsonschema_rs, schemathesis")
}

/// Installs the pinned packages.
pub fn install() -> Result<()> {
    python_packages(SCHEMATHESIS, &schemathesis())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::exact_pins;

    #[test]
    fn the_lock_pins_it_and_names_no_place() {
        assert!(exact_pins(SCHEMATHESIS).iter().any(|pin| pin.starts_with("schemathesis==")));
    }
}
