//! Headers of a file's server and of a hub: what is believed names one file, and says the same
//! when it is said again.
#![no_main]

use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use trireme_server::source::untrusted::headers::{ContentRange, Remote, commit, text};
use trireme_server::source::untrusted::names::relative_path;

/// Each line of the input is one value, by the order of these names.
const NAMES: [&str; 6] =
    ["content-range", "x-repo-commit", "x-linked-etag", "etag", "x-linked-size", "content-length"];

fuzz_target!(|data: &[u8]| {
    let mut headers = HeaderMap::new();
    for (name, line) in NAMES.into_iter().zip(data.split(|byte| *byte == b'\n')) {
        if let (false, Ok(value)) = (line.is_empty(), HeaderValue::from_bytes(line)) {
            headers.insert(name, value);
        }
    }
    if let Some(range) = text(&headers, "content-range").and_then(ContentRange::parse) {
        assert_eq!(ContentRange::parse(&range.to_string()), Some(range));
        if let ContentRange::Part { first, last, total } = range {
            assert!(first <= last && total.is_none_or(|total| last < total));
        }
    }
    if let Some(commit) = commit(&headers) {
        one_file(commit);
    }
    for is_file in [true, false] {
        if let Some(remote) = Remote::read(&headers, is_file) {
            believed(&headers, is_file, &remote);
        }
    }
});

fn believed(headers: &HeaderMap, is_file: bool, remote: &Remote) {
    let Remote { etag, size } = remote;
    one_file(etag);
    // However it is quoted, it is the same name: two of them would be two downloads.
    for spelt in [etag.clone(), format!("\"{etag}\""), format!("W/\"{etag}\"")] {
        let again = HeaderMap::from_iter([(HeaderName::from_static("etag"), value(&spelt))]);
        assert_eq!(Remote::read(&again, is_file).map(|remote| remote.etag).as_ref(), Some(etag));
    }
    if let Some(digest) = remote.sha256() {
        assert_eq!((digest.len(), digest), (64, digest.to_ascii_lowercase().as_str()));
        assert!(digest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    if let Some(size) = size {
        let says = |name| text(headers, name).is_some_and(|text| is_number(text, *size));
        assert!(says("x-linked-size") || (is_file && says("content-length")));
    }
}

fn one_file(name: &str) {
    let path = relative_path(name).expect("the name leads out of its folder");
    assert_eq!(path.components().count(), 1, "{name} is more than one folder deep");
    assert!(name.len() < 255 - ".incomplete.etag".len(), "no room for what is kept beside it");
}

fn is_number(text: &str, number: u64) -> bool {
    let digits = text.trim_start_matches('0');
    digits == number.to_string() || (number == 0 && digits.is_empty())
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("a name is a header's value")
}
