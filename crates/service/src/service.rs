//! The use cases behind the routes: validate, compute, shape the answer.

use std::sync::Arc;
use std::time::Duration;

use trireme_backend::Backend;
use trireme_domain::top::top;
use trireme_domain::wire::{
    EncodeAnswer, EncodeRequest, Encoding, HealthAnswer, Origin, Pooling, PredictAnswer,
    PredictRequest, Scores, Vector, Vectors,
};
use trireme_domain::{Code, Fault, Limits, quantize};
use trireme_model::{Cut, EmbedOptions, Model};

use crate::engine::{Answer, Job, Task, Text, all};
use crate::ports::{Clock, Compute, Entropy};

/// What a model is called, and what its classes are.
#[derive(Debug, Clone)]
pub struct Identity {
    /// On every answer.
    pub origin: Origin,
    /// By id; empty where the model does not classify.
    pub labels: Vec<String>,
    /// Whether vectors have length one unless a request says otherwise.
    pub normalizes: bool,
}

impl Identity {
    /// What a loaded model says of itself, under this name and version, at this place.
    pub fn of<B: Backend>(
        model: &Model<B>,
        name: impl Into<String>,
        version: impl Into<String>,
        place: &str,
    ) -> Self {
        let origin = Origin {
            model: name.into(),
            version: version.into(),
            digest: model.digest().to_owned(),
            precision: model.backend().precision().name().to_owned(),
            place: place.to_owned(),
        };
        let labels = model.labels().map(|labels| labels.names.clone()).unwrap_or_default();
        Self { origin, labels, normalizes: model.normalizes() }
    }
}

/// A model's use cases over a host's ports.
#[derive(Clone)]
pub struct Service {
    /// Where jobs are answered.
    pub compute: Arc<dyn Compute>,
    /// The host's time.
    pub clock: Arc<dyn Clock>,
    /// The host's randomness.
    pub entropy: Arc<dyn Entropy>,
    /// How much one request may ask.
    pub limits: Limits,
    /// Who answers.
    pub identity: Arc<Identity>,
}

impl Service {
    /// Alive.
    #[must_use]
    pub fn health(&self) -> HealthAnswer {
        HealthAnswer { status: "ok", origin: self.identity.origin.clone() }
    }

    /// Classifies a text.
    ///
    /// # Errors
    /// A [`Fault`] of the request, the model or the host.
    pub async fn predict(&self, request: PredictRequest) -> Result<PredictAnswer, Fault> {
        let started = self.clock.now();
        self.limits.check([request.text.as_str()].into_iter().chain(request.pair.as_deref()))?;
        let text = Text { first: request.text, second: request.pair };
        let (answers, _) = self.compute(vec![text], Task::Classify, request.max_length).await?;
        let scores = answers.into_iter().next().map(|answer| answer.values).unwrap_or_default();
        let prediction = top(&scores).ok_or_else(no_classes)?;
        let confidence = scores.get(prediction).copied().ok_or_else(no_classes)?;
        let labels = &self.identity.labels;
        let label = labels.get(prediction).cloned().ok_or_else(no_classes)?;
        let named = || Scores(labels.iter().cloned().zip(scores.iter().copied()).collect());
        Ok(PredictAnswer {
            prediction,
            label,
            confidence,
            probabilities: request.return_probabilities.then(named),
            processing_time: self.since(started),
            prediction_id: self.entropy.id(),
            origin: self.identity.origin.clone(),
        })
    }

    /// Embeds a text, or several.
    ///
    /// # Errors
    /// A [`Fault`] of the request, the model or the host.
    pub async fn encode(&self, request: EncodeRequest) -> Result<EncodeAnswer, Fault> {
        let started = self.clock.now();
        let (texts, one) = texts(&request)?;
        self.limits.check(texts.iter().map(String::as_str))?;
        let options = EmbedOptions {
            pooling: request.pooling.map(pooling),
            normalize: request.normalize,
            dimensions: request.dimensions,
        };
        if request.encoding == Encoding::Int8
            && !request.normalize.unwrap_or(self.identity.normalizes)
        {
            let message = "int8 spans -1 to 1, so it needs normalize = true";
            return Err(Fault::new(Code::InvalidOption, message));
        }
        let task = Task::Embed { options, prompt: request.prompt };
        let texts = texts.into_iter().map(Text::from).collect();
        let (answers, tokens) = self.compute(texts, task, request.max_length).await?;
        let dimensions = answers.first().map_or(0, |answer| answer.values.len());
        let mut vectors = answers.into_iter().map(|answer| write(answer.values, request.encoding));
        let vectors = match (one, vectors.next()) {
            (true, Some(vector)) => Vectors::One(vector),
            (_, first) => Vectors::Many(first.into_iter().chain(vectors).collect()),
        };
        Ok(EncodeAnswer {
            vectors,
            dimensions,
            tokens,
            processing_time: self.since(started),
            origin: self.identity.origin.clone(),
        })
    }

    async fn compute(
        &self,
        texts: Vec<Text>,
        task: Task,
        max_tokens: Option<usize>,
    ) -> Result<(Vec<Answer>, usize), Fault> {
        let cut = Cut { max_tokens, ..Cut::default() };
        let answers = all(self.compute.submit(Job { texts, task, cut }).await?)?;
        let tokens = answers.iter().map(|answer| answer.tokens).sum();
        Ok((answers, tokens))
    }

    fn since(&self, started: Duration) -> f64 {
        self.clock.now().saturating_sub(started).as_secs_f64()
    }
}

fn no_classes() -> Fault {
    Fault::new(Code::Internal, "the classifier's answer has no class with a name")
}

/// The texts of a request, and whether they were asked for as one.
fn texts(request: &EncodeRequest) -> Result<(Vec<String>, bool), Fault> {
    match (&request.sentence, &request.text, &request.texts) {
        (Some(text), None, None) | (None, Some(text), None) => Ok((vec![text.clone()], true)),
        (None, None, Some(texts)) => Ok((texts.clone(), false)),
        _ => {
            let message = "give exactly one of `sentence`, `text` and `texts`";
            Err(Fault::new(Code::InvalidRequest, message))
        }
    }
}

fn pooling(pooling: Pooling) -> trireme_model::Pooling {
    match pooling {
        Pooling::Mean => trireme_model::Pooling::Mean,
        Pooling::Cls => trireme_model::Pooling::Cls,
        Pooling::Max => trireme_model::Pooling::Max,
        Pooling::LastToken => trireme_model::Pooling::LastToken,
    }
}

fn write(vector: Vec<f32>, encoding: Encoding) -> Vector {
    match encoding {
        Encoding::Float => Vector::Float(vector),
        Encoding::Int8 => Vector::Signed(quantize::int8(&vector)),
        Encoding::Binary => Vector::Signed(quantize::binary(&vector)),
        Encoding::Ubinary => Vector::Unsigned(quantize::ubinary(&vector)),
    }
}
