//! What the JSON of a request holds, before anything of it is believed.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};

/// The JSON of a request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    pub id: Option<String>,
    /// `KServe`'s client says the path's model here once more.
    pub model_name: Option<String>,
    pub parameters: Option<Parameters>,
    pub inputs: Vec<Input>,
    pub outputs: Option<Vec<Output>>,
}

/// The protocol lets anybody add parameters of their own, so unknown ones are passed over.
#[derive(Deserialize, Default)]
pub(super) struct Parameters {
    pub binary_data_output: Option<bool>,
    /// Microseconds; none where 0.
    pub timeout: Option<u64>,
}

/// A tensor that is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    pub name: String,
    pub shape: Vec<Count>,
    pub datatype: String,
    pub parameters: Option<InputParameters>,
    pub data: Option<Flat>,
}

/// How a tensor is sent.
#[derive(Deserialize, Default)]
pub(super) struct InputParameters {
    pub binary_data_size: Option<Count>,
    pub shared_memory_region: Option<IgnoredAny>,
    /// `MLServer`'s word for what the elements are.
    pub content_type: Option<String>,
}

/// A tensor that is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Output {
    pub name: String,
    pub parameters: Option<OutputParameters>,
}

/// How a tensor is wanted.
#[derive(Deserialize, Default)]
pub(super) struct OutputParameters {
    pub binary_data: Option<bool>,
    pub classification: Option<u64>,
    pub shared_memory_region: Option<IgnoredAny>,
}

/// How many there are of something.
#[derive(Clone, Copy)]
pub(super) struct Count(pub u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Whole;
        impl Visitor<'_> for Whole {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 0 on in `shape` or `binary_data_size`")
            }

            fn visit_u64<E: Error>(self, count: u64) -> Result<Count, E> {
                Ok(Count(count))
            }
        }
        from.deserialize_u64(Whole)
    }
}

/// The texts of `data`, in lists of any depth, one behind the other.
pub(super) struct Flat(pub Vec<String>);

impl<'de> Deserialize<'de> for Flat {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut texts = Vec::new();
        from.deserialize_seq(Level(&mut texts))?;
        Ok(Self(texts))
    }
}

/// One level of the lists; its texts go behind those that were read before.
struct Level<'a>(&'a mut Vec<String>);

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("texts in `data`, in a list or in lists of lists, and no token ids")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.push(text.to_owned());
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Level(self.0))?.is_some() {}
        Ok(())
    }
}
