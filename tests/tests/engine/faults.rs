//! A model that is broken says how, and says it before it answers.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use trireme_backend::conformance::{Inline as Now, Wait};
use trireme_cpu::{Cpu, Inline, Lane};
use trireme_model::files::Files;
use trireme_model::weights::{Dtype, Tensor, Tensors, safetensors};
use trireme_model::{Checkpoint, Encoded, Model, ModelError, Pooling, Precision, Want};

use crate::load;

/// A sound tiny model whose files a test may change.
struct Draft {
    files: Files,
    tensors: Tensors,
}

impl Draft {
    fn of(folder: &str) -> Self {
        let files = load::files(&load::tiny(folder)).unwrap();
        let weights = files.get("model.safetensors").unwrap();
        let tensors = safetensors::read("weights", weights).unwrap().tensors;
        Self { files, tensors }
    }

    fn tensor(mut self, name: &str, change: impl FnOnce(&mut Vec<f32>, &mut Vec<usize>)) -> Self {
        let tensor = self.tensors.get_mut(name).unwrap_or_else(|| panic!("no tensor {name}"));
        let mut values = tensor.to_f32(name).unwrap().into_owned();
        change(&mut values, &mut tensor.shape);
        tensor.data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self
    }

    fn config(mut self, key: &str, value: Value) -> Self {
        let config = self.files.get("config.json").unwrap();
        let mut config: Map<String, Value> = serde_json::from_slice(config).unwrap();
        config.insert(key.to_owned(), value);
        self.files.insert("config.json", Some(Value::Object(config).to_string().into()));
        self
    }

    fn load(self) -> Result<Model<Cpu>, ModelError> {
        Model::new(Cpu::new(Box::new(Inline), Lane::detect()), &self.checkpoint()?)
    }

    fn checkpoint(mut self) -> Result<Checkpoint, ModelError> {
        self.files.insert("model.safetensors", Some(write(&self.tensors)));
        Checkpoint::from_files(&self.files)
    }
}

fn write(tensors: &Tensors) -> Bytes {
    let (mut header, mut data) = (Map::new(), Vec::new());
    for (name, tensor) in tensors {
        let start = data.len();
        data.extend_from_slice(&tensor.data);
        header.insert(name.clone(), json!({
            "dtype": tensor.dtype.name(), "shape": tensor.shape, "data_offsets": [start, data.len()],
        }));
    }
    let header = Value::Object(header).to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.extend(data);
    file.into()
}

fn refusal(draft: Draft) -> String {
    match draft.load() {
        Ok(_) => "it loaded".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_draft_itself_is_sound() {
    assert!(Draft::of("bert-embed").load().is_ok());
}

#[test]
fn missing_tensors_are_listed() {
    let mut draft = Draft::of("bert-embed");
    draft.tensors.retain(|name, _| !name.contains("layer.1.output"));
    let got = refusal(draft);
    let expected = "missing tensors: encoder.layer.1.output.LayerNorm.bias, \
        encoder.layer.1.output.LayerNorm.weight, encoder.layer.1.output.dense.bias, \
        encoder.layer.1.output.dense.weight";
    assert_eq!(got, expected);
}

#[test]
fn a_config_for_fewer_layers_leaves_tensors_over() {
    let got = refusal(Draft::of("bert-embed").config("num_hidden_layers", json!(1)));
    assert!(got.starts_with("unexpected tensors: encoder.layer.1."), "got {got}");
    assert!(got.ends_with("and 11 more; does config.json belong to these weights?"), "got {got}");
}

/// Finite weights can still overflow: here the norm of one token's row does.
#[test]
fn a_text_whose_answer_is_not_finite_spoils_no_other() {
    let (bad, good, other) = (one([2, 7, 3]), one([2, 8, 3]), one([2, 9, 9, 3]));
    let draft = Draft::of("bert-embed").tensor("embeddings.word_embeddings.weight", |values, _| {
        values[7 * 32..8 * 32].iter_mut().for_each(|value| *value = value.signum() * f32::MAX);
    });
    let checkpoint = draft.checkpoint().unwrap();
    for (lane, precision) in Lane::all().into_iter().flat_map(|l| Precision::ALL.map(|p| (l, p))) {
        let here = match precision {
            Precision::F16 => false,
            Precision::Bf16 => lane.has_halves(),
            Precision::F32 | Precision::Int8 | Precision::Int4 => true,
        };
        if !here {
            continue;
        }
        let cpu = Cpu::new(Box::new(Inline), lane).with_precision(precision);
        let model = Model::new(cpu, &checkpoint).unwrap();
        let run = |texts: &[Encoded]| {
            let pass = model.start(texts, Want::Vectors(Pooling::Mean)).unwrap();
            Now.wait(Box::pin(pass.finish())).unwrap()
        };
        let together = run(&[good.clone(), bad.clone(), other.clone()]);
        let case = format!("{} in {}", lane.name(), precision.name());
        assert!(
            matches!(together[1], Err(ModelError::AnswerNotFinite)),
            "{case}: {:?}",
            together[1]
        );
        for (at, text) in [(0, &good), (2, &other)] {
            let alone = run(std::slice::from_ref(text)).remove(0).unwrap();
            assert_eq!(together[at].as_ref().unwrap(), &alone, "{case}: text {at} changed");
        }
    }
}

#[test]
fn a_head_that_the_config_does_not_name_is_left_out() {
    let draft = Draft::of("bert-classify").config("architectures", json!(["BertModel"]));
    let model = draft.load().unwrap();
    let got = model.start(&[one([2, 3])], Want::Logits).err().unwrap();
    assert_eq!(got.to_string(), "this model has no classification head; it can only embed");
}

#[test]
fn a_wrong_shape_is_named_with_both_shapes() {
    let draft = Draft::of("bert-embed")
        .tensor("encoder.layer.0.intermediate.dense.weight", |_, shape| shape.reverse());
    let expected = "tensor encoder.layer.0.intermediate.dense.weight has shape [32, 64], \
        but the configuration needs [64, 32]";
    assert_eq!(refusal(draft), expected);
}

#[test]
fn integers_are_no_weights() {
    let mut draft = Draft::of("bert-embed");
    let name = "embeddings.LayerNorm.bias";
    let data = Bytes::from(vec![0; 32 * 8]);
    draft.tensors.insert(name.into(), Tensor::plain(Dtype::I64, vec![32], data));
    let got = refusal(draft);
    assert_eq!(got, format!("tensor {name} holds I64 where floating-point numbers are needed"));
}

#[test]
fn a_nan_among_the_weights_is_found() {
    for (value, shown) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        let name = "encoder.layer.1.attention.self.key.weight";
        let got = refusal(Draft::of("bert-embed").tensor(name, |values, _| values[77] = value));
        assert_eq!(got, format!("tensor {name} holds {shown} at element 77"));
    }
}

#[test]
fn an_unknown_architecture_is_named_with_the_known() {
    let got = refusal(Draft::of("bert-embed").config("model_type", json!("mamba")));
    let expected = "unknown architecture \"mamba\"; known: bert, distilbert, electra, mpnet, \
        roberta, xlm-roberta, camembert";
    assert_eq!(got, expected);
}

#[test]
fn a_tokenizer_beyond_the_embedding_is_refused() {
    let rows = 300;
    let draft = Draft::of("bert-embed").config("vocab_size", json!(rows)).tensor(
        "embeddings.word_embeddings.weight",
        |values, shape| {
            values.truncate(rows * 32);
            shape[0] = rows;
        },
    );
    let got = refusal(draft);
    assert!(got.starts_with("the tokenizer does not fit the model: token"), "got {got}");
    assert!(got.ends_with("but the model has 300 embeddings"), "got {got}");
}

#[test]
fn missing_files_are_named() {
    for (file, expected) in [
        ("config.json", "the model has no config.json"),
        ("model.safetensors", "the model has no model.safetensors"),
        ("tokenizer.json", "no tokenizer: the model has neither tokenizer.json nor vocab.txt"),
        ("1_Pooling/config.json", "the model has no 1_Pooling/config.json"),
    ] {
        let mut files = load::files(&load::tiny("bert-embed")).unwrap();
        files.insert(file, None);
        let got = Checkpoint::from_files(&files)
            .and_then(|c| Model::new(Cpu::new(Box::new(Inline), Lane::detect()), &c).map(drop));
        assert_eq!(got.unwrap_err().to_string(), expected, "without {file}");
    }
}

#[test]
fn truncated_weights_are_damaged() {
    let files = load::files(&load::tiny("bert-embed")).unwrap();
    let whole = files.get("model.safetensors").unwrap().clone();
    for end in (0..whole.len()).step_by(whole.len() / 200) {
        let mut files = files.clone();
        files.insert("model.safetensors", Some(whole.slice(..end)));
        let got = Checkpoint::from_files(&files).unwrap_err();
        assert!(matches!(got, ModelError::Damaged { .. }), "cut at {end}: got {got}");
    }
}

#[test]
fn a_header_that_lies_about_sizes_is_damaged() {
    let file = |header: &str, data: usize| -> Bytes {
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend_from_slice(header.as_bytes());
        file.resize(file.len() + data, 0);
        file.into()
    };
    let entry = |shape: &str, from: u64, to: u64| {
        format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":[{from},{to}]}}}}"#)
    };
    let cases = [
        ("offsets past the end", file(&entry("[4]", 0, 16), 8)),
        ("a shape larger than its data", file(&entry("[1000000]", 0, 16), 16)),
        ("a product that overflows", file(&entry("[4294967296, 4294967296]", 0, 16), 16)),
        ("offsets that run backwards", file(&entry("[4]", 16, 0), 16)),
        ("data that no tensor claims", file(&entry("[2]", 0, 8), 16)),
        ("a header longer than the file", u64::MAX.to_le_bytes().to_vec().into()),
        ("a header of a hundred gigabytes", 100_000_000_000u64.to_le_bytes().to_vec().into()),
        ("nothing at all", Bytes::new()),
    ];
    for (case, bytes) in cases {
        let mut files = load::files(&load::tiny("bert-embed")).unwrap();
        files.insert("model.safetensors", Some(bytes));
        let got = Checkpoint::from_files(&files).unwrap_err();
        assert!(matches!(got, ModelError::Damaged { .. }), "{case}: got {got}");
    }
}

#[test]
fn ids_outside_the_embedding_are_refused_before_the_pass() {
    let model = load::model(&load::tiny("bert-embed"));
    let got = model.start(&[one([2, 320, 3])], Want::Vectors(Pooling::Mean)).err().unwrap();
    assert_eq!(got.to_string(), "token id 320 is outside the model's 320 embeddings");
}

#[test]
fn types_outside_their_table_are_refused() {
    let model = load::model(&load::tiny("bert-embed"));
    let mut text = one([2, 9, 3]);
    text.type_ids = vec![0, 7, 0];
    let got = load::run(&model, &[text], Want::Vectors(Pooling::Mean)).unwrap_err();
    assert_eq!(got.to_string(), "embed: id 7 is outside the table's 2 rows");
}

#[test]
fn more_tokens_than_positions_are_refused() {
    let model = load::model(&load::tiny("roberta-embed"));
    let got = model.start(&[one([5; 65])], Want::Vectors(Pooling::Mean)).err().unwrap();
    assert_eq!(got.to_string(), "65 tokens are more than the model's 64 positions");
}

#[test]
fn a_text_without_tokens_is_refused() {
    let model = load::model(&load::tiny("bert-embed"));
    let got = model.start(&[one([])], Want::Vectors(Pooling::Mean)).err().unwrap();
    assert_eq!(got.to_string(), "ragged batch: a text has no tokens");
}

fn one<const N: usize>(ids: [u32; N]) -> Encoded {
    Encoded { ids: ids.to_vec(), type_ids: vec![0; N], offsets: vec![(0, 0); N], dropped: 0 }
}
