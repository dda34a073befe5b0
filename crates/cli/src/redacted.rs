//! What is said of addresses: all but what may be a secret.

/// A text without what may be a secret in the address that it ends with: a user, a password, a
/// signed query.
pub fn redacted(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (rest, query) = rest.split_once(['?', '#']).map_or((rest, ""), |(rest, _)| (rest, "?…"));
    // A password may hold a slash that should have been escaped.
    let (user, rest) = rest.rsplit_once('@').map_or(("", rest), |(_, rest)| ("…@", rest));
    format!("{scheme}://{user}{rest}{query}")
}

/// A message with every address in it redacted.
pub fn said(message: &str) -> String {
    message.split_inclusive([' ', '\n']).map(redacted_word).collect()
}

fn redacted_word(word: &str) -> String {
    let end = word.trim_end().len();
    let (word, space) = word.split_at(end);
    format!("{}{space}", redacted(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        for (model, expected) in [
            ("models/minilm", "models/minilm"),
            ("owner/name@main", "owner/name@main"),
            ("https://host/model", "https://host/model"),
            ("https://me:secret@host/model?signature=secret", "https://…@host/model?…"),
            ("https://secret@host", "https://…@host"),
            ("https://me:sec/ret@host/model", "https://…@host/model"),
            ("https://host/model#secret", "https://host/model?…"),
            ("second=https://me:secret@host/model", "second=https://…@host/model"),
        ] {
            assert_eq!(redacted(model), expected, "{model}");
        }
    }

    #[test]
    fn no_address_in_a_message_shows_its_secrets() {
        let message = "a string \"https://me:secret@host/x\", expected\n  a list";
        assert_eq!(said(message), "a string \"https://…@host/x\", expected\n  a list");
    }
}
