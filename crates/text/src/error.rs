//! What can be wrong with a tokenizer or a text.

/// Why a tokenizer could not be built or a text could not be encoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// There is neither `tokenizer.json` nor `vocab.txt`.
    #[error("no tokenizer: the model has neither tokenizer.json nor vocab.txt")]
    Missing,
    /// A tokenizer file does not parse.
    #[error("{file} is not a tokenizer: {reason}")]
    Malformed {
        /// The file.
        file: &'static str,
        /// The parser's words.
        reason: String,
    },
    /// A token that the tokenizer needs is not in its vocabulary.
    #[error("{file} lacks the token {token:?}")]
    LacksToken {
        /// The file.
        file: &'static str,
        /// The token.
        token: String,
    },
    /// The tokenizer knows an id that the model has no embedding for.
    #[error(
        "the tokenizer does not fit the model: token {token:?} has id {id}, \
         but the model has {rows} embeddings"
    )]
    DoesNotFit {
        /// The token with the largest id.
        token: String,
        /// That id.
        id: u32,
        /// Rows of the model's embedding.
        rows: usize,
    },
    /// The vocabulary can't be made as small as that.
    #[error("the vocabulary can't be made smaller: {reason}")]
    Vocabulary {
        /// What stands in the way.
        reason: String,
    },
    /// The limit leaves no room for the special tokens.
    #[error("a limit of {limit} tokens leaves no room for {special} special tokens")]
    NoRoom {
        /// The limit asked for.
        limit: usize,
        /// Special tokens that each text gets.
        special: usize,
    },
    /// The tokenizer refused the text.
    #[error("the tokenizer failed on the text: {reason}")]
    Failed {
        /// Its words.
        reason: String,
    },
    /// An id that no token has.
    #[error("there is no token with the id {id}; take the ids of this model's own tokenizer")]
    UnknownId {
        /// The id.
        id: u32,
    },
}
