//! What hand-written parsers take.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use trireme_domain::wire::schema::{List, Text};

use crate::inputs::Inputs;
use crate::tei::Judged;

impl JsonSchema for Inputs {
    fn schema_name() -> Cow<'static, str> {
        "Inputs".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A text, or a list of texts. Where the host takes token ids, a text may be a list of them.",
            "anyOf": [
                generator.subschema_for::<Text>(),
                generator.subschema_for::<List<Text>>(),
            ],
        })
    }
}

/// Texts in a list, or in lists of lists of any depth.
pub(crate) struct Texts;

impl JsonSchema for Texts {
    fn schema_name() -> Cow<'static, str> {
        "OipTexts".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Texts in a list, or in lists of lists of any depth.",
            "type": "array",
            "items": {
                "anyOf": [generator.subschema_for::<Text>(), generator.subschema_for::<Self>()],
            },
        })
    }
}

/// A list of one text, or of two.
fn texts(generator: &mut SchemaGenerator, least: usize) -> Schema {
    let text = generator.subschema_for::<Text>();
    json_schema!({"type": "array", "items": text, "minItems": least, "maxItems": 2})
}

struct OneOrTwo;

impl JsonSchema for OneOrTwo {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "OneOrTwo".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        texts(generator, 1)
    }
}

impl JsonSchema for Judged {
    fn schema_name() -> Cow<'static, str> {
        "TeiJudged".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A text, a pair of texts, or a list of lists of one text or two.",
            "anyOf": [
                generator.subschema_for::<Text>(),
                texts(generator, 2),
                generator.subschema_for::<List<OneOrTwo>>(),
            ],
        })
    }
}

/// A row of a table: its text is in the column `text`, or in the only column that it has.
pub(crate) struct Row;

impl JsonSchema for Row {
    fn schema_name() -> Cow<'static, str> {
        "MlflowRow".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = generator.subschema_for::<Text>();
        json_schema!({
            "description": "The text is in the column `text`, or in the only column.",
            "type": "object",
            "anyOf": [
                {"properties": {"text": text}, "required": ["text"], "additionalProperties": true},
                {"additionalProperties": text, "minProperties": 1, "maxProperties": 1},
            ],
        })
    }
}

/// A row, or its text alone.
pub(crate) struct Instance;

impl JsonSchema for Instance {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "MlflowInstance".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (text, row) = (generator.subschema_for::<Text>(), generator.subschema_for::<Row>());
        json_schema!({"anyOf": [text, row]})
    }
}
