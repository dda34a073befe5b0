//! Bodies and texts that were made to hurt: each is answered or refused, and breaks nothing.

use serde_json::json;
use trireme_domain::Limits;

use super::{Case, OWN, Outcome, Part};

pub fn cases() -> Vec<Case> {
    let bodies = BODIES.iter().map(|&(name, body, status, code)| {
        case(name, "/predict", body.to_vec(), Some((status, code)))
    });
    let texts = texts().into_iter().flat_map(|(name, text, fault)| {
        ["/predict", "/encode"]
            .map(|path| case(name, path, json!({ "text": text }).to_string().into_bytes(), fault))
    });
    bodies.chain(nested()).chain(texts).chain(odd()).collect()
}

fn case(
    name: &'static str,
    path: &'static str,
    body: Vec<u8>,
    fault: Option<(u16, &'static str)>,
) -> Case {
    let outcome = fault.map_or(Outcome::Answer, |(status, code)| Outcome::Fault(status, code, OWN));
    Case { name, part: Part::Core, method: "POST", path, body, outcome }
}

/// Bodies that are refused.
const BODIES: &[(&str, &[u8], u16, &str)] = &[
    ("a low surrogate first", br#"{"text": "\udc00\ud800"}"#, 400, "invalid_json"),
    ("a surrogate in UTF-8", b"{\"text\": \"\xed\xa0\x80\"}", 400, "invalid_utf8"),
    ("an overlong slash", b"{\"text\": \"\xc0\xaf\"}", 400, "invalid_utf8"),
    ("half a character", b"{\"text\": \"\xe8\x88\"}", 400, "invalid_utf8"),
    ("a byte order mark first", b"\xef\xbb\xbf{\"text\": \"a\"}", 400, "invalid_json"),
    ("UTF-16", b"\xff\xfe{\0\"\0", 400, "invalid_utf8"),
    ("a raw NUL in a text", b"{\"text\": \"a\0b\"}", 400, "invalid_json"),
    ("a NUL behind", b"{\"text\": \"a\"}\0", 400, "invalid_json"),
    ("two bodies", br#"{"text": "a"}{"text": "b"}"#, 400, "invalid_json"),
    ("a comma too many", br#"{"text": "a",}"#, 400, "invalid_json"),
    ("single quotes", b"{'text': 'a'}", 400, "invalid_json"),
    ("a key twice", br#"{"text": "a", "text": "b"}"#, 422, "invalid_request"),
    ("a key twice, once escaped", br#"{"text": "a", "te\u0078t": "b"}"#, 422, "invalid_request"),
    ("no number is so large", br#"{"text": "a", "max_length": 1e999}"#, 400, "invalid_json"),
    ("less than nothing", br#"{"text": "a", "max_length": -1}"#, 422, "invalid_request"),
    ("a fraction", br#"{"text": "a", "max_length": 4.5}"#, 422, "invalid_request"),
    (
        "beyond 64 bits",
        br#"{"text": "a", "max_length": 18446744073709551616}"#,
        422,
        "invalid_request",
    ),
    ("no number", br#"{"text": "a", "max_length": NaN}"#, 400, "invalid_json"),
    ("a truth for a text", br#"{"text": true}"#, 422, "invalid_request"),
    ("nothing for a text", br#"{"text": null}"#, 422, "invalid_request"),
    ("an object for a text", br#"{"text": {"text": "a"}}"#, 422, "invalid_request"),
    ("a list for a text", br#"{"text": ["a"]}"#, 422, "invalid_request"),
    (
        "a word for a truth",
        br#"{"text": "a", "return_probabilities": "yes"}"#,
        422,
        "invalid_request",
    ),
    ("a prototype", br#"{"text": "a", "__proto__": {"text": "b"}}"#, 422, "invalid_request"),
];

/// Ten thousand brackets, open or whole.
fn nested() -> Vec<Case> {
    let (open, close) = ("[".repeat(10_000), "]".repeat(10_000));
    let objects = "{\"text\":".repeat(10_000);
    [
        ("brackets without end", format!("{{\"text\": {open}")),
        ("brackets in a field", format!("{{\"text\": {open}{close}}}")),
        ("brackets in an unknown field", format!("{{\"text\": \"a\", \"x\": {open}{close}}}")),
        ("brackets alone", format!("{open}{close}")),
        ("objects in objects", objects),
    ]
    .map(|(name, body)| case(name, "/predict", body.into_bytes(), Some((422, "invalid_request"))))
    .into()
}

type Texts = Vec<(&'static str, String, Option<(u16, &'static str)>)>;

fn texts() -> Texts {
    let limit = Limits::default().text_bytes;
    let words = |bytes: usize| "oar ".repeat(bytes / 4) + &"x".repeat(bytes % 4);
    let (empty, long) = (Some((422, "empty_text")), Some((413, "text_too_long")));
    vec![
        ("a NUL", "a\0b".to_owned(), None),
        ("nothing but NULs", "\0".repeat(9), None),
        ("control characters", (1..32u8).map(char::from).chain(['x']).collect(), None),
        ("a character that is none", "a \u{ffff} \u{fdd0} \u{10ffff}".to_owned(), None),
        ("replacements", "\u{fffd}".repeat(50), None),
        ("a byte order mark in it", "\u{feff}a\u{feff}".to_owned(), None),
        ("exactly the limit", words(limit), None),
        ("one byte over", words(limit + 1), long),
        ("one word at the limit", "a".repeat(limit), None),
        ("one character over", "é".repeat(limit / 2) + "é", long),
        ("emoji", "🙂👩\u{200d}🚀🇺🇳👍🏽".repeat(40), None),
        ("right to left", "مرفأ هادئ ‏ומעגן שקט".to_owned(), None),
        ("turned about", "\u{202e}txet siht daer\u{202c} \u{2066}x\u{2069}".to_owned(), None),
        ("marks without letters", "\u{301}\u{327}\u{489}".repeat(300), None),
        ("a letter under many marks", format!("a{}", "\u{301}".repeat(3000)), None),
        ("joiners alone", "\u{200b}\u{200d}\u{2060}".to_owned(), None),
        ("wide spaces", "\u{3000}\u{2003}\u{a0}\u{2028}".to_owned(), empty),
        ("one letter in spaces", format!("{}a{0}", " ".repeat(30_000)), None),
        ("escapes", "\\u0000 \\x00 %00 &#0; {{7*7}} ${x} '; --".to_owned(), None),
        ("the tokens of the model", "[CLS] [SEP] [PAD] [MASK] [UNK] </s> <s>".to_owned(), None),
        ("one letter many times", "a ".repeat(50_000), None),
        ("other scripts", "ไทย 한국어 日本語 ქართული አማርኛ ᏣᎳᎩ 𐎀𐎁 𝔘𝔫𝔦".to_owned(), None),
        ("letters in one", "ﷺ ﬃ Ⅷ ½ ㎒".repeat(100), None),
    ]
}

/// Bodies that look wrong and are answered.
fn odd() -> Vec<Case> {
    let spaced = format!("{}{{\"text\": \"a\"}}{0}", " \n\t\r".repeat(20_000));
    let escaped = format!("{{\"text\": \"{}\"}}", "\\u0061".repeat(20_000));
    let keys = r#"{"\u0074\u0065\u0078\u0074": "a"}"#.to_owned();
    let pair = r#"{"text": "\ud83d\ude42"}"#.to_owned();
    [
        ("white space around", spaced),
        ("a text in escapes", escaped),
        ("a key in escapes", keys),
        ("a surrogate pair", pair),
        ("a zero of another kind", r#"{"text": "a", "max_length": 8, "pair": null}"#.to_owned()),
    ]
    .map(|(name, body)| case(name, "/predict", body.into_bytes(), None))
    .into()
}
