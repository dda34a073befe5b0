//! Building a tokenizer from the files of a model.

use serde::Deserialize;
use serde_json::{Map, Value};
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::{self, BertNormalizer, NormalizerWrapper, Precompiled};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::PostProcessorWrapper;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::{AddedToken, Model};

use crate::tokens::decoder;
use crate::{TextError, finish};

/// The tokenizer files that a model folder may hold.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokenizerFiles<'a> {
    /// `tokenizer.json`; wins over `vocab_txt`.
    pub tokenizer_json: Option<&'a [u8]>,
    /// `vocab.txt`, one word piece a line.
    pub vocab_txt: Option<&'a [u8]>,
    /// `tokenizer_config.json`, which wins over `tokenizer.json` on case, accents and leading
    /// space, as in the reference.
    pub tokenizer_config: Option<&'a [u8]>,
    /// `do_lower_case` of `sentence_bert_config.json`.
    pub lowercase: bool,
}

/// A tokenizer, ready to encode. It holds no truncation and no padding.
pub struct Tokenizer {
    pub(crate) inner: tokenizers::Tokenizer,
    /// Kept apart, because special tokens are added after truncation.
    pub(crate) finish: Option<PostProcessorWrapper>,
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenizer").field("tokens", &self.inner.get_vocab_size(true)).finish()
    }
}

/// What of `tokenizer_config.json` decides how text is normalised and split.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Config {
    tokenizer_class: Option<String>,
    do_lower_case: Option<bool>,
    tokenize_chinese_chars: Option<bool>,
    strip_accents: Option<bool>,
    add_prefix_space: Option<bool>,
}

impl Config {
    /// Whether the reference takes `tokenizer.json` as it is. For every other class it builds the
    /// normaliser and the pre-tokenizer from these settings, and the class's own defaults.
    fn is_generic(&self) -> bool {
        let generic = ["PreTrainedTokenizerFast", "TokenizersBackend"];
        self.tokenizer_class.as_deref().is_some_and(|class| generic.contains(&class))
    }

    fn bert(&self) -> BertNormalizer {
        BertNormalizer::new(
            true,
            self.tokenize_chinese_chars.unwrap_or(true),
            self.strip_accents,
            self.do_lower_case.unwrap_or(true),
        )
    }
}

impl Tokenizer {
    /// Builds the tokenizer that the files describe.
    ///
    /// # Errors
    /// [`TextError::Missing`], [`TextError::Malformed`] or [`TextError::LacksToken`].
    pub fn new(files: &TokenizerFiles<'_>) -> Result<Self, TextError> {
        // A batch is shared out by the host; a tokenizer with threads of its own would fight it.
        tokenizers::utils::parallelism::set_parallelism(false);
        let config: Config = files
            .tokenizer_config
            .map_or_else(|| Ok(Config::default()), serde_json::from_slice)
            .map_err(|e| malformed("tokenizer_config.json", &e))?;
        let mut inner = match (files.tokenizer_json, files.vocab_txt) {
            (Some(json), _) => from_json(json, &config)?,
            (None, Some(vocab)) => from_vocabulary(vocab, &config)?,
            (None, None) => return Err(TextError::Missing),
        };
        inner.with_truncation(None).map_err(|e| malformed("tokenizer.json", &e))?;
        inner.with_padding(None);
        if files.lowercase {
            lower(&mut inner)?;
        }
        let finish = inner.get_post_processor().cloned();
        finish.as_ref().map_or(Ok(()), finish::check)?;
        inner.with_post_processor(None::<PostProcessorWrapper>);
        let decoder = decoder(inner.get_model());
        inner.with_decoder(Some(decoder));
        Ok(Self { inner, finish })
    }

    /// Checks that a model with this many embeddings knows every token.
    ///
    /// # Errors
    /// [`TextError::DoesNotFit`] with the first token that it does not know.
    pub fn fits(&self, rows: usize) -> Result<(), TextError> {
        let largest = self.inner.get_vocab(true).into_iter().max_by_key(|(_, id)| *id);
        match largest {
            Some((token, id)) if id as usize >= rows => {
                Err(TextError::DoesNotFit { token, id, rows })
            }
            _ => Ok(()),
        }
    }
}

pub(crate) fn malformed(file: &'static str, error: &dyn std::fmt::Display) -> TextError {
    TextError::Malformed { file, reason: error.to_string() }
}

fn from_json(json: &[u8], config: &Config) -> Result<tokenizers::Tokenizer, TextError> {
    const FILE: &str = "tokenizer.json";
    let mut parts: Map<String, Value> =
        serde_json::from_slice(json).map_err(|e| malformed(FILE, &e))?;
    // Its parser panics on bad input, and a model says by itself how its ids are read back.
    parts.insert("decoder".to_owned(), Value::Null);
    parts.get("normalizer").map_or(Ok(()), sound)?;
    let mut tokenizer: tokenizers::Tokenizer =
        serde_json::from_value(Value::Object(parts)).map_err(|e| malformed(FILE, &e))?;
    if config.is_generic() {
        return Ok(tokenizer);
    }
    if let Some(NormalizerWrapper::BertNormalizer(_)) = tokenizer.get_normalizer() {
        tokenizer.with_normalizer(Some(config.bert())).map_err(|e| malformed(FILE, &e))?;
    }
    if let Some(PreTokenizerWrapper::ByteLevel(bytes)) = tokenizer.get_pre_tokenizer() {
        let prefix = config.add_prefix_space.unwrap_or(false);
        let bytes = bytes.add_prefix_space(prefix);
        tokenizer.with_pre_tokenizer(Some(bytes));
        // The offsets must know of the added space, too.
        if let Some(PostProcessorWrapper::Roberta(roberta)) = tokenizer.get_post_processor() {
            let roberta = roberta.clone().add_prefix_space(prefix);
            tokenizer.with_post_processor(Some(roberta));
        }
    }
    Ok(tokenizer)
}

/// Tries the character maps of a normaliser by themselves: as part of a tokenizer, one that does
/// not parse would panic.
fn sound(normalizer: &Value) -> Result<(), TextError> {
    match normalizer {
        Value::Object(fields) => {
            let is_map = fields.get("type").is_some_and(|kind| kind == "Precompiled");
            if is_map {
                Precompiled::deserialize(normalizer)
                    .map_err(|e| malformed("tokenizer.json", &e))?;
            }
            fields.values().try_for_each(sound)
        }
        Value::Array(steps) => steps.iter().try_for_each(sound),
        _ => Ok(()),
    }
}

fn from_vocabulary(vocab: &[u8], config: &Config) -> Result<tokenizers::Tokenizer, TextError> {
    const FILE: &str = "vocab.txt";
    let vocab = WordPiece::read_bytes(vocab).map_err(|e| malformed(FILE, &e))?;
    let model = WordPiece::builder()
        .vocab(vocab)
        .unk_token("[UNK]".into())
        .build()
        .map_err(|e| malformed(FILE, &e))?;
    let special = |token: &str| {
        let id = model.token_to_id(token);
        id.map(|id| (token.to_owned(), id))
            .ok_or_else(|| TextError::LacksToken { file: FILE, token: token.to_owned() })
    };
    special("[UNK]")?;
    let finish = BertProcessing::new(special("[SEP]")?, special("[CLS]")?);
    let known: Vec<_> = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        .into_iter()
        .filter(|token| model.token_to_id(token).is_some())
        .map(|token| AddedToken::from(token, true))
        .collect();
    let mut tokenizer = tokenizers::Tokenizer::new(model);
    tokenizer.with_normalizer(Some(config.bert())).map_err(|e| malformed(FILE, &e))?;
    tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
    tokenizer.with_post_processor(Some(finish));
    tokenizer.add_special_tokens(known).map_err(|e| malformed(FILE, &e))?;
    Ok(tokenizer)
}

/// Lower-cases before all else, unless the tokenizer does so already.
fn lower(tokenizer: &mut tokenizers::Tokenizer) -> Result<(), TextError> {
    let already = |normalizer: &NormalizerWrapper| match normalizer {
        NormalizerWrapper::Lowercase(_) => true,
        NormalizerWrapper::BertNormalizer(bert) => bert.lowercase,
        _ => false,
    };
    let mut steps: Vec<NormalizerWrapper> = match tokenizer.get_normalizer() {
        None => Vec::new(),
        Some(NormalizerWrapper::Sequence(steps)) => steps.as_ref().to_vec(),
        Some(other) => vec![other.clone()],
    };
    if steps.iter().any(already) {
        return Ok(());
    }
    steps.insert(0, normalizers::utils::Lowercase.into());
    let all = NormalizerWrapper::Sequence(normalizers::Sequence::new(steps));
    tokenizer.with_normalizer(Some(all)).map_err(|e| malformed("tokenizer.json", &e))?;
    Ok(())
}
