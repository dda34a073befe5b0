//! Any text through the tokenizers of real layouts: word pieces, bytes, and a unigram model.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use trireme_text::{Limit, Side, Tokenizer, TokenizerFiles};

static TOKENIZERS: LazyLock<Vec<Tokenizer>> = LazyLock::new(|| {
    let files: [&[u8]; 3] = [
        include_bytes!("../../../goldens/tiny/bert-embed/tokenizer.json"),
        include_bytes!("../../../goldens/tiny/roberta-embed/tokenizer.json"),
        include_bytes!("../../../goldens/tiny/xlmr-embed/tokenizer.json"),
    ];
    let load = |json| {
        let files = TokenizerFiles { tokenizer_json: Some(json), ..TokenizerFiles::default() };
        Tokenizer::new(&files).expect("a golden's tokenizer loads")
    };
    files.into_iter().map(load).collect()
});

fuzz_target!(|input: (&str, Option<&str>, u8, bool)| {
    let (text, pair, most, left) = input;
    let side = if left { Side::Left } else { Side::Right };
    let limit = Limit { tokens: usize::from(most), side };
    for tokenizer in TOKENIZERS.iter() {
        let Ok(encoded) = tokenizer.encode(text, pair, limit) else { continue };
        assert!(encoded.ids.len() <= limit.tokens);
        let longest = text.chars().count().max(pair.map_or(0, |pair| pair.chars().count()));
        assert!(encoded.offsets.iter().all(|&(start, end)| start <= end && end <= longest));
    }
});
