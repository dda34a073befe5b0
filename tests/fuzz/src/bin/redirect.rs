//! A walk along redirects: each line after the first, which is where it begins, is a `Location`.
//! It stays on the web, never leaves TLS, and the token's server is the one in the printed address.
#![no_main]

use http::Uri;
use libfuzzer_sys::fuzz_target;
use trireme_server::source::untrusted::address::{base, redirected, same_origin};

fuzz_target!(|text: &str| {
    let mut lines = text.split('\n');
    let Some(Ok(start)) = lines.next().map(base) else { return };
    let start: Uri = start.parse().expect("a base is an address");
    let mut here = start.clone();
    for location in lines.take(10) {
        let Some(next) = redirected(&here, location) else { return };
        assert!(matches!(next.scheme_str(), Some("http" | "https")), "{next}");
        assert!(here.scheme_str() != Some("https") || next.scheme_str() == Some("https"));

        // What the request line and the logs say is where the request goes.
        assert_eq!(next.to_string().parse::<Uri>().ok().as_ref(), Some(&next));
        assert_eq!(same_origin(&start, &next), server(&start) == server(&next), "{start} {next}");

        let head = location.split(['/', '?', '#']).next().unwrap_or_default();
        let elsewhere = head.contains(':') || location.starts_with("//");
        assert!(elsewhere || same_origin(&here, &next), "{here} leads to {next}");
        if head.contains(':') {
            assert_eq!(location.parse::<Uri>().ok().as_ref(), Some(&next));
        }
        here = next;
    }
});

/// Scheme, host and port, read from the text by hand.
fn server(address: &Uri) -> (String, String, u16) {
    let text = address.to_string().to_ascii_lowercase();
    let (scheme, rest) = text.split_once("://").expect("it has a scheme");
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let usual = if scheme == "https" { 443 } else { 80 };
    let (host, port) = match host.rsplit_once(':') {
        Some((name, "")) => (name, usual),
        Some((name, port)) if !port.ends_with(']') => (name, port.parse().expect("a port")),
        _ => (host, usual),
    };
    (scheme.to_owned(), host.to_owned(), port)
}
