//! Whose pages may read answers.

use std::str::FromStr;

use axum::http::{HeaderValue, Uri};
use trireme_domain::{Code, Fault};

/// Whose pages may read answers: those of a scheme, a host and a port, or all (`*`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(pub(crate) HeaderValue);

impl Origin {
    pub(crate) const ALL: HeaderValue = HeaderValue::from_static("*");
}

impl FromStr for Origin {
    type Err = Fault;

    /// # Errors
    /// [`Code::InvalidOption`] where no browser would ever send it; it is not repeated, for it may
    /// be an address with a secret.
    fn from_str(name: &str) -> Result<Self, Fault> {
        if name == "*" {
            return Ok(Self(Self::ALL));
        }
        let sent = sent(name).and_then(|sent| sent.parse().ok());
        sent.map(Self).ok_or_else(|| {
            let message = "an origin is scheme://host or scheme://host:port, or * for all";
            Fault::new(Code::InvalidOption, message)
        })
    }
}

/// An origin as browsers send it: in small letters, without the port that its scheme has anyway.
fn sent(name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let uri: Uri = name.parse().ok()?;
    let (scheme, host, port) = (uri.scheme_str()?, uri.host()?, uri.port_u16());
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
    let bare = format!("{scheme}://{host}");
    let whole = port.map_or_else(|| bare.clone(), |port| format!("{bare}:{port}"));
    // What else there is in an address is in no origin.
    if host.is_empty() || !host.bytes().all(named) || whole != name {
        return None;
    }
    Some(match (scheme, port) {
        ("http", Some(80)) | ("https", Some(443)) => bare,
        _ => whole,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_browsers_send_of_an_address() {
        for (name, expected) in [
            ("*", Some("*")),
            ("https://page.example", Some("https://page.example")),
            ("HTTPS://Page.Example:8443", Some("https://page.example:8443")),
            ("https://page.example:443", Some("https://page.example")),
            ("http://page.example:80", Some("http://page.example")),
            ("http://page.example:443", Some("http://page.example:443")),
            ("http://[::1]:3000", Some("http://[::1]:3000")),
            ("chrome-extension://abcdef", Some("chrome-extension://abcdef")),
            ("", None),
            ("page.example", None),
            ("page.example:443", None),
            ("https://", None),
            ("https://:443", None),
            ("https://page.example/", None),
            ("https://page.example/path", None),
            ("https://page.example?query", None),
            ("https://me:secret@page.example", None),
            ("https://page.example:", None),
            ("https://page.example:99999", None),
            ("https://*.page.example", None),
            ("https://page.example https://other.example", None),
            ("null", None),
        ] {
            let got = name.parse::<Origin>();
            let got = got.as_ref().map(|Origin(origin)| origin.to_str().unwrap());
            assert_eq!(got.ok(), expected, "{name:?}");
        }
        let fault = "https://me:secret@page.example".parse::<Origin>().unwrap_err();
        assert_eq!(fault.code, Code::InvalidOption);
        assert!(!fault.message.contains("secret"), "{fault}");
    }
}
