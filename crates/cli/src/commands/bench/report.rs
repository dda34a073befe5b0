//! What was measured, as a table.

use std::fmt;

use serde::Serialize;
use trireme_domain::metrics::percentile;

use super::turn::{Asked, Turn};
use crate::commands::quality::{Answered, Cosines};

/// All that was measured.
#[derive(Serialize)]
pub struct Report {
    pub model: String,
    /// What was asked for: classes or vectors.
    pub task: Asked,
    pub threads: usize,
    pub rows: Vec<Row>,
}

/// One way to have answers.
#[derive(Serialize)]
pub struct Row {
    pub name: String,
    /// Of the model as a file.
    pub bytes: Option<usize>,
    /// What its process holds while it answers.
    pub memory: Option<u64>,
    /// Milliseconds of a text alone, the median.
    pub p50: f64,
    /// What 99 of 100 keep to.
    pub p99: f64,
    pub texts_per_second: f64,
    pub tokens_per_second: f64,
    /// Its texts a second over those of the first row.
    pub times: f64,
    /// To the vectors of the first row.
    pub cosine: Option<Cosines>,
    pub spearman: Option<f64>,
    pub accuracy: Option<f64>,
}

impl Row {
    pub fn new(
        name: &str,
        bytes: Option<usize>,
        turns: &[Turn],
        cosine: Option<Cosines>,
        answered: &Answered,
    ) -> Self {
        let alone: Vec<f64> = turns.iter().flat_map(|turn| turn.alone.iter().copied()).collect();
        let share = |share| percentile(&alone, share).unwrap_or(f64::NAN);
        let each = |of: fn(&Turn) -> usize| {
            let all: Vec<f64> = turns.iter().map(|turn| of(turn) as f64 / turn.together).collect();
            percentile(&all, 0.5).unwrap_or(f64::NAN)
        };
        Self {
            name: name.to_owned(),
            bytes,
            memory: turns.iter().filter_map(|turn| turn.memory).max(),
            p50: share(0.5),
            p99: share(0.99),
            texts_per_second: each(|turn| turn.texts),
            tokens_per_second: each(|turn| turn.tokens),
            times: 1.0,
            cosine,
            spearman: answered.spearman,
            accuracy: answered.accuracy,
        }
    }

    /// The same, each beside the first.
    pub fn compared(mut rows: Vec<Self>) -> Vec<Self> {
        let first = rows.first().map_or(1.0, |row| row.texts_per_second);
        for row in &mut rows {
            row.times = row.texts_per_second / first;
        }
        rows
    }

    fn cells(&self) -> [String; 11] {
        let mega = |bytes: f64| format!("{:.1}", bytes / 1e6);
        let or_none = |cell: Option<String>| cell.unwrap_or_else(|| "-".to_owned());
        [
            self.name.clone(),
            or_none(self.bytes.map(|bytes| mega(bytes as f64))),
            or_none(self.memory.map(|bytes| mega(bytes as f64))),
            format!("{:.2}", self.p50),
            format!("{:.2}", self.p99),
            format!("{:.0}", self.texts_per_second),
            format!("{:.0}", self.tokens_per_second),
            format!("{:.2}", self.times),
            or_none(self.cosine.map(|cosine| format!("{:.5}", cosine.median))),
            or_none(self.spearman.map(|value| format!("{value:.4}"))),
            or_none(self.accuracy.map(|value| format!("{value:.4}"))),
        ]
    }
}

const TITLES: [&str; 11] = [
    "", "MB", "memory", "p50 ms", "p99 ms", "texts/s", "tokens/s", "times", "cosine", "Spearman",
    "accuracy",
];

impl Report {
    pub fn title(&self) -> String {
        let task = match self.task {
            Asked::Classes => "classes",
            Asked::Vectors => "vectors",
        };
        format!("{task} of {}, {} threads", self.model, self.threads)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<[String; 11]> = std::iter::once(TITLES.map(str::to_owned))
            .chain(self.rows.iter().map(Row::cells))
            .collect();
        // A column in which nobody has anything says nothing.
        let says = |at: usize| at == 0 || lines.iter().skip(1).any(|line| line[at] != "-");
        f.write_str(&self.title())?;
        for line in &lines {
            writeln!(f)?;
            for at in (0..line.len()).filter(|&at| says(at)) {
                let width = lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
                match at {
                    0 => write!(f, "{:width$}", line[at])?,
                    _ => write!(f, "  {:>width$}", line[at])?,
                }
            }
        }
        Ok(())
    }
}
