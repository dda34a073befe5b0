//! `trireme classify`

use serde::Serialize;
use trireme_domain::wire::Scores;
use trireme_domain::{Code, Fault};
use trireme_server::Opened;
use trireme_service::{Task, Text};

use crate::args::Classify;
use crate::output::Output;
use crate::{host, input};

#[derive(Serialize)]
struct Line<'a> {
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pair: Option<&'a str>,
    label: &'a str,
    score: f32,
    scores: Scores,
}

pub async fn run(args: Classify, opened: &Opened, output: Output) -> Result<(), Fault> {
    let texts = texts(&args)?;
    let cut = args.texts.cut.into();
    let answers = host::answer(opened, texts.clone(), &Task::CLASSES, cut, output).await?;
    let labels = &opened.served.identity.labels;
    let shown = match (args.all, args.top_k) {
        (true, _) => labels.len(),
        (false, count) => count.map_or(1, usize::from),
    };
    for (text, answer) in texts.iter().zip(&answers) {
        let mut ranked: Vec<_> = labels.iter().zip(answer.values.iter().copied()).collect();
        ranked.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        ranked.truncate(shown);
        if output.json {
            output.json(&line(text, &ranked)?)?;
        } else {
            let scores: Vec<_> =
                ranked.iter().map(|(label, score)| format!("{label} {score:.4}")).collect();
            output.result(&format!("{}\t{}", scores.join(", "), text.first))?;
        }
    }
    Ok(())
}

fn texts(args: &Classify) -> Result<Vec<Text>, Fault> {
    let mut texts = input::texts(&args.texts)?;
    if let Some(pair) = &args.pair {
        for text in &mut texts {
            text.second = Some(pair.clone());
        }
    }
    Ok(texts)
}

fn line<'a>(text: &'a Text, ranked: &[(&'a String, f32)]) -> Result<Line<'a>, Fault> {
    let &(label, score) =
        ranked.first().ok_or_else(|| Fault::new(Code::Internal, "the classifier has no class"))?;
    Ok(Line {
        text: &text.first,
        pair: text.second.as_deref(),
        label,
        score,
        scores: Scores(ranked.iter().map(|&(label, score)| (label.clone(), score)).collect()),
    })
}
