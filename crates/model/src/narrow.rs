//! Narrower embeddings. BERT's become ELECTRA's, which has a place for a linear layer behind them.

use serde_json::json;

use crate::axes::main_axes;
use crate::files::within;
use crate::student::part;
use crate::trained::singles;
use crate::{Checkpoint, ModelError};

const TABLES: [&str; 3] = ["word_embeddings", "position_embeddings", "token_type_embeddings"];

/// Where a row goes that has fewer columns, and back: one line of so many columns for each of the
/// width.
///
/// Rows lie about their own mean, as a layer norm sees them, so of the columns one is free; they
/// are mixed so that the mean stays zero, and the norm of what is left sees the same.
struct Basis {
    width: usize,
    columns: usize,
    lines: Vec<f64>,
}

fn about_their_mean(rows: &[f32], width: usize) -> Vec<f64> {
    let of_row = |row: &[f32]| {
        let mean = row.iter().map(|&value| f64::from(value)).sum::<f64>() / width as f64;
        row.iter().map(move |&value| f64::from(value) - mean).collect::<Vec<_>>()
    };
    rows.chunks_exact(width).flat_map(of_row).collect()
}

/// Helmert's: columns less one, each of length one, at right angles to each other and to all ones.
fn helmert(columns: usize) -> Vec<Vec<f64>> {
    let line = |at: usize| {
        let length = ((at * (at + 1)) as f64).sqrt();
        let value = move |to: usize| match to.cmp(&at) {
            std::cmp::Ordering::Less => 1.0 / length,
            std::cmp::Ordering::Equal => -(at as f64) / length,
            std::cmp::Ordering::Greater => 0.0,
        };
        (0..columns).map(value).collect()
    };
    (1..columns).map(line).collect()
}

impl Basis {
    fn of(words: &[f32], width: usize, columns: usize) -> Self {
        let axes = main_axes(&about_their_mean(words, width), width, columns - 1);
        let mut lines = vec![0.0; width * columns];
        for (axis, mixed) in axes.iter().zip(helmert(columns)) {
            for (line, share) in lines.chunks_exact_mut(columns).zip(axis) {
                for (value, mixed) in line.iter_mut().zip(&mixed) {
                    *value += share * mixed;
                }
            }
        }
        Self { width, columns, lines }
    }

    fn narrowed(&self, rows: &[f32]) -> Vec<f32> {
        let rows = about_their_mean(rows, self.width);
        let mut all = Vec::with_capacity(rows.len() / self.width * self.columns);
        for row in rows.chunks_exact(self.width) {
            let mut narrow = vec![0.0; self.columns];
            for (value, line) in row.iter().zip(self.lines.chunks_exact(self.columns)) {
                for (sum, share) in narrow.iter_mut().zip(line) {
                    *sum += value * share;
                }
            }
            all.extend(narrow.into_iter().map(|value| value as f32));
        }
        all
    }

    /// The linear layer back, which takes the place of a norm's weights: a row that is as long in
    /// fewer columns has larger ones.
    fn back(&self, weights: &[f32]) -> Vec<f32> {
        let scale = (self.width as f64 / self.columns as f64).sqrt();
        let lines = self.lines.chunks_exact(self.columns).zip(weights);
        lines
            .flat_map(|(line, &weight)| {
                line.iter().map(move |share| (share * scale * f64::from(weight)) as f32)
            })
            .collect()
    }
}

impl Checkpoint {
    /// The same encoder with embeddings of so many columns, the main ones of its words, and a
    /// linear layer behind them. Its head does not fit the other family, and is left out.
    pub(crate) fn with_embedding(mut self, columns: usize) -> Result<Self, ModelError> {
        let (width, family) = (self.spec.width, self.spec.family.model_type);
        if family != "bert" {
            let file = within(&self.root, "config.json");
            return Err(ModelError::unsupported(&file, "embedding of a model_type", family));
        }
        part("embedding columns", columns, width - 1)?;
        part("axes of embedding columns", columns - 1, width - 1)?;
        let name = |table: &str| format!("embeddings.{table}.weight");
        let basis = Basis::of(&self.values(&name(TABLES[0]))?, width, columns);
        for table in TABLES.map(name) {
            let rows = basis.narrowed(&self.values(&table)?);
            self.tensors.insert(table, singles(vec![rows.len() / columns, columns], &rows));
        }
        let norm = |kind: &str| format!("embeddings.LayerNorm.{kind}");
        let back = basis.back(&self.values(&norm("weight"))?);
        let bias = self.values(&norm("bias"))?;
        for (name, shape, values) in [
            ("embeddings_project.weight".to_owned(), vec![width, columns], back),
            ("embeddings_project.bias".to_owned(), vec![width], bias),
            (norm("weight"), vec![columns], vec![1.0; columns]),
            (norm("bias"), vec![columns], vec![0.0; columns]),
        ] {
            self.tensors.insert(name, singles(shape, &values));
        }
        let head = &self.spec.family.head;
        self.tensors
            .retain(|name, _| !name.starts_with(head.dense) && !name.starts_with(head.classifier));
        self.edit("config.json", |config| {
            for key in ["id2label", "label2id", "num_labels", "problem_type"] {
                config.remove(key);
            }
            config.insert("architectures".to_owned(), json!(["ElectraModel"]));
            config.insert("model_type".to_owned(), json!("electra"));
            config.insert("embedding_size".to_owned(), json!(columns));
        })?;
        Ok(self)
    }
}
