//! What came of a run, in one line.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use trireme_domain::Fault;
use trireme_domain::batch::{Manifest, Shard};
use trireme_domain::wire::Origin;

use super::rejects_of;
use crate::output::Output;

/// What came of a run.
#[derive(Serialize)]
pub struct Summary<'a> {
    output: String,
    rows: u64,
    answered: u64,
    rejected: u64,
    /// The file with the rows that were rejected, where any were.
    rejects: Option<String>,
    cut: u64,
    tokens: u64,
    shard: Shard,
    sha256: Option<String>,
    #[serde(flatten)]
    speed: Option<Speed>,
    #[serde(flatten)]
    origin: Option<&'a Origin>,
}

/// What was done just now, and how long it took.
pub struct Pace {
    pub rows: u64,
    pub tokens: u64,
    pub took: Duration,
}

#[derive(Serialize)]
struct Speed {
    seconds: f64,
    rows_per_second: f64,
    tokens_per_second: f64,
}

impl From<Pace> for Speed {
    fn from(Pace { rows, tokens, took }: Pace) -> Self {
        let seconds = took.as_secs_f64();
        let each = |count: u64| if seconds > 0.0 { count as f64 / seconds } else { 0.0 };
        Self { seconds, rows_per_second: each(rows), tokens_per_second: each(tokens) }
    }
}

impl<'a> Summary<'a> {
    pub fn new(
        output: &Path,
        manifest: &Manifest,
        pace: Option<Pace>,
        origin: Option<&'a Origin>,
    ) -> Self {
        let counts = manifest.counts();
        let rejects = manifest.rejects.as_ref().map(|_| rejects_of(output).display().to_string());
        Self {
            output: output.display().to_string(),
            rows: counts.rows(),
            answered: counts.answered,
            rejected: counts.rejected,
            rejects,
            cut: counts.cut,
            tokens: counts.tokens,
            shard: manifest.shard,
            sha256: manifest.output.as_ref().map(|made| made.sha256.clone()),
            speed: pace.map(Speed::from),
            origin,
        }
    }

    pub fn say(&self, output: Output) -> Result<(), Fault> {
        match output.json {
            true => output.json(self),
            false => output.result(&self.to_string()),
        }
    }
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} rows, {} rejected", self.output, self.rows, self.rejected)?;
        if let Some(rejects) = &self.rejects {
            write!(f, " ({rejects})")?;
        }
        write!(f, ", {} tokens", self.tokens)?;
        match &self.speed {
            None => Ok(()),
            Some(Speed { seconds, rows_per_second, tokens_per_second }) => write!(
                f,
                ", {seconds:.1} s, {rows_per_second:.0} rows/s, {tokens_per_second:.0} tokens/s"
            ),
        }
    }
}
