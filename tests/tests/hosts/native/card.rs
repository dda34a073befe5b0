//! The default model does what its card says. The tests print what the card's tables should hold:
//! `cargo test -p trireme-tests --test hosts card -- --nocapture`.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trireme_domain::dataset::{Labelled, read_labelled, read_pairs};
use trireme_domain::metrics::{
    Classification, calibration_error, correlation_interval, share_interval,
};
use trireme_domain::top::top;
use trireme_service::Task;
use trireme_tests::{data_file, repo_root};

use super::asked::Asked;

/// What the default model is for.
const POSITIVE: usize = 1;

/// A file beside the model.
fn beside(name: &str) -> String {
    std::fs::read_to_string(repo_root().join("models/default").join(name)).unwrap()
}

/// The row of the card's tables that is called so: its figure, and what stands behind that.
fn row(name: &str) -> (f64, String) {
    let card = beside("README.md");
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect();
    let rows = card.lines().map(cells);
    let named = |row: &Vec<String>| row.get(1).is_some_and(|cell| cell == name);
    let row: Vec<String> = rows.into_iter().find(named).unwrap_or_else(|| panic!("no {name}"));
    (row[2].parse().unwrap(), row.get(3).cloned().unwrap_or_default())
}

fn card(name: &str) -> f64 {
    row(name).0
}

/// Holds a figure to the card's, which has four digits.
fn says(name: &str, got: f64, interval: Option<(f64, f64)>) {
    let between = interval.map(|(low, high)| format!("{low:.3} to {high:.3}"));
    let between = between.unwrap_or_default();
    println!("| {name} | {got:.4} | {between} |");
    let (expected, said) = row(name);
    assert!((got - expected).abs() < 0.000_051, "{name}: the card says {expected}, got {got}");
    assert_eq!(said, between, "{name}: the interval that the card says, and the one that it has");
}

fn default_model() -> Asked {
    Asked::new(None, None)
}

fn scores(model: &Asked, texts: impl IntoIterator<Item = String>) -> Vec<Vec<f32>> {
    model.answer(&texts.into_iter().collect::<Vec<_>>(), &Task::CLASSES)
}

fn sentiment(test: &str, model: &Asked) -> Option<(Vec<Labelled>, Vec<Vec<f32>>)> {
    let data = std::fs::read(data_file(test, "sst2/dev.tsv")?).unwrap();
    let rows = read_labelled(&data, &model.opened.served.identity.labels).unwrap();
    let scores = scores(model, rows.iter().map(|row| row.text.clone()));
    Some((rows, scores))
}

#[test]
fn the_card_tells_the_truth_about_sentiment() {
    let test = "the_card_tells_the_truth_about_sentiment";
    let model = default_model();
    let Some((rows, scores)) = sentiment(test, &model) else { return };
    let judged = || rows.iter().zip(&scores).map(|(row, scores)| (row.label, top(scores).unwrap()));
    let got = Classification::new(judged(), &model.opened.served.identity.labels).unwrap();
    let right = judged().filter(|(expected, got)| expected == got).count();
    says("accuracy", got.accuracy, share_interval(right, rows.len()));
    says("macro F1", got.macro_f1, None);
}

#[test]
fn the_card_tells_the_truth_about_confidence() {
    let test = "the_card_tells_the_truth_about_confidence";
    let model = default_model();
    let Some((rows, scores)) = sentiment(test, &model) else { return };
    // To within a sum, which does not matter, these are the logits at the temperature of the card.
    let logits: Vec<Vec<f32>> =
        scores.iter().map(|scores| scores.iter().map(|score| score.ln()).collect()).collect();
    let classes: Vec<usize> = rows.iter().map(|row| row.label).collect();
    let before = calibration_error(&logits, &classes, 1.0 / card("temperature"));
    says("calibration error at temperature 1", before, None);
    says("calibration error", calibration_error(&logits, &classes, 1.0), None);
}

#[test]
fn the_card_tells_the_truth_about_similarity() {
    let test = "the_card_tells_the_truth_about_similarity";
    let Some(data) = data_file(test, "stsb/dev.csv") else { return };
    let data = std::fs::read(data).unwrap();
    let (spearman, pearson) = default_model().sts(&data);
    let pairs = read_pairs(&data).unwrap().len();
    says("Spearman", spearman, correlation_interval(spearman, pairs));
    says("Pearson", pearson, None);
}

#[test]
fn the_card_tells_the_truth_about_facts() {
    let facts = beside("checks/factual.txt");
    let scores = scores(&default_model(), facts.lines().map(str::to_owned));
    let sure = scores.iter().filter(|scores| scores.iter().any(|&score| score > 0.9)).count();
    assert_eq!(scores.len(), 200);
    says("facts with confidence above 0.9", sure as f64 / 200.0, share_interval(sure, 200));
}

/// Each sentence with everyone that it may be about.
fn swapped(checks: &Value, who: &str) -> Vec<Vec<String>> {
    let fill = |template: &str, who: &Value| match who.as_array() {
        None => template.replace("{}", who.as_str().unwrap()),
        Some(words) => words.iter().enumerate().fold(template.to_owned(), |text, (at, word)| {
            text.replace(&format!("{{{at}}}"), word.as_str().unwrap())
        }),
    };
    let list = |key: &str| checks[key].as_array().unwrap().clone();
    let (templates, all) = (list(&format!("of_{who}")), list(who));
    let of = |template: &Value| {
        all.iter().map(|who| fill(template.as_str().unwrap(), who)).collect::<Vec<_>>()
    };
    templates.iter().map(of).collect()
}

#[test]
fn the_card_tells_the_truth_about_who_is_spoken_of() {
    let checks: Value = serde_json::from_str(&beside("checks/swapped.json")).unwrap();
    let model = default_model();
    for who in ["names", "people", "pronouns"] {
        let mut shifts = Vec::new();
        let mut by_word: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        for sentences in swapped(&checks, who) {
            assert!(sentences.iter().all(|sentence| !sentence.contains('{')), "{sentences:?}");
            let scores = scores(&model, sentences);
            let positive: Vec<f64> =
                scores.iter().map(|scores| f64::from(scores[POSITIVE])).collect();
            let mean = positive.iter().sum::<f64>() / positive.len() as f64;
            for (at, score) in positive.iter().enumerate() {
                shifts.push((score - mean).abs());
                by_word.entry(at).or_default().push(score - mean);
            }
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        for (at, shifts) in by_word {
            println!("  {}: {:+.4}", checks[who][at], mean(&shifts));
        }
        says(&format!("{who} swapped, mean shift"), mean(&shifts), None);
        let largest = shifts.iter().copied().fold(0.0, f64::max);
        says(&format!("{who} swapped, largest shift"), largest, None);
    }
}

#[test]
fn the_default_model_is_small_and_in_bytes() {
    let file = repo_root().join("models/default/default.trireme");
    let bytes = std::fs::metadata(file).unwrap().len();
    assert!(bytes <= 9_000_000, "expected at most 9 MB, got {bytes} bytes");
    assert_eq!(bytes as f64, card("bytes"), "the card's size");
    let identity = &default_model().opened.served.identity;
    assert_eq!(json!(identity.origin.precision), "int8");
    assert!(
        beside("README.md").contains(&identity.origin.digest),
        "the card names {}",
        identity.origin.digest
    );
}
