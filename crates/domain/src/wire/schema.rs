//! What JSON may stand where a plain type says too little: for the document that describes the
//! routes, which holds as much as the parsers do and no more.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{BatchRequest, ListRequest, Scores};
use crate::jobs::Rules;
use crate::{Code, Fault, Limits};

/// Anything but what Rust calls white space.
const INK: &str = "[^\\u0009-\\u000d\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";

/// A text that is looked at: not empty, and no longer than a host takes. The limit counts bytes,
/// of which a character has one at least.
pub struct Text;

impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A text with something in it.",
            "type": "string",
            "minLength": 1,
            "maxLength": Limits::default().text_bytes,
            "pattern": INK,
        })
    }
}

/// As many of something as one request may hold, and one at least.
pub struct List<T>(PhantomData<T>);

impl<T: JsonSchema> JsonSchema for List<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("List{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "items": generator.subschema_for::<T>(),
            "minItems": 1,
            "maxItems": Limits::default().texts,
        })
    }
}

/// As many of something as one job may hold, and one at least.
pub struct Many<T>(PhantomData<T>);

impl<T: JsonSchema> JsonSchema for Many<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Many{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "items": generator.subschema_for::<T>(),
            "minItems": 1,
            "maxItems": Rules::default().texts,
        })
    }
}

/// A number of things, of which none is too few.
pub struct Positive;

impl JsonSchema for Positive {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Positive".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": 1})
    }
}

impl JsonSchema for ListRequest {
    fn schema_name() -> Cow<'static, str> {
        "ListRequest".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A bare list of texts, or an object.",
            "anyOf": [
                generator.subschema_for::<List<String>>(),
                generator.subschema_for::<BatchRequest>(),
            ],
        })
    }
}

impl JsonSchema for Scores {
    fn schema_name() -> Cow<'static, str> {
        "Scores".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Labels with their scores.",
            "type": "object",
            "additionalProperties": generator.subschema_for::<f32>(),
        })
    }
}

impl JsonSchema for Code {
    fn schema_name() -> Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<_> = Self::ALL.iter().map(|code| code.name()).collect();
        let meaning = |code: &Self| format!("- `{}`: {}", code.name(), code.meaning());
        let meanings: Vec<_> = Self::ALL.iter().map(meaning).collect();
        json_schema!({
            "description": format!("What went wrong.\n\n{}", meanings.join("\n")),
            "type": "string",
            "enum": names,
        })
    }
}

impl JsonSchema for Fault {
    fn schema_name() -> Cow<'static, str> {
        "Fault".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "What went wrong, and with what.",
            "type": "object",
            "properties": {
                "code": generator.subschema_for::<Code>(),
                "message": {"type": "string"},
            },
            "required": ["code", "message"],
        })
    }
}

/// Exactly one of three fields is there and not null.
pub(super) fn one_of_the_texts(schema: &mut Schema) {
    let names = ["sentence", "text", "texts"];
    let alone = |name: &&str| {
        let other = |other: &str| match other == *name {
            true => serde_json::json!({"type": ["string", "array"]}),
            false => serde_json::json!({"type": "null"}),
        };
        let fields: serde_json::Map<_, _> =
            names.iter().map(|name| ((*name).to_owned(), other(name))).collect();
        serde_json::json!({"required": [name], "properties": fields})
    };
    schema.insert("oneOf".to_owned(), names.iter().map(alone).collect());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ink_is_what_is_no_white_space() {
        let ranges: Vec<char> = INK
            .split("\\u")
            .skip(1)
            .filter_map(|part| char::from_u32(u32::from_str_radix(&part[..4], 16).ok()?))
            .collect();
        let range = |from: char, to: char| (from..=to).collect::<Vec<_>>();
        let mut named = [range('\t', '\r'), range('\u{2000}', '\u{200a}')].concat();
        named.extend(&ranges);
        for c in '\0'..=char::MAX {
            assert_eq!(named.contains(&c), c.is_whitespace(), "U+{:04X}", c as u32);
        }
    }
}
