//! Who may ask: keys, kept as their hashes.
//!
//! A key file holds what [`hash`] makes of each secret, and nothing that could be sent. A key is
//! replaced by a second one of the same tenant; the first expires when everybody has the second.
//!
//! ```
//! use trireme_domain::access::{Keys, Scope};
//!
//! let file = r#"
//!     [[keys]]
//!     name = "shop, 2031"
//!     tenant = "shop"
//!     sha256 = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
//!     scopes = ["infer"]
//!     rate = { per_second = 50, burst = 200 }
//!     expires = 1_950_000_000
//! "#;
//! let keys: Keys = toml::from_str(file)?;
//! keys.check()?;
//!
//! let key = keys.find("secret", 1_900_000_000).ok_or("no such key")?;
//! assert!(key.may(Scope::Infer) && !key.may(Scope::Admin));
//! assert!(keys.find("secret", 1_950_000_000).is_none(), "it has expired");
//! assert!(keys.find("guess", 1_900_000_000).is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(test)]
mod tests;

use core::fmt;
use std::collections::HashSet;
use std::hint::black_box;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::rate::Rate;

/// What a key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Answers.
    Infer,
    /// What changes the host.
    Admin,
    /// What the host counts.
    Metrics,
}

/// One key. `Debug` shows its name only.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// What people call it; its own.
    pub name: String,
    /// Who asks with it. A tenant may have several.
    pub tenant: String,
    /// What [`hash`] makes of its secret.
    pub sha256: String,
    /// What it opens.
    pub scopes: Vec<Scope>,
    /// How often it may ask, where that is not as often as anybody.
    pub rate: Option<Rate>,
    /// The second of Unix time from which on it opens nothing.
    pub expires: Option<u64>,
}

impl Key {
    /// Whether it opens this.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    fn is_valid(&self, unix_now: u64) -> bool {
        self.expires.is_none_or(|expires| unix_now < expires)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What a key file is wrong about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A file without a key would lock everybody out.
    #[error("there is no key in it; make one by `trireme key`")]
    NoKey,
    /// One name, two keys.
    #[error("two keys are named {name:?}")]
    SameName {
        /// The name.
        name: String,
    },
    /// One secret, two keys: it would be open which of them is meant.
    #[error("the keys {first:?} and {second:?} have one secret")]
    SameSecret {
        /// The key that comes first.
        first: String,
        /// The other.
        second: String,
    },
    /// Not 64 hexadecimal digits.
    #[error("the sha256 of key {name:?} is not 64 hexadecimal digits")]
    NoHash {
        /// The key's name.
        name: String,
    },
    /// A key that opens nothing.
    #[error("key {name:?} has no scopes")]
    NoScopes {
        /// The key's name.
        name: String,
    },
    /// A rate that lets nothing through, or is not finite.
    #[error("the rate of key {name:?} needs per_second and burst above 0")]
    NoRate {
        /// The key's name.
        name: String,
    },
}

/// All keys.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// In the order of their file.
    #[serde(default)]
    pub keys: Vec<Key>,
}

impl Keys {
    /// Whether the keys make sense.
    ///
    /// # Errors
    /// The first key that does not.
    pub fn check(&self) -> Result<(), KeyError> {
        if self.keys.is_empty() {
            return Err(KeyError::NoKey);
        }
        let mut names = HashSet::new();
        for (at, key) in self.keys.iter().enumerate() {
            let name = key.name.clone();
            if !names.insert(&key.name) {
                return Err(KeyError::SameName { name });
            }
            if decoded(&key.sha256).is_none() {
                return Err(KeyError::NoHash { name });
            }
            if key.scopes.is_empty() {
                return Err(KeyError::NoScopes { name });
            }
            if key.rate.is_some_and(|rate| !rate.is_sound()) {
                return Err(KeyError::NoRate { name });
            }
            let same = |other: &&Key| other.sha256.eq_ignore_ascii_case(&key.sha256);
            if let Some(first) = self.keys[..at].iter().find(same) {
                return Err(KeyError::SameSecret { first: first.name.clone(), second: name });
            }
        }
        Ok(())
    }

    /// The key with this secret. It is compared with every key to the last byte, so that how long
    /// it takes says nothing about any of them.
    #[must_use]
    pub fn find(&self, secret: &str, unix_now: u64) -> Option<&Key> {
        let asked = Sha256::digest(secret);
        let mut found = None;
        for key in &self.keys {
            // Of a damaged key everything is compared all the same, and nothing matches.
            let hash = decoded(&key.sha256);
            let same = is_same(&hash.unwrap_or_default(), &asked) & hash.is_some();
            let valid = key.is_valid(unix_now);
            if same & valid {
                found = Some(key);
            }
        }
        found
    }
}

/// What a key file keeps of a secret. A secret must be long and random: hashes of words are
/// guessed.
///
/// ```
/// use trireme_domain::access::hash;
///
/// let kept = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
/// assert_eq!(hash("secret"), kept);
/// ```
#[must_use]
pub fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

/// The secret in an `Authorization` header.
///
/// ```
/// use trireme_domain::access::bearer;
///
/// assert_eq!(bearer("Bearer abc"), Some("abc"));
/// assert_eq!(bearer(" bearer  abc "), Some("abc"));
/// assert_eq!(bearer("Basic abc"), None);
/// assert_eq!(bearer("Bearer "), None);
/// ```
#[must_use]
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, secret) = header.trim().split_once([' ', '\t'])?;
    let secret = secret.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !secret.is_empty()).then_some(secret)
}

fn decoded(sha256: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    hex::decode_to_slice(sha256, &mut hash).ok()?;
    Some(hash)
}

/// Looks at every byte, whatever the first ones are.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).fold(0, |bits, (a, b)| black_box(bits | (a ^ b)));
    (one.len() == other.len()) & (differing == 0)
}
