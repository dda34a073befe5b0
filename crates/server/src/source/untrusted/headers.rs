//! Headers of answers.

use std::fmt;

use ureq::http::header::{AsHeaderName, CONTENT_LENGTH, ETAG, HeaderMap};

use super::names::is_name;

const COMMIT: &str = "x-repo-commit";
const LINKED_ETAG: &str = "x-linked-etag";
const LINKED_SIZE: &str = "x-linked-size";

/// A header's text, where there is one and it is plain.
pub fn text(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// `bytes 5-9/10`, `bytes 5-9/*` or `bytes */10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentRange {
    /// Bytes of the file, the first and the last included.
    Part {
        /// Where the part begins.
        first: u64,
        /// Its last byte.
        last: u64,
        /// How long the file is, where the server says so.
        total: Option<u64>,
    },
    /// The file ends before the bytes that were asked for.
    Beyond {
        /// How long it is.
        total: u64,
    },
}

impl ContentRange {
    /// `None` where the header contradicts itself: what came with it must not be used.
    pub fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
        if range == "*" {
            return Some(Self::Beyond { total: number(total)? });
        }
        let (first, last) = range.split_once('-')?;
        let (first, last) = (number(first)?, number(last)?);
        let total = if total == "*" { None } else { Some(number(total)?) };
        let fits = first <= last && total.is_none_or(|total| last < total);
        fits.then_some(Self::Part { first, last, total })
    }
}

impl fmt::Display for ContentRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Part { first, last, total: Some(total) } => {
                write!(f, "bytes {first}-{last}/{total}")
            }
            Self::Part { first, last, total: None } => write!(f, "bytes {first}-{last}/*"),
            Self::Beyond { total } => write!(f, "bytes */{total}"),
        }
    }
}

/// The size that `Content-Length` promises.
pub fn content_length(headers: &HeaderMap) -> Option<u64> {
    number(text(headers, CONTENT_LENGTH)?)
}

/// The commit that a hub answers for.
pub fn commit(headers: &HeaderMap) -> Option<&str> {
    text(headers, COMMIT).filter(|commit| is_name(commit))
}

/// A file's content on a hub, by the name that the cache gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// A name that is safe as a file's.
    pub etag: String,
    /// The file's size, where the hub says so.
    pub size: Option<u64>,
}

impl Remote {
    /// What a hub says of a file; `is_file` tells the file's own answer from a redirect's, whose
    /// length is that of its own few words.
    pub fn read(headers: &HeaderMap, is_file: bool) -> Option<Self> {
        let etag = text(headers, LINKED_ETAG).or_else(|| text(headers, ETAG))?;
        let etag = etag.trim_start_matches("W/").trim_matches('"');
        let length = || content_length(headers).filter(|_| is_file);
        let size = text(headers, LINKED_SIZE).map_or_else(length, number);
        is_name(etag).then(|| Self { etag: etag.to_owned(), size })
    }

    /// The digest to expect, where the etag is one.
    pub fn sha256(&self) -> Option<&str> {
        let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        Some(&*self.etag).filter(|etag| etag.len() == 64 && etag.bytes().all(hexadecimal))
    }
}

/// The standard library would take a sign, too.
fn number(digits: &str) -> Option<u64> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_that_contradicts_itself_is_none() {
        let part = |first, last, total| Some(ContentRange::Part { first, last, total });
        assert_eq!(ContentRange::parse("bytes 5-9/10"), part(5, 9, Some(10)));
        assert_eq!(ContentRange::parse("bytes 5-9/*"), part(5, 9, None));
        assert_eq!(ContentRange::parse("bytes */10"), Some(ContentRange::Beyond { total: 10 }));
        let wrong = ["9-5/10", "5-10/10", "5-/10", "-9/10", "+5-9/10", "5-9/x", "*/*", "5/10"];
        for range in wrong {
            assert_eq!(ContentRange::parse(&format!("bytes {range}")), None, "{range}");
        }
    }

    #[test]
    fn an_etag_is_one_name_however_it_is_quoted() {
        let read = |etag: &'static str| {
            let headers = HeaderMap::from_iter([(ETAG, etag.parse().unwrap())]);
            Remote::read(&headers, true).map(|remote| remote.etag)
        };
        for etag in ["abc", "\"abc\"", "W/\"abc\""] {
            assert_eq!(read(etag).unwrap(), "abc");
        }
        for etag in ["", "\"\"", "\"../abc\"", "W/\"a b\""] {
            assert_eq!(read(etag), None, "{etag}");
        }
    }

    #[test]
    fn a_size_has_no_sign() {
        let length = |text: &'static str| {
            content_length(&HeaderMap::from_iter([(CONTENT_LENGTH, text.parse().unwrap())]))
        };
        assert_eq!((length("27"), length("+27"), length("-1")), (Some(27), None, None));
    }
}
