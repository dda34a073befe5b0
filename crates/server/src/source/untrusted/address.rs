//! Web addresses: checked bases, escaped file names, redirect targets.

use trireme_service::ports::SourceError;
use ureq::http::Uri;

/// A base address without its closing slash, refused where a file name can't be added to it.
pub fn base(text: &str) -> Result<String, SourceError> {
    // Passwords and signatures stay out of the error; where one seems to be inside the other, so
    // does everything.
    let password = text.rfind('@').map_or(0, |at| at + 1);
    let signature = text.find(['?', '#']).unwrap_or(text.len());
    let open = text.get(password..signature).unwrap_or_default();
    let wrong = |reason: &str| SourceError::Misconfigured {
        place: open.to_owned(),
        reason: reason.to_owned(),
    };
    let uri: Uri = text.parse().map_err(|_| wrong("it is no web address; write https://…"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(wrong("the address must start with http:// or https://"));
    }
    if !names_server(&uri) {
        return Err(wrong("the address names no server, or a port that is none"));
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(wrong("an address with a password would be logged; set a token instead"));
    }
    // A file's name that is added to either would be part of it.
    if text.contains(['?', '#']) {
        return Err(wrong(
            "a base address ends with its path; leave out the `?` or `#` and the rest",
        ));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// `text` with everything escaped that is not plain in a path; `/` is plain where `keep` says so.
pub fn escape(text: &str, keep: &[u8]) -> String {
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

/// The address that a `Location` header means, seen from `current`; `None` where it is none that
/// may be followed.
pub fn redirected(current: &Uri, location: &str) -> Option<Uri> {
    let scheme = current.scheme_str()?;
    let authority = current.authority()?;
    let path = current.path();
    // A colon before the first slash ends a scheme; any other would have to be escaped.
    let head = location.split(['/', '?', '#']).next()?;
    let text = if head.contains(':') {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else if location.starts_with('?') {
        format!("{scheme}://{authority}{path}{location}")
    } else {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{folder}/{location}")
    };
    let next: Uri = text.parse().ok()?;
    // Bytes asked for over TLS must not come without it.
    let safe = match next.scheme_str()? {
        "https" => true,
        "http" => scheme == "http",
        _ => false,
    };
    (safe && names_server(&next)).then_some(next)
}

/// Whether there is a server to ask. A port that is none must not be taken for the usual one.
fn names_server(address: &Uri) -> bool {
    let Some(authority) = address.authority() else { return false };
    let host = authority.host();
    let server = authority.as_str().rsplit('@').next().unwrap_or_default();
    let port = server.strip_prefix(host).unwrap_or(server);
    // What stands between a closing bracket and the port belongs to the name, yet `host` drops it.
    let numbered = port.starts_with(':') && authority.port_u16().is_some();
    !host.is_empty() && (matches!(port, "" | ":") || numbered)
}

/// Whether two addresses belong to one server, which is as far as a token may travel.
pub fn same_origin(one: &Uri, other: &Uri) -> bool {
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
    fn a_redirect_may_be_absolute_or_relative_in_four_ways() {
        let current = uri("https://hub.example/a/b?x=1");
        let cases = [
            ("https://cdn.example/f?s=1", "https://cdn.example/f?s=1"),
            ("//cdn.example/f", "https://cdn.example/f"),
            ("/c/f", "https://hub.example/c/f"),
            ("f", "https://hub.example/a/f"),
            ("?x=2", "https://hub.example/a/b?x=2"),
            ("HTTPS://cdn.example/f", "https://cdn.example/f"),
        ];
        for (location, expected) in cases {
            assert_eq!(redirected(&current, location), Some(uri(expected)));
        }
    }

    #[test]
    fn a_redirect_that_leaves_the_web_or_tls_or_names_no_port_is_not_followed() {
        let current = uri("https://hub.example/a/b");
        let cases = [
            "http://hub.example/f",
            "ftp://hub.example/f",
            "data:,f",
            "https://hub.example:https/f",
            "https://[::1]hub.example:443/f",
        ];
        for location in cases {
            assert_eq!(redirected(&current, location), None, "{location}");
        }
        assert_eq!(redirected(&uri("http://a.example/"), "http:///f"), None);
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
        // Which of the two the second part is can't be told, so it isn't.
        let error = base("https://me:secret?secret@host.example").unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn a_base_that_would_swallow_file_names_or_fall_back_to_the_usual_port_is_refused() {
        for text in ["https://host.example/x#part", "https://host.example:80800", "https://:80/"] {
            assert!(base(text).is_err(), "{text}");
        }
        assert_eq!(base("https://[::1]:8443/x//").unwrap(), "https://[::1]:8443/x");
    }
}
