//! A part's texts through the model.

use std::sync::Arc;

use trireme_domain::batch::{Counts, is_of_row, longest_first};
use trireme_domain::wire::Origin;
use trireme_domain::{Code, Fault};
use trireme_server::Opened;
use trireme_service::ports::Compute;
use trireme_service::{Answer, Best, Cut, Identity, Job, Task, Text, all, check_encoding, encoded};

use super::args::{BatchTask, Wanted};
use super::read::{Line, Part, Reject};
use super::said::{Added, Said};
use crate::table::Row;

/// A text that every model answers.
const PROBE: &str = "a quiet harbour";

/// What is asked of every text, and of whom.
pub struct Asked {
    pub origin: Origin,
    pub added: Added,
    identity: Identity,
    compute: Arc<dyn Compute>,
    task: Task,
    cut: Cut,
}

/// A part whose rows have their answers, or faults.
pub struct Answered {
    pub start: u64,
    pub end: u64,
    pub rows: Vec<(Row, Said)>,
    /// By their rows.
    pub rejects: Vec<Reject>,
    pub counts: Counts,
}

impl Asked {
    /// What is wanted of this model; options that do not fit it are found by asking once.
    pub async fn new(wanted: &Wanted, opened: &Opened) -> Result<Self, Fault> {
        let identity = opened.served.identity.clone();
        let by_model = match identity.labels.is_empty() {
            true => BatchTask::Embed,
            false => BatchTask::Classify,
        };
        let (task, added) = match wanted.task.unwrap_or(by_model) {
            BatchTask::Classify => {
                let scored = wanted.probabilities.then(|| identity.labels.clone());
                (Task::CLASSES, Added::Classes { scored: scored.unwrap_or_default() })
            }
            BatchTask::Embed => {
                let encoding = wanted.encoding.into();
                check_encoding(encoding, wanted.vector.normalize, &identity)?;
                (Task::from(wanted.vector.clone()), Added::Vector(encoding))
            }
        };
        let asked = Self {
            origin: identity.origin.clone(),
            added,
            identity,
            compute: Arc::clone(&opened.served.compute),
            task,
            cut: wanted.cut.into(),
        };
        let probe = asked.compute.submit(asked.job(vec![PROBE.to_owned()])).await?;
        all(probe)?.into_iter().try_for_each(|answer| asked.said(answer).map(drop))?;
        Ok(asked)
    }

    fn job(&self, texts: Vec<String>) -> Job {
        let texts = texts.into_iter().map(Text::from).collect();
        Job { texts, task: self.task.clone(), cut: self.cut, ..Job::default() }
    }

    fn said(&self, answer: Answer) -> Result<Said, Fault> {
        match &self.added {
            Added::Vector(encoding) => Ok(Said::Vector(encoded(answer.values, *encoding))),
            Added::Classes { scored } => {
                let Best { prediction, label, confidence, probabilities, .. } =
                    Best::of(&self.identity, answer)?;
                let probabilities = (!scored.is_empty()).then_some(probabilities);
                Ok(Said::Class { prediction, label, confidence, probabilities })
            }
        }
    }
}

impl Answered {
    /// What befell a row is told of it; what befell the model is a fault of the run.
    fn add(
        &mut self,
        line: Line,
        outcome: Result<Answer, Fault>,
        asked: &Asked,
    ) -> Result<(), Fault> {
        let (tokens, dropped) =
            outcome.as_ref().map_or((0, 0), |answer| (answer.tokens, answer.dropped));
        match outcome.and_then(|answer| asked.said(answer)) {
            Ok(said) => {
                self.counts.answered += 1;
                self.counts.tokens += tokens as u64;
                self.counts.cut += u64::from(dropped > 0);
                self.rows.push((line.row, said));
                Ok(())
            }
            Err(fault) if is_of_row(fault.code) => {
                self.counts.rejected += 1;
                self.rejects.push(Reject::of_row(line.number, line.id, fault, line.row));
                Ok(())
            }
            Err(fault) => Err(fault),
        }
    }
}

/// Answers a part.
pub async fn answer(part: Part, asked: Arc<Asked>) -> Result<Answered, Fault> {
    let Part { start, end, mut lines, rejects } = part;
    let texts = lines.iter_mut().map(|line| std::mem::take(&mut line.text)).collect();
    let outcomes = outcomes(texts, &asked).await?;
    let counts = Counts { rejected: rejects.len() as u64, ..Counts::default() };
    let rows = Vec::with_capacity(lines.len());
    let mut answered = Answered { start, end, rows, rejects, counts };
    for (line, outcome) in lines.into_iter().zip(outcomes) {
        answered.add(line, outcome, &asked)?;
    }
    answered.rejects.sort_by_key(|reject| reject.row);
    Ok(answered)
}

/// What became of each text.
async fn outcomes(
    mut texts: Vec<String>,
    asked: &Asked,
) -> Result<Vec<Result<Answer, Fault>>, Fault> {
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    let lengths: Vec<usize> = texts.iter().map(String::len).collect();
    let order = longest_first(&lengths);
    let ordered = order.iter().filter_map(|&at| texts.get_mut(at).map(std::mem::take)).collect();
    let answers = match asked.compute.submit(asked.job(ordered)).await {
        // The same befell all of them.
        Err(fault) if is_of_row(fault.code) => return Ok(vec![Err(fault); order.len()]),
        answers => answers?,
    };
    let nothing = || Err(Fault::new(Code::Internal, "the text got no answer"));
    let mut outcomes: Vec<_> = order.iter().map(|_| nothing()).collect();
    for (at, answer) in order.into_iter().zip(answers) {
        if let Some(outcome) = outcomes.get_mut(at) {
            *outcome = answer;
        }
    }
    Ok(outcomes)
}
