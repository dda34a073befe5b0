//! In bytes, every host gives the same bits as native does: nothing is left to the machine.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;
use trireme_server::Precision;

use crate::host::Host;
use crate::models::tiny;
use crate::native;
use crate::parity::floats;

/// Every architecture, and every activation that their families use.
const MODELS: [&str; 8] = [
    "bert-embed",
    "bert-relu",
    "distilbert-embed",
    "electra-embed",
    "mpnet-embed",
    "roberta-classify",
    "roberta-gelu-new",
    "xlmr-embed",
];

#[derive(Deserialize)]
struct Text {
    text: String,
}

/// Every text of the goldens that is one.
pub fn texts() -> Vec<String> {
    let path = trireme_tests::repo_root().join("tests/goldens/texts.json");
    let texts: Vec<Text> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    texts.into_iter().map(|text| text.text).filter(|text| !text.trim().is_empty()).collect()
}

/// The vectors as singles: hosts write them with as many digits as they like.
fn vectors(host: &Host, texts: &[String]) -> Vec<Vec<f32>> {
    let (status, answer) = host.post("/encode", &json!({ "texts": texts }));
    assert_eq!((status, &answer["precision"]), (200, &json!("int8")), "{}: {answer}", host.name);
    let rows = answer["embeddings"].as_array().unwrap();
    rows.iter().map(floats).collect()
}

/// Holds a host to native's answers. `start` serves a model folder, or the default model, in bytes.
pub fn agree(start: impl Fn(Option<&Path>) -> Host) {
    let texts = texts();
    let models: Vec<Option<PathBuf>> = MODELS.iter().map(|name| Some(tiny(name))).collect();
    let mut numbers = 0;
    for model in [vec![None], models].concat() {
        let host = start(model.as_deref());
        let native =
            native::with(model.as_deref(), |settings| settings.precision = Precision::Int8);
        for batch in texts.chunks(32) {
            let (got, expected) = (vectors(&host, batch), vectors(&native, batch));
            for ((got, expected), text) in got.iter().zip(&expected).zip(batch) {
                assert_eq!(got, expected, "{}, {model:?}: {text:?}", host.name);
                numbers += expected.len();
            }
        }
    }
    assert!(numbers > 10_000, "only {numbers} numbers were compared");
    println!("{}: {numbers} numbers, all the same bits", start(None).name);
}

#[test]
fn every_lane_and_number_of_threads_gives_the_same_bits() {
    for lane in trireme_cpu::Lane::all() {
        for threads in [1, 3] {
            agree(|model| {
                native::with(model, |settings| {
                    settings.precision = Precision::Int8;
                    settings.lane = Some(lane.name().to_owned());
                    settings.threads = threads;
                })
            });
        }
    }
}
