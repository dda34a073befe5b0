//! Schemas as the document wants them: closed, and in the words of OpenAPI.

use serde_json::{Map, Value, json};

/// An answer has the fields that it is said to have, and no other: a field that is renamed is
/// then found by whoever holds answers to the document.
pub fn close(schema: &mut Value) {
    if let Value::Object(fields) = schema {
        // What is flattened from an enum stands beside its alternatives, and not in them.
        let branch = ["oneOf", "anyOf"].into_iter().find(|key| fields.contains_key(*key));
        if let (Some(key), true) = (branch, fields.contains_key("properties")) {
            spread(fields, key);
        }
        if fields.contains_key("properties") && !fields.contains_key("additionalProperties") {
            fields.insert("additionalProperties".to_owned(), json!(false));
        }
    }
    each(schema, close);
}

/// `{a, oneOf: [{b}, {c}]}` as `oneOf: [{a, b}, {a, c}]`.
fn spread(fields: &mut Map<String, Value>, key: &str) {
    let Some(Value::Array(branches)) = fields.remove(key) else { return };
    let mut shared = fields.clone();
    shared.remove("description");
    let whole = |branch: Value| {
        let mut whole = shared.clone();
        for (name, value) in branch.as_object().cloned().unwrap_or_default() {
            match (whole.get_mut(&name), value) {
                (Some(Value::Object(all)), Value::Object(more)) => all.extend(more),
                (Some(Value::Array(all)), Value::Array(more)) => all.extend(more),
                (_, value) => drop(whole.insert(name, value)),
            }
        }
        Value::Object(whole)
    };
    let branches: Vec<Value> = branches.into_iter().map(whole).collect();
    fields.retain(|name, _| name == "description");
    fields.insert(key.to_owned(), branches.into());
}

/// Rust's own formats mean nothing to others; their bounds do.
pub fn plain(schema: &mut Value) {
    if let Value::Object(fields) = schema {
        let format = fields.get("format").and_then(Value::as_str).unwrap_or_default().to_owned();
        if format.contains("int") {
            fields.remove("format");
        }
        if format == "uint32" {
            fields.insert("maximum".to_owned(), json!(u32::MAX));
        }
        // A default is the parser's own business where a null stands for it.
        if fields.get("default").is_some_and(Value::is_null) {
            fields.remove("default");
        }
    }
    each(schema, plain);
}

fn each(value: &mut Value, change: fn(&mut Value)) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(change),
        Value::Array(items) => items.iter_mut().for_each(change),
        _ => {}
    }
}

#[test]
fn what_is_flattened_is_closed_with_what_is_beside_it() {
    let part = |name: &str| json!({"properties": {name: {}}, "required": [name]});
    let mut schema = part("a");
    schema["oneOf"] = json!([part("b"), part("c")]);
    close(&mut schema);
    let closed = |name: &str| {
        json!({
            "properties": {"a": {}, name: {}}, "required": ["a", name],
            "additionalProperties": false,
        })
    };
    assert_eq!(schema, json!({"oneOf": [closed("b"), closed("c")]}));
}
