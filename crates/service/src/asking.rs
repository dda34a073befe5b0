//! What conventions share: how texts become vectors, scores and ranks.

use trireme_domain::rounding::Rounding;
use trireme_domain::similarity::cosine;
use trireme_domain::wire::{Function, Kind};
use trireme_domain::{Code, Fault};
use trireme_model::{Cut, EmbedOptions, Side};

use crate::engine::{Answer, Task, Text, all};
use crate::reading::counted;
use crate::served::{Identity, Served};
use crate::service::{Asked, Service, Terms};

/// The class of every text as scores by id, or the numbers of the head as they are.
///
/// # Errors
/// A [`Fault`] of a text, with its place, or of the whole request.
pub async fn scores(
    service: &Service,
    served: &Served,
    texts: Vec<Text>,
    raw: bool,
    cutting: Cutting,
    terms: Terms,
) -> Result<Vec<Answer>, Fault> {
    let asked = Asked { task: Task::Classify { raw }, cut: cutting.cut, terms };
    cutting.whole(all(service.each(served, texts, asked).await?)?)
}

/// Whether scores are wanted as the head says them: with nothing applied, or what the model was
/// trained for.
///
/// # Errors
/// [`Code::InvalidOption`]: another function makes no sense of this model.
pub fn is_raw(function: Option<Function>, model: &Identity) -> Result<bool, Fault> {
    match function {
        None => Ok(false),
        Some(Function::None) => Ok(true),
        Some(Function::Softmax) if !model.several => Ok(false),
        Some(Function::Sigmoid) if model.several => Ok(false),
        Some(_) => {
            let message = "function_to_apply is `none`, or what the model was trained for";
            Err(Fault::new(Code::InvalidOption, message))
        }
    }
}

/// Whether scores may be told so exactly: from those of the head follow all digits of the others.
pub(crate) fn check_exactness(task: &Task, rounding: Rounding) -> Result<(), Fault> {
    match (task, rounding.digits) {
        (Task::Classify { raw: true }, Some(digits)) => {
            let message = format!(
                "scores are told with {digits} digits here, and raw ones would tell all of them"
            );
            Err(Fault::new(Code::InvalidOption, message))
        }
        _ => Ok(()),
    }
}

/// The vector of every text.
///
/// # Errors
/// A [`Fault`] of a text, with its place, or of the whole request.
pub async fn vectors(
    service: &Service,
    served: &Served,
    texts: Vec<String>,
    options: EmbedOptions,
    prompt: Option<String>,
    cutting: Cutting,
    terms: Terms,
) -> Result<Vec<Answer>, Fault> {
    let texts = texts.into_iter().map(Text::from).collect();
    let asked = Asked { task: Task::Embed { options, prompt }, cut: cutting.cut, terms };
    cutting.whole(all(service.each(served, texts, asked).await?)?)
}

/// The most numbers of one answer that holds a vector for each token; printed, they are some 20 MB.
const NUMBERS: usize = 2_000_000;

/// The vector of every token of each text, as the encoder leaves it.
///
/// # Errors
/// A [`Fault`] of a text, with its place, or of the whole request.
pub async fn token_vectors(
    service: &Service,
    served: &Served,
    texts: Vec<String>,
    prompt: Option<String>,
    cutting: Cutting,
    terms: Terms,
) -> Result<Vec<Vec<Vec<f32>>>, Fault> {
    service.limits.check(texts.iter().map(String::as_str))?;
    let (texts, tokens, terms) = counted(served, texts, prompt.clone(), cutting.cut, terms).await?;
    let numbers = tokens.saturating_mul(served.identity.dimensions);
    if numbers > NUMBERS {
        let message = format!("{numbers} numbers, and {NUMBERS} are the most; ask for fewer texts");
        return Err(Fault::new(Code::TooManyTexts, message));
    }
    let texts = texts.into_iter().map(Text::from).collect();
    let asked = Asked { task: Task::Tokens { prompt }, cut: cutting.cut, terms };
    let answers = cutting.whole(all(service.each(served, texts, asked).await?)?)?;
    let rows = |answer: Answer| {
        let width = answer.values.len().checked_div(answer.tokens).unwrap_or(0).max(1);
        answer.values.chunks(width).map(<[f32]>::to_vec).collect()
    };
    Ok(answers.into_iter().map(rows).collect())
}

/// How texts that are too long are treated.
#[derive(Debug, Clone, Copy)]
pub struct Cutting {
    cut: Cut,
    /// Whether one that is too long is refused.
    refused: bool,
}

impl Cutting {
    /// As `truncate` and `truncation_direction` say it; what is not said is the model's way.
    #[must_use]
    pub fn new(truncate: Option<bool>, side: Option<Side>) -> Self {
        Self { cut: Cut { max_tokens: None, side }, refused: truncate == Some(false) }
    }

    /// No more than so many tokens are looked at, special ones among them.
    #[must_use]
    pub fn at_most(mut self, max_tokens: Option<usize>) -> Self {
        self.cut.max_tokens = max_tokens;
        self
    }

    fn check(&self, answer: &Answer) -> Result<(), Fault> {
        let Answer { tokens, dropped, .. } = answer;
        if !self.refused || *dropped == 0 {
            return Ok(());
        }
        let message = format!(
            "the text has {} tokens, more than {tokens}; shorten it, or let it be truncated",
            tokens + dropped
        );
        Err(Fault::new(Code::TextTooLong, message))
    }

    /// The answers, where no text had to be cut that may not be.
    fn whole(&self, answers: Vec<Answer>) -> Result<Vec<Answer>, Fault> {
        for (at, answer) in answers.iter().enumerate() {
            self.check(answer).map_err(|fault| fault.of_text(at))?;
        }
        Ok(answers)
    }
}

/// How near each text is to a query: what a reranker says of the pair, or else the cosine of the
/// two vectors. With it, the tokens that were read.
///
/// # Errors
/// A [`Fault`] of the query, of a text, with its place, or of the whole request.
pub async fn ranked(
    service: &Service,
    served: &Served,
    query: &str,
    texts: &[String],
    raw: bool,
    cutting: Cutting,
    terms: Terms,
) -> Result<(Vec<f32>, usize), Fault> {
    if served.identity.kind == Kind::Reranker {
        check_query(service, query)?;
        let pair = |text: &String| Text { first: query.to_owned(), second: Some(text.clone()) };
        let pairs = texts.iter().map(pair).collect();
        let answers = scores(service, served, pairs, raw, cutting, terms).await?;
        let tokens = answers.iter().map(|answer| answer.tokens).sum();
        let first = |answer: Answer| answer.values.first().copied().unwrap_or_default();
        return Ok((answers.into_iter().map(first).collect(), tokens));
    }
    nearness(service, served, query.to_owned(), texts.to_vec(), None, cutting, terms).await
}

/// Before the texts are, so that its fault is not told as one of theirs.
fn check_query(service: &Service, query: &str) -> Result<(), Fault> {
    service.checked(query.to_owned().into()).map(drop).map_err(Fault::of_query)
}

/// The cosine of each text's vector to a query's. With it, the tokens that were read.
///
/// # Errors
/// A [`Fault`] of the query, of a text, with its place, or of the whole request.
pub async fn nearness(
    service: &Service,
    served: &Served,
    query: String,
    mut texts: Vec<String>,
    prompt: Option<String>,
    cutting: Cutting,
    terms: Terms,
) -> Result<(Vec<f32>, usize), Fault> {
    service.limits.check_count(texts.len())?;
    check_query(service, &query)?;
    let options = EmbedOptions { normalize: Some(true), ..EmbedOptions::default() };
    // What had to be cut is looked at below, where it is known which one is the query.
    let cut = Cutting { refused: false, ..cutting };
    let of = |texts| vectors(service, served, texts, options, prompt.clone(), cut, terms.clone());
    let mut answers = if texts.len() < service.limits.texts {
        // Behind the texts, so that a fault of one of them names its own place.
        texts.push(query);
        of(texts).await?
    } else {
        // As many texts as may be leave no place for the query among them.
        let mut answers = of(texts).await?;
        answers.extend(of(vec![query]).await?);
        answers
    };
    let tokens = answers.iter().map(|answer| answer.tokens).sum();
    let Some(query) = answers.pop() else { return Ok((Vec::new(), tokens)) };
    cutting.check(&query).map_err(Fault::of_query)?;
    let near = |text: &Answer| cosine(&query.values, &text.values) as f32;
    Ok((cutting.whole(answers)?.iter().map(near).collect(), tokens))
}

/// Places by their scores, the highest first; equal ones as they came.
#[must_use]
pub fn order(scores: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    order
}
