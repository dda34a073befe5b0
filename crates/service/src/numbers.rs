//! What is asked besides the routes: numbers as they are, in as few pieces as possible, for callers
//! that cut lists of any length into requests.

use serde::{Deserialize, Serialize};
use trireme_domain::wire::Function;
use trireme_domain::{Code, Fault};

use crate::asking::{Cutting, is_raw, nearness, ranked, scores, token_vectors};
use crate::engine::{Answer, Text};
use crate::service::{Service, Terms};

/// What is asked.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// A row of scores for each text.
    Score(Score),
    /// A number for each text.
    Rank(Rank),
    /// For each text as many vectors as it has tokens.
    TokenVectors(TokenVectors),
}

impl Asked {
    /// The numbers.
    ///
    /// # Errors
    /// A [`Fault`] of a text, with its place, or of the whole request.
    pub async fn of(self, service: &Service) -> Result<Rows, Fault> {
        match self {
            Self::Score(asked) => asked.of(service).await,
            Self::Rank(asked) => asked.of(service).await,
            Self::TokenVectors(asked) => asked.of(service).await,
        }
    }
}

/// Scores of texts, or of pairs, by class.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    texts: Vec<String>,
    /// As many as there are texts: what each is judged with.
    pairs: Option<Vec<String>>,
    function_to_apply: Option<Function>,
    max_length: Option<usize>,
    truncate: Option<bool>,
}

/// How near texts are to a query.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rank {
    query: String,
    texts: Vec<String>,
    /// Whether vectors are compared also by a model that judges pairs.
    #[serde(default)]
    by_vectors: bool,
    prompt: Option<String>,
    max_length: Option<usize>,
    truncate: Option<bool>,
}

/// The vector of each token of texts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenVectors {
    texts: Vec<String>,
    prompt: Option<String>,
    max_length: Option<usize>,
    truncate: Option<bool>,
}

/// The tokens of a text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokenize {
    text: String,
    prompt: Option<String>,
    /// With those that stand around a text; they do unless this is `false`.
    special: Option<bool>,
}

/// A token; its place is in characters.
#[derive(Serialize)]
pub struct Token {
    id: u32,
    text: String,
    special: bool,
    start: Option<usize>,
    end: Option<usize>,
}

/// Rows of numbers, one behind the other.
#[derive(Default)]
pub struct Rows {
    /// All numbers.
    pub numbers: Vec<f32>,
    /// How many of them are each text's.
    pub lengths: Vec<u32>,
    /// Tokens that were read.
    pub tokens: usize,
}

impl Rows {
    fn of(answers: Vec<Answer>) -> Self {
        let mut rows = Self::default();
        for Answer { values, tokens, .. } in answers {
            rows.lengths.push(values.len() as u32);
            rows.numbers.extend(values);
            rows.tokens += tokens;
        }
        rows
    }
}

impl Score {
    async fn of(self, service: &Service) -> Result<Rows, Fault> {
        let served = service.models.get(None)?;
        let raw = is_raw(self.function_to_apply, &served.identity)?;
        let (texts, pairs) = (self.texts.len(), self.pairs.as_ref().map(Vec::len));
        if let Some(pairs) = pairs.filter(|&pairs| pairs != texts) {
            let message = format!("there are {pairs} pairs for {texts} texts; send as many");
            return Err(Fault::new(Code::InvalidRequest, message));
        }
        let mut seconds = self.pairs.into_iter().flatten();
        let text = |first| Text { first, second: seconds.next() };
        let texts = self.texts.into_iter().map(text).collect();
        let cutting = Cutting::new(self.truncate, None).at_most(self.max_length);
        let terms = Terms::default();
        scores(service, &served, texts, raw, cutting, terms).await.map(Rows::of)
    }
}

impl Rank {
    async fn of(self, service: &Service) -> Result<Rows, Fault> {
        let served = service.models.get(None)?;
        let cutting = Cutting::new(self.truncate, None).at_most(self.max_length);
        let terms = Terms::default();
        let (numbers, tokens) = if self.by_vectors {
            let (query, texts, prompt) = (self.query, self.texts, self.prompt);
            nearness(service, &served, query, texts, prompt, cutting, terms).await?
        } else {
            ranked(service, &served, &self.query, &self.texts, false, cutting, terms).await?
        };
        Ok(Rows { lengths: vec![1; numbers.len()], numbers, tokens })
    }
}

impl TokenVectors {
    async fn of(self, service: &Service) -> Result<Rows, Fault> {
        let served = service.models.get(None)?;
        let cutting = Cutting::new(self.truncate, None).at_most(self.max_length);
        let (texts, prompt, terms) = (self.texts, self.prompt, Terms::default());
        let texts = token_vectors(service, &served, texts, prompt, cutting, terms).await?;
        let lengths = texts.iter().map(|rows| rows.iter().map(Vec::len).sum::<usize>() as u32);
        let (lengths, tokens) = (lengths.collect(), texts.iter().map(Vec::len).sum());
        Ok(Rows { numbers: texts.into_iter().flatten().flatten().collect(), lengths, tokens })
    }
}

impl Tokenize {
    /// Its tokens.
    ///
    /// # Errors
    /// A [`Fault`] of a text, with its place, or of the whole request.
    pub fn of(self, service: &Service) -> Result<Vec<Token>, Fault> {
        service.limits.check([self.text.as_str()])?;
        let served = service.models.get(None)?;
        let (prompt, special) = (self.prompt.as_deref(), self.special.unwrap_or(true));
        let tokens = served.reader.tokens(&self.text, prompt, special)?;
        let token = |token: trireme_model::Token| Token {
            id: token.id,
            special: token.place.is_none(),
            start: token.place.map(|(start, _)| start),
            end: token.place.map(|(_, end)| end),
            text: token.text,
        };
        Ok(tokens.into_iter().map(token).collect())
    }
}
