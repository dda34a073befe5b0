//! In bytes, every host gives the same bits as native does: nothing is left to the machine.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;
use trireme_server::Precision;

use crate::host::Host;
use crate::models::{quantized, tiny};
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

/// A model as a host is given it, and what native is given to hold it against.
struct Case {
    served: Option<PathBuf>,
    /// The precision that the host is asked for.
    asked: &'static str,
    folder: Option<PathBuf>,
    precision: Precision,
}

/// Every model in int8, one in int4, and bundles that keep their weights so.
fn cases(folder: &Path) -> Vec<Case> {
    let plain = |model: Option<PathBuf>, precision: Precision| Case {
        served: model.clone(),
        asked: precision.name(),
        folder: model,
        precision,
    };
    let kept = |precision: Precision| {
        let path = folder.join(format!("{}.trireme", precision.name()));
        std::fs::write(&path, quantized(&tiny("roberta-classify"), precision)).unwrap();
        let folder = Some(tiny("roberta-classify"));
        Case { served: Some(path), asked: "auto", folder, precision }
    };
    let mut all =
        vec![plain(None, Precision::Int8), plain(Some(tiny("bert-embed")), Precision::Int4)];
    all.extend(MODELS.map(|name| plain(Some(tiny(name)), Precision::Int8)));
    all.extend([Precision::Int8, Precision::Int4].map(kept));
    all
}

/// The vectors as singles: hosts write them with as many digits as they like.
fn vectors(host: &Host, texts: &[String], precision: Precision) -> Vec<Vec<f32>> {
    let (status, answer) = host.post("/encode", &json!({ "texts": texts }));
    let expected = json!(precision.name());
    assert_eq!((status, &answer["precision"]), (200, &expected), "{}: {answer}", host.name);
    let rows = answer["embeddings"].as_array().unwrap();
    rows.iter().map(floats).collect()
}

/// Holds a host to native's answers. `start` serves a model's folder or bundle, or the default
/// model, in a precision.
pub fn agree(start: impl Fn(Option<&Path>, &'static str) -> Host) {
    let texts = texts();
    let folder = tempfile::tempdir().unwrap();
    let mut numbers = 0;
    for Case { served, asked, folder, precision } in cases(folder.path()) {
        let host = start(served.as_deref(), asked);
        let native =
            native::with(folder.as_deref(), |settings| settings.precision = Some(precision));
        for batch in texts.chunks(32) {
            let got = vectors(&host, batch, precision);
            let expected = vectors(&native, batch, precision);
            for ((got, expected), text) in got.iter().zip(&expected).zip(batch) {
                assert_eq!(got, expected, "{}, {served:?}: {text:?}", host.name);
                numbers += expected.len();
            }
        }
    }
    assert!(numbers > 10_000, "only {numbers} numbers were compared");
    println!("{numbers} numbers, all the same bits");
}

#[test]
fn every_lane_and_number_of_threads_gives_the_same_bits() {
    for lane in trireme_cpu::Lane::all() {
        for threads in [1, 3] {
            agree(|model, precision| {
                native::with(model, |settings| {
                    settings.precision = Precision::named(precision);
                    settings.lane = Some(lane.name().to_owned());
                    settings.threads = threads;
                })
            });
        }
    }
}
