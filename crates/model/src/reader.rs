//! How a model reads a text: its tokenizer, and how much of a text it sees.

use trireme_text::{Encoded, Limit, Side, Token, Tokenizer};

use crate::sentence::Prompts;
use crate::{Checkpoint, ModelError};

/// How much of a text the model sees; the model's own limit is never passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Cut {
    /// Tokens, special ones among them; `None` takes the model's own limit.
    pub max_tokens: Option<usize>,
    /// Where the rest is cut off; `None` is as the model says.
    pub side: Option<Side>,
}

/// What makes tokens of texts, without the weights that answer to them.
#[derive(Debug)]
pub struct Reader {
    tokenizer: Tokenizer,
    prompts: Prompts,
    max_tokens: usize,
    side: Side,
}

impl Reader {
    /// The reader of a checkpoint.
    ///
    /// # Errors
    /// [`ModelError`] where the tokenizer can't be read or does not fit.
    pub fn new(checkpoint: &Checkpoint) -> Result<Self, ModelError> {
        Ok(Self {
            tokenizer: checkpoint.tokenizer()?,
            prompts: checkpoint.sentence.prompts.clone(),
            max_tokens: checkpoint.max_tokens()?,
            side: checkpoint.side()?,
        })
    }

    /// The most tokens of a text that the model sees.
    #[must_use]
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// Encodes a text that is to become a vector, with a prompt of the model before it: the one
    /// named, or its default, where it has one.
    ///
    /// # Errors
    /// [`ModelError::Text`] where the limit leaves no room, [`ModelError::UnknownPrompt`].
    pub fn encode_for_vector(
        &self,
        text: &str,
        prompt: Option<&str>,
        cut: Cut,
    ) -> Result<Encoded, ModelError> {
        match self.prompts.get(prompt)? {
            "" => self.encode(text, None, cut),
            prompt => self.encode(&format!("{prompt}{text}"), None, cut),
        }
    }

    /// Encodes a text, or a pair, that is to be classified.
    ///
    /// # Errors
    /// [`ModelError::Text`] where the limit leaves no room.
    pub fn encode(&self, text: &str, pair: Option<&str>, cut: Cut) -> Result<Encoded, ModelError> {
        let tokens = cut.max_tokens.unwrap_or(self.max_tokens).min(self.max_tokens);
        let side = cut.side.unwrap_or(self.side);
        Ok(self.tokenizer.encode(text, pair, Limit { tokens, side })?)
    }

    /// All tokens of a text, with a prompt of the model before it where one is named.
    ///
    /// # Errors
    /// [`ModelError::Text`], [`ModelError::UnknownPrompt`].
    pub fn tokens(
        &self,
        text: &str,
        prompt: Option<&str>,
        special: bool,
    ) -> Result<Vec<Token>, ModelError> {
        let prompt = prompt.map_or(Ok(""), |prompt| self.prompts.get(Some(prompt)))?;
        Ok(self.tokenizer.tokens(&format!("{prompt}{text}"), special)?)
    }

    /// The text that these ids stand for, as nearly as can be said.
    ///
    /// # Errors
    /// [`ModelError::Text`] for an id that no token has.
    pub fn text(&self, ids: &[u32], skip_special: bool) -> Result<String, ModelError> {
        Ok(self.tokenizer.text(ids, skip_special)?)
    }
}
