//! The port's operations over candle's tensors.

use std::sync::{Mutex, PoisonError};

use candle_core::{Device, Tensor, Var};
use trireme_backend::{
    Attention, Backend, BackendError, BoxFuture, ByteRows, Epilogue, Layout, Lookup, Per, Pooling,
    Position, Precision, Weight, bytes,
};

use crate::attention::Attend;
use crate::noise::Dropout;
use crate::ops::{Activate, Leave, Normalise, read};

/// Candle, on the CPU. It remembers what it was given to change.
pub struct Candle {
    device: Device,
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

/// Activations, and how they came to be.
#[derive(Debug, Clone)]
pub struct Acts {
    /// `[rows, width]`.
    pub tensor: Tensor,
    /// Whether they are embeddings that no norm has seen.
    embedded: bool,
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
        let (parameters, dropout) = (Mutex::default(), Dropout::none());
        Self { device: Device::Cpu, trains: Box::new(trains), parameters, dropout }
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
        let tensor = Tensor::from_vec(values, shape, &self.device).map_err(broken)?;
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
            Some(mask) => tensor.apply_op1(Leave(mask)),
            None => Ok(tensor),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
fn broken(error: candle_core::Error) -> BackendError {
    BackendError::Device { reason: error.to_string() }
}

fn shape<T>(
    op: &'static str,
    fits: bool,
    expected: impl std::fmt::Display,
    got: T,
) -> Result<(), BackendError>
where
    T: std::fmt::Display,
{
    if fits { Ok(()) } else { Err(BackendError::shape(op, expected, got)) }
}

/// A weight's rows and columns, and its values in singles; `mixed` where bytes are those of rotated
/// rows.
fn singles(
    op: &'static str,
    weight: Weight<'_>,
    mixed: bool,
) -> Result<(usize, usize, Vec<f32>), BackendError> {
    match weight {
        Weight::Singles(matrix) => {
            let expected = matrix.rows * matrix.cols;
            shape(op, matrix.data.len() == expected, expected, matrix.data.len())?;
            Ok((matrix.rows, matrix.cols, matrix.data.to_vec()))
        }
        Weight::Bytes(ByteRows { cols, values, scales }) => {
            let rows = scales.len();
            shape(op, values.len() == rows * cols, rows * cols, values.len())?;
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
        let given = bias.map_or(rows, <[f32]>::len);
        shape(OP, given == rows, format!("a bias of {rows}"), given)?;
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
        let width = gain.len();
        shape("upload_norm", bias.len() == width, format!("a bias of {width}"), bias.len())?;
        let gain = self.keep(names, "weight", &[width], gain.to_vec())?;
        let bias = self.keep(names, "bias", &[width], bias.to_vec())?;
        Ok(Norm { gain, bias, eps })
    }

    fn embed(&self, lookups: &[Lookup<'_, Table>]) -> Result<Acts, BackendError> {
        let mut sum: Option<Tensor> = None;
        for Lookup { table, ids } in lookups {
            let (rows, _) = table.rows.dims2().map_err(broken)?;
            if let Some(&id) = ids.iter().find(|&&id| id as usize >= rows) {
                return Err(BackendError::IdOutOfRange { op: "embed", id, rows });
            }
            let ids = Tensor::new(*ids, &self.device).map_err(broken)?;
            let found = table.rows.index_select(&ids, 0).map_err(broken)?;
            sum = Some(match sum {
                None => found,
                Some(sum) if sum.dims() == found.dims() => (sum + found).map_err(broken)?,
                Some(sum) => {
                    let [expected, got] = [sum, found].map(|tensor| format!("{:?}", tensor.dims()));
                    return Err(BackendError::shape("embed", expected, got));
                }
            });
        }
        let tensor = sum.ok_or_else(|| BackendError::shape("embed", "at least one look-up", 0))?;
        Ok(Acts { tensor, embedded: true })
    }

    /// Embeddings lose some of their values behind their norm.
    fn norm(&self, x: &mut Acts, norm: &Norm) -> Result<(), BackendError> {
        let (expected, got) = (norm.gain.elem_count(), x.width()?);
        shape("norm", expected == got, expected, got)?;
        let normed = x.tensor.apply_op3(&norm.gain, &norm.bias, Normalise(norm.eps));
        let normed = normed.and_then(|out| if x.embedded { self.leave(out) } else { Ok(out) });
        *x = Acts { tensor: normed.map_err(broken)?, embedded: false };
        Ok(())
    }

    /// A product loses some of its values before the residual is added, and one that is made once a
    /// text some of its inputs.
    fn linear(
        &self,
        x: &Acts,
        layer: &Linear,
        epilogue: Epilogue<'_, Acts>,
    ) -> Result<Acts, BackendError> {
        let (outputs, inputs) = layer.weight.dims2().map_err(broken)?;
        shape("linear", x.width()? == inputs, inputs, x.width()?)?;
        if let Some(residual) = epilogue.residual {
            let (expected, got) = (x.rows()? * outputs, residual.tensor.elem_count());
            shape("linear", expected == got, expected, got)?;
        }
        let computed = || {
            let input = match layer.per {
                Per::Text => self.leave(x.tensor.clone())?,
                Per::Token => x.tensor.clone(),
            };
            let product = input.matmul(&layer.weight.t()?)?;
            let out = product.apply_op2(&layer.bias, Activate(epilogue.activation))?;
            match epilogue.residual {
                Some(residual) => self.leave(out)? + &residual.tensor,
                None => Ok(out),
            }
        };
        Ok(Acts { tensor: computed().map_err(broken)?, embedded: false })
    }

    fn attention(
        &self,
        qkv: &Acts,
        layout: &Layout,
        attention: &Attention<'_, Table>,
    ) -> Result<Acts, BackendError> {
        const OP: &str = "attention";
        let heads = attention.heads;
        shape(OP, qkv.rows()? == layout.tokens(), layout.tokens(), qkv.rows()?)?;
        let fits = heads > 0 && qkv.width()?.is_multiple_of(3 * heads);
        shape(OP, fits, format!("a multiple of 3 × {heads}"), qkv.width()?)?;
        let distances = match attention.position {
            Position::Embedded => None,
            Position::Relative { table, reach } => {
                let (expected, got) = ([2 * reach + 1, heads], table.rows.dims());
                shape(OP, got == expected, format!("{expected:?}"), format!("{got:?}"))?;
                let longest = layout.texts().map(|text| text.len()).max().unwrap_or(0);
                shape(OP, longest <= reach + 1, format!("{} tokens", reach + 1), longest)?;
                Some((read(&table.rows, |values| Ok(values.to_vec())).map_err(broken)?, reach))
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
        let tensor = qkv.tensor.apply_op1(attend).map_err(broken)?;
        Ok(Acts { tensor, embedded: false })
    }

    fn pool(&self, x: &Acts, layout: &Layout, pooling: Pooling) -> Result<Acts, BackendError> {
        shape("pool", x.rows()? == layout.tokens(), layout.tokens(), x.rows()?)?;
        let rows = |at: Vec<u32>| x.tensor.index_select(&Tensor::new(at, &self.device)?, 0);
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
        Ok(Acts { tensor: pooled.map_err(broken)?, embedded: false })
    }

    fn read<'a>(&'a self, x: &'a Acts) -> BoxFuture<'a, Result<Vec<f32>, BackendError>> {
        Box::pin(async { read(&x.tensor, |values| Ok(values.to_vec())).map_err(broken) })
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
        Tensor::from_vec(shares, (layout.len(), tokens), &self.device)?.matmul(x)
    }
}

impl Acts {
    fn rows(&self) -> Result<usize, BackendError> {
        Ok(self.tensor.dims2().map_err(broken)?.0)
    }

    fn width(&self) -> Result<usize, BackendError> {
        Ok(self.tensor.dims2().map_err(broken)?.1)
    }
}
