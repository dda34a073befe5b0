//! The recipe of a student.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};
use trireme_domain::Fault;
use trireme_model::Student;
use trireme_train::Options;

use crate::commands::train::folder::Source;
use crate::input;

/// Who teaches what to whom.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The file, with names as they stand there.
    #[serde(skip)]
    pub source: Source,
    #[serde(default)]
    pub teachers: Teachers,
    /// The classes, where no teacher names them: what the files say is all that is taught of them.
    #[serde(default)]
    pub labels: Vec<String>,
    pub student: Made,
    pub texts: Vec<Texts>,
    #[serde(default)]
    pub held_out: HeldOut,
    #[serde(default)]
    pub training: Options,
    /// How much a vector counts beside a class.
    #[serde(default = "one")]
    pub vectors: f64,
    /// Tokens of a text to look at.
    pub max_length: Option<usize>,
}

fn one() -> f64 {
    1.0
}

/// Models, as `--model` names them. What has no teacher is not taught, but for classes that are
/// named.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Teachers {
    /// One, or several whose shares are averaged.
    #[serde(default, deserialize_with = "one_or_several")]
    pub classes: Vec<String>,
    pub vectors: Option<String>,
}

fn one_or_several<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Names {
        One(String),
        Several(Vec<String>),
    }
    Ok(match Names::deserialize(from)? {
        Names::One(name) => vec![name],
        Names::Several(names) => names,
    })
}

/// What the student is made of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// The model that it is a part of.
    pub of: String,
    #[serde(flatten)]
    pub kept: Student,
}

/// A file of texts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    pub file: PathBuf,
    pub kind: Kind,
    /// How much a class that the file names counts beside what the teacher says; and the scores of
    /// a step's pairs, beside its lessons. From 0 to 1.
    #[serde(default)]
    pub truth: f32,
    /// Copies of each text in which some words are others, for teachers to speak about.
    #[serde(default)]
    pub changed: usize,
    /// Whether they are to be of all classes alike, whatever the teacher says.
    #[serde(default)]
    pub neutral: bool,
    /// What a header calls the columns, as `--column` says it.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Each with a class.
    Labelled,
    /// Two by two, with a score.
    Pairs,
}

/// What is kept aside to measure by.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeldOut {
    /// Labelled texts.
    pub texts: usize,
    /// Words that such a text has at least; what it holds and what holds it is not learnt.
    pub words: usize,
    /// Pairs; their texts are not learnt.
    pub pairs: usize,
    /// What chooses them; the training's seed, where none is named. Recipes of the same labelled
    /// files and numbers that name the same one keep the same texts aside, so that no teacher learnt
    /// what its student is measured by.
    pub seed: Option<u64>,
}

impl Default for HeldOut {
    fn default() -> Self {
        Self { texts: 500, words: 0, pairs: 500, seed: None }
    }
}

impl Recipe {
    /// Reads a recipe, with `{NAME}` replaced by what it stands for.
    pub fn read(path: &Path, set: &[(String, String)]) -> Result<Self, Fault> {
        let source = Source::read(path)?;
        let text = std::str::from_utf8(&source.bytes).map_err(|e| source.fault(e))?;
        let mut text = text.to_owned();
        for (name, value) in set {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        let read: Self = toml::from_str(&text).map_err(|e| source.fault(e))?;
        let recipe = Self { source, ..read };
        if !(recipe.vectors.is_finite() && recipe.vectors >= 0.0) {
            let message = format!("vectors = {}; it is 0 or above", recipe.vectors);
            return Err(input::invalid(path, message));
        }
        if !recipe.teachers.classes.is_empty() && !recipe.labels.is_empty() {
            let message = "labels are the teacher's, where one teaches classes; name one of both";
            return Err(recipe.source.fault(message));
        }
        let shares = |truth: f32| (0.0..=1.0).contains(&truth);
        match recipe.texts.iter().find(|texts| !shares(texts.truth)) {
            Some(Texts { truth, .. }) => {
                Err(input::invalid(path, format!("truth = {truth}; it is a share, from 0 to 1")))
            }
            None => Ok(recipe),
        }
    }

    /// How what files say weighs beside what teachers do.
    pub fn weights(&self) -> Vec<(Kind, f32, bool)> {
        self.texts.iter().map(|texts| (texts.kind, texts.truth, texts.neutral)).collect()
    }
}
