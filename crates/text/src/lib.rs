//! Text to token ids, with truncation and character offsets.
//!
//! The work is done by Hugging Face's `tokenizers` crate; this crate decides what it leaves open.
//! Truncation and padding that a `tokenizer.json` carries are ignored: how long a text may be
//! belongs to the model and the request, and nothing here is ever padded. A folder that holds only
//! a `vocab.txt` gets the BERT tokenizer that the file was made for.
//!
//! ```
//! use trireme_text::{Limit, Tokenizer, TokenizerFiles};
//!
//! let vocab = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nworld\n";
//! let tokenizer =
//!     Tokenizer::new(&TokenizerFiles { vocab_txt: Some(vocab), ..TokenizerFiles::default() })?;
//! let encoded = tokenizer.encode("Hello world", None, Limit::right(16))?;
//! assert_eq!(encoded.ids, [2, 5, 6, 3]);
//! assert_eq!(encoded.offsets[2], (6, 11));
//! # Ok::<(), trireme_text::TextError>(())
//! ```

mod encode;
mod error;
mod files;
mod finish;
mod tokens;
mod vocabulary;

pub use encode::{Encoded, Limit, Side};
pub use error::TextError;
pub use files::{Tokenizer, TokenizerFiles};
pub use tokens::Token;
pub use vocabulary::Pieces;
