//! What MiniLM scores on real data, held against the reference's figures.

use trireme_cpu::Lane;
use trireme_domain::Code;
use trireme_domain::similarity::cosine;
use trireme_server::{ModelSettings, Precision, open};

use super::asked::{Asked, near};
use super::running::settings;

/// `tests/goldens/sts_reference.py` prints these for sentence-transformers 6.2.
#[test]
fn minilm_scores_what_sentence_transformers_scores() {
    let test = "minilm_scores_what_sentence_transformers_scores";
    let Some(data) = trireme_tests::data_file(test, "stsb/dev.csv") else { return };
    let model = minilm(Precision::F32);
    let (spearman, pearson) = model.sts(&std::fs::read(data).unwrap());
    near("MiniLM, Spearman", spearman, 0.867_163, 0.0005);
    near("MiniLM, Pearson", pearson, 0.869_619, 0.0005);
}

fn minilm(precision: Precision) -> Asked {
    Asked::new(Some(trireme_tests::minilm_dir().display().to_string()), Some(precision))
}

/// The precisions beside singles that this machine has, and how near they stay to them: the gap in
/// Spearman, and the smallest and the median cosine on all golden texts.
fn precisions() -> Vec<(Precision, f64, f64, f64)> {
    let mut all =
        vec![(Precision::Int8, 0.003, 0.995, 0.999), (Precision::Int4, 0.005, 0.85, 0.95)];
    if Lane::detect().has_halves() {
        all.push((Precision::Bf16, 0.001, 0.999, 0.9999));
    }
    all
}

#[test]
fn minilm_in_fewer_bits_ranks_like_minilm_in_singles() {
    let test = "minilm_in_fewer_bits_ranks_like_minilm_in_singles";
    let Some(data) = trireme_tests::data_file(test, "stsb/dev.csv") else { return };
    let data = std::fs::read(data).unwrap();
    for (precision, gap, ..) in precisions() {
        let (spearman, _) = minilm(precision).sts(&data);
        near(&format!("MiniLM in {}, Spearman", precision.name()), spearman, 0.867_163, gap);
    }
}

#[test]
fn minilm_in_fewer_bits_points_where_minilm_in_singles_does() {
    let texts = crate::bits::texts();
    let singles = minilm(Precision::F32).vectors(&texts);
    for (precision, _, smallest, usual) in precisions() {
        let name = precision.name();
        let vectors = minilm(precision).vectors(&texts);
        let mut cosines: Vec<(f64, &String)> =
            vectors.iter().zip(&singles).map(|(a, b)| cosine(a, b)).zip(&texts).collect();
        cosines.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (worst, text) = cosines[0];
        let median = cosines[cosines.len() / 2].0;
        println!("MiniLM in {name}: median cosine {median:.6}, smallest {worst:.6}");
        assert!(worst >= smallest, "{name}: expected {smallest}, got {worst} on {text:?}");
        assert!(median >= usual, "{name}: expected {usual} at least, got {median}");
    }
}

#[test]
fn a_lane_without_halves_refuses_them_by_name() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let lane = Some("portable".to_owned());
    let asked = ModelSettings { precision: Some(Precision::Bf16), lane, ..settings(None) };
    let Err(fault) = runtime.block_on(open(&asked)) else { panic!("it was opened") };
    assert_eq!(fault.code, Code::UnsupportedHere, "{fault}");
    assert!(fault.message.contains("bf16") && fault.message.contains("portable"), "{fault}");
}
