//! Which waiting texts run together next.
//!
//! ```
//! use std::time::Duration;
//!
//! use trireme_domain::batching::{Batching, Next, Priority, Queue, Waiting};
//!
//! let text = |ticket, owner, priority| Waiting {
//!     ticket,
//!     group: 1,
//!     owner,
//!     priority,
//!     tokens: 20,
//!     since: Duration::ZERO,
//!     deadline: None,
//! };
//! let mut queue = Queue::default();
//! queue.push(text("a nightly job", 7, Priority::Batch));
//! queue.push(text("the first of many", 8, Priority::Interactive));
//! queue.push(text("the second of many", 8, Priority::Interactive));
//! queue.push(text("somebody else's", 9, Priority::Interactive));
//!
//! let rules = Batching { max_texts: 3, ..Batching::default() };
//! let Next::Run(run) = queue.next(&rules, Duration::ZERO) else { unreachable!() };
//! let run: Vec<&str> = run.iter().map(|text| text.ticket).collect();
//! assert_eq!(run, ["the first of many", "somebody else's", "the second of many"]);
//! ```

mod group;
mod level;
mod queue;
#[cfg(test)]
mod tests;

use core::time::Duration;

use serde::{Deserialize, Serialize};

pub use queue::Queue;

/// How soon somebody wants an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Somebody is looking at a screen.
    #[default]
    Interactive,
    /// Whenever there is room, but not never.
    Batch,
}

impl Priority {
    fn other(self) -> Self {
        match self {
            Self::Interactive => Self::Batch,
            Self::Batch => Self::Interactive,
        }
    }
}

/// How runs are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batching {
    /// The most texts of a run.
    pub max_texts: usize,
    /// The most tokens of a run. A text that has more runs alone.
    pub max_tokens: usize,
    /// How long a text waits for company. A text with a deadline gives half of its time at most.
    pub max_wait: Duration,
    /// After so many runs that began with an interactive text while another waited, one begins
    /// with a text of [`Priority::Batch`].
    pub batch_after: usize,
}

impl Default for Batching {
    fn default() -> Self {
        Self { max_texts: 32, max_tokens: 4096, max_wait: Duration::ZERO, batch_after: 8 }
    }
}

/// A text that waits. Moments are counted from one that its host chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting<T> {
    /// What its host knows it by.
    pub ticket: T,
    /// Texts of one group may run together: they ask for the same, in the same way.
    pub group: u64,
    /// Who asked. Owners take turns.
    pub owner: u64,
    /// How soon it is wanted.
    pub priority: Priority,
    /// How many tokens it will have.
    pub tokens: usize,
    /// Since when it waits.
    pub since: Duration,
    /// When nobody will want its answer any more.
    pub deadline: Option<Duration>,
}

impl<T> Waiting<T> {
    /// When half of its time is over.
    fn half_time(&self) -> Option<Duration> {
        let deadline = self.deadline?;
        Some(self.since + deadline.saturating_sub(self.since) / 2)
    }
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next<T> {
    /// Run these together. There is one at least.
    Run(Vec<Waiting<T>>),
    /// Ask again at this moment, or when there are more texts.
    Wait(Duration),
    /// Nothing waits.
    Empty,
}
