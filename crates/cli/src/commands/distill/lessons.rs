//! From a recipe's files to what is taught, and what is measured by.

use std::collections::BTreeSet;

use trireme_domain::Fault;
use trireme_domain::dataset::{Apart, Columns, ScoredPair, changed};
use trireme_train::{draws, shuffled};

use super::recipe::{HeldOut, Kind, Recipe};
use crate::commands::train::folder::Source;

/// A text to teach, and what is known of it.
pub struct Known {
    pub text: String,
    /// Its class, and how much that counts.
    pub truth: Option<(usize, f32)>,
    /// Whether it is of all classes alike.
    pub neutral: bool,
    /// Copies to make of it, with other words.
    changed: usize,
}

impl Known {
    /// The share of each class: what a teacher says, what the file knows, or all alike. None where
    /// nobody says anything.
    pub fn shares(&self, said: Option<&[f32]>, classes: usize) -> Option<Vec<f32>> {
        if classes > 0 && self.neutral {
            return Some(vec![1.0 / classes as f32; classes]);
        }
        let one = |class: usize, truth: f32| {
            (0..classes).map(move |at| if at == class { truth } else { 0.0 })
        };
        match (said, self.truth) {
            (Some(said), None) => Some(said.to_vec()),
            (Some(said), Some((class, truth))) => {
                let said = said.iter().map(|said| said * (1.0 - truth));
                Some(said.zip(one(class, truth)).map(|(said, known)| said + known).collect())
            }
            (None, Some((class, truth))) if classes > 0 && truth > 0.0 => {
                Some(one(class, 1.0).collect())
            }
            (None, _) => None,
        }
    }
}

/// A share of the words of a copy are others.
const CHANGED: f64 = 0.2;

/// All that a recipe's files hold.
pub struct Material {
    pub learn: Vec<Known>,
    /// Pairs to learn the scores of, and how much they count.
    pub near: Vec<(ScoredPair, f32)>,
    pub labelled: Vec<(String, usize)>,
    pub pairs: Vec<ScoredPair>,
    pub sources: Vec<Source>,
}

impl Material {
    pub fn read(recipe: &Recipe, names: &[String]) -> Result<Self, Fault> {
        let mut all = Self {
            learn: Vec::new(),
            near: Vec::new(),
            labelled: Vec::new(),
            pairs: Vec::new(),
            sources: Vec::new(),
        };
        for texts in &recipe.texts {
            let source = Source::read(&texts.file)?;
            let columns = Columns(texts.columns.clone());
            let (neutral, changed) = (texts.neutral, texts.changed);
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
                        all.learn.push(Known { text: row.text, truth, neutral, changed });
                    }
                }
                Kind::Pairs => {
                    let pairs = columns.read_pairs(&source.bytes).map_err(|e| source.fault(e))?;
                    for text in pairs.iter().flat_map(|pair| [&pair.first, &pair.second]) {
                        let text = text.clone();
                        all.learn.push(Known { text, truth: None, neutral, changed });
                    }
                    all.near.extend(pairs.into_iter().map(|pair| (pair, texts.truth)));
                }
            }
            all.sources.push(source);
        }
        all.hold_out(recipe, !names.is_empty());
        all.change(recipe.training.seed);
        Ok(all)
    }

    /// Keeps some texts and pairs aside, and learns nothing that gives them away. What nobody
    /// teaches is not measured, so nothing of it is kept.
    fn hold_out(&mut self, recipe: &Recipe, classes: bool) {
        let HeldOut { texts, words, pairs, seed } = recipe.held_out;
        let seed = seed.unwrap_or(recipe.training.seed);
        let mut order = shuffled(self.near.len(), seed);
        order.truncate(if recipe.teachers.vectors.is_some() { pairs } else { 0 });
        self.pairs = order.into_iter().map(|at| self.near[at].0.clone()).collect();

        let long = |known: &&Known| {
            known.truth.is_some() && known.text.split_whitespace().count() >= words
        };
        let there: Vec<&Known> = self.learn.iter().filter(long).collect();
        let mut order = shuffled(there.len(), seed);
        order.truncate(if classes { texts } else { 0 });
        let known = order.into_iter().map(|at| there[at]);
        self.labelled =
            known.filter_map(|known| Some((known.text.clone(), known.truth?.0))).collect();

        let apart = Apart::from(self.labelled.iter().map(|(text, _)| text.clone()));
        let paired: BTreeSet<&str> = self
            .pairs
            .iter()
            .flat_map(|pair| [pair.first.as_str(), pair.second.as_str()])
            .collect();
        let learnt = |text: &String| !paired.contains(text.as_str());
        self.learn.retain(|known| learnt(&known.text) && apart.from_text(&known.text));
        self.near
            .retain(|(pair, truth)| *truth > 0.0 && learnt(&pair.first) && learnt(&pair.second));
    }

    /// Adds the copies that are asked for, which say nothing that is held out.
    fn change(&mut self, seed: u64) {
        let words = self.learn.iter().flat_map(|known| known.text.split_whitespace());
        let (words, mut draw): (Vec<&str>, _) = (words.collect(), draws(seed));
        let mut copies = Vec::new();
        for known in &self.learn {
            for _copy in 0..known.changed {
                let text = changed(&known.text, &words, CHANGED, &mut draw);
                copies.push(Known { text, truth: None, neutral: known.neutral, changed: 0 });
            }
        }
        self.learn.extend(copies);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts that a recipe keeps aside.
    fn kept_aside(training: u64, held_out: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data.tsv");
        let rows = (0..40).map(|at| format!("{}\ttext {at}\n", ["bad", "good"][at % 2]));
        std::fs::write(&data, format!("label\ttext\n{}", rows.collect::<String>())).unwrap();
        let recipe = folder.path().join("recipe.toml");
        let text = format!(
            "labels = [\"bad\", \"good\"]\n[student]\nof = \"m\"\n[[texts]]\nfile = {data:?}\n\
             kind = \"labelled\"\ntruth = 1.0\n[held_out]\ntexts = 10\n{held_out}\n\
             [training]\nseed = {training}\n"
        );
        std::fs::write(&recipe, text).unwrap();
        let recipe = Recipe::read(&recipe, &[]).unwrap();
        let names = recipe.labels.clone();
        let material = Material::read(&recipe, &names).unwrap();
        material.labelled.into_iter().map(|(text, _)| text).collect()
    }

    #[test]
    fn recipes_of_one_seed_keep_the_same_aside() {
        assert_eq!(kept_aside(1, "seed = 7"), kept_aside(2, "seed = 7"));
        assert_ne!(kept_aside(1, "seed = 7"), kept_aside(1, "seed = 8"));
        assert_ne!(kept_aside(1, ""), kept_aside(2, ""), "else it is the training's");
        assert_eq!(kept_aside(7, ""), kept_aside(2, "seed = 7"));
    }
}
