//! One text, or a pair of texts, to ids.

use tokenizers::Encoding;
use tokenizers::tokenizer::PostProcessor;
use tokenizers::utils::truncation::{
    TruncationDirection, TruncationParams, TruncationStrategy, truncate_encodings,
};

use crate::{TextError, Tokenizer};

/// Which end of a text that is too long is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Side {
    /// The beginning.
    Left,
    /// The end.
    #[default]
    Right,
}

/// How many tokens an answer may see, special tokens among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limit {
    /// Tokens in all.
    pub tokens: usize,
    /// Where the rest is cut off.
    pub side: Side,
}

impl Limit {
    /// Keeps the beginning.
    #[must_use]
    pub fn right(tokens: usize) -> Self {
        Self { tokens, side: Side::Right }
    }
}

/// A text as the model sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Encoded {
    /// Token ids, special tokens among them.
    pub ids: Vec<u32>,
    /// Which text of a pair a token belongs to.
    pub type_ids: Vec<u32>,
    /// Where each token stands in its text, in characters; special tokens stand at `(0, 0)`.
    pub offsets: Vec<(usize, usize)>,
    /// Tokens that the limit cut off.
    pub dropped: usize,
}

impl Tokenizer {
    /// Encodes a text, or a pair. Of a pair that is too long, the longer text is cut first.
    ///
    /// # Errors
    /// [`TextError::NoRoom`] where the limit is shorter than the special tokens alone.
    pub fn encode(
        &self,
        text: &str,
        pair: Option<&str>,
        limit: Limit,
    ) -> Result<Encoded, TextError> {
        let special = self.finish.as_ref().map_or(0, |finish| finish.added_tokens(pair.is_some()));
        let room = limit
            .tokens
            .checked_sub(special)
            .filter(|_| limit.tokens > 0)
            .ok_or(TextError::NoRoom { limit: limit.tokens, special })?;
        let first = self.pieces(text)?;
        let second = pair.map(|pair| self.pieces(pair)).transpose()?;
        let before = first.len() + second.as_ref().map_or(0, Encoding::len);
        let (first, second) = truncate(first, second, room, limit.side)?;
        let kept = first.len() + second.as_ref().map_or(0, Encoding::len);
        let whole = match &self.finish {
            Some(finish) => finish.process(first, second, true).map_err(failed)?,
            None => join(first, second),
        };
        Ok(Encoded {
            ids: whole.get_ids().to_vec(),
            type_ids: whole.get_type_ids().to_vec(),
            offsets: whole.get_offsets().to_vec(),
            dropped: before - kept,
        })
    }

    pub(crate) fn pieces(&self, text: &str) -> Result<Encoding, TextError> {
        self.inner.encode_char_offsets(text, false).map_err(failed)
    }
}

fn truncate(
    first: Encoding,
    second: Option<Encoding>,
    room: usize,
    side: Side,
) -> Result<(Encoding, Option<Encoding>), TextError> {
    let direction = match side {
        Side::Left => TruncationDirection::Left,
        Side::Right => TruncationDirection::Right,
    };
    let params = TruncationParams {
        direction,
        max_length: room,
        strategy: TruncationStrategy::LongestFirst,
        stride: 0,
    };
    truncate_encodings(first, second, &params).map_err(failed)
}

/// A tokenizer without special tokens: the second text follows the first.
fn join(mut first: Encoding, second: Option<Encoding>) -> Encoding {
    if let Some(mut second) = second {
        second.set_type_ids(vec![1; second.len()]);
        first.merge_with(second, false);
    }
    first
}

pub(crate) fn failed(error: impl std::fmt::Display) -> TextError {
    TextError::Failed { reason: error.to_string() }
}
