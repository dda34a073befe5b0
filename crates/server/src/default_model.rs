//! The model inside the program, so that it answers with no argument and no network.

use bytes::Bytes;

use crate::source::Memory;

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_bytes!(concat!("../../../models/default/", $name)).as_slice())),*]
    };
}

static FILES: [(&str, &[u8]); 8] = embedded![
    "config.json",
    "config_sentence_transformers.json",
    "model.safetensors",
    "modules.json",
    "sentence_bert_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "1_Pooling/config.json",
];

/// Its files.
pub(crate) fn source() -> Memory {
    FILES.iter().fold(Memory::new("the default model"), |memory, (name, bytes)| {
        memory.with(*name, Bytes::from_static(bytes))
    })
}
