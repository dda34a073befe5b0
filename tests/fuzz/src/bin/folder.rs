//! The JSON files of a model folder: configuration, modules, pooling, dense layer, index, prompts.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use trireme_cpu::{Cpu, Inline, Lane};
use trireme_model::files::{Files, wanted};
use trireme_model::{Checkpoint, Model};

/// Real models' weights and tokenizers, so that a configuration may come to fit them.
static BERT: [&[u8]; 2] = [
    include_bytes!("../../../goldens/tiny/bert-embed/model.safetensors"),
    include_bytes!("../../../goldens/tiny/bert-embed/tokenizer.json"),
];
static MPNET: [&[u8]; 2] = [
    include_bytes!("../../../goldens/tiny/mpnet-embed/model.safetensors"),
    include_bytes!("../../../goldens/tiny/mpnet-embed/tokenizer.json"),
];

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
    if let Ok(checkpoint) = Checkpoint::from_files(&files) {
        drop(Model::new(Cpu::new(Box::new(Inline), Lane::detect()), &checkpoint));
    }
});

fn content(name: &str, lines: &[&[u8]]) -> Option<Bytes> {
    let mpnet = lines.first().is_some_and(|config| config.windows(5).any(|word| word == b"mpnet"));
    let [weights, tokenizer] = if mpnet { MPNET } else { BERT };
    match name {
        "model.safetensors" => return Some(Bytes::from_static(weights)),
        "tokenizer.json" => return Some(Bytes::from_static(tokenizer)),
        _ => {}
    }
    let line = lines.get(NAMES.iter().position(|known| *known == name)?)?;
    (!line.is_empty()).then(|| Bytes::copy_from_slice(line))
}
