//! Texts that are hard to read, at sizes that only a raised limit lets in.

use serde_json::json;
use trireme_domain::Limits;

use super::with;
use crate::models::tiny;

#[test]
fn a_word_of_a_megabyte_is_read_by_every_tokenizer() {
    let limits = Limits { text_bytes: 2 << 20, body_bytes: 16 << 20, ..Limits::default() };
    let words = [
        ("of letters", "a".repeat(1 << 20)),
        (
            "of many letters",
            (0..1u32 << 20).map(|n| char::from(b'a' + (n.wrapping_mul(n) % 26) as u8)).collect(),
        ),
        ("of marks", "e\u{301}\u{327}".repeat(1 << 18)),
        ("of ideographs", "船".repeat(1 << 18)),
        ("of emoji", "👩\u{200d}🚀".repeat(1 << 16)),
        ("of spaces around one letter", format!("{}a{0}", " ".repeat(1 << 19))),
    ];
    for model in ["bert-embed", "roberta-embed", "xlmr-embed"] {
        let host = with(Some(&tiny(model)), |settings| settings.limits = limits);
        for (case, word) in &words {
            let (status, answer) = host.post("/encode", &json!({ "text": word }));
            assert_eq!(status, 200, "{model}, {case}: {answer}");
            let (status, answer) = host.post("/encode", &json!({"text": "next"}));
            assert_eq!(status, 200, "{model}, after {case}: {answer}");
        }
    }
}
