//! Tokens as people see them, and back from ids to a text.

use tokenizers::decoders::byte_level::ByteLevel;
use tokenizers::decoders::metaspace::Metaspace;
use tokenizers::decoders::wordpiece::WordPiece;
use tokenizers::tokenizer::PostProcessor;
use tokenizers::{DecoderWrapper, ModelWrapper};

use crate::encode::failed;
use crate::{TextError, Tokenizer};

/// A token of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: u32,
    /// The part of the text that it stands for; of a special token, its name.
    pub text: String,
    /// Where that part begins and ends, in characters; special tokens stand nowhere.
    pub place: Option<(usize, usize)>,
}

impl Tokenizer {
    /// All tokens of a text, however many; with those around it where `special` asks for them.
    ///
    /// # Errors
    /// [`TextError::Failed`].
    pub fn tokens(&self, text: &str, special: bool) -> Result<Vec<Token>, TextError> {
        let mut whole = self.pieces(text)?;
        if let Some(finish) = self.finish.as_ref().filter(|_| special) {
            whole = finish.process(whole, None, true).map_err(failed)?;
        }
        // Each character's first byte, so that a token's characters are cut out at once.
        let mut starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        starts.push(text.len());
        let added = self.inner.get_added_vocabulary();
        let token = |(at, (&id, name)): (usize, (&u32, &String))| {
            if added.is_special_token(name) {
                return Token { id, text: name.clone(), place: None };
            }
            let (start, stop) = whole.get_offsets().get(at).copied().unwrap_or_default();
            let byte = |at: usize| starts.get(at).copied().unwrap_or(text.len());
            let part = text.get(byte(start)..byte(stop)).unwrap_or_default();
            Token { id, text: part.to_owned(), place: Some((start, stop)) }
        };
        Ok(whole.get_ids().iter().zip(whole.get_tokens()).enumerate().map(token).collect())
    }

    /// The text that these ids stand for, as nearly as can be said.
    ///
    /// ```
    /// use trireme_text::{Tokenizer, TokenizerFiles};
    ///
    /// let vocab = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nharbour\n##s\n";
    /// let files = TokenizerFiles { vocab_txt: Some(vocab), ..TokenizerFiles::default() };
    /// let tokenizer = Tokenizer::new(&files)?;
    /// assert_eq!(tokenizer.text(&[2, 5, 6, 3], true)?, "harbours");
    /// assert!(tokenizer.text(&[7], true).is_err());
    /// # Ok::<(), trireme_text::TextError>(())
    /// ```
    ///
    /// # Errors
    /// [`TextError::UnknownId`].
    pub fn text(&self, ids: &[u32], skip_special: bool) -> Result<String, TextError> {
        if let Some(&id) = ids.iter().find(|&&id| self.inner.id_to_token(id).is_none()) {
            return Err(TextError::UnknownId { id });
        }
        self.inner.decode(ids, skip_special).map_err(failed)
    }
}

/// The way back that belongs to a model. A file's own is not taken: its parser panics on bad input.
pub(crate) fn decoder(model: &ModelWrapper) -> DecoderWrapper {
    match model {
        ModelWrapper::WordPiece(_) => WordPiece::default().into(),
        ModelWrapper::Unigram(_) => Metaspace::default().into(),
        ModelWrapper::BPE(_) | ModelWrapper::WordLevel(_) => ByteLevel::default().into(),
    }
}
