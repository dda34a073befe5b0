//! How somebody is told that a job ended: where to, how often it is tried, and what is signed.

use core::time::Duration;

use crate::{Code, Fault};

/// How often a notice is tried, and with which pauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// The first pause; each is twice as long as the one before.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// Tries in all; then the notice is laid aside.
    pub most: u32,
}

impl Default for Retries {
    fn default() -> Self {
        let (first, longest) = (Duration::from_secs(5), Duration::from_secs(3600));
        Self { first, longest, most: 16 }
    }
}

impl Retries {
    /// How long to wait after so many tries that failed; nothing, where the notice is given up.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use trireme_domain::jobs::notice::Retries;
    ///
    /// let retries = Retries { most: 3, ..Retries::default() };
    /// assert_eq!(retries.after(1), Some(Duration::from_secs(5)));
    /// assert_eq!(retries.after(2), Some(Duration::from_secs(10)));
    /// assert_eq!(retries.after(3), None);
    /// ```
    #[must_use]
    pub fn after(&self, tries: u32) -> Option<Duration> {
        let times = 1u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX);
        (tries < self.most).then(|| self.first.saturating_mul(times).min(self.longest))
    }
}

/// What is signed of a notice, as Standard Webhooks say it: its id, the second in which it is sent,
/// and its body. With the id, a receiver tells a notice that comes twice; with the second, one that
/// somebody else sends again.
#[must_use]
pub fn signed(id: &str, unix_now: u64, body: &str) -> String {
    format!("{id}.{unix_now}.{body}")
}

/// Whether notices may go to an address: plain HTTP or TLS, to one of the hosts that the operator
/// named. An address that two parsers could read differently is none.
///
/// ```
/// use trireme_domain::jobs::notice::may_go;
///
/// let hosts = ["hooks.example".to_owned()];
/// assert!(may_go("https://hooks.example/done?shop=7", &hosts).is_ok());
/// assert!(may_go("https://hooks.example.evil.example/", &hosts).is_err());
/// assert!(may_go("https://hooks.example@evil.example/", &hosts).is_err());
/// ```
///
/// # Errors
/// [`Code::InvalidOption`], which does not repeat the address.
pub fn may_go(url: &str, hosts: &[String]) -> Result<(), Fault> {
    let wrong = |message: &str| Err(Fault::new(Code::InvalidOption, message));
    if hosts.is_empty() {
        return wrong("this host sends no notices; its operator may allow some by --webhook-hosts");
    }
    let plain = url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest.filter(|_| plain && url.len() <= LONGEST) else {
        return wrong("a webhook is an http:// or https:// address of plain characters");
    };
    let (authority, _) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    if port.parse::<u16>().is_err() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return wrong("a webhook's address has a host, and perhaps a port, before its path");
    }
    match hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host)) {
        true => Ok(()),
        false => wrong("notices may not go to this webhook's host"),
    }
}

/// Bytes of an address.
const LONGEST: usize = 2048;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn notices_go_to_hosts_that_were_named_and_nowhere_else() {
        let hosts = ["hooks.example".to_owned(), "10.0.0.7".to_owned()];
        for (url, expected) in [
            ("https://hooks.example", true),
            ("https://hooks.example/", true),
            ("http://HOOKS.example:8080/a?b#c", true),
            ("http://10.0.0.7/x", true),
            ("https://hooks.example?next=https://evil.example", true),
            ("https://evil.example/hooks.example", false),
            ("https://hooks.example:evil.example/", false),
            ("https://hooks.example:+80/", false),
            ("https://hooks.example:99999/", false),
            ("https://hooks.example:/", false),
            ("https://hooks.example:80@evil.example/", false),
            ("https://me:secret@hooks.example/", false),
            ("https://evil.example\\@hooks.example/", false),
            ("https://hooks.example\t.evil.example/", false),
            ("https://hooks.example./", false),
            ("https:///hooks.example", false),
            ("https://", false),
            ("HTTPS://hooks.example/", false),
            ("ftp://hooks.example/", false),
            ("file:///etc/passwd", false),
            ("hooks.example", false),
            ("https://hööks.example/", false),
            ("", false),
        ] {
            assert_eq!(may_go(url, &hosts).is_ok(), expected, "{url:?}");
            assert!(may_go(url, &[]).is_err(), "{url:?}, where none was named");
        }
        let long = format!("https://hooks.example/{}", "x".repeat(LONGEST));
        assert!(may_go(&long, &hosts).is_err(), "an address of {} bytes", long.len());
    }

    #[test]
    fn a_fault_does_not_repeat_an_address() {
        let fault = may_go("https://me:secret@hooks.example/", &["hooks.example".to_owned()]);
        let message = fault.unwrap_err().message;
        assert!(!message.contains("secret"), "{message}");
    }

    proptest! {
        #[test]
        fn pauses_grow_up_to_the_longest_and_end(
            first in 1u64..100,
            longest in 1u64..10_000,
            most in 1u32..100,
        ) {
            let [first, longest] = [first, longest].map(Duration::from_secs);
            let retries = Retries { first, longest, most };
            let pauses: Vec<Duration> = (1..).map_while(|tries| retries.after(tries)).collect();
            prop_assert_eq!(pauses.len() + 1, most as usize, "tries");
            prop_assert!(pauses.is_sorted() && pauses.iter().all(|pause| *pause <= longest));
        }
    }
}
