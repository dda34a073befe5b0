//! The JSON files of a model folder: configuration, modules, pooling, dense layer, index, prompts.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use trireme_model::Checkpoint;
use trireme_model::files::{Files, wanted};

/// A real model's weights, so that a configuration may come to fit them.
static WEIGHTS: &[u8] = include_bytes!("../../../goldens/tiny/bert-embed/model.safetensors");

/// The input is several files: each line is one, by the order of these names.
const NAMES: [&str; 9] = [
    "config.json",
    "modules.json",
    "1_Pooling/config.json",
    "2_Dense/config.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "model.safetensors.index.json",
    "tokenizer_config.json",
    "2_Dense/model.safetensors.index.json",
];

fuzz_target!(|data: &[u8]| {
    let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let mut files = Files::default();
    for _ in 0..64 {
        let Ok(next) = wanted(&files) else { break };
        if next.is_empty() {
            break;
        }
        for name in next {
            let bytes = content(&name, &lines);
            files.insert(name, bytes);
        }
    }
    drop(Checkpoint::from_files(&files));
});

fn content(name: &str, lines: &[&[u8]]) -> Option<Bytes> {
    if name == "model.safetensors" {
        return Some(Bytes::from_static(WEIGHTS));
    }
    let line = lines.get(NAMES.iter().position(|known| *known == name)?)?;
    (!line.is_empty()).then(|| Bytes::copy_from_slice(line))
}
