//! The port's operations over candle's tensors.

use std::sync::{Mutex, PoisonError};

use candle_core::{DType, Tensor, Var};
use trireme_backend::shapes::{self, Shape};
use trireme_backend::{
    Attention, Backend, BackendError, BoxFuture, ByteRows, Epilogue, Layout, Lookup, Per, Pooling,
    Position, Precision, Weight, bytes,
};

use crate::attention::Attend;
use crate::noise::Dropout;
use crate::ops::{Activate, Leave, Normalise};
use crate::parts;
use crate::place::Place;

/// Candle, on the processor or another device. It remembers what it was given to change.
pub struct Candle {
    place: Place,
    trains: Box<dyn Fn(&str) -> bool + Send + Sync>,
    parameters: Mutex<Vec<Parameter>>,
    dropout: Dropout,
}

/// A weight that training changes.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// The checkpoint's names of what lies in it, one above the other, in equal parts.
    pub names: Vec<String>,
    /// The values.
    pub var: Var,
}

/// Activations.
#[derive(Debug, Clone)]
pub struct Acts {
    /// `[rows, width]`.
    pub tensor: Tensor,
}

/// A linear layer.
#[derive(Debug, Clone)]
pub struct Linear {
    /// `[outputs, inputs]`.
    pub weight: Tensor,
    /// Zeros where the layer has none.
    pub bias: Tensor,
    per: Per,
}

/// A table to look rows up in.
#[derive(Debug, Clone)]
pub struct Table {
    /// `[rows, width]`.
    pub rows: Tensor,
}

/// A layer norm.
#[derive(Debug, Clone)]
pub struct Norm {
    /// Multiplies.
    pub gain: Tensor,
    /// Is added.
    pub bias: Tensor,
    eps: f32,
}

impl Candle {
    /// A backend that may change the weights of which `trains` says so, by their checkpoint's name.
    #[must_use]
    pub fn new(trains: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self::on(Place::default(), trains)
    }

    /// The same in another place.
    #[must_use]
    pub fn on(place: Place, trains: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        let (parameters, dropout) = (Mutex::default(), Dropout::none());
        Self { place, trains: Box::new(trains), parameters, dropout }
    }

    /// Where it computes.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What training changes, in the order in which it was uploaded.
    #[must_use]
    pub fn parameters(&self) -> Vec<Parameter> {
        self.parameters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is left out while a model is trained.
    #[must_use]
    pub fn dropout(&self) -> &Dropout {
        &self.dropout
    }

    /// A tensor of a checkpoint: a variable where it is to be changed.
    fn keep(
        &self,
        names: &[String],
        part: &str,
        shape: &[usize],
        values: Vec<f32>,
    ) -> Result<Tensor, BackendError> {
        let tensor = Tensor::from_vec(values, shape, self.place.device()).map_err(broken)?;
        let names: Vec<String> = names.iter().map(|name| format!("{name}.{part}")).collect();
        if names.is_empty() || !names.iter().all(|name| (self.trains)(name)) {
            return Ok(tensor);
        }
        let var = Var::from_tensor(&tensor).map_err(broken)?;
        let tensor = var.as_tensor().clone();
        let mut parameters = self.parameters.lock().unwrap_or_else(PoisonError::into_inner);
        parameters.push(Parameter { names, var });
        Ok(tensor)
    }

    fn leave(&self, tensor: Tensor) -> candle_core::Result<Tensor> {
        match self.dropout.next() {
            Some(mask) if self.place.is_by_parts() => parts::leave(&tensor, mask),
            Some(mask) => tensor.apply_op1(Leave(mask)),
            None => Ok(tensor),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
fn broken(error: candle_core::Error) -> BackendError {
    BackendError::Device { reason: error.to_string() }
}

/// A tensor's values, row by row.
fn numbers(tensor: &Tensor) -> Result<Vec<f32>, BackendError> {
    tensor.flatten_all().and_then(|values| values.to_vec1()).map_err(broken)
}

/// A tensor's rows and columns.
fn shape(tensor: &Tensor) -> Result<Shape, BackendError> {
    let (rows, cols) = tensor.dims2().map_err(broken)?;
    Ok(Shape { rows, cols })
}

/// A weight's rows and columns, and its values in singles; `mixed` where bytes are those of rotated
/// rows.
fn singles(
    op: &'static str,
    weight: Weight<'_>,
    mixed: bool,
) -> Result<(usize, usize, Vec<f32>), BackendError> {
    let Shape { rows, cols } = shapes::weight(op, weight)?;
    match weight {
        Weight::Singles(matrix) => Ok((rows, cols, matrix.data.to_vec())),
        Weight::Bytes(ByteRows { values, scales, .. }) => {
            let mut out: Vec<f32> = values.iter().map(|&value| f32::from(value)).collect();
            for (row, scale) in out.chunks_exact_mut(cols.max(1)).zip(scales) {
                row.iter_mut().for_each(|value| *value *= scale);
                if mixed {
                    // Mixing twice gives back what was mixed; the scale makes up for its growth.
                    bytes::rotate(row);
                }
            }
            Ok((rows, cols, out))
        }
    }
}

impl Backend for Candle {
    type Acts = Acts;
    type Linear = Linear;
    type Table = Table;
    type Norm = Norm;

    fn precision(&self) -> Precision {
        Precision::F32
    }

    fn upload_linear(
        &self,
        names: &[String],
        weight: Weight<'_>,
        bias: Option<&[f32]>,
        per: Per,
    ) -> Result<Linear, BackendError> {
        const OP: &str = "upload_linear";
        let (rows, cols, values) = singles(OP, weight, true)?;
        shapes::bias(OP, rows, bias)?;
        let weight = self.keep(names, "weight", &[rows, cols], values)?;
        let bias = match bias {
            Some(bias) => self.keep(names, "bias", &[rows], bias.to_vec())?,
            None => self.keep(&[], "bias", &[rows], vec![0.0; rows])?,
        };
        Ok(Linear { weight, bias, per })
    }

    fn upload_table(&self, names: &[String], table: Weight<'_>) -> Result<Table, BackendError> {
        let (rows, cols, values) = singles("upload_table", table, false)?;
        Ok(Table { rows: self.keep(names, "weight", &[rows, cols], values)? })
    }

    fn upload_norm(
        &self,
        names: &[String],
        gain: &[f32],
        bias: &[f32],
        eps: f32,
    ) -> Result<Norm, BackendError> {
        shapes::gains("upload_norm", gain, bias)?;
        let width = gain.len();
        let gain = self.keep(names, "weight", &[width], gain.to_vec())?;
        let bias = self.keep(names, "bias", &[width], bias.to_vec())?;
        Ok(Norm { gain, bias, eps })
    }

    /// Embeddings lose some of their values behind their norm.
    fn embed(
        &self,
        lookups: &[Lookup<'_, Table>],
        norm: Option<&Norm>,
    ) -> Result<Acts, BackendError> {
        let all = lookups.iter().map(|lookup| Ok((shape(&lookup.table.rows)?, lookup.ids)));
        let all = all.collect::<Result<Vec<_>, BackendError>>()?;
        let Shape { rows, cols } = shapes::looked_up(all)?;
        let found = lookups.iter().map(|Lookup { table, ids }| {
            table.rows.index_select(&Tensor::new(*ids, self.place.device())?, 0)
        });
        let sum = found.reduce(|sum, found| sum? + found?);
        let zeros = || Tensor::zeros((rows, cols), DType::F32, self.place.device());
        let tensor = sum.unwrap_or_else(zeros).map_err(broken)?;
        let mut acts = Acts { tensor };
        if let Some(norm) = norm {
            self.norm(&mut acts, norm)?;
            acts.tensor = self.leave(acts.tensor).map_err(broken)?;
        }
        Ok(acts)
    }

    fn norm(&self, x: &mut Acts, norm: &Norm) -> Result<(), BackendError> {
        shapes::norm("norm", shape(&x.tensor)?.cols, Some(norm.gain.elem_count()))?;
        let Norm { gain, bias, eps } = norm;
        let normed = match self.place.is_by_parts() {
            true => parts::normalise(&x.tensor, gain, bias, *eps),
            false => x.tensor.apply_op3(gain, bias, Normalise(*eps)),
        };
        x.tensor = normed.map_err(broken)?;
        Ok(())
    }

    /// A product loses some of its values before the residual is added, and one that is made once a
    /// text some of its inputs.
    fn linear(
        &self,
        x: &Acts,
        layer: &Linear,
        epilogue: Epilogue<'_, Acts, Norm>,
    ) -> Result<Acts, BackendError> {
        let residual = epilogue.residual.map(|acts| shape(&acts.tensor)).transpose()?;
        shapes::linear(shape(&x.tensor)?, shape(&layer.weight)?, residual)?;
        let computed = || {
            let input = match layer.per {
                Per::Text => self.leave(x.tensor.clone())?,
                Per::Token => x.tensor.clone(),
            };
            let product = input.matmul(&layer.weight.t()?)?;
            let out = match self.place.is_by_parts() {
                true => parts::activate(epilogue.activation, &product, &layer.bias)?,
                false => product.apply_op2(&layer.bias, Activate(epilogue.activation))?,
            };
            match epilogue.residual {
                Some(residual) => self.leave(out)? + &residual.tensor,
                None => Ok(out),
            }
        };
        let mut out = Acts { tensor: computed().map_err(broken)? };
        if let Some(norm) = epilogue.norm {
            self.norm(&mut out, norm)?;
        }
        Ok(out)
    }

    fn attention(
        &self,
        qkv: &Acts,
        layout: &Layout,
        attention: &Attention<'_, Table>,
    ) -> Result<Acts, BackendError> {
        let heads = attention.heads;
        shapes::head_width(shape(&qkv.tensor)?, layout, heads)?;
        let distances = match attention.position {
            Position::Embedded => None,
            Position::Relative { table, reach } => {
                shapes::biases(shape(&table.rows)?, layout, heads, reach)?;
                Some((numbers(&table.rows)?, reach))
            }
        };
        let attend = Attend {
            starts: layout.starts().to_vec(),
            heads,
            scale: attention.scale,
            window: attention.window,
            distances,
            mask: self.dropout.next(),
        };
        let taken = match self.place.is_by_parts() {
            true => parts::attend(&attend, &qkv.tensor),
            false => qkv.tensor.apply_op1(attend),
        };
        Ok(Acts { tensor: taken.map_err(broken)? })
    }

    fn pool(&self, x: &Acts, layout: &Layout, pooling: Pooling) -> Result<Acts, BackendError> {
        shapes::rows("pool", shape(&x.tensor)?, layout)?;
        let rows = |at: Vec<u32>| x.tensor.index_select(&Tensor::new(at, self.place.device())?, 0);
        let starts = layout.starts();
        let pooled = match pooling {
            Pooling::Cls => rows(starts[..layout.len()].to_vec()),
            Pooling::LastToken => rows(starts[1..].iter().map(|end| end - 1).collect()),
            Pooling::Mean => self.means(&x.tensor, layout),
            Pooling::Max => {
                // Candle's own maximum gives every equal value the whole gradient.
                let text = |text: std::ops::Range<usize>| {
                    let rows = x.tensor.narrow(0, text.start, text.len())?.contiguous()?;
                    rows.gather(&rows.argmax_keepdim(0)?, 0)
                };
                let texts = layout.texts().map(text).collect::<candle_core::Result<Vec<_>>>();
                texts.and_then(|texts| Tensor::cat(&texts, 0))
            }
        };
        Ok(Acts { tensor: pooled.map_err(broken)? })
    }

    fn read<'a>(&'a self, x: &'a Acts) -> BoxFuture<'a, Result<Vec<f32>, BackendError>> {
        Box::pin(async { numbers(&x.tensor) })
    }
}

impl Candle {
    /// A product with a matrix whose rows hold one over the length of their text.
    fn means(&self, x: &Tensor, layout: &Layout) -> candle_core::Result<Tensor> {
        let tokens = layout.tokens();
        let mut shares = vec![0.0; layout.len() * tokens];
        for (row, text) in shares.chunks_exact_mut(tokens.max(1)).zip(layout.texts()) {
            let share = 1.0 / text.len() as f32;
            row[text].fill(share);
        }
        Tensor::from_vec(shares, (layout.len(), tokens), self.place.device())?.matmul(x)
    }
}
