//! How good a model's answers are, and how near to those of another.

use std::path::Path;

use serde::Serialize;
use trireme_domain::Fault;
use trireme_domain::dataset::{Labelled, ScoredPair};
use trireme_domain::metrics::spearman;
use trireme_domain::similarity::cosine;
use trireme_model::{Cut, EmbedOptions};
use trireme_server::Opened;
use trireme_service::{Answer, Task, Text};

use super::eval::{cosines, judge, read_labelled, read_pairs, scores};
use crate::host;
use crate::output::Output;

/// Texts to ask where there are no data.
const SENTENCES: &str = include_str!("sentences.txt");

/// What models are asked, to be compared.
pub struct Questions {
    pairs: Vec<ScoredPair>,
    labelled: Vec<Labelled>,
    /// The classes that those are of.
    labels: Vec<String>,
    pub texts: Vec<String>,
}

/// What a model answered.
pub struct Answered {
    pub vectors: Vec<Answer>,
    pub spearman: Option<f64>,
    pub accuracy: Option<f64>,
}

/// How near vectors are to others of the same texts.
#[derive(Serialize, Clone, Copy)]
pub struct Cosines {
    pub texts: usize,
    pub median: f64,
    pub smallest: f64,
}

/// The sentences that are asked where nobody brings any.
pub fn sentences() -> Vec<String> {
    SENTENCES.lines().map(str::to_owned).collect()
}

impl Questions {
    /// From files of scored pairs and of labelled texts, where there are any.
    pub fn read(
        sts: Option<&Path>,
        classify: Option<&Path>,
        labels: &[String],
    ) -> Result<Self, Fault> {
        let pairs = sts.map(read_pairs).transpose()?.unwrap_or_default();
        let labelled = classify.map(|file| read_labelled(file, labels));
        let labelled = labelled.transpose()?.unwrap_or_default();
        let of_pairs = pairs.iter().flat_map(|pair| [pair.first.clone(), pair.second.clone()]);
        let mut texts: Vec<String> =
            of_pairs.chain(labelled.iter().map(|row| row.text.clone())).collect();
        if texts.is_empty() {
            texts = sentences();
        }
        Ok(Self { pairs, labelled, labels: labels.to_vec(), texts })
    }

    /// Asks a model all of them.
    pub async fn ask(&self, opened: &Opened, output: Output) -> Result<Answered, Fault> {
        let ask = async |texts: &[String], task: Task| {
            let texts = texts.iter().cloned().map(Text::from).collect();
            host::answer(opened, texts, &task, Cut::default(), output).await
        };
        let task = Task::Embed { options: EmbedOptions::default(), prompt: None };
        let vectors = ask(&self.texts, task).await?;
        let labels = &opened.served.identity.labels;
        let accuracy = match self.labelled.as_slice() {
            // Another model may name other classes, or none.
            rows if rows.is_empty() || **labels != *self.labels => None,
            rows => {
                let texts: Vec<String> = rows.iter().map(|row| row.text.clone()).collect();
                let answers = ask(&texts, Task::CLASSES).await?;
                Some(judge(rows, &answers, labels)?.accuracy)
            }
        };
        Ok(self.answered(vectors, accuracy))
    }

    /// What vectors of all of them say.
    pub fn answered(&self, vectors: Vec<Answer>, accuracy: Option<f64>) -> Answered {
        let of_pairs = vectors.iter().take(2 * self.pairs.len());
        let of_pairs: Vec<&[f32]> = of_pairs.map(|answer| answer.values.as_slice()).collect();
        let spearman = spearman(&scores(&self.pairs), &cosines(&of_pairs));
        Answered { vectors, spearman, accuracy }
    }
}

impl Cosines {
    /// Of vectors that are as long as those before; none of others.
    pub fn between(before: &Answered, after: &Answered) -> Option<Self> {
        let vectors = before.vectors.iter().zip(&after.vectors);
        let long = |(a, b): (&Answer, &Answer)| a.values.len() == b.values.len();
        if !vectors.clone().all(long) {
            return None;
        }
        let mut cosines: Vec<f64> = vectors.map(|(a, b)| cosine(&a.values, &b.values)).collect();
        cosines.sort_by(f64::total_cmp);
        let (&smallest, &median) = (cosines.first()?, cosines.get(cosines.len() / 2)?);
        Some(Self { texts: cosines.len(), median, smallest })
    }
}
