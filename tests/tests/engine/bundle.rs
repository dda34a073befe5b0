//! Bundles: one file that is the model, and nothing but the model.

use bytes::Bytes;
use trireme_cpu::{Cpu, Inline, Lane};
use trireme_model::weights::{Dtype, safetensors};
use trireme_model::{Bundle, Checkpoint, EmbedOptions, Model, ModelError, Precision};

use crate::{golden, load};

fn packed(folder: &str, store: Option<Dtype>) -> Bytes {
    let checkpoint = load::checkpoint(&load::tiny(folder));
    Bundle::new(&checkpoint, store).unwrap().pieces().flatten().copied().collect()
}

#[test]
fn a_bundle_answers_as_its_folder_does() {
    for folder in ["bert-embed-dense", "roberta-embed", "mpnet-embed", "electra-embed"] {
        let bundle = packed(folder, None);
        let checkpoint = Checkpoint::from_bundle(&bundle).unwrap();
        let from_bundle = load::model_on(&checkpoint, Lane::detect(), Box::new(Inline));
        let from_folder = load::model(&load::tiny(folder));
        assert_eq!(from_bundle.digest(), from_folder.digest(), "{folder}: digest");
        for text in ["A quiet harbour.", "", "two oars"] {
            let got = load::embed(&from_bundle, text, EmbedOptions::default());
            let expected = load::embed(&from_folder, text, EmbedOptions::default());
            assert_eq!(got, expected, "{folder}: {text:?}");
        }
    }
}

#[test]
fn packing_twice_gives_the_same_bytes_and_packing_a_bundle_changes_nothing() {
    let once = packed("bert-embed-dense", None);
    assert_eq!(once, packed("bert-embed-dense", None));
    let again = Checkpoint::from_bundle(&once).unwrap();
    let again: Bytes = Bundle::new(&again, None).unwrap().pieces().flatten().copied().collect();
    assert_eq!(once, again);
}

/// On this machine's best lane, in the precision that its weights are kept in unless another is
/// asked for.
fn model_in(checkpoint: &Checkpoint, asked: Option<Precision>) -> Model<Cpu> {
    let precision = checkpoint.precision(asked).unwrap();
    let cpu = Cpu::new(Box::new(Inline), Lane::detect()).with_precision(precision);
    Model::new(cpu, checkpoint).unwrap()
}

#[test]
fn a_quantised_bundle_answers_with_the_bits_of_its_folder_in_that_precision() {
    for folder in ["bert-embed-dense", "roberta-embed", "mpnet-embed", "electra-embed"] {
        let plain = load::checkpoint(&load::tiny(folder));
        for precision in [Precision::Int8, Precision::Int4] {
            let kept = plain.quantized(precision).unwrap();
            let kept: Bytes =
                Bundle::new(&kept, None).unwrap().pieces().flatten().copied().collect();
            assert!(kept.len() < packed(folder, None).len(), "{folder} did not become smaller");
            let kept = Checkpoint::from_bundle(&kept).unwrap();
            assert_eq!(kept.kept(), precision, "{folder}");
            let (kept, plain) = (model_in(&kept, None), model_in(&plain, Some(precision)));
            for text in ["A quiet harbour.", "", "two oars"] {
                let got = load::embed(&kept, text, EmbedOptions::default());
                let expected = load::embed(&plain, text, EmbedOptions::default());
                assert_eq!(got, expected, "{folder} in {precision:?}: {text:?}");
            }
        }
    }
}

#[test]
fn a_quantised_bundle_can_be_computed_in_singles_but_not_in_other_bytes() {
    let plain = load::checkpoint(&load::tiny("bert-embed"));
    let kept = plain.quantized(Precision::Int8).unwrap();
    let embed = |model| load::embed(&model, "A quiet harbour.", EmbedOptions::default());
    let (plain, singles) =
        (embed(model_in(&plain, None)), embed(model_in(&kept, Some(Precision::F32))));
    let near = trireme_domain::similarity::cosine(&plain, &singles);
    assert!(near > 0.999 && plain != singles, "expected nearly 1, got {near}");
    let refused = kept.quantized(Precision::Int4).unwrap_err();
    assert!(
        matches!(refused, ModelError::Precision { kept: Precision::Int8, asked: Precision::Int4 }),
        "{refused}"
    );
}

#[test]
fn a_quantised_bundle_without_its_scales_is_damaged() {
    let kept = load::checkpoint(&load::tiny("bert-embed")).quantized(Precision::Int4).unwrap();
    let kept: Vec<u8> = Bundle::new(&kept, None).unwrap().pieces().flatten().copied().collect();
    let header = 8 + u64::from_le_bytes(*kept.first_chunk().unwrap()) as usize;
    let (header, data) = kept.split_at(header);
    for part in ["scales", "steps"] {
        // Another name of the same length: the tensor is there, and belongs to nothing.
        let lost = format!(".{}", "x".repeat(part.len()));
        let text = String::from_utf8_lossy(&header[8..]).replace(&format!(".{part}"), &lost);
        let broken = [&header[..8], text.as_bytes(), data].concat();
        let got = Checkpoint::from_bundle(&broken.into()).unwrap_err().to_string();
        assert!(got.contains(&format!("has no {part}")), "without {part}: {got}");
    }
}

#[test]
fn a_container_does_not_change_the_digest_but_a_weight_does() {
    let digest = |folder: &str| load::checkpoint(&load::goldens().join(folder)).digest();
    let expected = digest("tiny/bert-embed");
    for folder in ["variants/sharded", "variants/pytorch-bin", "variants/pytorch-legacy"] {
        assert_eq!(digest(folder), expected, "{folder}");
    }
    assert_ne!(digest("variants/f16"), expected);
}

#[test]
fn half_precision_halves_the_weights_and_keeps_the_answer() {
    let (full, half) = (packed("bert-embed", None), packed("bert-embed", Some(Dtype::F16)));
    let contents = safetensors::read("half", &half).unwrap();
    let weights: usize = contents
        .tensors
        .iter()
        .filter(|(name, _)| !name.starts_with("file/"))
        .map(|(name, tensor)| {
            assert_eq!(tensor.dtype, Dtype::F16, "{name}");
            tensor.data.len()
        })
        .sum();
    assert!(full.len() - half.len() >= weights, "{} to {}", full.len(), half.len());
    let model = |bytes: &Bytes| {
        let checkpoint = Checkpoint::from_bundle(bytes).unwrap();
        load::model_on(&checkpoint, Lane::detect(), Box::new(Inline))
    };
    let text = "A quiet harbour.";
    let got = load::embed(&model(&half), text, EmbedOptions::default());
    let expected = load::embed(&model(&full), text, EmbedOptions::default());
    let cosine = golden::cosine(&got, &expected);
    assert!(cosine > 0.999, "expected nearly the same vector, got cosine {cosine}");
}

#[test]
fn weights_in_a_bundle_lie_where_they_can_be_read_in_place() {
    let bundle = packed("bert-embed-dense", None);
    let contents = safetensors::read("bundle", &bundle).unwrap();
    assert_eq!(contents.data_start % 64, 0, "data begin at {}", contents.data_start);
    for (name, tensor) in &contents.tensors {
        let at = tensor.data.as_ptr() as usize - bundle.as_ptr() as usize;
        assert_eq!(at % tensor.dtype.size(), 0, "{name} begins at {at}");
    }
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let bundle = packed("bert-embed", None);
    let text = b"\"trireme.format\":\"1\"";
    let at = bundle.windows(text.len()).position(|window| window == text).unwrap();
    let mut newer = bundle.to_vec();
    newer[at + text.len() - 2] = b'9';
    let got = Checkpoint::from_bundle(&newer.into()).unwrap_err();
    let expected = ModelError::BundleFormat { found: "9".into(), known: "1" };
    assert_eq!(got.to_string(), expected.to_string());
}

#[test]
fn a_models_weights_are_no_bundle() {
    let weights = std::fs::read(load::tiny("bert-embed").join("model.safetensors")).unwrap();
    let got = Checkpoint::from_bundle(&weights.into()).unwrap_err().to_string();
    let expected = "this is a safetensors file, but no bundle; give the folder that it lies in";
    assert_eq!(got, expected);
}

#[test]
fn a_changed_byte_is_found_wherever_it_is() {
    let bundle = packed("bert-embed", None);
    let start = safetensors::read("bundle", &bundle).unwrap().data_start;
    for at in [start, start + 1000, bundle.len() - 1] {
        let mut changed = bundle.to_vec();
        changed[at] ^= 1;
        let got = Checkpoint::from_bundle(&changed.into()).unwrap_err();
        assert!(matches!(got, ModelError::BundleDigest { .. }), "byte {at}: got {got}");
    }
}

#[test]
fn a_truncated_bundle_is_damaged_and_never_a_panic() {
    let bundle = packed("bert-embed", None);
    let step = bundle.len() / 300;
    for end in (0..bundle.len()).step_by(step) {
        let got = Checkpoint::from_bundle(&bundle.slice(..end)).unwrap_err();
        assert!(matches!(got, ModelError::Damaged { .. }), "cut at {end}: got {got}");
    }
}
