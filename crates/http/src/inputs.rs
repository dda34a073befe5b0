//! What several conventions call `inputs` or `input`: a text, or a list of texts.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Unexpected, Visitor};

/// A text, or a list of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Inputs {
    One(String),
    Many(Vec<String>),
}

impl Inputs {
    pub fn into_texts(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Many(texts) => texts,
        }
    }
}

/// Ids of another tokenizer would be answered with a vector of something else.
const IDS: &str = "token ids are not taken, for they may be another tokenizer's; send text \
    (in LangChain: check_embedding_ctx_length=False)";

/// One member of the list: a text, and nothing that could be ids.
struct Member(String);

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Member;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Member, E> {
                Ok(Member(text.to_owned()))
            }

            fn visit_string<E: Error>(self, text: String) -> Result<Member, E> {
                Ok(Member(text))
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<Member, E> {
                Err(E::custom(IDS))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Member, A::Error> {
                match seq.next_element::<u64>() {
                    Ok(Some(_)) => Err(A::Error::custom(IDS)),
                    _ => Err(A::Error::invalid_type(Unexpected::Seq, &self)),
                }
            }
        }
        from.deserialize_any(Text)
    }
}

impl<'de> Deserialize<'de> for Inputs {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Inputs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Inputs, E> {
                Ok(Inputs::One(text.to_owned()))
            }

            fn visit_string<E: Error>(self, text: String) -> Result<Inputs, E> {
                Ok(Inputs::One(text))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Inputs, A::Error> {
                let mut texts = Vec::new();
                while let Some(Member(text)) = seq.next_element()? {
                    texts.push(text);
                }
                Ok(Inputs::Many(texts))
            }
        }
        from.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_and_ids_refused_by_name() {
        let read = |json: &str| serde_json::from_str::<Inputs>(json);
        assert_eq!(read("\"a\"").unwrap(), Inputs::One("a".to_owned()));
        let many = Inputs::Many(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(read(r#"["a", "b"]"#).unwrap(), many);
        for ids in ["[1, 2]", "[[1, 2], [3]]", r#"["a", [1]]"#] {
            let error = read(ids).unwrap_err().to_string();
            assert!(error.contains("check_embedding_ctx_length"), "{ids}: {error}");
        }
        for other in ["3", "{}", "[null]", "[[\"a\"]]"] {
            assert!(read(other).is_err(), "{other}");
        }
    }
}
