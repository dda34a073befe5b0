//! Tiny models of every architecture, head and container.

use std::path::Path;

use trireme_backend::Backend;
use trireme_cpu::{Inline, Lane};
use trireme_model::{Cut, EmbedOptions, Model, Want};

use crate::golden::{self, Case, Golden};
use crate::load;

/// Everything about a case that is not as the reference has it.
pub fn faults<B: Backend>(model: &Model<B>, case: &Case) -> Vec<String> {
    let cut = Cut::default();
    let encoded = match case.embedding {
        Some(_) => model.reader().encode_for_vector(&case.text, case.prompt_name.as_deref(), cut),
        None => model.reader().encode(&case.text, case.pair.as_deref(), cut),
    };
    let encoded = match encoded {
        Ok(encoded) => encoded,
        Err(error) => return vec![format!("does not encode: {error}")],
    };
    let mut faults = Vec::new();
    if encoded.ids != case.ids {
        faults.push(format!("ids: expected {:?}, got {:?}", case.ids, encoded.ids));
    }
    if encoded.type_ids != case.type_ids {
        faults.push(format!("types: expected {:?}, got {:?}", case.type_ids, encoded.type_ids));
    }
    if encoded.offsets != case.offsets {
        faults.push(format!("offsets: expected {:?}, got {:?}", case.offsets, encoded.offsets));
    }
    if let Some(expected) = &case.embedding {
        let want = model.vectors(EmbedOptions::default()).unwrap();
        let row = load::run(model, &[encoded], want).unwrap().remove(0);
        faults
            .extend(golden::differs(&model.finish_vector(row, EmbedOptions::default()), expected));
    } else if let Some(expected) = &case.scores {
        let row = load::run(model, &[encoded], Want::Logits).unwrap().remove(0);
        let got = model.finish_scores(row);
        if golden::gap(&got, expected) > 1e-4 {
            faults.push(format!("scores: expected {expected:?}, got {got:?}"));
        }
    } else {
        faults.push("the golden has neither a vector nor scores".to_owned());
    }
    faults
}

/// Runs all cases of `golden` on the model of `folder`, on every lane, and reports all faults.
pub fn check(folder: &Path, golden: &Golden) {
    let checkpoint = load::checkpoint(folder);
    let mut report = Vec::new();
    for lane in Lane::all() {
        let model = load::model_on(&checkpoint, lane, Box::new(Inline));
        if !golden.labels.is_empty() {
            let names = model.labels().map(|labels| &labels.names);
            assert_eq!(names, Some(&golden.labels), "labels");
        }
        for case in &golden.cases {
            for fault in faults(&model, case) {
                report.push(format!("{} on {}: {fault}", case.id, lane.name()));
            }
        }
    }
    assert!(golden.cases.len() >= 30, "a golden has at least thirty cases");
    let all = golden.cases.len() * Lane::all().len();
    assert!(report.is_empty(), "{} of {all} are off:\n{}", report.len(), report.join("\n"));
}

/// One test for each tiny model, so that a failure names the architecture.
macro_rules! models {
    ($($test:ident = $folder:literal;)*) => {$(
        #[test]
        fn $test() {
            let folder = load::tiny($folder);
            check(&folder, &golden::read(&folder));
        }
    )*};
}

models! {
    bert_pools_the_mean = "bert-embed";
    bert_pools_the_first = "bert-embed-cls";
    bert_pools_the_largest = "bert-embed-max";
    bert_pools_the_last = "bert-embed-last";
    bert_adds_a_dense_layer = "bert-embed-dense";
    bert_puts_a_prompt_first = "bert-embed-prompt";
    bert_stops_at_the_sentence_limit = "bert-short";
    bert_with_relu = "bert-relu";
    bert_classifies = "bert-classify";
    bert_gives_many_labels = "bert-multilabel";
    bert_scores_pairs = "bert-cross";
    distilbert_embeds = "distilbert-embed";
    distilbert_classifies = "distilbert-classify";
    roberta_embeds = "roberta-embed";
    roberta_classifies = "roberta-classify";
    roberta_with_tanh_gelu = "roberta-gelu-new";
    xlm_roberta_embeds = "xlmr-embed";
    xlm_roberta_classifies = "xlmr-classify";
    electra_embeds = "electra-embed";
    electra_classifies = "electra-classify";
    mpnet_embeds = "mpnet-embed";
    mpnet_classifies = "mpnet-classify";
}

/// The same weights in another container, against the same golden or one of its own.
macro_rules! containers {
    ($($test:ident = $folder:literal;)*) => {$(
        #[test]
        fn $test() {
            let folder = load::goldens().join("variants").join($folder);
            let own = folder.join("golden.json").exists();
            let golden = if own { folder.clone() } else { load::tiny("bert-embed") };
            check(&folder, &golden::read(&golden));
        }
    )*};
}

containers! {
    sharded_safetensors_load = "sharded";
    a_torch_file_loads = "pytorch-bin";
    a_torch_file_from_before_zip_loads = "pytorch-legacy";
    sharded_torch_files_load = "pytorch-sharded";
    tensorflow_names_load = "tf-names";
    a_bare_vocabulary_loads = "vocab-only";
    modules_of_2020_load = "pooling-old-style";
    the_tokenizer_config_decides_on_case = "lowercase-by-config";
    half_precision_loads = "f16";
    brain_floats_load = "bf16";
    the_tokenizer_config_decides_where_to_cut = "truncation-left";
    the_tokenizers_class_decides_on_case_where_no_key_does = "no-case-key";
    the_tokenizer_config_decides_on_leading_space = "prefix-space";
    the_sentence_config_of_old_is_found = "sentence-roberta";
    a_cross_encoder_may_give_raw_scores = "cross-identity";
    camembert_embeds = "camembert";
}

#[test]
fn every_tiny_model_has_a_test() {
    let named = include_str!("tiny.rs");
    for folder in ["tiny", "variants"] {
        for entry in std::fs::read_dir(load::goldens().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(named.contains(&format!("\"{name}\";")), "no test names {folder}/{name}");
        }
    }
}
