//! What every use case does: find the model, check the texts, compute, keep each text's fault.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use trireme_domain::batching::Priority;
use trireme_domain::hygiene::Hygiene;
use trireme_domain::rounding::Rounding;
use trireme_domain::top::top;
use trireme_domain::{Fault, Limits};
use trireme_model::Cut;

use crate::asking::check_exactness;
use crate::engine::{Answer, Answers, Job, Task, Text};
use crate::jobs::Jobs;
use crate::ports::{Clock, Entropy, Telemetry};
use crate::records::Records;
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
    /// What texts may be, and how scores are told.
    pub policy: Arc<Policy>,
    /// Who counts.
    pub telemetry: Arc<dyn Telemetry>,
    /// Work that outlives its request, where the host keeps any.
    pub jobs: Option<Jobs>,
    /// Records of predictions, where the host keeps any.
    pub records: Option<Records>,
}

/// What texts may be, and how scores are told. By default, anything and as they are.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// What is taken out of texts, and which are refused.
    pub hygiene: Hygiene,
    /// How many digits of a score are told.
    pub rounding: Rounding,
    /// Whether token ids may stand for texts, where a convention has room for them.
    pub token_ids: bool,
}

/// Who asks, and how soon an answer is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// Whose turn it is among those who wait: an API key's tenant, or all the same.
    pub owner: u64,
    /// Whose records of the answers are: nobody's in particular, where there are no keys.
    pub tenant: Arc<str>,
    /// Who goes first where several wait.
    pub priority: Priority,
    /// From now on; longer than the host allows is as long as it allows.
    pub timeout: Option<Duration>,
    /// Whether the answer is waited for as long as it takes. No header says so: only work that
    /// outlives its request has so much time.
    pub patient: bool,
    /// Whether the answer may be one that is remembered.
    pub caching: Caching,
}

impl Terms {
    /// How long the answer may take on a host that allows so much; for ever, where it is waited for
    /// as long as it takes.
    #[must_use]
    pub fn time(&self, longest: Duration) -> Option<Duration> {
        let time = self.timeout.map_or(longest, |timeout| timeout.min(longest));
        (!self.patient).then_some(time)
    }
}

/// Whether an answer may be remembered, where the host remembers any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Caching {
    /// It may be one that was given before, and it is kept.
    #[default]
    Usual,
    /// It is computed anew, and kept.
    Renew,
    /// It is computed anew, and nothing of it is kept.
    Off,
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
    /// These models on this host, with the usual limits, any texts, and nobody who counts.
    pub fn new(
        models: Models,
        clock: impl Clock + 'static,
        entropy: impl Entropy + 'static,
    ) -> Self {
        Self {
            models,
            clock: Arc::new(clock),
            entropy: Arc::new(entropy),
            limits: Limits::default(),
            policy: Arc::default(),
            telemetry: Arc::new(()),
            jobs: None,
            records: None,
        }
    }

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
        check_exactness(&asked.task, self.policy.rounding)?;
        let checked: Vec<Result<Text, Fault>> =
            texts.into_iter().map(|text| self.checked(text)).collect();
        let good: Vec<Text> =
            checked.iter().filter_map(|text| text.as_ref().ok()).cloned().collect();
        let Asked { task, cut, terms } = asked;
        // Also those that are told as the head says them.
        let classes = matches!(task, Task::Classify { .. });
        let raw = task == Task::Classify { raw: true };
        let (tenant, seen) = (Arc::clone(&terms.tenant), classes.then(|| self.seen(&good)));
        let mut answers = match good.is_empty() {
            true => Vec::new(),
            false => served.compute.submit(Job { texts: good, task, cut, terms }).await?,
        };
        if let Some(seen) = seen {
            answers.iter_mut().flatten().for_each(|answer| self.tell(served, raw, answer));
            self.named(served, &tenant, seen, &mut answers).await;
        }
        let mut answers = answers.into_iter();
        // As many answers came as texts were sent, so none of these is missing.
        let each = |text: Result<Text, Fault>| match text {
            Ok(_) => answers.next(),
            Err(fault) => Some(Err(fault)),
        };
        Ok(checked.into_iter().filter_map(each).collect())
    }

    /// A class's scores as this host tells them, and counts them.
    fn tell(&self, served: &Served, raw: bool, answer: &mut Answer) {
        self.policy.rounding.round(&mut answer.values);
        if let Some(best) = top(&answer.values)
            && let (Some(label), Some(score)) =
                (served.identity.labels.get(best), answer.values.get(best))
        {
            let confidence = (!raw).then_some(*score);
            self.telemetry.predicted(&served.identity.origin, label, confidence);
        }
    }

    /// A text as the model is to see it.
    ///
    /// # Errors
    /// It is empty, too long, or refused; the fault does not know of how many.
    pub(crate) fn checked(&self, text: Text) -> Result<Text, Fault> {
        let part = |part: String| {
            self.limits.check_text(&part)?;
            let clean = match self.policy.hygiene.clean(&part) {
                Cow::Borrowed(_) => part,
                Cow::Owned(clean) => {
                    // What is left may be nothing.
                    self.limits.check_text(&clean)?;
                    clean
                }
            };
            self.policy.hygiene.check(&clean)?;
            Ok::<_, Fault>(clean)
        };
        let first = part(text.first)?;
        Ok(Text { first, second: text.second.map(part).transpose()? })
    }

    /// Seconds since a moment of the host's clock.
    #[must_use]
    pub fn since(&self, started: Duration) -> f64 {
        self.clock.now().saturating_sub(started).as_secs_f64()
    }
}
