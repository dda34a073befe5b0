//! What models score on real data, held against the reference's figures and the model card's.

use trireme_cpu::Lane;
use trireme_domain::Code;
use trireme_domain::dataset::{read_labelled, read_pairs};
use trireme_domain::metrics::{Classification, pearson, spearman};
use trireme_domain::similarity::cosine;
use trireme_domain::top::top;
use trireme_model::{Cut, EmbedOptions};
use trireme_server::{ModelSettings, Opened, Precision, open};
use trireme_service::{Job, Task, Text};

use super::running::settings;

/// A model, and answers from it.
struct Asked {
    runtime: tokio::runtime::Runtime,
    opened: Opened,
}

impl Asked {
    fn new(model: Option<String>) -> Self {
        Self::with(model, Precision::F32)
    }

    fn with(model: Option<String>, precision: Precision) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let opened = runtime
            .block_on(open(&ModelSettings { precision: Some(precision), ..settings(model) }))
            .unwrap();
        Self { runtime, opened }
    }

    fn answer(&self, texts: Vec<String>, task: Task) -> Vec<Vec<f32>> {
        let texts = texts.into_iter().map(Text::from).collect();
        let job = Job { texts, task, cut: Cut::default() };
        let answers = self.runtime.block_on(self.opened.service.compute.submit(job)).unwrap();
        answers.into_iter().map(|answer| answer.unwrap().values).collect()
    }

    fn vectors(&self, texts: Vec<String>) -> Vec<Vec<f32>> {
        self.answer(texts, Task::Embed { options: EmbedOptions::default(), prompt: None })
    }

    /// Spearman and Pearson on the STS Benchmark's dev split.
    fn sts(&self, data: &[u8]) -> (f64, f64) {
        let pairs = read_pairs(data).unwrap();
        let texts = pairs.iter().flat_map(|pair| [pair.first.clone(), pair.second.clone()]);
        let vectors = self.vectors(texts.collect());
        let got: Vec<f64> =
            vectors.chunks_exact(2).map(|pair| cosine(&pair[0], &pair[1])).collect();
        let expected: Vec<f64> = pairs.iter().map(|pair| pair.score).collect();
        (spearman(&expected, &got).unwrap(), pearson(&expected, &got).unwrap())
    }
}

fn near(what: &str, got: f64, expected: f64, tolerance: f64) {
    println!("{what}: expected {expected:.6}, got {got:.6}");
    assert!((got - expected).abs() <= tolerance, "{what}: expected {expected}, got {got}");
}

/// `tests/goldens/sts_reference.py` prints these for sentence-transformers 6.2.
#[test]
fn minilm_scores_what_sentence_transformers_scores() {
    let test = "minilm_scores_what_sentence_transformers_scores";
    let Some(data) = trireme_tests::data_file(test, "stsb/dev.csv") else { return };
    let model = Asked::new(Some(trireme_tests::minilm_dir().display().to_string()));
    let (spearman, pearson) = model.sts(&std::fs::read(data).unwrap());
    near("MiniLM, Spearman", spearman, 0.867_163, 0.0005);
    near("MiniLM, Pearson", pearson, 0.869_619, 0.0005);
}

fn minilm(precision: Precision) -> Asked {
    Asked::with(Some(trireme_tests::minilm_dir().display().to_string()), precision)
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
    let singles = minilm(Precision::F32).vectors(texts.clone());
    for (precision, _, smallest, usual) in precisions() {
        let name = precision.name();
        let vectors = minilm(precision).vectors(texts.clone());
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

/// The figure in the row of the card's table that begins so.
fn card(row: &str) -> f64 {
    let card = trireme_tests::repo_root().join("models/default/README.md");
    let card = std::fs::read_to_string(card).unwrap();
    let line = card.lines().find(|line| line.contains(row)).unwrap_or_else(|| panic!("no {row}"));
    line.split('|').rev().find_map(|cell| cell.trim().parse().ok()).unwrap()
}

#[test]
fn the_default_models_card_tells_the_truth_about_sentiment() {
    let test = "the_default_models_card_tells_the_truth_about_sentiment";
    let Some(data) = trireme_tests::data_file(test, "sst2/dev.tsv") else { return };
    let model = Asked::new(None);
    let labels = model.opened.service.identity.labels.clone();
    let rows = read_labelled(&std::fs::read(data).unwrap(), &labels).unwrap();
    let answers = model.answer(rows.iter().map(|row| row.text.clone()).collect(), Task::Classify);
    let judged = rows.iter().zip(&answers).map(|(row, scores)| (row.label, top(scores).unwrap()));
    let got = Classification::new(judged, &labels).unwrap();
    near("default, accuracy", got.accuracy, card("| accuracy |"), 0.002);
    near("default, macro F1", got.macro_f1, card("| macro F1 |"), 0.002);
}

#[test]
fn the_default_models_card_tells_the_truth_about_similarity() {
    let test = "the_default_models_card_tells_the_truth_about_similarity";
    let Some(data) = trireme_tests::data_file(test, "stsb/dev.csv") else { return };
    let (spearman, pearson) = Asked::new(None).sts(&std::fs::read(data).unwrap());
    near("default, Spearman", spearman, card("| Spearman |"), 0.002);
    near("default, Pearson", pearson, card("| Pearson |"), 0.002);
}

#[test]
fn the_default_model_is_small() {
    let folder = trireme_tests::repo_root().join("models/default");
    let bytes: u64 = ["model.safetensors", "tokenizer.json", "config.json"]
        .iter()
        .map(|name| std::fs::metadata(folder.join(name)).unwrap().len())
        .sum();
    assert!(bytes <= 4_000_000, "expected at most 4 MB, got {bytes} bytes");
}
