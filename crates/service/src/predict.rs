//! Classes of texts: of one, of several, and by the names that others use.

use trireme_domain::top::top;
use trireme_domain::wire::{
    BatchAnswer, BatchRequest, Indexed, IndexedAnswer, PredictAnswer, PredictRequest, Predicted,
    Scores, SentimentAnswer, SentimentBatchAnswer, SentimentRequest, SentimentResult,
};
use trireme_domain::{Code, Fault};
use trireme_model::Cut;

use crate::engine::{Answer, Answers, Task, Text};
use crate::served::{Identity, Served};
use crate::service::{Asked, Service, Terms};

/// The best class of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Best {
    /// Id of the class.
    pub prediction: usize,
    /// Its name.
    pub label: String,
    /// Its score.
    pub confidence: f32,
    /// Every class with its score, in the order of their ids.
    pub probabilities: Scores,
    /// Names the prediction; nothing where its record could not be kept.
    pub id: Option<String>,
}

impl Best {
    /// What a model's scores say.
    ///
    /// # Errors
    /// [`Code::Internal`] where they are of no class that has a name.
    pub fn of(identity: &Identity, answer: Answer) -> Result<Self, Fault> {
        let no_class =
            || Fault::new(Code::Internal, "the classifier's answer has no class with a name");
        let Answer { values: scores, id, .. } = answer;
        let labels = &identity.labels;
        let prediction = top(&scores).ok_or_else(no_class)?;
        let confidence = scores.get(prediction).copied().ok_or_else(no_class)?;
        let label = labels.get(prediction).cloned().ok_or_else(no_class)?;
        let probabilities = Scores(labels.iter().cloned().zip(scores).collect());
        Ok(Self { prediction, label, confidence, probabilities, id })
    }
}

fn classes(max_tokens: Option<usize>, terms: Terms) -> Asked {
    Asked { task: Task::CLASSES, cut: Cut { max_tokens, ..Cut::default() }, terms }
}

/// What is wrong with an option is wrong with the request, and with none of its texts.
pub(crate) fn of_option(answers: &Answers) -> Option<Fault> {
    let mut faults = answers.iter().filter_map(|answer| answer.as_ref().err());
    faults.find(|fault| fault.code == Code::InvalidOption).cloned()
}

/// A text with its class, or why it has none.
pub(crate) fn felt(text: String, best: Result<Best, Fault>) -> SentimentResult {
    match best {
        Ok(Best { label, confidence, .. }) => {
            SentimentResult::Class { text, label, score: confidence }
        }
        Err(error) => SentimentResult::Fault { text, error },
    }
}

impl Service {
    /// Classifies a text.
    ///
    /// # Errors
    /// A [`Fault`] of the request, the model or the host.
    pub async fn predict(
        &self,
        request: PredictRequest,
        terms: Terms,
    ) -> Result<PredictAnswer, Fault> {
        let started = self.clock.now();
        let served = self.models.get(request.model.as_deref())?;
        let text = Text { first: request.text, second: request.pair };
        let best = self.best(&served, text, classes(request.max_length, terms)).await?;
        Ok(PredictAnswer {
            prediction: best.prediction,
            label: best.label,
            confidence: best.confidence,
            probabilities: request.return_probabilities.then_some(best.probabilities),
            processing_time: self.since(started),
            prediction_id: best.id,
            origin: served.identity.origin.clone(),
        })
    }

    /// Names the sentiment of a text, or whatever the model's classes are.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub async fn sentiment(
        &self,
        request: SentimentRequest,
        terms: Terms,
    ) -> Result<SentimentAnswer, Fault> {
        let started = self.clock.now();
        let served = self.models.get(request.model.as_deref())?;
        let asked = classes(request.max_length, terms);
        let best = self.best(&served, request.text.clone().into(), asked).await?;
        Ok(SentimentAnswer {
            text: request.text,
            label: best.label,
            score: best.confidence,
            processing_time: self.since(started),
            prediction_id: best.id,
            origin: served.identity.origin.clone(),
        })
    }

    /// Classifies texts; one that can't be classified has its fault in its place.
    ///
    /// # Errors
    /// A [`Fault`] of the whole request.
    pub async fn predict_batch(
        &self,
        request: BatchRequest,
        terms: Terms,
    ) -> Result<BatchAnswer, Fault> {
        let (started, listed) = (self.clock.now(), request.return_probabilities);
        let (served, best) = self.each_best(request, terms).await?;
        let class = |best: &Result<Best, Fault>| best.as_ref().ok().map(|best| best.prediction);
        let score = |best: &Result<Best, Fault>| best.as_ref().ok().map(|best| best.confidence);
        Ok(BatchAnswer {
            predictions: best.iter().map(class).collect(),
            confidences: best.iter().map(score).collect(),
            results: best.into_iter().map(|best| predicted(best, listed)).collect(),
            processing_time: self.since(started),
            origin: served.identity.origin.clone(),
        })
    }

    /// The same, each with the place of its text.
    ///
    /// # Errors
    /// As [`Self::predict_batch`].
    pub async fn batch_predict(
        &self,
        request: BatchRequest,
        terms: Terms,
    ) -> Result<IndexedAnswer, Fault> {
        let BatchAnswer { results, processing_time, origin, .. } =
            self.predict_batch(request, terms).await?;
        let indexed = |(text_index, predicted)| Indexed { text_index, predicted };
        let results = results.into_iter().enumerate().map(indexed).collect();
        Ok(IndexedAnswer { results, processing_time, origin })
    }

    /// The same, each with its text.
    ///
    /// # Errors
    /// As [`Self::predict_batch`].
    pub async fn batch_sentiment(
        &self,
        request: BatchRequest,
        terms: Terms,
    ) -> Result<SentimentBatchAnswer, Fault> {
        let (started, texts) = (self.clock.now(), request.texts.clone());
        let (served, best) = self.each_best(request, terms).await?;
        Ok(SentimentBatchAnswer {
            results: texts.into_iter().zip(best).map(|(text, best)| felt(text, best)).collect(),
            processing_time: self.since(started),
            origin: served.identity.origin.clone(),
        })
    }

    async fn best(&self, served: &Served, text: Text, asked: Asked) -> Result<Best, Fault> {
        let answer = self.each(served, vec![text], asked).await?.pop();
        let nothing = || Err(Fault::new(Code::Internal, "the text got no answer"));
        Best::of(&served.identity, answer.unwrap_or_else(nothing)?)
    }

    async fn each_best(
        &self,
        request: BatchRequest,
        terms: Terms,
    ) -> Result<(std::sync::Arc<Served>, Vec<Result<Best, Fault>>), Fault> {
        let served = self.models.get(request.model.as_deref())?;
        if request.max_length == Some(0) {
            let message = "max_length is one token at least";
            return Err(Fault::new(Code::InvalidOption, message));
        }
        let texts = request.texts.into_iter().map(Text::from).collect();
        let answers = self.each(&served, texts, classes(request.max_length, terms)).await?;
        if let Some(fault) = of_option(&answers) {
            return Err(fault);
        }
        let best = |answer: Result<Answer, Fault>| Best::of(&served.identity, answer?);
        let best = answers.into_iter().map(best).collect();
        Ok((served, best))
    }
}

/// What is said of a text of several.
pub(crate) fn predicted(best: Result<Best, Fault>, listed: bool) -> Predicted {
    match best {
        Ok(best) => Predicted::Class {
            prediction: best.prediction,
            label: best.label,
            confidence: best.confidence,
            probabilities: listed.then_some(best.probabilities),
            prediction_id: best.id,
        },
        Err(error) => Predicted::Fault { error },
    }
}
