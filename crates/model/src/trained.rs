//! What training needs of a checkpoint, and what it gives back: a head for new classes, weights
//! that changed, and the folder that others read.

use std::collections::BTreeMap;

use ::safetensors::tensor::{Dtype as Stored, TensorView, serialize};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::config::{self, Spec};
use crate::files::{Files, within};
use crate::weights::{Dtype, Tensor, Tensors};
use crate::{Checkpoint, ModelError};

/// What transformers calls a family's class, less `ForSequenceClassification`.
const CLASSES: [(&str, &str); 7] = [
    ("bert", "Bert"),
    ("camembert", "Camembert"),
    ("distilbert", "DistilBert"),
    ("electra", "Electra"),
    ("mpnet", "MPNet"),
    ("roberta", "Roberta"),
    ("xlm-roberta", "XLMRoberta"),
];

impl Checkpoint {
    /// The same model with a head for these classes. Its own head is kept where it has the same
    /// ones; otherwise `fresh` makes as many values as a new weight has. New biases are zero.
    ///
    /// # Errors
    /// [`ModelError`] where the configuration can't be read.
    pub fn classifying(
        &self,
        names: &[String],
        mut fresh: impl FnMut(usize) -> Vec<f32>,
    ) -> Result<Self, ModelError> {
        if self.spec.labels.as_ref().is_some_and(|labels| labels.names == names) {
            return Ok(self.clone());
        }
        let mut texts = self.texts.clone();
        let file = within(&self.root, "config.json");
        let config: Option<Map<String, Value>> = texts.json(&file)?;
        let config = with_classes(config.unwrap_or_default(), names);
        let bytes =
            serde_json::to_vec_pretty(&config).map_err(|e| ModelError::malformed(&file, e))?;
        texts.insert(file, Some(bytes.into()));

        let spec = config::read(&texts, &self.root)?;
        let (head, width) = (&spec.family.head, spec.width);
        let mut tensors = self.tensors.clone();
        for (layer, outputs) in [(head.dense, width), (head.classifier, names.len())] {
            let kept = layer == head.dense && self.spec.labels.is_some();
            if !kept {
                let weight = singles(vec![outputs, width], &fresh(outputs * width));
                tensors.insert(format!("{layer}.weight"), weight);
                tensors
                    .insert(format!("{layer}.bias"), singles(vec![outputs], &vec![0.0; outputs]));
            }
        }
        Ok(Self { spec, texts, tensors, ..self.clone() })
    }

    /// The same model with other values in these tensors, by their canonical names.
    ///
    /// # Errors
    /// [`ModelError::UnexpectedTensors`] for a name that it has not, and
    /// [`ModelError::TensorShape`] for another number of values.
    pub fn with_weights(&self, values: &BTreeMap<String, Vec<f32>>) -> Result<Self, ModelError> {
        let mut tensors = self.tensors.clone();
        for (name, values) in values {
            let unexpected = || ModelError::UnexpectedTensors { names: vec![name.clone()] };
            let tensor = tensors.get_mut(name).ok_or_else(unexpected)?;
            if values.len() != tensor.shape.iter().product::<usize>() {
                let (expected, got) = (tensor.shape.clone(), vec![values.len()]);
                return Err(ModelError::TensorShape { name: name.clone(), expected, got });
            }
            *tensor = singles(tensor.shape.clone(), values);
        }
        Ok(Self { tensors, ..self.clone() })
    }

    /// The same classifier with its logits divided by a temperature, which changes how sure it is
    /// and nothing else.
    ///
    /// # Errors
    /// [`ModelError::NoHead`], or what is wrong with the head's tensors.
    pub fn with_temperature(&self, temperature: f64) -> Result<Self, ModelError> {
        if self.spec.labels.is_none() {
            return Err(ModelError::NoHead);
        }
        let mut scaled = BTreeMap::new();
        for kind in ["weight", "bias"] {
            let name = format!("{}.{kind}", self.spec.family.head.classifier);
            let missing = || ModelError::MissingTensors { names: vec![name.clone()] };
            let values = self.tensors.get(&name).ok_or_else(missing)?.to_f32(&name)?;
            let values = values.iter().map(|&value| (f64::from(value) / temperature) as f32);
            scaled.insert(name.clone(), values.collect());
        }
        self.with_weights(&scaled)
    }

    /// The folder that transformers and sentence-transformers read, weights in singles.
    ///
    /// # Errors
    /// [`ModelError`] where a weight is not finite, or is kept in bytes.
    pub fn folder(&self) -> Result<Files, ModelError> {
        let mut parts: BTreeMap<String, Tensors> = BTreeMap::new();
        for (name, tensor) in &self.tensors {
            let values = singles(tensor.shape.clone(), &tensor.to_f32(name)?);
            let dense = self.sentence.dense.iter().find_map(|dense| {
                let inner = name.strip_prefix(&dense.path)?.strip_prefix('/')?;
                Some((dense.path.clone(), inner.to_owned()))
            });
            let of_encoder = || (self.root.clone(), saved_name(&self.spec, name));
            let (path, name) = dense.unwrap_or_else(of_encoder);
            parts.entry(path).or_default().insert(name, values);
        }
        let mut files = self.texts.clone();
        for (path, tensors) in parts {
            let file = within(&path, "model.safetensors");
            let bytes = written(&tensors).map_err(|e| ModelError::damaged(&file, e))?;
            files.insert(file, Some(bytes));
        }
        Ok(files)
    }
}

/// A configuration that says what classes there are.
fn with_classes(mut config: Map<String, Value>, names: &[String]) -> Map<String, Value> {
    let family = config.get("model_type").and_then(Value::as_str).unwrap_or_default();
    let class = CLASSES.iter().find(|(known, _)| *known == family).map_or("", |(_, class)| class);
    let ids = names.iter().enumerate();
    let to_name: Map<String, Value> =
        ids.clone().map(|(id, name)| (id.to_string(), json!(name))).collect();
    let to_id: Map<String, Value> = ids.map(|(id, name)| (name.clone(), json!(id))).collect();
    config.insert("architectures".to_owned(), json!([format!("{class}ForSequenceClassification")]));
    config.insert("id2label".to_owned(), to_name.into());
    config.insert("label2id".to_owned(), to_id.into());
    config.insert("problem_type".to_owned(), json!("single_label_classification"));
    config.remove("num_labels");
    config
}

/// What the reference calls a tensor: with a head, the encoder's names get the family's prefix.
fn saved_name(spec: &Spec, name: &str) -> String {
    let family = spec.family;
    let of_head = [family.head.dense, family.head.classifier]
        .iter()
        .any(|head| name.starts_with(head) && !head.starts_with("pooler"));
    if spec.labels.is_none() || of_head {
        name.to_owned()
    } else {
        format!("{}{name}", family.prefix)
    }
}

pub(crate) fn singles(shape: Vec<usize>, values: &[f32]) -> Tensor {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Tensor::plain(Dtype::F32, shape, bytes.into())
}

/// Singles as a safetensors file; the mark is one that transformers looks for.
fn written(tensors: &Tensors) -> Result<Bytes, ::safetensors::SafeTensorError> {
    let views = tensors
        .iter()
        .map(|(name, tensor)| {
            Ok((name.as_str(), TensorView::new(Stored::F32, tensor.shape.clone(), &tensor.data)?))
        })
        .collect::<Result<Vec<_>, ::safetensors::SafeTensorError>>()?;
    let mark = [("format".to_owned(), "pt".to_owned())].into();
    serialize(views, Some(mark)).map(Bytes::from)
}
