//! What every use case does: find the model, check the texts, compute, keep each text's fault.

use std::sync::Arc;
use std::time::Duration;

use trireme_domain::batching::Priority;
use trireme_domain::{Fault, Limits};
use trireme_model::Cut;

use crate::engine::{Answers, Job, Task, Text};
use crate::ports::{Clock, Entropy};
use crate::served::{Models, Served};

/// Models' use cases over a host's ports.
#[derive(Clone)]
pub struct Service {
    /// Who answers.
    pub models: Models,
    /// The host's time.
    pub clock: Arc<dyn Clock>,
    /// The host's randomness.
    pub entropy: Arc<dyn Entropy>,
    /// How much one request may ask.
    pub limits: Limits,
}

/// Who asks, and how soon an answer is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terms {
    /// Whose turn it is among those who wait: an API key's tenant, or all the same.
    pub owner: u64,
    /// Who goes first where several wait.
    pub priority: Priority,
    /// From now on; longer than the host allows is as long as it allows.
    pub timeout: Option<Duration>,
}

/// What is asked of every text of a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Asked {
    /// What is wanted.
    pub task: Task,
    /// How much of each text is looked at.
    pub cut: Cut,
    /// Who asks.
    pub terms: Terms,
}

impl Service {
    /// Answers texts, each by itself: one that may not be asked for, or has no answer, gets its
    /// fault and spoils no other.
    ///
    /// # Errors
    /// A [`Fault`] of the whole request: too many texts, no head, a host that is busy.
    pub async fn each(
        &self,
        served: &Served,
        texts: Vec<Text>,
        asked: Asked,
    ) -> Result<Answers, Fault> {
        self.limits.check_count(texts.len())?;
        let checked: Vec<Result<Text, Fault>> = texts
            .into_iter()
            .enumerate()
            .map(|(at, text)| self.checked(at, &text).map(|()| text))
            .collect();
        let good: Vec<Text> =
            checked.iter().filter_map(|text| text.as_ref().ok()).cloned().collect();
        let Asked { task, cut, terms } = asked;
        let mut answers = match good.is_empty() {
            true => Vec::new(),
            false => served.compute.submit(Job { texts: good, task, cut, terms }).await?,
        }
        .into_iter();
        // As many answers came as texts were sent, so none of these is missing.
        Ok(checked
            .into_iter()
            .filter_map(|text| text.map_or_else(|f| Some(Err(f)), |_| answers.next()))
            .collect())
    }

    fn checked(&self, at: usize, text: &Text) -> Result<(), Fault> {
        self.limits.check_text(at, &text.first)?;
        text.second.as_deref().map_or(Ok(()), |second| self.limits.check_text(at, second))
    }

    /// Seconds since a moment of the host's clock.
    #[must_use]
    pub fn since(&self, started: Duration) -> f64 {
        self.clock.now().saturating_sub(started).as_secs_f64()
    }
}
