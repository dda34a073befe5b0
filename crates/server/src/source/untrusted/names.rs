//! What may become a file of a cache, and what the small files of a cache say.

pub use trireme_service::relative_path;

/// Whether a name that a server sent may become a file name.
pub fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && text.len() <= 200 && !text.starts_with('.') && text.bytes().all(plain)
}

/// Whether a revision is a commit, which stands for the same files for ever.
pub fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The folder of a hub's model in the cache; `None` where the id is none.
pub fn model_folder(id: &str) -> Option<String> {
    let parts: Vec<&str> = id.split('/').collect();
    // The folder's name uses `--` for the slash, so a `-` beside it would make it ambiguous.
    let fine = |part: &&str| {
        is_name(part)
            && !part.contains("--")
            && !part.contains("..")
            && !part.starts_with('-')
            && !part.ends_with(['-', '.'])
    };
    (parts.len() <= 2 && parts.iter().all(fine)).then(|| format!("models--{}", parts.join("--")))
}

/// The commit that the content of a reference file names.
pub fn commit(reference: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(reference).ok()?.trim();
    is_name(text).then_some(text)
}

/// The etag that lies beside a file, where it is one that a server could have sent; no other can be
/// sent back.
pub fn etag(kept: &[u8]) -> Option<&str> {
    let plain = |byte: u8| matches!(byte, b'\t' | b' '..=b'~');
    let text = std::str::from_utf8(kept).ok()?;
    (!text.is_empty() && text.bytes().all(plain)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_the_cache_belongs_to_one_model() {
        assert_eq!(model_folder("owner/name").unwrap(), "models--owner--name");
        assert_eq!(model_folder("gpt2").unwrap(), "models--gpt2");
        // Both would be `models--a---b`.
        for id in ["a-/b", "a/-b"] {
            assert_eq!(model_folder(id), None, "{id}");
        }
    }

    #[test]
    fn an_etag_that_no_header_can_carry_is_none() {
        assert_eq!(etag(b"\"v1\""), Some("\"v1\""));
        for damaged in [&b""[..], b"\"v1\"\n", b"\"v\0\"", b"\"\xff\""] {
            assert_eq!(etag(damaged), None);
        }
    }

    #[test]
    fn a_reference_is_a_name_with_space_around_it_at_most() {
        assert_eq!(commit(b" abc123\n"), Some("abc123"));
        for damaged in [&b""[..], b"../x", b"a b", b"a/b", b"\xff"] {
            assert_eq!(commit(damaged), None);
        }
    }
}
