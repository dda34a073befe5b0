//! What the JSON of a request holds, before anything of it is believed.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
#[cfg(test)]
use trireme_domain::wire::schema::Positive;

#[cfg(test)]
use super::read;
#[cfg(test)]
use crate::tests::Texts;

/// The JSON of a request. Tensors may also stand as raw bytes behind it; the header
/// `inference-header-content-length` then says how many bytes are JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OipRequest"))]
pub(crate) struct Body {
    pub(super) id: Option<String>,
    /// `KServe`'s client says the path's model here once more.
    pub(super) model_name: Option<String>,
    pub(super) parameters: Option<Parameters>,
    /// `text`, and `pair` where two texts are judged together.
    #[cfg_attr(test, schemars(length(min = 1, max = 2)))]
    pub(super) inputs: Vec<Input>,
    /// What is wanted; where nothing is named, what the model is for.
    pub(super) outputs: Option<Vec<Output>>,
}

/// The protocol lets anybody add parameters of their own, so unknown ones are passed over.
#[derive(Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OipParameters", extend("additionalProperties" = true)))]
pub(super) struct Parameters {
    /// Whether what is not named is wanted as raw bytes.
    pub binary_data_output: Option<bool>,
    /// Microseconds; none where 0.
    pub timeout: Option<u64>,
}

/// A tensor that is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OipInput"))]
pub(super) struct Input {
    #[cfg_attr(test, schemars(extend("enum" = ["text", "pair"])))]
    pub name: String,
    /// How many texts there are, and a 1 behind it or nothing.
    #[cfg_attr(test, schemars(with = "Vec<Positive>", length(min = 1, max = 2)))]
    pub shape: Vec<Count>,
    #[cfg_attr(test, schemars(extend("const" = "BYTES")))]
    pub datatype: String,
    pub parameters: Option<InputParameters>,
    #[cfg_attr(test, schemars(with = "Texts"))]
    pub data: Option<Flat>,
}

/// How a tensor is sent.
#[derive(Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OipInputParameters", extend("additionalProperties" = true)))]
pub(super) struct InputParameters {
    /// Of a tensor without `data`: its bytes behind the JSON.
    #[cfg_attr(test, schemars(with = "Option<u64>"))]
    pub binary_data_size: Option<Count>,
    /// No memory is shared.
    #[cfg_attr(test, schemars(with = "Option<()>"))]
    pub shared_memory_region: Option<IgnoredAny>,
    /// `MLServer`'s word for what the elements are; base64 is not taken.
    #[cfg_attr(test, schemars(extend("not" = {"const": "base64"})))]
    pub content_type: Option<String>,
}

/// A tensor that is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OipOutput"))]
pub(super) struct Output {
    #[cfg_attr(test, schemars(with = "read::Output"))]
    pub name: String,
    pub parameters: Option<OutputParameters>,
}

/// How a tensor is wanted.
#[derive(Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OipOutputParameters", extend("additionalProperties" = true)))]
pub(super) struct OutputParameters {
    /// As raw bytes behind the JSON.
    pub binary_data: Option<bool>,
    /// Classes are not ranked.
    #[cfg_attr(test, schemars(extend("maximum" = 0)))]
    pub classification: Option<u64>,
    /// No memory is shared.
    #[cfg_attr(test, schemars(with = "Option<()>"))]
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
