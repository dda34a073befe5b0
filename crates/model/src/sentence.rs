//! What sentence-transformers adds to a model: which modules follow the encoder, and how long a
//! text may be.

use std::collections::BTreeMap;

use serde::Deserialize;
use trireme_backend::{Activation, Pooling};

use crate::ModelError;
use crate::files::{Files, is_inside, within};

/// What sentence-transformers saves about the whole: prompts, and a cross-encoder's activation.
pub(crate) const SAVED: &str = "config_sentence_transformers.json";

/// The names that the sentence configuration has had, the newest first.
pub(crate) const SENTENCE_CONFIGS: [&str; 5] = [
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_xlm-roberta_config.json",
];

/// The parts of `modules.json`, by what this engine does with them.
#[derive(Debug, Clone, Default)]
pub struct Modules {
    /// Path of the encoder; empty for the root.
    pub transformer: String,
    /// Path of the pooling, where there is one.
    pub pooling: Option<String>,
    /// Paths of dense layers after the pooling, in order.
    pub dense: Vec<String>,
    /// Whether vectors are brought to length one at the end.
    pub normalize: bool,
    /// Every path below the root that has a `config.json`.
    pub configured: Vec<String>,
}

#[derive(Deserialize)]
struct Entry {
    path: String,
    r#type: String,
}

impl Modules {
    const FILE: &'static str = "modules.json";

    /// Reads `modules.json`; a folder without one is a bare encoder.
    ///
    /// # Errors
    /// [`ModelError::Malformed`] or [`ModelError::Unsupported`] where the file lists something
    /// else than an encoder, one pooling, dense layers and a final normalisation.
    pub fn read(files: &Files) -> Result<Self, ModelError> {
        let entries: Vec<Entry> = files.json(Self::FILE)?.unwrap_or_default();
        let mut modules = Self::default();
        for Entry { path, r#type } in entries {
            if !is_inside(&path) {
                return Err(ModelError::malformed(Self::FILE, format!("path {path:?}")));
            }
            if modules.normalize {
                return Err(ModelError::unsupported(
                    Self::FILE,
                    "a module after Normalize",
                    r#type,
                ));
            }
            // The module's path moved between versions of sentence-transformers; its name did not.
            match r#type.rsplit('.').next().unwrap_or_default() {
                "Transformer" => modules.transformer = path,
                "Pooling" if modules.pooling.is_none() && modules.dense.is_empty() => {
                    modules.configured.push(path.clone());
                    modules.pooling = Some(path);
                }
                "Dense" if modules.pooling.is_some() => {
                    modules.configured.push(path.clone());
                    modules.dense.push(path);
                }
                "Normalize" => {
                    modules.configured.push(path);
                    modules.normalize = true;
                }
                "Dropout" => {}
                _ => return Err(ModelError::unsupported(Self::FILE, "type", r#type)),
            }
        }
        Ok(modules)
    }
}

/// How the rows of a text become its vector.
#[derive(Debug, Clone)]
pub struct Sentence {
    /// Rows into one.
    pub pooling: Pooling,
    /// Dense layers after it.
    pub dense: Vec<Dense>,
    /// Whether the vector is brought to length one.
    pub normalize: bool,
    /// `max_seq_length`, which wins over all other limits.
    pub max_tokens: Option<usize>,
    /// Whether text is lower-cased before all else.
    pub lowercase: bool,
    /// What is put before a text that is embedded.
    pub prompts: Prompts,
}

/// Texts put before a text, by name: models trained with `query: ` need it back.
#[derive(Debug, Clone, Default)]
pub struct Prompts {
    by_name: BTreeMap<String, String>,
    default: Option<String>,
}

impl Prompts {
    /// The prompt of this name, or the default; empty where the model has none.
    ///
    /// # Errors
    /// [`ModelError::UnknownPrompt`] where a name is asked for that the model does not have.
    pub fn get(&self, name: Option<&str>) -> Result<&str, ModelError> {
        let Some(name) = name.or(self.default.as_deref()) else { return Ok("") };
        self.by_name.get(name).map(String::as_str).ok_or_else(|| ModelError::UnknownPrompt {
            name: name.to_owned(),
            known: self.by_name.keys().cloned().collect::<Vec<_>>().join(", "),
        })
    }

    /// Whether any text gets something put before it.
    fn any(&self) -> bool {
        self.by_name.values().any(|prompt| !prompt.is_empty())
    }
}

/// A dense layer after the pooling.
#[derive(Debug, Clone)]
pub struct Dense {
    /// Folder of its weights.
    pub path: String,
    /// Columns in.
    pub inputs: usize,
    /// Columns out.
    pub outputs: usize,
    /// Whether it has a bias.
    pub bias: bool,
    /// What follows.
    pub activation: Activation,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Modes {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct PoolingFile {
    pooling_mode: Option<Modes>,
    #[serde(default = "yes")]
    include_prompt: bool,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct DenseFile {
    in_features: usize,
    out_features: usize,
    #[serde(default = "yes")]
    bias: bool,
    activation_function: Option<String>,
    #[serde(default)]
    use_residual: bool,
    #[serde(flatten)]
    place: Place,
}

/// Which part of the features a module reads and writes.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Place {
    module_input_name: Option<String>,
    module_output_name: Option<String>,
}

impl Place {
    /// The sentence's vector is the only part that there is here.
    fn check(self, file: &str) -> Result<(), ModelError> {
        let names = [
            ("module_input_name", self.module_input_name),
            ("module_output_name", self.module_output_name),
        ];
        for (key, name) in names {
            if let Some(name) = name.filter(|name| name != "sentence_embedding") {
                return Err(ModelError::unsupported(file, key, name));
            }
        }
        Ok(())
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct BertFile {
    max_seq_length: Option<usize>,
    do_lower_case: bool,
    processor_kwargs: Option<BTreeMap<String, serde_json::Value>>,
    tokenizer_args: Option<BTreeMap<String, serde_json::Value>>,
}

impl BertFile {
    fn read(files: &Files, root: &str) -> Result<Self, ModelError> {
        let named = SENTENCE_CONFIGS.map(|name| within(root, name));
        let Some(file) = named.iter().find(|name| files.get(name).is_some()) else {
            return Ok(Self::default());
        };
        let bert: Self = files.json(file)?.unwrap_or_default();
        let arguments = [&bert.processor_kwargs, &bert.tokenizer_args].into_iter().flatten();
        // They would change the tokenizer in ways that only the reference knows.
        if let Some(key) = arguments.flat_map(BTreeMap::keys).next() {
            return Err(ModelError::unsupported(file, "processor_kwargs", key));
        }
        Ok(bert)
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PromptFile {
    prompts: BTreeMap<String, Option<String>>,
    default_prompt_name: Option<String>,
}

fn yes() -> bool {
    true
}

impl Sentence {
    /// Reads what the modules say. A bare encoder is mean-pooled and not normalised, as
    /// sentence-transformers does.
    ///
    /// # Errors
    /// [`ModelError::Malformed`], [`ModelError::MissingFile`] or [`ModelError::Unsupported`].
    pub fn read(files: &Files, modules: &Modules) -> Result<Self, ModelError> {
        let bert = BertFile::read(files, &modules.transformer)?;
        // The other modules read their own; this one has nothing else to say.
        if let Some(path) = modules.configured.last().filter(|_| modules.normalize) {
            let file = within(path, "config.json");
            files.json::<Place>(&file)?.unwrap_or_default().check(&file)?;
        }
        let prompts = prompts(files)?;
        Ok(Self {
            pooling: match &modules.pooling {
                Some(path) => pooling(files, path, prompts.any())?,
                None => Pooling::Mean,
            },
            dense: modules.dense.iter().map(|path| dense(files, path)).collect::<Result<_, _>>()?,
            normalize: modules.normalize,
            max_tokens: bert.max_seq_length.filter(|&tokens| tokens > 0),
            lowercase: bert.do_lower_case,
            prompts,
        })
    }
}

fn prompts(files: &Files) -> Result<Prompts, ModelError> {
    let PromptFile { prompts, default_prompt_name } = files.json(SAVED)?.unwrap_or_default();
    let by_name = prompts.into_iter().map(|(name, text)| (name, text.unwrap_or_default()));
    // Every model has these two, as in the reference; most leave them empty.
    let empty = ["query", "document"].map(|name| (name.to_owned(), String::new()));
    let by_name = empty.into_iter().chain(by_name).collect();
    let prompts = Prompts { by_name, default: default_prompt_name };
    prompts.get(None).map_err(|e| ModelError::malformed(SAVED, e))?;
    Ok(prompts)
}

fn pooling(files: &Files, path: &str, prompted: bool) -> Result<Pooling, ModelError> {
    let file = within(path, "config.json");
    let config: PoolingFile =
        files.json(&file)?.ok_or_else(|| ModelError::MissingFile { file: file.clone() })?;
    if prompted && !config.include_prompt {
        return Err(ModelError::unsupported(&file, "include_prompt", false));
    }
    let modes = match config.pooling_mode {
        Some(Modes::One(mode)) => vec![mode],
        Some(Modes::Many(modes)) => modes,
        None => flagged(&config.rest),
    };
    match modes.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        // Sentence-transformers pools by the mean where no mode is set.
        [] | ["mean"] => Ok(Pooling::Mean),
        ["cls"] => Ok(Pooling::Cls),
        ["max"] => Ok(Pooling::Max),
        ["lasttoken"] => Ok(Pooling::LastToken),
        _ => Err(ModelError::unsupported(&file, "pooling_mode", modes.join(" + "))),
    }
}

/// The older form: one flag for each mode.
fn flagged(rest: &BTreeMap<String, serde_json::Value>) -> Vec<String> {
    rest.iter()
        .filter(|(_, on)| **on == serde_json::Value::Bool(true))
        .filter_map(|(key, _)| key.strip_prefix("pooling_mode_"))
        .map(|mode| match mode {
            "cls_token" => "cls".to_owned(),
            "mean_tokens" => "mean".to_owned(),
            "max_tokens" => "max".to_owned(),
            other => other.to_owned(),
        })
        .collect()
}

fn dense(files: &Files, path: &str) -> Result<Dense, ModelError> {
    let file = within(path, "config.json");
    let config: DenseFile =
        files.json(&file)?.ok_or_else(|| ModelError::MissingFile { file: file.clone() })?;
    // `torch.nn.modules.activation.Tanh`: the last part is the function; absent means Tanh.
    let function = config.activation_function.as_deref().unwrap_or("Tanh");
    if config.use_residual {
        return Err(ModelError::unsupported(&file, "use_residual", true));
    }
    config.place.check(&file)?;
    let activation = match function.rsplit('.').next().unwrap_or_default() {
        "Tanh" => Activation::Tanh,
        "Identity" => Activation::None,
        "ReLU" => Activation::Relu,
        "GELU" => Activation::Gelu,
        "SiLU" => Activation::Silu,
        _ => return Err(ModelError::unsupported(&file, "activation_function", function)),
    };
    Ok(Dense {
        path: path.to_owned(),
        inputs: config.in_features,
        outputs: config.out_features,
        bias: config.bias,
        activation,
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn pooled(config: &str) -> Result<Pooling, ModelError> {
        let mut files = Files::default();
        files.insert("1_Pooling/config.json", Some(Bytes::copy_from_slice(config.as_bytes())));
        pooling(&files, "1_Pooling", false)
    }

    #[test]
    fn both_spellings_of_a_pooling_are_read() {
        for (config, expected) in [
            (r#"{"pooling_mode": "cls"}"#, Pooling::Cls),
            (r#"{"pooling_mode": ["max"]}"#, Pooling::Max),
            (
                r#"{"pooling_mode_mean_tokens": true, "pooling_mode_cls_token": false}"#,
                Pooling::Mean,
            ),
            (r#"{"pooling_mode_lasttoken": true}"#, Pooling::LastToken),
            (r#"{"word_embedding_dimension": 3}"#, Pooling::Mean),
        ] {
            let got = pooled(config).unwrap();
            assert_eq!(got, expected, "{config}");
        }
    }

    #[test]
    fn a_pooling_that_is_not_done_is_named() {
        let got = pooled(r#"{"pooling_mode_mean_tokens": true, "pooling_mode_cls_token": true}"#);
        let got = got.unwrap_err().to_string();
        assert_eq!(got, "1_Pooling/config.json: pooling_mode = cls + mean is not supported");
    }
}
