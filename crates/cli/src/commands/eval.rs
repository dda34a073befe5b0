//! `trireme eval`

use std::path::Path;
use std::time::Instant;

use serde::Serialize;
use trireme_domain::metrics::{Classification, pearson, spearman};
use trireme_domain::similarity::cosine;
use trireme_domain::top::top;
use trireme_domain::{Code, Fault, dataset};
use trireme_model::{Cut, EmbedOptions, ModelError};
use trireme_server::Opened;
use trireme_service::{Answer, Task, Text, from_model};

use crate::args::{Eval, EvalTask};
use crate::output::Output;
use crate::{host, input};

/// What a measurement found.
#[derive(Serialize)]
struct Report {
    n: usize,
    #[serde(flatten)]
    scores: Scores,
    elapsed_ms: u128,
    tokens: usize,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Scores {
    Sts { spearman: Option<f64>, pearson: Option<f64> },
    Classify(Classification),
}

pub async fn run(args: Eval, opened: &Opened, output: Output) -> Result<(), Fault> {
    let cut = args.cut.into();
    let report = match args.task {
        EvalTask::Sts => sts(&read_pairs(&args.data)?, opened, cut, output).await?,
        EvalTask::Classify => {
            let rows = read_labelled(&args.data, &opened.served.identity.labels)?;
            classify(&rows, opened, cut, output).await?
        }
    };
    if output.json { output.json(&report) } else { print(&report, output) }
}

/// Sentence pairs with scores.
pub fn read_pairs(file: &Path) -> Result<Vec<dataset::ScoredPair>, Fault> {
    let bytes = input::table(file, input::read(file)?)?;
    dataset::read_pairs(&bytes).map_err(|e| input::invalid(file, e))
}

/// Texts with one of these classes each.
pub fn read_labelled(file: &Path, labels: &[String]) -> Result<Vec<dataset::Labelled>, Fault> {
    if labels.is_empty() {
        return Err(from_model(&ModelError::NoHead));
    }
    let bytes = input::table(file, input::read(file)?)?;
    dataset::read_labelled(&bytes, labels).map_err(|e| input::invalid(file, e))
}

async fn sts(
    pairs: &[dataset::ScoredPair],
    opened: &Opened,
    cut: Cut,
    output: Output,
) -> Result<Report, Fault> {
    let texts: Vec<Text> = pairs
        .iter()
        .flat_map(|pair| [&pair.first, &pair.second])
        .map(|text| Text::from(text.clone()))
        .collect();
    let task = Task::Embed { options: EmbedOptions::default(), prompt: None };
    let started = Instant::now();
    let answers = host::answer(opened, texts, &task, cut, output).await?;
    let elapsed_ms = started.elapsed().as_millis();
    let vectors: Vec<&[f32]> = answers.iter().map(|answer| answer.values.as_slice()).collect();
    let (got, expected) = (cosines(&vectors), scores(pairs));
    let (spearman, pearson) = (spearman(&expected, &got), pearson(&expected, &got));
    let scores = Scores::Sts { spearman, pearson };
    Ok(Report { n: pairs.len(), scores, elapsed_ms, tokens: tokens(&answers) })
}

async fn classify(
    rows: &[dataset::Labelled],
    opened: &Opened,
    cut: Cut,
    output: Output,
) -> Result<Report, Fault> {
    let texts = rows.iter().map(|row| Text::from(row.text.clone())).collect();
    let started = Instant::now();
    let answers = host::answer(opened, texts, &Task::CLASSES, cut, output).await?;
    let elapsed_ms = started.elapsed().as_millis();
    let scores = judge(rows, &answers, &opened.served.identity.labels)?;
    let scores = Scores::Classify(scores);
    Ok(Report { n: rows.len(), scores, elapsed_ms, tokens: tokens(&answers) })
}

/// The cosine of each two vectors.
pub fn cosines(vectors: &[&[f32]]) -> Vec<f64> {
    vectors.chunks_exact(2).map(|pair| cosine(pair[0], pair[1])).collect()
}

/// What people said of each pair.
pub fn scores(pairs: &[dataset::ScoredPair]) -> Vec<f64> {
    pairs.iter().map(|pair| pair.score).collect()
}

/// How often the likeliest class is the right one.
pub fn judge(
    rows: &[dataset::Labelled],
    answers: &[Answer],
    labels: &[String],
) -> Result<Classification, Fault> {
    let judged = rows
        .iter()
        .zip(answers)
        .filter_map(|(row, answer)| Some((row.label, top(&answer.values)?)));
    Classification::new(judged, labels)
        .ok_or_else(|| Fault::new(Code::InvalidData, "the data name a class that there is not"))
}

fn tokens(answers: &[Answer]) -> usize {
    answers.iter().map(|answer| answer.tokens).sum()
}

fn print(report: &Report, output: Output) -> Result<(), Fault> {
    let Report { n, scores, elapsed_ms, tokens } = report;
    let number = |value: &Option<f64>| value.map_or("undefined".into(), |v| format!("{v:.6}"));
    match scores {
        Scores::Sts { spearman, pearson } => {
            output.result(&format!("spearman  {}", number(spearman)))?;
            output.result(&format!("pearson   {}", number(pearson)))?;
        }
        Scores::Classify(scores) => {
            output.result(&format!("accuracy  {:.6}", scores.accuracy))?;
            output.result(&format!("macro F1  {:.6}", scores.macro_f1))?;
            for class in &scores.per_class {
                output.result(&format!(
                    "{}: precision {:.4}, recall {:.4}, F1 {:.4} on {} texts",
                    class.name, class.precision, class.recall, class.f1, class.support
                ))?;
            }
        }
    }
    output.result(&format!("{n} rows, {tokens} tokens, {elapsed_ms} ms"))
}
