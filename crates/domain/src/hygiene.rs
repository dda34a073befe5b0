//! What is taken out of texts, and which texts are not taken at all.
//!
//! By default nothing and none: a text goes to the model as it came.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Code, Fault};

/// The most bytes that a pattern may be compiled to. Its time is linear in the text whatever it
/// says; its memory is this.
const PATTERN_BYTES: usize = 1 << 20;

/// A rule that a text must not match.
///
/// ```
/// use trireme_domain::hygiene::Pattern;
///
/// let pattern: Pattern = toml::from_str("name = 'card numbers'\nregex = '\\b\\d{16}\\b'")?;
/// assert!(pattern.regex.is_match("pay with 4000123412341234"));
/// assert!(toml::from_str::<Pattern>("name = 'broken'\nregex = '('").is_err());
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// What callers are told that they broke.
    pub name: String,
    /// What must not be in a text.
    #[serde(deserialize_with = "compiled", serialize_with = "written")]
    pub regex: Regex,
}

/// What is done with texts before a model sees them.
///
/// ```
/// use trireme_domain::hygiene::Hygiene;
///
/// let hygiene: Hygiene = toml::from_str(
///     "
///     strip_markup = true
///     collapse_space = true
///     max_chars = 20
///     [[deny]]
///     name = 'card numbers'
///     regex = '\\b\\d{16}\\b'
///     ",
/// )?;
/// assert_eq!(hygiene.clean("<p>Fine,<br>\n thanks</p>"), "Fine, thanks");
/// assert!(hygiene.check("Fine, thanks").is_ok());
///
/// let fault = hygiene.check("4000123412341234").unwrap_err();
/// assert_eq!(fault.code.name(), "text_refused");
/// assert_eq!(fault.message, "the text holds what \"card numbers\" forbids");
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hygiene {
    /// Tags and comments of HTML become spaces. What they stand between stays, entities too.
    pub strip_markup: bool,
    /// White space in a row becomes one space, and none at the ends.
    pub collapse_space: bool,
    /// A text must match none of these.
    pub deny: Vec<Pattern>,
    /// The most characters of a text.
    pub max_chars: Option<usize>,
    /// A text must hold no control characters but tabs and ends of lines.
    pub refuse_control_characters: bool,
}

impl Hygiene {
    /// A text without what is taken out. Cleaning twice is cleaning once.
    #[must_use]
    pub fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        if self.strip_markup && text.contains('<') {
            text = Cow::Owned(without_markup(&text));
        }
        if self.collapse_space && !is_collapsed(&text) {
            let words: Vec<&str> = text.split_whitespace().collect();
            text = Cow::Owned(words.join(" "));
        }
        text
    }

    /// Whether a text keeps the rules. What counts is the text as the model would see it: clean it
    /// before.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(&self, text: &str) -> Result<(), Fault> {
        let refused = |message| Err(Fault::new(Code::TextRefused, message));
        if let Some(most) = self.max_chars
            && text.chars().nth(most).is_some()
        {
            return refused(format!("the text has more than {most} characters (max_chars)"));
        }
        let is_control = |c: &char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
        if self.refuse_control_characters
            && let Some(control) = text.chars().find(is_control)
        {
            let control = u32::from(control);
            return refused(format!(
                "the text holds the control character U+{control:04X} \
                 (refuse_control_characters)"
            ));
        }
        if let Some(rule) = self.deny.iter().find(|rule| rule.regex.is_match(text)) {
            return refused(format!("the text holds what {:?} forbids", rule.name));
        }
        Ok(())
    }
}

fn compiled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Regex, D::Error> {
    let pattern = String::deserialize(deserializer)?;
    RegexBuilder::new(&pattern)
        .size_limit(PATTERN_BYTES)
        .dfa_size_limit(PATTERN_BYTES)
        .build()
        .map_err(serde::de::Error::custom)
}

fn is_collapsed(text: &str) -> bool {
    let mut before = ' ';
    for c in text.chars() {
        if c.is_whitespace() && (c != ' ' || before == ' ') {
            return false;
        }
        before = c;
    }
    text.is_empty() || before != ' '
}

/// A `<` that begins neither a tag nor a comment, or that nothing closes, is a character as any.
fn without_markup(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    // Once nothing closes them, nothing will: to look again from each would take the square of it.
    let (mut tags, mut comments) = (true, true);
    while let Some(at) = rest.find('<') {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        let inside = &rest[1..];
        let is_comment = inside.starts_with("!--");
        let begins = |c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?');
        let end = if is_comment && comments {
            let end = rest.get(4..).and_then(|inside| inside.find("-->")).map(|end| 4 + end + 3);
            comments = end.is_some();
            end
        } else if !is_comment && tags && inside.starts_with(begins) {
            let end = rest.find('>').map(|end| end + 1);
            tags = end.is_some();
            end
        } else {
            None
        };
        let (instead, end) = end.map_or(('<', 1), |end| (' ', end));
        kept.push(instead);
        rest = &rest[end..];
    }
    kept.push_str(rest);
    kept
}

fn written<S: serde::Serializer>(regex: &Regex, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(regex.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hygiene(file: &str) -> Hygiene {
        toml::from_str(file).unwrap()
    }

    #[test]
    fn markup_goes_and_what_only_looks_like_it_stays() {
        let hygiene = hygiene("strip_markup = true");
        let cases = [
            ("plain", "plain"),
            ("a<br/>b", "a b"),
            ("<a href='x'>link</a>", " link "),
            ("<!-- a > b -->c", " c"),
            ("<!doctype html>c", " c"),
            ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
            ("I <3 you", "I <3 you"),
            ("cut <a href", "cut <a href"),
            ("cut <!-- here <b>x</b>", "cut <!-- here  x "),
            ("<<b>é>", "< é>"),
            ("a &amp; b", "a &amp; b"),
        ];
        for (text, expected) in cases {
            assert_eq!(hygiene.clean(text), expected, "{text}");
        }
    }

    #[test]
    fn white_space_collapses() {
        let hygiene = hygiene("collapse_space = true");
        let cases =
            [("a b", "a b"), (" a\n\tb\u{a0} ", "a b"), ("", ""), (" ", ""), ("a\u{a0}b", "a b")];
        for (text, expected) in cases {
            assert_eq!(hygiene.clean(text), expected, "{text:?}");
        }
        assert!(matches!(hygiene.clean("nothing to do"), Cow::Borrowed(_)));
    }

    #[test]
    fn every_rule_is_named_by_what_breaks_it() {
        let hygiene = hygiene(
            "max_chars = 12\nrefuse_control_characters = true\n\
             deny = [{ name = 'secrets', regex = '(?i)geheim' }, { name = 'no', regex = '^no$' }]",
        );
        let cases = [
            ("fine", None),
            ("éééééééééééé", None),
            ("ééééééééééééé", Some("the text has more than 12 characters (max_chars)")),
            ("tab\tand\r\n", None),
            (
                "a\u{1b}[0m",
                Some("the text holds the control character U+001B (refuse_control_characters)"),
            ),
            ("so GEHEIM", Some("the text holds what \"secrets\" forbids")),
            ("no", Some("the text holds what \"no\" forbids")),
        ];
        for (text, expected) in cases {
            let got = hygiene.check(text).err();
            assert!(got.iter().all(|fault| fault.code == Code::TextRefused), "{text:?}: {got:?}");
            assert_eq!(got.map(|fault| fault.message).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_file_that_makes_no_sense_is_refused() {
        let cases = [
            ("strip = true", "unknown field"),
            ("deny = [{ name = 'a', regex = '(' }]", "unclosed group"),
            ("deny = [{ name = 'a', regex = '(\\w{1000}){1000}' }]", "size limit"),
            ("deny = [{ name = 'a' }]", "missing field `regex`"),
        ];
        for (file, expected) in cases {
            let got = toml::from_str::<Hygiene>(file).unwrap_err().to_string();
            assert!(got.contains(expected), "{file}: expected {expected}, got {got}");
        }
    }

    #[test]
    fn many_openings_that_nothing_closes_take_no_longer_than_their_length() {
        let hygiene = hygiene("strip_markup = true");
        let text = "<a<!--".repeat(100_000);
        assert_eq!(hygiene.clean(&text), text);
    }

    proptest! {
        #[test]
        fn by_default_nothing_happens(text in any::<String>()) {
            let hygiene = Hygiene::default();
            prop_assert!(matches!(hygiene.clean(&text), Cow::Borrowed(same) if same == text));
            prop_assert_eq!(hygiene.check(&text), Ok(()));
        }

        #[test]
        fn cleaning_twice_is_cleaning_once(
            text in "[<>!ab/é \n\u{a0}-]{0,40}",
            strip_markup in any::<bool>(),
            collapse_space in any::<bool>(),
        ) {
            let hygiene = Hygiene { strip_markup, collapse_space, ..Hygiene::default() };
            let once = hygiene.clean(&text);
            prop_assert_eq!(hygiene.clean(&once), once.clone());
        }
    }
}
