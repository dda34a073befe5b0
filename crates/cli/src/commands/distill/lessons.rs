//! From a recipe's files to what is taught, and what is measured by.

use std::collections::BTreeSet;

use trireme_domain::Fault;
use trireme_domain::dataset::{Apart, Columns, ScoredPair};
use trireme_train::shuffled;

use super::recipe::{HeldOut, Kind, Recipe};
use crate::commands::train::folder::Source;

/// A text to teach, and what is known of it.
pub struct Known {
    pub text: String,
    /// Its class, and how much that counts.
    pub truth: Option<(usize, f32)>,
    /// Whether it is of all classes alike.
    pub neutral: bool,
}

/// All that a recipe's files hold.
pub struct Material {
    pub learn: Vec<Known>,
    pub labelled: Vec<(String, usize)>,
    pub pairs: Vec<ScoredPair>,
    pub sources: Vec<Source>,
}

impl Material {
    pub fn read(recipe: &Recipe, names: &[String]) -> Result<Self, Fault> {
        let mut all = Self {
            learn: Vec::new(),
            labelled: Vec::new(),
            pairs: Vec::new(),
            sources: Vec::new(),
        };
        for texts in &recipe.texts {
            let source = Source::read(&texts.file)?;
            let columns = Columns(texts.columns.clone());
            let neutral = texts.neutral;
            match texts.kind {
                Kind::Labelled => {
                    // Where nobody teaches classes, any will do.
                    let names = match names {
                        [] => columns.classes(&source.bytes).map_err(|e| source.fault(e))?,
                        names => names.to_vec(),
                    };
                    let rows = columns.read_labelled(&source.bytes, &names);
                    for row in rows.map_err(|e| source.fault(e))? {
                        let truth = Some((row.label, texts.truth));
                        all.learn.push(Known { text: row.text, truth, neutral });
                    }
                }
                Kind::Pairs => {
                    let pairs = columns.read_pairs(&source.bytes).map_err(|e| source.fault(e))?;
                    for text in pairs.iter().flat_map(|pair| [&pair.first, &pair.second]) {
                        all.learn.push(Known { text: text.clone(), truth: None, neutral });
                    }
                    all.pairs.extend(pairs);
                }
            }
            all.sources.push(source);
        }
        all.hold_out(recipe);
        Ok(all)
    }

    /// Keeps some texts and pairs aside, and learns nothing that gives them away. What nobody
    /// teaches is not measured, so nothing of it is kept.
    fn hold_out(&mut self, recipe: &Recipe) {
        let HeldOut { texts, words, pairs } = recipe.held_out;
        let seed = recipe.training.seed;
        let mut order = shuffled(self.pairs.len(), seed);
        order.truncate(if recipe.teachers.vectors.is_some() { pairs } else { 0 });
        self.pairs = order.into_iter().map(|at| self.pairs[at].clone()).collect();

        let long = |known: &&Known| {
            known.truth.is_some() && known.text.split_whitespace().count() >= words
        };
        let there: Vec<&Known> = self.learn.iter().filter(long).collect();
        let mut order = shuffled(there.len(), seed);
        order.truncate(if recipe.teachers.classes.is_some() { texts } else { 0 });
        let known = order.into_iter().map(|at| there[at]);
        self.labelled =
            known.filter_map(|known| Some((known.text.clone(), known.truth?.0))).collect();

        let apart = Apart::from(self.labelled.iter().map(|(text, _)| text.clone()));
        let paired: BTreeSet<&str> = self
            .pairs
            .iter()
            .flat_map(|pair| [pair.first.as_str(), pair.second.as_str()])
            .collect();
        self.learn
            .retain(|known| !paired.contains(known.text.as_str()) && apart.from_text(&known.text));
    }
}
