//! The server at full size: restarts behind a proxy, and memory over many requests.

use crate::error::{Error, Result};
use crate::process::{Show, cargo, run};

/// Restarts of each of two servers.
const ROUNDS: &str = "25";

/// Requests to one server.
const REQUESTS: &str = "500000";

/// Kills of servers at work on jobs, on each kind of store, and of those that keep predictions.
const KILLS: &str = "200";

/// Kills of batch files at work.
const BATCH_KILLS: &str = "50";

/// The suite's tests at full size; what they printed.
pub fn soak() -> Result<String> {
    let numbers = [("TRIREME_ROUNDS", ROUNDS), ("TRIREME_REQUESTS", REQUESTS)];
    told("serving", &["serving::rolling", "serving::endurance"], &numbers)
}

/// Kills at full size: the ledgers that were reconciled.
pub fn kills() -> Result<String> {
    let servers = ["serving::jobs::killed", "serving::predictions::what_was_answered"];
    let servers = told("servers", &servers, &[("TRIREME_KILLS", KILLS)])?;
    let batches = told("batches", &["batch::killed"], &[("TRIREME_KILLS", BATCH_KILLS)])?;
    Ok(format!("{servers}\n{batches}"))
}

/// What tests of the command line printed with these numbers.
fn told(name: &str, tests: &[&str], numbers: &[(&str, &str)]) -> Result<String> {
    let mut test = cargo(["test", "-p", "trireme-cli", "--test", "command_line", "--"]);
    test.args(tests).args(["--nocapture", "--test-threads", "1"]).envs(numbers.iter().copied());
    let outcome = run(name, test, Show::Progress)?;
    let told = |line: &&str| {
        [" requests", " kill"].iter().any(|word| line.contains(word)) || line.starts_with("test ")
    };
    match outcome.success {
        true => Ok(outcome.output.lines().filter(told).collect::<Vec<_>>().join("\n")),
        false => Err(Error::Verdict(outcome.output)),
    }
}
