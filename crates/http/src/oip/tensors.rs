//! Tensors as raw bytes: of texts each with its length before it, all numbers little-endian.

use trireme_domain::{Code, Fault};

/// The texts of a `BYTES` tensor; `place` names it in a fault.
pub(super) fn texts(mut raw: &[u8], place: &str) -> Result<Vec<String>, Fault> {
    let mut texts = Vec::new();
    while !raw.is_empty() {
        let at = texts.len();
        let short = |what: &str| {
            let message = format!("{place}: the bytes end within {what} of text {at}");
            Fault::new(Code::InvalidRequest, message)
        };
        let (length, rest) = raw.split_first_chunk().ok_or_else(|| short("the length"))?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok();
        let split = length.and_then(|length| rest.split_at_checked(length));
        let (text, rest) = split.ok_or_else(|| short("the bytes"))?;
        let text = std::str::from_utf8(text).map_err(|error| {
            let from = error.valid_up_to();
            let message = format!("{place}: text {at} is not UTF-8 from byte {from} on");
            Fault::new(Code::InvalidUtf8, message)
        })?;
        texts.push(text.to_owned());
        raw = rest;
    }
    Ok(texts)
}

/// Texts as a `BYTES` tensor.
#[must_use]
pub fn packed<T: AsRef<str>>(texts: &[T]) -> Vec<u8> {
    let mut raw = Vec::new();
    for text in texts {
        let bytes = text.as_ref().as_bytes();
        raw.extend((bytes.len() as u32).to_le_bytes());
        raw.extend(bytes);
    }
    raw
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_length_that_lies_is_found() {
        for (raw, code, named) in [
            (&b"\x01\0\0"[..], Code::InvalidRequest, "within the length of text 0"),
            (b"\x02\0\0\0a", Code::InvalidRequest, "within the bytes of text 0"),
            (b"\x01\0\0\0ab", Code::InvalidRequest, "within the length of text 1"),
            (b"\xff\xff\xff\xffa", Code::InvalidRequest, "within the bytes of text 0"),
            (b"\x01\0\0\0a\x02\0\0\0b\xff", Code::InvalidUtf8, "text 1 is not UTF-8 from byte 1"),
        ] {
            let fault = texts(raw, "inputs[3]").unwrap_err();
            assert_eq!(fault.code, code, "{fault}");
            assert!(fault.message.starts_with("inputs[3]: "), "{fault}");
            assert!(fault.message.contains(named), "expected {named}, got {fault}");
        }
        assert_eq!(texts(b"", "x"), Ok(Vec::new()));
    }

    proptest! {
        #[test]
        fn what_is_packed_is_read_again(expected: Vec<String>) {
            prop_assert_eq!(texts(&packed(&expected), "x"), Ok(expected));
        }
    }
}
