//! What this crate decides on its own: limits, sides, offsets, and the bare vocabulary.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use trireme_text::{Limit, Pieces, Side, TextError, Tokenizer, TokenizerFiles};

const VOCAB: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\none\ntwo\nthree\nfour\n##s\ncafe\n";

fn bare(config: Option<&str>) -> Tokenizer {
    Tokenizer::new(&TokenizerFiles {
        vocab_txt: Some(VOCAB.as_bytes()),
        tokenizer_config: config.map(str::as_bytes),
        ..TokenizerFiles::default()
    })
    .unwrap()
}

#[test]
fn the_limit_counts_special_tokens_and_cuts_the_end() {
    let got = bare(None).encode("one two three four", None, Limit::right(4)).unwrap();
    assert_eq!((got.ids, got.dropped), (vec![2, 5, 6, 3], 2));
}

#[test]
fn the_left_side_keeps_the_end() {
    let limit = Limit { tokens: 4, side: Side::Left };
    let got = bare(None).encode("one two three four", None, limit).unwrap();
    assert_eq!((got.ids, got.dropped), (vec![2, 7, 8, 3], 2));
}

#[test]
fn of_a_pair_the_longer_text_is_cut_first() {
    let got = bare(None).encode("one two three", Some("four"), Limit::right(6)).unwrap();
    assert_eq!(got.ids, [2, 5, 6, 3, 8, 3]);
    assert_eq!(got.type_ids, [0, 0, 0, 0, 1, 1]);
}

#[test]
fn offsets_count_characters_of_the_text_as_given() {
    let got = bare(None).encode("Çé CAFÉ twos", None, Limit::right(16)).unwrap();
    assert_eq!(got.ids, [2, 1, 10, 6, 9, 3]);
    assert_eq!(got.offsets, [(0, 0), (0, 2), (3, 7), (8, 11), (11, 12), (0, 0)]);
}

#[test]
fn a_limit_without_room_is_refused() {
    let got = bare(None).encode("one", None, Limit::right(1));
    assert_eq!(got, Err(TextError::NoRoom { limit: 1, special: 2 }));
    let got = bare(None).encode("one", None, Limit::right(2)).unwrap();
    assert_eq!(got.ids, [2, 3], "two tokens hold the special ones and nothing else");
}

#[test]
fn an_empty_text_is_its_special_tokens() {
    let got = bare(None).encode("", None, Limit::right(8)).unwrap();
    assert_eq!(got.ids, [2, 3]);
}

#[test]
fn a_cased_vocabulary_keeps_case() {
    let got = bare(Some(r#"{"do_lower_case": false}"#));
    let got = got.encode("ONE one", None, Limit::right(8)).unwrap();
    assert_eq!(got.ids, [2, 1, 5, 3]);
}

#[test]
fn a_vocabulary_beyond_the_embedding_does_not_fit() {
    assert_eq!(bare(None).fits(11), Ok(()));
    let expected = TextError::DoesNotFit { token: "cafe".into(), id: 10, rows: 10 };
    assert_eq!(bare(None).fits(10), Err(expected));
}

#[test]
fn what_is_not_a_tokenizer_is_named() {
    let got = Tokenizer::new(&TokenizerFiles::default()).err();
    assert_eq!(got, Some(TextError::Missing));

    let files = TokenizerFiles { tokenizer_json: Some(b"{}"), ..TokenizerFiles::default() };
    let got = Tokenizer::new(&files).err();
    assert!(
        matches!(got, Some(TextError::Malformed { file: "tokenizer.json", .. })),
        "expected a malformed tokenizer.json, got {got:?}"
    );

    let files = TokenizerFiles { vocab_txt: Some(b"[UNK]\n[SEP]\n"), ..TokenizerFiles::default() };
    let got = Tokenizer::new(&files).err();
    let expected = TextError::LacksToken { file: "vocab.txt", token: "[CLS]".into() };
    assert_eq!(got, Some(expected));
}

/// Each of these made a parser of the tokenizers crate panic.
#[test]
fn a_tokenizer_that_makes_no_sense_is_refused_and_never_a_panic() {
    let whole = |part: &str, value: &str| {
        format!(
            r#"{{"version": "1.0", "model": {{"type": "WordPiece", "unk_token": "a",
            "continuing_subword_prefix": "@@", "max_input_chars_per_word": 100,
            "vocab": {{"a": 0}}}}, "{part}": {value}}}"#
        )
    };
    let map = r#"{"type": "Precompiled", "precompiled_charsmap": "AAAA"}"#;
    let nested = format!(r#"{{"type": "Sequence", "normalizers": [{map}]}}"#);
    let template = |single: &str, pair: &str| {
        format!(
            r#"{{"type": "TemplateProcessing", "single": [{single}], "pair": [{pair}],
            "special_tokens": {{"a": {{"id": "a", "ids": [0], "tokens": ["a"]}}}}}}"#
        )
    };
    let token = |id: &str| format!(r#"{{"SpecialToken": {{"id": "{id}", "type_id": 0}}}}"#);
    let text = |id: &str| format!(r#"{{"Sequence": {{"id": "{id}", "type_id": 0}}}}"#);
    let sound = template(&text("A"), &token("a"));
    let twice = format!(r#"{{"type": "Sequence", "processors": [{sound}, {sound}]}}"#);
    let once = format!(r#"{{"type": "Sequence", "processors": [{sound}]}}"#);
    let files = |json: &str| {
        Tokenizer::new(&TokenizerFiles {
            tokenizer_json: Some(json.as_bytes()),
            ..TokenizerFiles::default()
        })
        .err()
    };
    assert_eq!(files(&whole("post_processor", &once)), None);
    for json in [
        whole("decoder", r#"{"type": "WordPiece", 3: 4}"#),
        whole("post_processor", &template(&token("b"), "")),
        whole("post_processor", &template("", &token("b"))),
        whole("post_processor", &template(&text("B"), "")),
        whole("post_processor", &twice),
        whole("normalizer", map),
        whole("normalizer", &nested),
    ] {
        let got = files(&json);
        assert!(matches!(got, Some(TextError::Malformed { .. })), "{json}: got {got:?}");
    }
}

const WORDS: &str = r###"{"version": "1.0", "truncation": null, "padding": null,
    "added_tokens": [
        {"id": 0, "content": "[PAD]", "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true},
        {"id": 3, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true},
        {"id": 4, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true}],
    "normalizer": null, "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 4], "cls": ["[CLS]", 3]},
    "decoder": null,
    "model": {"type": "WordPiece", "unk_token": "[PAD]", "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": {"[PAD]": 0, "[unused0]": 1, "o": 2, "[CLS]": 3, "[SEP]": 4, "oars": 5, "net": 6,
            "##a": 7, "##r": 8, "##s": 9, "nets": 10}}}"###;

fn pieces(counts: &[(u32, usize)], most: usize) -> Result<Pieces, TextError> {
    let files = TokenizerFiles {
        tokenizer_json: Some(WORDS.as_bytes()),
        vocab_txt: Some(b""),
        ..TokenizerFiles::default()
    };
    Pieces::most_frequent(&files, &counts.iter().copied().collect(), most)
}

#[test]
fn what_is_frequent_stays_whole_and_the_rest_is_cut_smaller() {
    let got = pieces(&[(10, 7), (6, 2)], 8).unwrap();
    assert_eq!(got.ids, [0, 2, 3, 4, 7, 8, 9, 10], "special, letters, and the most frequent");
    let lines = "[PAD]\no\n[CLS]\n[SEP]\n##a\n##r\n##s\nnets\n";
    assert_eq!(String::from_utf8(got.vocab_txt.unwrap()).unwrap(), lines);
    let json = Some(&got.tokenizer_json[..]);
    let files = TokenizerFiles { tokenizer_json: json, ..TokenizerFiles::default() };
    let tokenizer = Tokenizer::new(&files).unwrap();
    let encoded = tokenizer.encode("nets oars", None, Limit::right(16)).unwrap();
    assert_eq!(encoded.ids, [2, 7, 1, 4, 5, 6, 3]);
    let rest = pieces(&[], 10).unwrap();
    assert_eq!(rest.ids, [0, 2, 3, 4, 5, 6, 7, 8, 9, 10], "what is unused goes first");
}

#[test]
fn added_tokens_and_the_unknown_stay_wherever_they_stand() {
    let added = r#"{"id": 11, "content": "[USER]", "single_word": false, "lstrip": false,
        "rstrip": false, "normalized": false, "special": true}, {"id": 0,"#;
    let words = WORDS.replacen("{\"id\": 0,", added, 1);
    let words = words.replace("\"unk_token\": \"[PAD]\"", "\"unk_token\": \"oars\"");
    let files =
        TokenizerFiles { tokenizer_json: Some(words.as_bytes()), ..TokenizerFiles::default() };
    let got = Pieces::most_frequent(&files, &[(6, 9)].into(), 9).unwrap();
    assert_eq!(got.ids, [0, 2, 3, 4, 5, 7, 8, 9, 11], "what is unknown, and what was added");
    let json = Some(&got.tokenizer_json[..]);
    let files = TokenizerFiles { tokenizer_json: json, ..TokenizerFiles::default() };
    let encoded = Tokenizer::new(&files).unwrap();
    let encoded = encoded.encode("[USER] oars", None, Limit::right(16)).unwrap();
    assert_eq!(encoded.ids, [2, 8, 4, 3]);
}

#[test]
fn a_vocabulary_that_can_t_be_made_smaller_is_refused() {
    let few = pieces(&[], 6).unwrap_err().to_string();
    assert!(few.contains("7 pieces are special or letters, more than 6"), "{few}");
    let other = WORDS.replace("\"WordPiece\"", "\"Unigram\"");
    let files =
        TokenizerFiles { tokenizer_json: Some(other.as_bytes()), ..TokenizerFiles::default() };
    let got = Pieces::most_frequent(&files, &[].into(), 8).unwrap_err().to_string();
    assert!(got.contains("this is Unigram"), "{got}");
}
