//! What an answer is remembered by.

use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256};
use trireme_domain::wire::Origin;

/// A digest of everything that an answer depends on. Nobody can make two texts that share one, so
/// nobody gets another's answer; and the text itself need not be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u8; 32]);

/// The beginning of a key, which many have in common.
#[derive(Clone)]
pub struct Prefix(Sha256);

impl Prefix {
    /// What all keys of a model have in common.
    pub fn of(model: &Origin) -> Self {
        Self(Sha256::new()).and(&(&model.digest, &model.precision))
    }

    /// The same, and this. An option that is added to a type is in its keys from then on.
    pub fn and(&self, more: &impl Hash) -> Self {
        let mut longer = Digester(self.0.clone());
        more.hash(&mut longer);
        Self(longer.0)
    }

    pub fn key(self) -> Key {
        Key(self.0.finalize().into())
    }
}

/// A wider hash for what can be hashed. `Hash` says where each string ends, so two that are put
/// together otherwise differ.
struct Digester(Sha256);

impl Hasher for Digester {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let mut first = [0; 8];
        first.iter_mut().zip(self.0.clone().finalize()).for_each(|(to, from)| *to = from);
        u64::from_le_bytes(first)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use trireme_model::{Cut, EmbedOptions, Pooling, Side};

    use super::*;
    use crate::engine::{Task, Text};

    fn model(digest: &str, precision: &str) -> Origin {
        Origin {
            model: "m".into(),
            version: "1".into(),
            digest: digest.into(),
            precision: precision.into(),
            place: "origin".into(),
        }
    }

    fn key(model: &Origin, task: &Task, cut: Cut, text: &Text) -> Key {
        Prefix::of(model).and(&(task, cut)).and(text).key()
    }

    #[test]
    fn whatever_changes_an_answer_changes_its_key() {
        let embed = |options, prompt: Option<&str>| Task::Embed {
            options,
            prompt: prompt.map(str::to_owned),
        };
        let usual = EmbedOptions::default();
        let tasks = [
            Task::CLASSES,
            Task::Classify { raw: true },
            Task::Tokens { prompt: None },
            Task::Tokens { prompt: Some("query".to_owned()) },
            embed(usual, None),
            embed(usual, Some("")),
            embed(usual, Some("query")),
            embed(EmbedOptions { normalize: Some(true), ..usual }, None),
            embed(EmbedOptions { normalize: Some(false), ..usual }, None),
            embed(EmbedOptions { pooling: Some(Pooling::Cls), ..usual }, None),
            embed(EmbedOptions { dimensions: Some(8), ..usual }, None),
        ];
        let cuts = [
            Cut::default(),
            Cut { max_tokens: Some(8), side: None },
            Cut { max_tokens: None, side: Some(Side::Left) },
            Cut { max_tokens: None, side: Some(Side::Right) },
        ];
        let pair = |first: &str, second: Option<&str>| Text {
            first: first.to_owned(),
            second: second.map(str::to_owned),
        };
        let texts = [
            pair("ab", None),
            pair("ab", Some("")),
            pair("a", Some("b")),
            pair("", Some("ab")),
            pair("ab ", None),
            pair("Ab", None),
        ];
        let models = [model("d1", "int8"), model("d2", "int8"), model("d1", "f32")];
        let mut seen = HashMap::new();
        for model in &models {
            for (task, cut) in tasks.iter().flat_map(|task| cuts.map(|cut| (task, cut))) {
                for text in &texts {
                    let asked = format!("{model:?} {task:?} {cut:?} {text:?}");
                    assert_eq!(key(model, task, cut, text), key(model, task, cut, text));
                    let before = seen.insert(key(model, task, cut, text), asked.clone());
                    assert_eq!(before, None, "has the key of {asked}");
                }
            }
        }
    }

    #[test]
    fn a_model_keeps_its_answers_whatever_it_is_called() {
        let renamed = Origin { model: "other".into(), ..model("d1", "int8") };
        let text = Text::from("a".to_owned());
        let key = |model| key(model, &Task::CLASSES, Cut::default(), &text);
        assert_eq!(key(&renamed), key(&model("d1", "int8")));
    }
}
