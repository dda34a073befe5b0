//! A configured address, and the addresses that are made of it: each stays on its server and ends
//! in its file, whatever the file is called; a refused one is not repeated with its secrets.
#![no_main]

use http::Uri;
use libfuzzer_sys::fuzz_target;
use trireme_server::source::untrusted::address::{base, escape, same_origin};
use trireme_service::ports::SourceError;

/// What an address may have in all, by its parser.
const LONGEST: usize = 65_534;

fuzz_target!(|text: &str| {
    let (text, file) = text.split_once('\n').unwrap_or((text, "config.json"));
    let base = match base(text) {
        Ok(base) => base,
        Err(SourceError::Misconfigured { place, .. }) => return keeps_secrets(text, &place),
        Err(error) => panic!("{error}"),
    };
    let escaped = escape(file, b"/");
    assert_eq!(unescape(&escaped), file.as_bytes());

    let address = format!("{base}/{escaped}");
    if address.len() > LONGEST {
        return;
    }
    let address: Uri = address.parse().expect("a base and an escaped name are an address");
    let base: Uri = base.parse().expect("a base is an address");
    assert!(same_origin(&base, &address));
    assert!(address.host().is_some_and(|host| !host.is_empty()));
    assert!(address.query().is_none());
    assert!(address.path().ends_with(&format!("/{escaped}")), "{address} lost {file:?}");
});

/// Passwords end at the last `@`, and signatures begin at the first `?` or `#`.
fn keeps_secrets(text: &str, place: &str) {
    let after_password = text.rsplit('@').next().unwrap_or_default();
    let before_signature = text.split(['?', '#']).next().unwrap_or_default();
    assert!(after_password.starts_with(place), "{place:?} repeats a password of {text:?}");
    assert!(before_signature.ends_with(place), "{place:?} repeats a signature of {text:?}");
}

fn unescape(text: &str) -> Vec<u8> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (code, rest) = piece.split_at(2);
        bytes.push(u8::from_str_radix(code, 16).expect("two digits after each per cent sign"));
        bytes.extend(rest.as_bytes());
    }
    bytes
}
