//! What a compute thread runs: texts to tokens, a few ragged passes, rows to answers.

use std::sync::{Arc, PoisonError, RwLock};

use trireme_backend::{Backend, BackendError};
use trireme_domain::Fault;
use trireme_model::{Cut, EmbedOptions, Encoded, Model, ModelError, Want};

use crate::faults::from_model;
use crate::ports::{BoxFuture, OneByOne, Pace, Renew, Rows, Spread};
use crate::service::Terms;

/// A text, or a pair of texts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Text {
    /// The text.
    pub first: String,
    /// What it is judged with.
    pub second: Option<String>,
}

impl From<String> for Text {
    fn from(first: String) -> Self {
        Self { first, second: None }
    }
}

/// What is wanted of every text of a job.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Task {
    /// A vector.
    Embed {
        /// How it is made.
        options: EmbedOptions,
        /// The model's prompt to put first, by name.
        prompt: Option<String>,
    },
    /// The encoder's own vector of each token, one behind the other.
    Tokens {
        /// The model's prompt to put first, by name.
        prompt: Option<String>,
    },
    /// Numbers of the classification head.
    Classify {
        /// As the head says them; else as a score for each class.
        raw: bool,
    },
}

impl Task {
    /// A score for each class.
    pub const CLASSES: Self = Self::Classify { raw: false };
}

impl Default for Task {
    fn default() -> Self {
        Self::Embed { options: EmbedOptions::default(), prompt: None }
    }
}

/// Texts to answer together.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// The texts.
    pub texts: Vec<Text>,
    /// What is wanted of each.
    pub task: Task,
    /// How much of each is looked at.
    pub cut: Cut,
    /// Who asks.
    pub terms: Terms,
}

/// The answer to one text.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// A vector, the vectors of all tokens, or a score for each class.
    pub values: Vec<f32>,
    /// Tokens that were looked at.
    pub tokens: usize,
    /// Tokens that were cut off.
    pub dropped: usize,
    /// Names the answer, where it is a class that may be spoken of again.
    pub id: Option<String>,
}

/// For each text of a job its answer, or why it has none.
pub type Answers = Vec<Result<Answer, Fault>>;

/// All answers, where each text has one.
///
/// # Errors
/// The first fault, with its text's place.
pub fn all(answers: Answers) -> Result<Vec<Answer>, Fault> {
    let place =
        |(at, answer): (usize, Result<Answer, Fault>)| answer.map_err(|fault| fault.of_text(at));
    answers.into_iter().enumerate().map(place).collect()
}

/// The answers of a job; what befell all of its texts befell the job.
///
/// # Errors
/// The fault that every text has.
pub fn together(answers: Answers) -> Result<Answers, Fault> {
    match answers.first() {
        Some(Err(first)) if answers.iter().all(|answer| answer.as_ref().err() == Some(first)) => {
            Err(first.clone())
        }
        _ => Ok(answers),
    }
}

/// A model that answers jobs. It holds no thread: whoever calls it lends one.
pub struct Engine<B: Backend> {
    placed: RwLock<Placed<B>>,
    spread: Box<dyn Spread>,
    renew: Option<Box<dyn Renew<B>>>,
}

/// A model in a device's memory.
pub struct Placed<B: Backend> {
    /// The model.
    pub model: Arc<Model<B>>,
    /// Tokens of one pass; bounds its memory. It changes no answer.
    pub pass_tokens: usize,
}

/// Why a pass has no rows.
enum Broken {
    /// Its device is gone; on another it may have.
    Lost(Fault),
    /// Anything else.
    Other(Fault),
}

impl<B: Backend> Engine<B> {
    /// An engine whose passes hold about this many tokens, and run one by one.
    #[must_use]
    pub fn new(model: Arc<Model<B>>, pass_tokens: usize) -> Self {
        let placed = RwLock::new(Placed { model, pass_tokens });
        Self { placed, spread: Box::new(OneByOne), renew: None }
    }

    /// The same, its passes run as the host likes.
    #[must_use]
    pub fn spread(self, spread: impl Spread + 'static) -> Self {
        Self { spread: Box::new(spread), ..self }
    }

    /// The same, on another device where its own is lost.
    #[must_use]
    pub fn renewed_by(self, renew: impl Renew<B> + 'static) -> Self {
        Self { renew: Some(Box::new(renew)), ..self }
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> Arc<Model<B>> {
        Arc::clone(&self.placed.read().unwrap_or_else(PoisonError::into_inner).model)
    }

    /// Bytes of a device's own memory that are taken now.
    pub fn device_bytes(&self) -> u64 {
        self.model().backend().device_bytes()
    }

    /// Answers a job, at the host's pace.
    ///
    /// # Errors
    /// The fault that the pace gave before some step, or the model's.
    pub async fn answer(&self, job: &Job, pace: &dyn Pace) -> Result<Answers, Fault> {
        let model = self.model();
        let want = wanted(&model, &job.task).map_err(|e| from_model(&e))?;
        let (mut encoded, mut places) = (Vec::new(), Vec::with_capacity(job.texts.len()));
        for text in &job.texts {
            pace.step().await?;
            places.push(encode(&model, text, job).map(|text| encoded.push(text)));
        }
        let rows = self.rows(&encoded, want, pace).await?;
        let mut answers = rows.into_iter().zip(&encoded).map(|(row, text)| {
            let values = finish(&model, row?, &job.task);
            Ok(Answer { values, tokens: text.ids.len(), dropped: text.dropped, id: None })
        });
        let answer = |place: Result<(), ModelError>| match place {
            Ok(()) => answers.next(),
            Err(error) => Some(Err(from_model(&error))),
        };
        // As many rows came as texts were encoded, so no text is left without an answer.
        Ok(places.into_iter().filter_map(answer).collect())
    }

    /// A row of the encoder for each text, in as many passes as they need.
    ///
    /// # Errors
    /// As [`Self::answer`].
    pub async fn rows(&self, texts: &[Encoded], want: Want, pace: &dyn Pace) -> Rows {
        let pass = |batch| Box::pin(self.run(batch, want, pace)) as BoxFuture<'_, Rows>;
        let tokens = self.placed.read().unwrap_or_else(PoisonError::into_inner).pass_tokens;
        let all = passes(texts, tokens).map(pass).collect();
        let mut rows = Vec::with_capacity(texts.len());
        for pass in self.spread.run(all).await {
            rows.extend(pass?);
        }
        Ok(rows)
    }

    /// Runs a pass, and once more on another device where its own was lost under it.
    async fn run(&self, batch: &[Encoded], want: Want, pace: &dyn Pace) -> Rows {
        let model = self.model();
        let lost = match attempt(&model, batch, want, pace).await {
            Ok(rows) => return Ok(rows),
            Err(Broken::Other(fault)) => return Err(fault),
            Err(Broken::Lost(fault)) => fault,
        };
        let model = self.renewed(&model, lost).await?;
        attempt(&model, batch, want, pace).await.map_err(Broken::fault)
    }

    /// The model that takes the place of one whose device was lost.
    async fn renewed(&self, lost: &Arc<Model<B>>, fault: Fault) -> Result<Arc<Model<B>>, Fault> {
        let there = self.model();
        if !Arc::ptr_eq(&there, lost) {
            return Ok(there);
        }
        let Some(renew) = &self.renew else { return Err(fault) };
        let placed = renew.placed().await?;
        let model = Arc::clone(&placed.model);
        *self.placed.write().unwrap_or_else(PoisonError::into_inner) = placed;
        Ok(model)
    }
}

impl Broken {
    fn of(error: &ModelError) -> Self {
        let fault = from_model(error);
        match error {
            ModelError::Backend(BackendError::DeviceLost { .. }) => Self::Lost(fault),
            _ => Self::Other(fault),
        }
    }

    fn fault(self) -> Fault {
        match self {
            Self::Lost(fault) | Self::Other(fault) => fault,
        }
    }
}

async fn attempt<B: Backend>(
    model: &Model<B>,
    batch: &[Encoded],
    want: Want,
    pace: &dyn Pace,
) -> Result<Vec<Result<Vec<f32>, Fault>>, Broken> {
    let mut pass = model.start(batch, want).map_err(|e| Broken::of(&e))?;
    while !pass.progress().is_complete() {
        pace.step().await.map_err(Broken::Other)?;
        pass.step().map_err(|e| Broken::of(&e))?;
    }
    let rows = pass.finish().await.map_err(|e| Broken::of(&e))?;
    Ok(rows.into_iter().map(|row| row.map_err(|e| from_model(&e))).collect())
}

fn wanted<B: Backend>(model: &Model<B>, task: &Task) -> Result<Want, ModelError> {
    match task {
        Task::Embed { options, .. } => model.vectors(*options),
        Task::Tokens { .. } => Ok(Want::Tokens),
        Task::Classify { .. } if model.labels().is_none() => Err(ModelError::NoHead),
        Task::Classify { .. } => Ok(Want::Logits),
    }
}

fn encode<B: Backend>(model: &Model<B>, text: &Text, job: &Job) -> Result<Encoded, ModelError> {
    match &job.task {
        Task::Embed { prompt, .. } | Task::Tokens { prompt } => {
            model.reader().encode_for_vector(&text.first, prompt.as_deref(), job.cut)
        }
        Task::Classify { .. } => {
            model.reader().encode(&text.first, text.second.as_deref(), job.cut)
        }
    }
}

fn finish<B: Backend>(model: &Model<B>, row: Vec<f32>, task: &Task) -> Vec<f32> {
    match task {
        Task::Embed { options, .. } => model.finish_vector(row, *options),
        Task::Tokens { .. } | Task::Classify { raw: true } => row,
        Task::Classify { raw: false } => model.finish_scores(row),
    }
}

/// Cuts texts into runs, each of so many tokens at most, or a single text. A run is one pass.
fn passes(mut texts: &[Encoded], tokens: usize) -> impl Iterator<Item = &[Encoded]> {
    std::iter::from_fn(move || {
        let mut sum = 0;
        let fits = |text: &&Encoded| {
            sum += text.ids.len();
            sum <= tokens
        };
        let take = texts.iter().take_while(fits).count().max(1).min(texts.len());
        let (run, rest) = texts.split_at(take);
        texts = rest;
        (!run.is_empty()).then_some(run)
    })
}

#[cfg(test)]
mod tests {
    use trireme_domain::Code;

    use super::*;

    #[test]
    fn what_befalls_all_texts_befalls_the_job() {
        let fine = || Ok(Answer { values: vec![1.0], tokens: 1, dropped: 0, id: None });
        let fault = |message: &str| Err(Fault::new(Code::Internal, message));
        let cases = [
            ("no text", vec![], true),
            ("all fine", vec![fine(), fine()], true),
            ("one fault", vec![fine(), fault("a")], true),
            ("two faults", vec![fault("a"), fault("b")], true),
            ("the same fault", vec![fault("a"), fault("a")], false),
        ];
        for (case, answers, each) in cases {
            assert_eq!(together(answers).is_ok(), each, "{case}");
        }
    }
}
