//! A lexer that knows just enough Rust to tell code from prose.
//!
//! The architecture rules ask "does this crate call `std::fs`?", and a comment or a string that
//! merely says so must not answer yes. [`code`] blanks comments and the insides of literals;
//! [`without_tests`] then blanks what only test builds compile. Both keep every line in its place,
//! so a finding's line number is the file's.

/// `source` with the text of comments, strings and characters turned into spaces.
#[must_use]
pub fn code(source: &str) -> String {
    let mut lexer = Lexer { chars: source.chars().collect(), at: 0, out: String::new() };
    lexer.run();
    lexer.out
}

/// `code` (as [`code`] returns it) without the items under `#[cfg(test)]`.
///
/// An item ends at its first `;` or closing brace outside brackets. A field under `#[cfg(test)]`
/// ends at a comma instead and would take its neighbours along; we have none.
#[must_use]
pub fn without_tests(code: &str) -> String {
    let mut chars: Vec<char> = code.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        match test_attribute(&chars, at) {
            Some(after) => {
                let end = item_end(&chars, after);
                for c in &mut chars[at..end] {
                    blank(c);
                }
                at = end;
            }
            None => at += 1,
        }
    }
    chars.into_iter().collect()
}

/// Where the identifier or path `name` stands in `code` as a whole word: byte offsets.
pub fn words<'a>(code: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(name).map(|(at, _)| at).filter(move |&at| {
        let before = code[..at].chars().next_back();
        let after = code[at + name.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// The line, counted from 1, that byte `offset` is on.
#[must_use]
pub fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn blank(c: &mut char) {
    if *c != '\n' {
        *c = ' ';
    }
}

/// The index after `#[cfg(…test…)]` where one begins at `at`; `not(test)` is not one.
fn test_attribute(chars: &[char], at: usize) -> Option<usize> {
    if chars[at] != '#' || chars.get(at + 1) != Some(&'[') {
        return None;
    }
    let end = closing(chars, at + 1);
    let text: String = chars[at..end].iter().filter(|c| !c.is_whitespace()).collect();
    let tests = text.starts_with("#[cfg(")
        && words(&text, "test").next().is_some()
        && !text.contains("not(test");
    tests.then_some(end)
}

/// The index after the item that follows an attribute ending at `at`.
fn item_end(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() {
        match chars[at] {
            ';' => return at + 1,
            '{' => return closing(chars, at),
            '(' | '[' => at = closing(chars, at),
            _ => at += 1,
        }
    }
    at
}

/// The index after the bracket that closes the one at `open`; the end where none does.
fn closing(chars: &[char], open: usize) -> usize {
    let mut depth = 0usize;
    for (at, c) in chars.iter().enumerate().skip(open) {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return at + 1;
        }
    }
    chars.len()
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    out: String,
}

impl Lexer {
    fn run(&mut self) {
        while let Some(c) = self.peek(0) {
            match (c, self.peek(1)) {
                ('/', Some('/')) => self.blank_while(|rest| rest[0] != '\n'),
                ('/', Some('*')) => self.block_comment(),
                ('"', _) => self.string(),
                ('\'', _) => self.quote(),
                _ if is_word(c) => self.word(),
                _ => self.keep(1),
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn keep(&mut self, count: usize) {
        let end = (self.at + count).min(self.chars.len());
        self.out.extend(&self.chars[self.at..end]);
        self.at = end;
    }

    fn blank(&mut self, count: usize) {
        let end = (self.at + count).min(self.chars.len());
        for c in &self.chars[self.at..end] {
            self.out.push(if *c == '\n' { '\n' } else { ' ' });
        }
        self.at = end;
    }

    fn blank_while(&mut self, mut inside: impl FnMut(&[char]) -> bool) {
        let rest = &self.chars[self.at..];
        let count = (0..rest.len()).find(|&at| !inside(&rest[at..])).unwrap_or(rest.len());
        self.blank(count);
    }

    /// Block comments nest.
    fn block_comment(&mut self) {
        let mut depth = 0usize;
        while let Some(c) = self.peek(0) {
            match (c, self.peek(1)) {
                ('/', Some('*')) => {
                    depth += 1;
                    self.blank(2);
                }
                ('*', Some('/')) => {
                    depth -= 1;
                    self.blank(2);
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.blank(1),
            }
        }
    }

    /// A string with escapes, from its opening quote.
    fn string(&mut self) {
        self.keep(1);
        while let Some(c) = self.peek(0) {
            match c {
                '"' => return self.keep(1),
                '\\' => self.blank(2),
                _ => self.blank(1),
            }
        }
    }

    /// A character literal, or the tick of a lifetime: `'a'` against `'a`.
    fn quote(&mut self) {
        self.keep(1);
        match (self.peek(0), self.peek(1)) {
            (Some('\\'), _) => {
                self.blank(2);
                self.blank_while(|rest| rest[0] != '\'' && rest[0] != '\n');
                self.keep(1);
            }
            (Some(_), Some('\'')) => {
                self.blank(1);
                self.keep(1);
            }
            _ => {}
        }
    }

    /// An identifier or number; `r`, `br` and `cr` may open a raw string.
    fn word(&mut self) {
        let length =
            self.chars[self.at..].iter().position(|&c| !is_word(c)).unwrap_or(self.chars.len());
        let prefix: String = self.chars[self.at..].iter().take(length).collect();
        self.keep(length);
        if !matches!(prefix.as_str(), "r" | "br" | "cr") {
            return;
        }
        let hashes = self.chars[self.at..].iter().take_while(|&&c| c == '#').count();
        if self.peek(hashes) != Some('"') {
            return;
        }
        self.keep(hashes + 1);
        let closes = |rest: &[char]| {
            rest[0] == '"' && rest.len() > hashes && rest[1..=hashes].iter().all(|&c| c == '#')
        };
        self.blank_while(|rest| !closes(rest));
        self.keep(hashes + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check_cases;

    #[test]
    fn prose_is_blanked_and_code_is_kept() {
        check_cases(
            [
                ("line comment", "a // std::fs\nb", "a           \nb"),
                ("nested block", "a /* x /* y */ z */ b", "a                   b"),
                ("string", r#"f("std::fs", "\"x")"#, r#"f("       ", "   ")"#),
                ("raw string", "r#\"a\"b\"# c", "r#\"   \"# c"),
                ("byte raw string", "br\"\\\" c", "br\" \" c"),
                ("raw identifier", "r#type x", "r#type x"),
                ("character", "'\"' '\\'' '\\u{1F600}' x", "' ' '  ' '         ' x"),
                ("lifetime", "&'a str, 'b: loop", "&'a str, 'b: loop"),
                ("word ending in r", "for\"x\"", "for\" \""),
                ("open string", "a \"b\nc", "a \" \n "),
                ("open comment", "a /* b", "a     "),
            ],
            code,
        );
    }

    #[test]
    fn items_of_test_builds_are_blanked() {
        check_cases(
            [
                ("module", "a #[cfg(test)] mod t { { x } } b", true),
                ("declaration", "a #[cfg(test)] mod t; b", true),
                ("attributes between", "a #[cfg(test)] #[allow(y)] fn f(x: [u8; 2]) { x } b", true),
                ("all of", "a #[cfg(all(test, unix))] fn f() { x } b", true),
                ("not tests", "a #[cfg(not(test))] fn f() { x } b", false),
                ("another word", "a #[cfg(feature = latest)] fn f() { x } b", false),
            ],
            |source: &str| {
                let rest = without_tests(source);
                assert_eq!(rest.len(), source.len(), "columns move");
                assert!(rest.starts_with("a ") && rest.ends_with(" b"), "{rest:?}");
                rest.trim_start_matches('a').trim_end_matches('b').trim().is_empty()
            },
        );
    }

    #[test]
    fn words_are_whole() {
        let found: Vec<_> = words("unsafe unsafe_code (unsafe)", "unsafe").collect();
        assert_eq!(found, [0, 20]);
        assert_eq!(line_of("a\nb\nc", 4), 3);
    }
}
