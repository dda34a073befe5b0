use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use trireme_domain::{Code, Fault};
use trireme_service::Text;

use super::read::{Output, Request, Wanted, read};
use super::tensors::packed;

/// A body, and the header that says where its JSON ends.
fn body(json: &Value, raw: &[u8]) -> (Vec<u8>, String) {
    let mut body = json.to_string().into_bytes();
    let length = body.len().to_string();
    body.extend(raw);
    (body, length)
}

fn input(name: &str, shape: &Value, rest: &Value) -> Value {
    let mut input = json!({"name": name, "shape": shape, "datatype": "BYTES"});
    for (key, value) in rest.as_object().unwrap() {
        input[key] = value.clone();
    }
    input
}

fn raw_input(name: &str, count: usize, size: usize) -> Value {
    input(name, &json!([count]), &json!({"parameters": {"binary_data_size": size}}))
}

fn texts(request: &Request) -> Vec<(&str, Option<&str>)> {
    request.texts.iter().map(|text| (text.first.as_str(), text.second.as_deref())).collect()
}

fn is_refused(got: Result<Request, Fault>, code: Code, named: &str) {
    let fault = got.expect_err(named);
    assert_eq!(fault.code, code, "{named}: {fault}");
    assert!(fault.message.contains(named), "expected {named}, got {fault}");
}

#[test]
fn texts_come_in_lists_flat_or_nested_and_as_bytes() {
    let expected = [("ä", None), ("", None), ("c", None)];
    for (shape, data) in [
        (json!([3]), json!(["ä", "", "c"])),
        (json!([3, 1]), json!(["ä", "", "c"])),
        (json!([3, 1]), json!([["ä"], [""], ["c"]])),
        (json!([3]), json!([[["ä", ""]], "c"])),
    ] {
        let asked = json!({"inputs": [input("text", &shape, &json!({"data": data}))]});
        let got = read(asked.to_string().as_bytes(), None).unwrap();
        assert_eq!(texts(&got), expected, "{asked}");
    }
    let raw = packed(&["ä", "", "c"]);
    let (body, header) = body(&json!({"inputs": [raw_input("text", 3, raw.len())]}), &raw);
    let got = read(&body, Some(header.as_bytes())).unwrap();
    assert_eq!(texts(&got), expected);
}

#[test]
fn one_tensor_in_json_and_another_in_bytes_make_pairs() {
    let raw = packed(&["b", "d"]);
    let inputs =
        [raw_input("pair", 2, raw.len()), input("text", &json!([2]), &json!({"data": ["a", "c"]}))];
    let (body, header) = body(&json!({"inputs": inputs}), &raw);
    let got = read(&body, Some(header.as_bytes())).unwrap();
    assert_eq!(texts(&got), [("a", Some("b")), ("c", Some("d"))]);
}

#[test]
fn what_is_asked_besides_texts_is_read() {
    let asked = json!({
        "id": "7",
        "model_name": "mini",
        "parameters": {"binary_data_output": true, "timeout": 2500, "priority": 1},
        "inputs": [input("text", &json!([1]), &json!({"data": ["a"], "parameters": null}))],
        "outputs": [
            {"name": "label", "parameters": {"binary_data": false, "classification": 0}},
            {"name": "embedding"},
        ],
    });
    let expected = Request {
        id: Some("7".to_owned()),
        model: Some("mini".to_owned()),
        texts: vec![Text::from("a".to_owned())],
        outputs: vec![
            Wanted { output: Output::Label, binary: false },
            Wanted { output: Output::Embedding, binary: true },
        ],
        binary: true,
        timeout: Some(Duration::from_micros(2500)),
    };
    assert_eq!(read(asked.to_string().as_bytes(), None), Ok(expected));
}

#[test]
fn a_header_that_lies_is_refused_by_name() {
    let (body, honest) = body(&json!({"inputs": [raw_input("text", 1, 5)]}), &packed(&["a"]));
    let more = (body.len() + 1).to_string();
    for header in [more.as_str(), "99999999999999999999999", "-1", "+9", "", " 9", "9;9", "much"] {
        let got = read(&body, Some(header.as_bytes()));
        is_refused(got, Code::InvalidRequest, "inference-header-content-length");
    }
    is_refused(read(&body, Some(b"\xff")), Code::InvalidRequest, "content-length");
    is_refused(read(&body, Some(b"3")), Code::InvalidJson, "EOF");
    // Without it the bytes are read as JSON, and are none.
    is_refused(read(&body, None), Code::InvalidJson, "trailing");
    assert_eq!(read(&body, Some(honest.as_bytes())).map(|got| got.texts.len()), Ok(1));
}

#[test]
fn a_size_that_lies_is_refused_by_name() {
    let raw = packed(&["abc", "de"]);
    for (sizes, code, named) in [
        (&[14u64][..], Code::InvalidRequest, "inputs[0].parameters.binary_data_size"),
        (&[u64::MAX], Code::InvalidRequest, "inputs[0].parameters.binary_data_size"),
        (&[7, 7], Code::InvalidRequest, "inputs[1].parameters.binary_data_size"),
        (&[7, u64::MAX], Code::InvalidRequest, "inputs[1].parameters.binary_data_size"),
        (&[7, 5], Code::InvalidRequest, "inputs[1]: the bytes end within the bytes of text 0"),
        (&[6, 7], Code::InvalidRequest, "inputs[0]: the bytes end within the bytes of text 0"),
        (&[0, 13], Code::InvalidRequest, "inputs[0].shape"),
        (&[13], Code::InvalidRequest, "inputs[0].shape"),
        (&[7], Code::InvalidRequest, "the body: 6 bytes stand behind the last tensor"),
    ] {
        let inputs: Vec<_> = sizes
            .iter()
            .zip(["text", "pair"])
            .map(|(size, name)| {
                input(name, &json!([1]), &json!({"parameters": {"binary_data_size": size}}))
            })
            .collect();
        let (body, header) = body(&json!({"inputs": inputs}), &raw);
        is_refused(read(&body, Some(header.as_bytes())), code, named);
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_place() {
    let raw = b"\x01\0\0\0a\x02\0\0\0\xc3\x28";
    let (body, header) = body(&json!({"inputs": [raw_input("text", 2, raw.len())]}), raw);
    let got = read(&body, Some(header.as_bytes()));
    is_refused(got, Code::InvalidUtf8, "inputs[0]: text 1 is not UTF-8");
}

#[test]
fn a_field_that_can_t_be_is_refused_by_name() {
    let good = || input("text", &json!([1]), &json!({"data": ["a"]}));
    let with = |key: &str, value: Value| {
        let mut input = good();
        input[key] = value;
        json!({"inputs": [input]})
    };
    let parameter = |key: &str, value: Value| with("parameters", json!({key: value}));
    let output = |name: &str, parameters: Value| json!({"inputs": [good()], "outputs": [{"name": name, "parameters": parameters}]});
    let of = |inputs: &[Value]| json!({"inputs": inputs});
    let two = input("pair", &json!([2]), &json!({"data": ["a", "b"]}));
    let no_data = input("text", &json!([1]), &json!({}));
    for (asked, named) in [
        (json!({}), "inputs"),
        (of(&[]), "inputs: there is no `text`"),
        (of(std::slice::from_ref(&two)), "inputs: there is no `text`"),
        (of(&[good(), two]), "inputs: `text` holds 1, `pair` 2"),
        (of(&[good(), good()]), "inputs[1].name: `text` is sent twice"),
        (of(&[no_data]), "inputs[0]: there is neither"),
        (with("name", json!("input_ids")), "inputs[0].name: there is no input \"input_ids\""),
        (with("datatype", json!("FP32")), "inputs[0].datatype: \"FP32\" is not what texts are"),
        (with("datatype", json!("TEXT")), "inputs[0].datatype: \"TEXT\" is no datatype"),
        (with("shape", json!([2])), "inputs[0].shape: [2] is claimed, 1 texts came"),
        (with("shape", json!([u64::MAX])), "inputs[0].shape"),
        (with("shape", json!([u64::MAX, u64::MAX])), "inputs[0].shape: texts stand in one row"),
        (with("shape", json!([])), "inputs[0].shape"),
        (with("shape", json!([1, 1, 1])), "inputs[0].shape"),
        (with("shape", json!([-1])), "`shape`"),
        (with("shape", json!([1.5])), "`shape`"),
        (with("shape", json!([1e30])), "`shape`"),
        (with("shape", json!("1")), "expected a sequence"),
        (with("data", json!([1])), "texts in `data`"),
        (with("data", json!([["a", null]])), "texts in `data`"),
        (with("data", json!("a")), "texts in `data`"),
        (with("size", json!(1)), "unknown field `size`"),
        (parameter("binary_data_size", json!(0)), "inputs[0]: there are both"),
        (parameter("binary_data_size", json!(-1)), "`binary_data_size`"),
        (parameter("shared_memory_region", json!("x")), "inputs[0].parameters.shared_memory"),
        (parameter("content_type", json!("base64")), "inputs[0].parameters.content_type"),
        (output("logits", json!({})), "outputs[0].name: there is no output \"logits\""),
        (output("label", json!({"shared_memory_region": "x"})), "outputs[0].parameters.shared"),
        (
            json!({"inputs": [good()], "outputs": [{"name": "label"}, {"name": "label"}]}),
            "outputs[1].name: `label` is asked for twice",
        ),
        (json!({"inputs": [good()], "texts": []}), "unknown field `texts`"),
    ] {
        let got = read(asked.to_string().as_bytes(), None);
        is_refused(got, Code::InvalidRequest, named);
    }
    let ranked = output("scores", json!({"classification": 2})).to_string();
    is_refused(read(ranked.as_bytes(), None), Code::InvalidOption, "outputs[0].parameters.class");
    let deep = format!(r#"{{"inputs":[{{"name":"text","data":{}"#, "[".repeat(100_000));
    is_refused(read(deep.as_bytes(), None), Code::InvalidJson, "recursion");
}

proptest! {
    #[test]
    fn whatever_comes_is_read_or_refused(
        body: Vec<u8>,
        header: Option<Vec<u8>>,
        length in 0..300usize,
    ) {
        drop(read(&body, header.as_deref()));
        drop(read(&body, Some(length.to_string().as_bytes())));
    }

    #[test]
    fn whatever_stands_behind_good_json_is_read_or_refused(
        raw in prop::collection::vec(0..4u8, 0..40),
        first in 0..40usize,
        second in prop::option::of(0..40usize),
        count in 0..4usize,
    ) {
        let second = second.map(|size| raw_input("pair", count, size));
        let inputs: Vec<_> =
            [raw_input("text", count, first)].into_iter().chain(second).collect();
        let (body, header) = body(&json!({"inputs": inputs}), &raw);
        if let Ok(request) = read(&body, Some(header.as_bytes())) {
            let bytes = |text: &Text| text.first.len() + text.second.as_ref().map_or(0, String::len);
            prop_assert!(request.texts.iter().map(bytes).sum::<usize>() <= raw.len());
        }
    }

    #[test]
    fn what_is_written_is_read_again(pairs: Vec<(String, String)>, binary: bool) {
        let (firsts, seconds): (Vec<_>, Vec<_>) = pairs.iter().cloned().unzip();
        let (mut inputs, mut raw) = (Vec::new(), Vec::new());
        for (name, texts) in [("text", firsts), ("pair", seconds)] {
            let bytes = packed(&texts);
            inputs.push(match binary {
                true => raw_input(name, texts.len(), bytes.len()),
                false => input(name, &json!([texts.len()]), &json!({"data": texts})),
            });
            raw.extend(if binary { bytes } else { Vec::new() });
        }
        let (body, header) = body(&json!({"inputs": inputs}), &raw);
        let got = read(&body, Some(header.as_bytes())).unwrap();
        let expected: Vec<_> =
            pairs.iter().map(|(a, b)| (a.as_str(), Some(b.as_str()))).collect();
        prop_assert_eq!(texts(&got), expected);
    }
}
