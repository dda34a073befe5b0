//! The real all-MiniLM-L6-v2 against sentence-transformers, on texts of every kind.

use serde::Deserialize;
use trireme_model::weights::safetensors;
use trireme_model::{Cut, EmbedOptions};

use crate::{golden, load};

#[derive(Deserialize)]
struct Text {
    id: String,
    text: String,
}

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    tokens: usize,
    ids: Vec<u32>,
}

#[test]
fn minilm_is_the_reference_on_two_hundred_texts() {
    let folder = load::goldens().join("minilm");
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let texts: Vec<Text> = serde_json::from_slice(&read("../texts.json")).unwrap();
    let golden: Golden = serde_json::from_slice(&read("golden.json")).unwrap();
    let vectors = safetensors::read("vectors", &read("vectors.safetensors").into()).unwrap();
    let vectors = vectors.tensors["embeddings"].to_f32("embeddings").unwrap().into_owned();
    assert!(texts.len() >= 200, "expected at least 200 texts, got {}", texts.len());
    assert_eq!(texts.len(), golden.cases.len());

    let model = load::model(&trireme_tests::minilm_dir());
    let mut report = Vec::new();
    let (mut least, mut most) = (1.0f64, 0.0f64);
    for ((text, case), expected) in texts.iter().zip(&golden.cases).zip(vectors.chunks(384)) {
        assert_eq!(text.id, case.id);
        let encoded = model.reader().encode_for_vector(&text.text, None, Cut::default()).unwrap();
        let same = encoded.ids.len() == case.tokens && encoded.ids.starts_with(&case.ids);
        if !same {
            let got = &encoded.ids[..encoded.ids.len().min(16)];
            report.push(format!("{}: expected ids {:?}…, got {got:?}…", case.id, case.ids));
        }
        let got = load::embed(&model, &text.text, EmbedOptions::default());
        least = least.min(golden::cosine(&got, expected));
        most = most.max(golden::gap(&got, expected));
        if let Some(fault) = golden::differs(&got, expected) {
            report.push(format!("{}: {fault}", case.id));
        }
    }
    println!("{} texts: min cosine {least:.8}, max difference {most:.2e}", texts.len());
    assert!(report.is_empty(), "{} faults:\n{}", report.len(), report.join("\n"));
}
