//! Web addresses: checked bases, escaped file names, redirect targets.

use trireme_service::ports::SourceError;
use ureq::http::Uri;

/// A base address without its closing slash, refused where a file name can't be added to it.
pub(super) fn base(text: &str) -> Result<String, SourceError> {
    // Passwords and signatures stay out of the error.
    let open = text.split('?').next().and_then(|text| text.rsplit('@').next()).unwrap_or_default();
    let wrong = |reason: &str| SourceError::Misconfigured {
        place: open.to_owned(),
        reason: reason.to_owned(),
    };
    let uri: Uri = text.parse().map_err(|_| wrong("it is no web address; write https://…"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(wrong("the address must start with http:// or https://"));
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(wrong("an address with a password would be logged; set a token instead"));
    }
    if uri.query().is_some() {
        return Err(wrong("a base address has no query; leave out what follows the `?`"));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// `text` with everything escaped that is not plain in a path; `/` is plain where `keep` says so.
pub(super) fn escape(text: &str, keep: &[u8]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if plain(byte) || keep.contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// The address that a `Location` header means, seen from `current`.
pub(super) fn redirected(current: &Uri, location: &str) -> Option<Uri> {
    let scheme = current.scheme_str()?;
    let authority = current.authority()?;
    let text = if location.starts_with("http://") || location.starts_with("https://") {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else {
        let folder = current.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{folder}/{location}")
    };
    text.parse().ok()
}

/// Whether two addresses belong to one server, which is as far as a token may travel.
pub(super) fn same_origin(one: &Uri, other: &Uri) -> bool {
    let port = |uri: &Uri| uri.port_u16().or_else(|| default_port(uri));
    let host = |uri: &Uri| uri.host().map(str::to_ascii_lowercase);
    one.scheme() == other.scheme() && host(one) == host(other) && port(one) == port(other)
}

fn default_port(uri: &Uri) -> Option<u16> {
    match uri.scheme_str()? {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        text.parse().unwrap()
    }

    #[test]
    fn a_redirect_may_be_absolute_or_relative_in_three_ways() {
        let current = uri("https://hub.example/a/b?x=1");
        let cases = [
            ("http://cdn.example/f?s=1", "http://cdn.example/f?s=1"),
            ("//cdn.example/f", "https://cdn.example/f"),
            ("/c/f", "https://hub.example/c/f"),
            ("f", "https://hub.example/a/f"),
        ];
        for (location, expected) in cases {
            assert_eq!(redirected(&current, location), Some(uri(expected)));
        }
    }

    #[test]
    fn another_port_or_scheme_is_another_origin_but_a_spelled_out_default_port_is_not() {
        let here = uri("https://hub.example/a");
        assert!(same_origin(&here, &uri("https://HUB.example:443/b")));
        assert!(!same_origin(&here, &uri("https://hub.example:444/a")));
        assert!(!same_origin(&here, &uri("http://hub.example/a")));
        assert!(!same_origin(&here, &uri("https://hub.example.evil/a")));
    }

    #[test]
    fn a_branch_name_with_a_slash_is_one_escaped_path_part() {
        assert_eq!(escape("refs/pr/1", b""), "refs%2Fpr%2F1");
        assert_eq!(escape("1_Pooling/á b.json", b"/"), "1_Pooling/%C3%A1%20b.json");
    }

    #[test]
    fn a_base_with_a_password_or_a_signature_is_refused_and_not_repeated() {
        for text in ["https://me:secret@host.example/x", "https://host.example/x?sig=secret"] {
            let error = base(text).unwrap_err().to_string();
            assert!(error.contains("host.example") && !error.contains("secret"), "{error}");
        }
    }
}
