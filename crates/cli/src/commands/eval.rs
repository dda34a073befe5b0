//! `trireme eval`

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
    let bytes = input::read(&args.data)?;
    let shown = args.data.display();
    let invalid = |e| Fault::new(Code::InvalidData, format!("{shown}: {e}"));
    let cut = args.cut.into();
    let report = match args.task {
        EvalTask::Sts => {
            let pairs = dataset::read_pairs(&bytes).map_err(invalid)?;
            sts(&pairs, opened, cut, output).await?
        }
        EvalTask::Classify => {
            let labels = &opened.service.identity.labels;
            if labels.is_empty() {
                return Err(from_model(&ModelError::NoHead));
            }
            let rows = dataset::read_labelled(&bytes, labels).map_err(invalid)?;
            classify(&rows, opened, cut, output).await?
        }
    };
    if output.json { output.json(&report) } else { print(&report, output) }
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
    let got: Vec<f64> =
        answers.chunks_exact(2).map(|pair| cosine(&pair[0].values, &pair[1].values)).collect();
    let expected: Vec<f64> = pairs.iter().map(|pair| pair.score).collect();
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
    let answers = host::answer(opened, texts, &Task::Classify, cut, output).await?;
    let elapsed_ms = started.elapsed().as_millis();
    let judged = rows
        .iter()
        .zip(&answers)
        .filter_map(|(row, answer)| Some((row.label, top(&answer.values)?)));
    let scores = Classification::new(judged, &opened.service.identity.labels)
        .ok_or_else(|| Fault::new(Code::InvalidData, "the data name a class that there is not"))?;
    let scores = Scores::Classify(scores);
    Ok(Report { n: rows.len(), scores, elapsed_ms, tokens: tokens(&answers) })
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
