//! What several conventions call `inputs` or `input`: a text, or a list of texts; or the tokens of
//! texts, where the host takes them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use trireme_domain::{Code, Fault};
use trireme_service::ports::Reads;
use trireme_service::reading::read;
use trireme_service::{Served, Service, Terms};

/// Texts, in the order in which they are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inputs(Vec<Input>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Input {
    Text(String),
    Ids(Vec<u32>),
}

/// Ids of another tokenizer would be answered with a vector of something else.
const IDS: &str = "token ids are not taken here, for they may be another tokenizer's; send text \
    (in LangChain: check_embedding_ctx_length=False), or start the host with --token-ids";

impl Inputs {
    /// The texts, and those that ids stand for where this host takes ids; and terms for what is
    /// done with them, in the time that is left.
    ///
    /// # Errors
    /// There are ids and the host takes none, or one that no token has.
    pub async fn texts(
        self,
        service: &Service,
        served: &Served,
        terms: Terms,
    ) -> Result<(Vec<String>, Terms), Fault> {
        let has_ids = self.0.iter().any(|input| matches!(input, Input::Ids(_)));
        if has_ids && !service.policy.token_ids {
            return Err(Fault::new(Code::InvalidRequest, IDS));
        }
        let texts = move |reader: &dyn Reads| {
            let text = |(at, input)| match input {
                Input::Text(text) => Ok(text),
                Input::Ids(ids) => reader.text(&ids, true).map_err(|fault| fault.of_text(at)),
            };
            self.0.into_iter().enumerate().map(text).collect::<Result<Vec<_>, Fault>>()
        };
        let (texts, terms) = match has_ids {
            true => read(served, terms, texts).await?,
            // Texts as they are need no reader.
            false => (texts(served.reader.as_ref()), terms),
        };
        texts.map(|texts| (texts, terms))
    }
}

/// A member of a list: a text, its ids, or one of the ids of the only text there is.
enum Member {
    Input(Input),
    Id(u32),
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Member;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Member, E> {
                Ok(Member::Input(Input::Text(text.to_owned())))
            }

            fn visit_string<E: Error>(self, text: String) -> Result<Member, E> {
                Ok(Member::Input(Input::Text(text)))
            }

            fn visit_u64<E: Error>(self, id: u64) -> Result<Member, E> {
                let id = u32::try_from(id).map_err(|_| E::custom("no token has so large an id"))?;
                Ok(Member::Id(id))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Member, A::Error> {
                let mut ids = Vec::new();
                while let Some(id) = seq.next_element()? {
                    ids.push(id);
                }
                Ok(Member::Input(Input::Ids(ids)))
            }
        }
        from.deserialize_any(Any)
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
                Ok(Inputs(vec![Input::Text(text.to_owned())]))
            }

            fn visit_string<E: Error>(self, text: String) -> Result<Inputs, E> {
                Ok(Inputs(vec![Input::Text(text)]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Inputs, A::Error> {
                let (mut inputs, mut ids) = (Vec::new(), Vec::new());
                while let Some(member) = seq.next_element()? {
                    match member {
                        Member::Input(input) => inputs.push(input),
                        Member::Id(id) => ids.push(id),
                    }
                }
                match (inputs.is_empty(), ids.is_empty()) {
                    (false, false) => {
                        Err(A::Error::custom("ids of a text stand in their own list"))
                    }
                    (true, false) => Ok(Inputs(vec![Input::Ids(ids)])),
                    (_, true) => Ok(Inputs(inputs)),
                }
            }
        }
        from.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_and_so_are_ids() {
        let text = |text: &str| Input::Text(text.to_owned());
        for (json, expected) in [
            ("\"a\"", vec![text("a")]),
            ("[\"a\", \"b\"]", vec![text("a"), text("b")]),
            ("[]", vec![]),
            ("[1, 2]", vec![Input::Ids(vec![1, 2])]),
            ("[[1, 2], [3]]", vec![Input::Ids(vec![1, 2]), Input::Ids(vec![3])]),
            ("[\"a\", [1]]", vec![text("a"), Input::Ids(vec![1])]),
        ] {
            assert_eq!(serde_json::from_str::<Inputs>(json).unwrap().0, expected, "{json}");
        }
        for other in
            ["3", "{}", "[null]", "[[\"a\"]]", "[1, \"a\"]", "[-1]", "[1.5]", "[4294967296]"]
        {
            assert!(serde_json::from_str::<Inputs>(other).is_err(), "{other}");
        }
    }
}
