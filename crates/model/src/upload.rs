//! From tensors to weights in a backend's memory.

use std::borrow::Cow;

use trireme_backend::{Backend, Matrix, Per};

use crate::config::Spec;
use crate::encoder::reach;
use crate::weights::quantized::{Role, Values};
use crate::weights::{Tensor, Tensors};
use crate::{ModelError, inventory, relative};

/// Hands tensors to the backend, by name. The inventory made sure that they are there.
pub(crate) struct Weights<'a, B> {
    pub backend: &'a B,
    pub spec: &'a Spec,
    pub tensors: &'a Tensors,
}

impl<B: Backend> Weights<'_, B> {
    pub fn table(&self, name: &str) -> Result<B::Table, ModelError> {
        let table = self.values(name, "weight")?;
        Ok(self.backend.upload_table(&[name.to_owned()], table.weight())?)
    }

    pub fn linear(&self, name: &str) -> Result<B::Linear, ModelError> {
        let weight = self.values(name, "weight")?;
        let bias = match self.tensors.contains_key(&format!("{name}.bias")) {
            true => Some(self.singles(name, "bias")?),
            false => None,
        };
        let per = match self.role(&format!("{name}.weight"))? {
            Role::PerToken => Per::Token,
            Role::Table | Role::Small => Per::Text,
        };
        Ok(self.backend.upload_linear(&[name.to_owned()], weight.weight(), bias.as_deref(), per)?)
    }

    pub fn norm(&self, name: &str, eps: f32) -> Result<B::Norm, ModelError> {
        let (gain, bias) = (self.singles(name, "weight")?, self.singles(name, "bias")?);
        Ok(self.backend.upload_norm(&[name.to_owned()], &gain, &bias, eps)?)
    }

    /// Several linear layers on the same input, as one.
    pub fn stacked(&self, names: &[String]) -> Result<B::Linear, ModelError> {
        let weights = names.iter().map(|name| self.values(name, "weight"));
        let weights: Vec<Values<'_>> = weights.collect::<Result<_, _>>()?;
        let biases = names.iter().map(|name| self.singles(name, "bias"));
        let bias = biases.collect::<Result<Vec<_>, _>>()?.concat();
        let weight = Values::joined(&names[0], &weights)?;
        Ok(self.backend.upload_linear(names, weight.weight(), Some(&bias), Per::Token)?)
    }

    /// What each distance and head adds to a score.
    pub fn distances(&self, name: &str) -> Result<B::Table, ModelError> {
        let buckets = self.singles(name, "weight")?;
        let heads = self.spec.heads;
        let table = relative::spread(&buckets, heads, reach(self.spec));
        let (rows, cols) = (table.len() / heads, heads);
        Ok(self.backend.upload_table(&[], Matrix { rows, cols, data: &table }.into())?)
    }

    /// A tensor in the numbers that the backend computes in.
    fn values(&self, name: &str, part: &str) -> Result<Values<'_>, ModelError> {
        let name = format!("{name}.{part}");
        let role = self.role(&name)?;
        self.tensor(&name)?.values(&name, role, self.backend.precision())
    }

    fn singles(&self, name: &str, part: &str) -> Result<Cow<'_, [f32]>, ModelError> {
        let name = format!("{name}.{part}");
        self.tensor(&name)?.to_f32(&name)
    }

    fn role(&self, name: &str) -> Result<Role, ModelError> {
        Ok(inventory::role(self.spec, name, self.tensor(name)?.shape.len()))
    }

    fn tensor(&self, name: &str) -> Result<&Tensor, ModelError> {
        let missing = || ModelError::MissingTensors { names: vec![name.to_owned()] };
        self.tensors.get(name).ok_or_else(missing)
    }
}
