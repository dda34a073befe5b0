//! What conventions share: how texts become vectors, scores and ranks.

use trireme_domain::similarity::cosine;
use trireme_domain::wire::Kind;
use trireme_domain::{Code, Fault};
use trireme_service::{
    Answer, Asked, Cut, EmbedOptions, Served, Service, Side, Task, Terms, Text, all,
};

/// The class of every text as scores by id, or the numbers of the head as they are.
pub(crate) async fn scores(
    service: &Service,
    served: &Served,
    texts: Vec<Text>,
    raw: bool,
    cutting: Cutting,
    terms: Terms,
) -> Result<Vec<Answer>, Fault> {
    let asked = Asked { task: Task::Classify { raw }, cut: cutting.cut, terms };
    whole(all(service.each(served, texts, asked).await?)?, cutting)
}

/// The vector of every text.
pub(crate) async fn vectors(
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
    whole(all(service.each(served, texts, asked).await?)?, cutting)
}

/// The most numbers of one answer that holds a vector for each token; printed, they are some 20 MB.
const NUMBERS: usize = 2_000_000;

/// The vector of every token of each text, as the encoder leaves it.
pub(crate) async fn token_vectors(
    service: &Service,
    served: &Served,
    texts: Vec<String>,
    prompt: Option<String>,
    cutting: Cutting,
    terms: Terms,
) -> Result<Vec<Vec<Vec<f32>>>, Fault> {
    service.limits.check(texts.iter().map(String::as_str))?;
    let most = served.reader.max_tokens();
    let mut numbers = 0;
    for (at, text) in texts.iter().enumerate() {
        let tokens = served.reader.tokens(text, prompt.as_deref(), true);
        let tokens = tokens.map_err(|fault| fault.of_text(at))?.len().min(most);
        numbers += tokens * served.identity.dimensions;
    }
    if numbers > NUMBERS {
        let message = format!("{numbers} numbers, and {NUMBERS} are the most; ask for fewer texts");
        return Err(Fault::new(Code::TooManyTexts, message));
    }
    let texts = texts.into_iter().map(Text::from).collect();
    let asked = Asked { task: Task::Tokens { prompt }, cut: cutting.cut, terms };
    let answers = whole(all(service.each(served, texts, asked).await?)?, cutting)?;
    let rows = |answer: Answer| {
        let width = answer.values.len().checked_div(answer.tokens).unwrap_or(0).max(1);
        answer.values.chunks(width).map(<[f32]>::to_vec).collect()
    };
    Ok(answers.into_iter().map(rows).collect())
}

/// How texts that are too long are treated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cutting {
    cut: Cut,
    /// Whether one that is too long is refused.
    refused: bool,
}

impl Cutting {
    /// As `truncate` and `truncation_direction` say it; what is not said is the model's way.
    pub fn new(truncate: Option<bool>, side: Option<Side>) -> Self {
        Self { cut: Cut { max_tokens: None, side }, refused: truncate == Some(false) }
    }
}

fn whole(answers: Vec<Answer>, cutting: Cutting) -> Result<Vec<Answer>, Fault> {
    let cut = answers.iter().position(|answer| cutting.refused && answer.dropped > 0);
    match cut.and_then(|at| Some((at, answers.get(at)?))) {
        Some((at, Answer { tokens, dropped, .. })) => {
            let message = format!(
                "text {at} has {} tokens, more than {tokens}; shorten it, or let it be truncated",
                tokens + dropped
            );
            Err(Fault::new(Code::TextTooLong, message))
        }
        None => Ok(answers),
    }
}

/// How near each text is to a query: what a reranker says of the pair, or else the cosine of the
/// two vectors. With it, the tokens that were read.
pub(crate) async fn ranked(
    service: &Service,
    served: &Served,
    query: &str,
    texts: &[String],
    raw: bool,
    cutting: Cutting,
    terms: Terms,
) -> Result<(Vec<f32>, usize), Fault> {
    if served.identity.kind == Kind::Reranker {
        let pair = |text: &String| Text { first: query.to_owned(), second: Some(text.clone()) };
        let pairs = texts.iter().map(pair).collect();
        let answers = scores(service, served, pairs, raw, cutting, terms).await?;
        let tokens = answers.iter().map(|answer| answer.tokens).sum();
        let first = |answer: Answer| answer.values.first().copied().unwrap_or_default();
        return Ok((answers.into_iter().map(first).collect(), tokens));
    }
    nearness(service, served, query.to_owned(), texts.to_vec(), None, cutting, terms).await
}

/// The cosine of each text's vector to a query's. With it, the tokens that were read.
pub(crate) async fn nearness(
    service: &Service,
    served: &Served,
    query: String,
    mut texts: Vec<String>,
    prompt: Option<String>,
    cutting: Cutting,
    terms: Terms,
) -> Result<(Vec<f32>, usize), Fault> {
    service.limits.check_count(texts.len())?;
    let options = EmbedOptions { normalize: Some(true), ..EmbedOptions::default() };
    let of =
        |texts| vectors(service, served, texts, options, prompt.clone(), cutting, terms.clone());
    let answers = if texts.len() < service.limits.texts {
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
    let Some((query, texts)) = answers.split_last() else { return Ok((Vec::new(), tokens)) };
    let near = |text: &Answer| cosine(&query.values, &text.values) as f32;
    Ok((texts.iter().map(near).collect(), tokens))
}

/// Places by their scores, the highest first; equal ones as they came.
pub(crate) fn order(scores: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    order
}
