//! A bare `vocab.txt` with its configuration, and a text for the tokenizer that comes of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trireme_text::{Limit, Side, Tokenizer, TokenizerFiles};

fuzz_target!(|input: (&[u8], Option<&[u8]>, &str, Option<&str>, u8, bool)| {
    let (vocab, config, text, pair, most, left) = input;
    let files = TokenizerFiles {
        vocab_txt: Some(vocab),
        tokenizer_config: config,
        ..TokenizerFiles::default()
    };
    let Ok(tokenizer) = Tokenizer::new(&files) else { return };
    let side = if left { Side::Left } else { Side::Right };
    let limit = Limit { tokens: usize::from(most), side };
    if let Ok(encoded) = tokenizer.encode(text, pair, limit) {
        assert!(encoded.ids.len() <= limit.tokens);
        assert_eq!(encoded.ids.len(), encoded.offsets.len());
        assert_eq!(encoded.ids.len(), encoded.type_ids.len());
    }
});
