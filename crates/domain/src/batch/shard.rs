//! A share of the rows.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of several that share a file's rows: neighbours, and as many each as can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    index: u32,
    of: u32,
}

/// Why something names no shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoShard {
    /// It is not two numbers.
    #[error("{0:?} is no shard; say which, and of how many: 0/4")]
    Form(String),
    /// There are fewer.
    #[error("there is no shard {index} of {of}; they are counted from 0")]
    Beyond {
        /// Which.
        index: u32,
        /// Of how many.
        of: u32,
    },
}

impl Shard {
    /// The only one.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// One of several, counted from 0.
    ///
    /// # Errors
    /// [`NoShard::Beyond`].
    pub fn new(index: u32, of: u32) -> Result<Self, NoShard> {
        if index < of { Ok(Self { index, of }) } else { Err(NoShard::Beyond { index, of }) }
    }

    /// Which, counted from 0.
    #[must_use]
    pub fn index(self) -> u32 {
        self.index
    }

    /// Of how many.
    #[must_use]
    pub fn of(self) -> u32 {
        self.of
    }

    /// All of its kind, in order.
    pub fn all(self) -> impl Iterator<Item = Self> {
        (0..self.of).map(move |index| Self { index, ..self })
    }

    /// Its rows of so many.
    #[must_use]
    pub fn rows(self, total: u64) -> Range<u64> {
        // What is as large as a share of `total` fits.
        let start =
            |index: u32| (u128::from(total) * u128::from(index) / u128::from(self.of)) as u64;
        start(self.index)..start(self.index + 1)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let numbers = text.split_once('/').and_then(|(index, of)| {
            let number = |digits: &str| digits.parse::<u32>().ok().filter(|n| *n < u32::MAX);
            Some((number(index)?, number(of)?))
        });
        let (index, of) = numbers.ok_or_else(|| NoShard::Form(text.to_owned()))?;
        Self::new(index, of)
    }
}

impl TryFrom<String> for Shard {
    type Error = NoShard;

    fn try_from(text: String) -> Result<Self, NoShard> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}
