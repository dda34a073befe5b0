//! The files of a model, and which of them a model needs: decided here, fetched elsewhere.
//!
//! A folder, a web server and a hub all answer one question, "have you this file?". [`wanted`]
//! says which to ask next, from the answers so far; whoever fetches loops until nothing is wanted.
//!
//! ```
//! use trireme_model::files::{Files, wanted};
//!
//! let mut files = Files::default();
//! assert!(wanted(&files)?.contains(&"config.json".to_owned()));
//! files.insert("config.json", None);
//! assert!(files.asked("config.json") && files.get("config.json").is_none());
//! # Ok::<(), trireme_model::ModelError>(())
//! ```

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::Deserialize;

use crate::ModelError;
use crate::sentence::{Modules, SAVED, SENTENCE_CONFIGS};

/// Named files; a name with `None` was asked for and is not there.
#[derive(Debug, Clone, Default)]
pub struct Files {
    known: BTreeMap<String, Option<Bytes>>,
}

impl Files {
    /// Records an answer.
    pub fn insert(&mut self, name: impl Into<String>, bytes: Option<Bytes>) {
        self.known.insert(name.into(), bytes);
    }

    /// The file, where it is there.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Bytes> {
        self.known.get(name)?.as_ref()
    }

    /// Whether an answer for this name is known.
    #[must_use]
    pub fn asked(&self, name: &str) -> bool {
        self.known.contains_key(name)
    }

    /// The files that are there.
    pub fn present(&self) -> impl Iterator<Item = (&str, &Bytes)> {
        self.known.iter().filter_map(|(name, bytes)| Some((name.as_str(), bytes.as_ref()?)))
    }

    pub(crate) fn need(&self, name: &str) -> Result<&Bytes, ModelError> {
        self.get(name).ok_or_else(|| ModelError::MissingFile { file: name.to_owned() })
    }

    /// A JSON file, where it is there.
    pub(crate) fn json<'a, T: Deserialize<'a>>(
        &'a self,
        name: &str,
    ) -> Result<Option<T>, ModelError> {
        let Some(bytes) = self.get(name) else { return Ok(None) };
        serde_json::from_slice(bytes).map(Some).map_err(|e| ModelError::malformed(name, e))
    }
}

/// Joins a module's path and a file name; the root's path is empty.
pub(crate) fn within(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }
}

/// All files that a model needs, from who has them at hand.
///
/// ```
/// use trireme_model::files::gathered;
///
/// let files = gathered(|name| (name == "config.json").then(|| "{}".into()))?;
/// assert!(files.get("config.json").is_some() && files.asked("modules.json"));
/// # Ok::<(), trireme_model::ModelError>(())
/// ```
///
/// # Errors
/// As [`wanted`].
pub fn gathered(have: impl Fn(&str) -> Option<Bytes>) -> Result<Files, ModelError> {
    let mut files = Files::default();
    loop {
        let names = wanted(&files)?;
        if names.is_empty() {
            return Ok(files);
        }
        for name in names {
            let bytes = have(&name);
            files.insert(name, bytes);
        }
    }
}

/// Which files to ask for next; none, once all that the model needs are known.
///
/// # Errors
/// [`ModelError::Malformed`] where a file that names others does not parse, or names one outside
/// the model.
pub fn wanted(files: &Files) -> Result<Vec<String>, ModelError> {
    const FIRST: [&str; 2] = ["config.json", "modules.json"];
    let mut names: BTreeSet<String> = FIRST.map(str::to_owned).into();
    if FIRST.iter().all(|name| files.asked(name)) {
        let modules = Modules::read(files)?;
        let root = modules.transformer.as_str();
        names.extend(
            ["config.json", "tokenizer.json", "tokenizer_config.json"]
                .map(|name| within(root, name)),
        );
        names.insert(SAVED.to_owned());
        names.extend(next_sentence_config(files, root));
        let fast = within(root, "tokenizer.json");
        if files.asked(&fast) && files.get(&fast).is_none() {
            names.insert(within(root, "vocab.txt"));
        }
        names.extend(weight_files(files, root)?);
        for path in &modules.configured {
            names.insert(within(path, "config.json"));
        }
        for path in &modules.dense {
            names.extend(weight_files(files, path)?);
        }
    }
    names.retain(|name| !files.asked(name));
    Ok(names.into_iter().collect())
}

/// The next name that the sentence configuration may have, until one is found. Only a folder of
/// sentence-transformers has the older names.
fn next_sentence_config(files: &Files, root: &str) -> Option<String> {
    let names = SENTENCE_CONFIGS.map(|name| within(root, name));
    let old = files.get("modules.json").is_some();
    let mut tried = names.into_iter().take(if old { SENTENCE_CONFIGS.len() } else { 1 });
    tried.find(|name| !files.asked(name) || files.get(name).is_some())
}

/// The containers that weights come in, the best first: a plain name, and an index of shards.
const CONTAINERS: [(&str, bool); 4] = [
    ("model.safetensors", false),
    ("model.safetensors.index.json", true),
    ("pytorch_model.bin", false),
    ("pytorch_model.bin.index.json", true),
];

/// The weight files under `path` that are known to be needed, or must be asked about next.
pub(crate) fn weight_files(files: &Files, path: &str) -> Result<Vec<String>, ModelError> {
    for (name, is_index) in CONTAINERS {
        let name = within(path, name);
        if !files.asked(&name) {
            return Ok(vec![name]);
        }
        if files.get(&name).is_some() {
            return if is_index { shards(files, path, &name) } else { Ok(vec![name]) };
        }
    }
    Ok(Vec::new())
}

/// Whether a path that a model names lies inside it, for whoever reads it: a file system, or a parser
/// of addresses, which trims, unpacks `%2e` and knows `host:`.
pub(crate) fn is_inside(path: &str) -> bool {
    let plain =
        |letter: char| !letter.is_control() && !['\\', ':', '%', '?', '#'].contains(&letter);
    let escapes = path.split('/').any(|part| part == "..") || path.starts_with('/');
    !escapes && path.chars().all(plain) && path.trim() == path
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

fn shards(files: &Files, path: &str, index: &str) -> Result<Vec<String>, ModelError> {
    let parsed: Option<Index> = files.json(index)?;
    let named: BTreeSet<String> =
        parsed.into_iter().flat_map(|index| index.weight_map.into_values()).collect();
    let beside = |name: &String| !name.is_empty() && !name.contains('/') && is_inside(name);
    if let Some(outside) = named.iter().find(|name| !beside(name)) {
        return Err(ModelError::malformed(index, format!("{outside:?} is not a file beside it")));
    }
    Ok(named.into_iter().map(|name| within(path, &name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers from a fixed set, as a source would, and records what was asked.
    fn fetch(there: &[(&str, &str)]) -> Result<Vec<String>, ModelError> {
        let mut files = Files::default();
        loop {
            let next = wanted(&files)?;
            if next.is_empty() {
                return Ok(files.known.into_keys().collect());
            }
            for name in next {
                let found = there.iter().find(|(there, _)| *there == name);
                files.insert(name, found.map(|(_, text)| Bytes::copy_from_slice(text.as_bytes())));
            }
        }
    }

    #[test]
    fn a_plain_folder_is_asked_for_one_weight_file() {
        let got =
            fetch(&[("config.json", "{}"), ("tokenizer.json", "{}"), ("model.safetensors", "")]);
        let expected = [
            "config.json",
            "config_sentence_transformers.json",
            "model.safetensors",
            "modules.json",
            "sentence_bert_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
        ];
        assert_eq!(got.unwrap(), expected);
    }

    #[test]
    fn shards_are_read_off_their_index() {
        let index = r#"{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}"#;
        let got = fetch(&[("model.safetensors.index.json", index)]).unwrap();
        for shard in ["model-1.safetensors", "model-2.safetensors"] {
            assert!(got.contains(&shard.to_owned()), "expected {shard} among {got:?}");
        }
        assert!(!got.contains(&"pytorch_model.bin".to_owned()), "an index is enough: {got:?}");
    }

    #[test]
    fn a_path_that_any_reader_would_take_elsewhere_is_not_inside() {
        for inside in ["", "1_Pooling", "a/b.bin", "model 1.safetensors", "..a"] {
            assert!(is_inside(inside), "{inside:?}");
        }
        for outside in [
            "..",
            "a/../b",
            "/etc",
            "a\\b",
            "https://x.example/y",
            "http:x",
            "//x",
            " //x",
            "x ",
            "%2e%2e/x",
            "a\n",
            "a?b",
            "a#b",
        ] {
            assert!(!is_inside(outside), "{outside:?}");
        }
    }

    #[test]
    fn a_shard_outside_the_model_is_refused() {
        let index = r#"{"weight_map": {"a": "../secrets"}}"#;
        let got = fetch(&[("model.safetensors.index.json", index)]);
        assert!(matches!(got, Err(ModelError::Malformed { .. })), "got {got:?}");
    }

    #[test]
    fn dense_modules_bring_their_own_weights() {
        let modules = r#"[
            {"idx": 0, "name": "0", "path": "0_Bert", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}
        ]"#;
        let got = fetch(&[("modules.json", modules)]).unwrap();
        for name in [
            "0_Bert/config.json",
            "0_Bert/vocab.txt",
            "1_Pooling/config.json",
            "2_Dense/config.json",
            "2_Dense/pytorch_model.bin",
        ] {
            assert!(got.contains(&name.to_owned()), "expected {name} among {got:?}");
        }
    }
}
