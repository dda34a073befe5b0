//! The record of a run: from what, by what, and which rows are done.

use std::collections::BTreeMap;
use std::ops::{Add, Range};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Shard;

/// The record of a run. It is kept while the run goes on, and beside what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The layout of this record; a newer one is refused.
    pub version: u32,
    /// What is read.
    pub input: Input,
    /// Who answers.
    pub model: ModelMade,
    /// Everything else that an answer, or how it is written, depends on.
    pub options: BTreeMap<String, String>,
    /// Which rows of the input are this run's.
    pub shard: Shard,
    /// What is done, in order, without a gap.
    pub parts: Vec<Part>,
    /// What came of it, once all is done.
    pub output: Option<Made>,
    /// The rows that have no answer, once all is done and where there are any.
    pub rejects: Option<Made>,
}

/// A file that is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// What is in it.
    #[serde(flatten)]
    pub content: Made,
    /// Rows, good and bad.
    pub rows: u64,
}

/// A file by what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// Bytes.
    pub bytes: u64,
    /// SHA-256, in hexadecimal.
    pub sha256: String,
}

impl Made {
    /// A file that holds these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, sha256: hex::encode(Sha256::digest(bytes)) }
    }
}

/// A model, by everything that its answers depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelMade {
    /// What it is called; another name is no other model.
    pub name: String,
    /// Its digest.
    pub digest: String,
    /// The numbers that it is computed in.
    pub precision: String,
}

/// Rows that are done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The first row, counted from 0.
    pub start: u64,
    /// The row behind the last one.
    pub end: u64,
    /// What became of them.
    #[serde(flatten)]
    pub counts: Counts,
    /// The file with the answers.
    pub output: Made,
    /// The file with the rows that have none, where there are any.
    pub rejects: Option<Made>,
}

/// What became of rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows with an answer.
    pub answered: u64,
    /// Rows without one.
    pub rejected: u64,
    /// Answered rows whose text was cut.
    pub cut: u64,
    /// Tokens that were looked at.
    pub tokens: u64,
}

impl Counts {
    /// Rows, with an answer or without.
    #[must_use]
    pub fn rows(self) -> u64 {
        self.answered + self.rejected
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            answered: self.answered + other.answered,
            rejected: self.rejected + other.rejected,
            cut: self.cut + other.cut,
            tokens: self.tokens + other.tokens,
        }
    }
}

/// Why what was begun is not what is asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misfit {
    /// A later version of this program wrote it.
    #[error("its record has version {found}, and this program reads {known}")]
    Version {
        /// The version that was found.
        found: u32,
        /// The version that is known.
        known: u32,
    },
    /// The file that is read has changed.
    #[error(
        "the input has changed: it had {} bytes and SHA-256 {}, and has {} bytes and {}",
        was.bytes, was.sha256, is.bytes, is.sha256
    )]
    Input {
        /// What it was.
        was: Made,
        /// What it is.
        is: Made,
    },
    /// Another model answers.
    #[error("it was begun with the model {was}, and this is {is}")]
    Model {
        /// The digest and precision that it was begun with.
        was: String,
        /// Those that are asked for.
        is: String,
    },
    /// An option has another value.
    #[error("it was begun with {name} = {was}, and this is {is}")]
    Option {
        /// The option.
        name: String,
        /// What it was.
        was: String,
        /// What it is.
        is: String,
    },
    /// Other rows are asked for.
    #[error("it is shard {was}, and this is {is}")]
    Shard {
        /// Which it was.
        was: Shard,
        /// Which it is.
        is: Shard,
    },
    /// Its parts do not follow each other.
    #[error(transparent)]
    Parts(#[from] OutOfTurn),
}

/// A part that is not the next one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "its record is damaged: rows {start} to {end} with {counted} results are not next; {next} is"
)]
pub struct OutOfTurn {
    start: u64,
    end: u64,
    counted: u64,
    next: u64,
}

impl Manifest {
    /// The layout that this program writes.
    pub const VERSION: u32 = 1;

    /// A run of which nothing is done.
    #[must_use]
    pub fn new(
        input: Input,
        model: ModelMade,
        options: BTreeMap<String, String>,
        shard: Shard,
    ) -> Self {
        Self {
            version: Self::VERSION,
            input,
            model,
            options,
            shard,
            parts: Vec::new(),
            output: None,
            rejects: None,
        }
    }

    /// The rows that are still to be done.
    #[must_use]
    pub fn rest(&self) -> Range<u64> {
        let rows = self.shard.rows(self.input.rows);
        self.parts.last().map_or(rows.start, |part| part.end)..rows.end
    }

    /// Whether every row is done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.rest().is_empty()
    }

    /// What became of all rows that are done.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.parts.iter().fold(Counts::default(), |sum, part| sum + part.counts)
    }

    /// Adds the next part.
    ///
    /// # Errors
    /// Rows of it are done, or some before it are not, or its counts are not its rows.
    pub fn push(&mut self, part: Part) -> Result<(), OutOfTurn> {
        let Range { start: next, end: last } = self.rest();
        let counted = part.counts.rows();
        let fits = part.start == next && part.start < part.end && part.end <= last;
        if !fits || counted != part.end - part.start {
            return Err(OutOfTurn { start: part.start, end: part.end, counted, next });
        }
        self.parts.push(part);
        Ok(())
    }

    /// Whether this run is the one that is asked for, so that it may go on.
    ///
    /// # Errors
    /// The first thing that differs, or that its parts do not follow each other.
    pub fn fits(&self, asked: &Self) -> Result<(), Misfit> {
        self.agrees(asked)?;
        if self.shard != asked.shard {
            return Err(Misfit::Shard { was: self.shard, is: asked.shard });
        }
        let mut again = Self { parts: Vec::new(), ..self.clone() };
        Ok(self.parts.iter().try_for_each(|part| again.push(part.clone()))?)
    }

    /// Whether two runs answer alike, of whichever rows.
    pub(super) fn agrees(&self, asked: &Self) -> Result<(), Misfit> {
        if self.version != asked.version {
            return Err(Misfit::Version { found: self.version, known: asked.version });
        }
        if self.input != asked.input {
            let [was, is] = [self, asked].map(|run| run.input.content.clone());
            return Err(Misfit::Input { was, is });
        }
        let [was, is] =
            [self, asked].map(|run| format!("{} in {}", run.model.digest, run.model.precision));
        if was != is {
            return Err(Misfit::Model { was, is });
        }
        self.options_agree(&asked.options)
    }

    fn options_agree(&self, asked: &BTreeMap<String, String>) -> Result<(), Misfit> {
        let differs = |name: &&String| self.options.get(*name) != asked.get(*name);
        let known = |name: &&String| self.options.contains_key(*name);
        // What both say comes first: another task brings options of its own.
        let both = asked.keys().filter(known);
        let all = both.chain(asked.keys()).chain(self.options.keys());
        let Some(name) = all.into_iter().find(differs) else { return Ok(()) };
        let [was, is] = [&self.options, asked]
            .map(|options| options.get(name).map_or("nothing", String::as_str).to_owned());
        Err(Misfit::Option { name: name.clone(), was, is })
    }
}
