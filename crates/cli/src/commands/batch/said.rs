//! What is said of a row: the columns that are added to it.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use trireme_domain::wire::{Encoding, Scores, Vector};

use crate::table::Row;

/// What is added to every row.
#[derive(Clone)]
pub enum Added {
    /// Its class, and the scores of these ones.
    Classes { scored: Vec<String> },
    /// A vector.
    Vector(Encoding),
}

impl Added {
    pub fn task(&self) -> &'static str {
        match self {
            Self::Classes { .. } => "classify",
            Self::Vector(_) => "embed",
        }
    }

    /// The columns that are added.
    pub fn names<'a>(&self, names: &'a Names) -> Vec<&'a str> {
        let added = match self {
            Self::Vector(_) => vec![&names.embedding],
            Self::Classes { scored } => {
                let scores = (!scored.is_empty()).then_some(&names.probabilities);
                let best = [&names.prediction, &names.label, &names.confidence];
                best.into_iter().chain(scores).collect()
            }
        };
        added.into_iter().map(String::as_str).collect()
    }
}

/// The answer to a row.
pub enum Said {
    Class { prediction: usize, label: String, confidence: f32, probabilities: Option<Scores> },
    Vector(Vector),
}

/// What the columns are called that are added.
#[derive(Clone)]
pub struct Names {
    pub prediction: String,
    pub label: String,
    pub confidence: String,
    pub probabilities: String,
    pub embedding: String,
}

impl Names {
    pub fn behind(prefix: &str) -> Self {
        let name = |name: &str| format!("{prefix}{name}");
        Self {
            prediction: name("prediction"),
            label: name("label"),
            confidence: name("confidence"),
            probabilities: name("probabilities"),
            embedding: name("embedding"),
        }
    }
}

/// One cell that is added.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Cell<'a> {
    Whole(usize),
    Text(&'a str),
    Real(f32),
    Scores(&'a Scores),
    Vector(&'a Vector),
}

impl Said {
    /// The cells that are added, by their columns.
    pub fn cells<'a>(&'a self, names: &'a Names) -> Vec<(&'a str, Cell<'a>)> {
        match self {
            Self::Vector(vector) => vec![(&names.embedding, Cell::Vector(vector))],
            Self::Class { prediction, label, confidence, probabilities } => {
                let mut cells = vec![
                    (names.prediction.as_str(), Cell::Whole(*prediction)),
                    (&names.label, Cell::Text(label)),
                    (&names.confidence, Cell::Real(*confidence)),
                ];
                let scores = probabilities.iter();
                cells.extend(
                    scores.map(|scores| (names.probabilities.as_str(), Cell::Scores(scores))),
                );
                cells
            }
        }
    }
}

/// A row with its answer, as an object.
pub struct Whole<'a>(pub &'a Row, pub &'a Said, pub &'a Names);

impl Serialize for Whole<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(row, said, names) = self;
        let mut object = serializer.serialize_map(None)?;
        for (name, value) in *row {
            object.serialize_entry(name, value)?;
        }
        for (name, cell) in said.cells(names) {
            object.serialize_entry(name, &cell)?;
        }
        object.end()
    }
}
