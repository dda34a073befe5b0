//! The port's operations, each a cut along rows and one kernel call a piece.

use std::ops::Range;

use trireme_backend::shapes::{self, Shape};
use trireme_backend::{
    Attention, Backend, BackendError, BoxFuture, ByteRows, Epilogue, Layout, Lookup, Matrix, Per,
    Pooling, Position, Precision, Weight,
};
use trireme_kernels::{self as kernels, Lane};

use crate::spare::{Buffer, Spare};
use crate::weights::{Linear, Rows, Table};
use crate::{Cuts, Executor};

/// Inputs of one piece, in values: few enough to stay in the second cache while every weight passes
/// by, and as many as that allows, because every weight passes by once a piece.
const PIECE: usize = 64 * 1024;

/// The CPU as a place that computes.
pub struct Cpu {
    executor: Box<dyn Executor>,
    lane: Lane,
    precision: Precision,
    spare: Spare,
}

/// A row-major block of activations.
#[derive(Debug, Clone)]
pub struct Acts {
    buffer: Buffer,
    width: usize,
}

impl Acts {
    /// The values, row by row.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.buffer.values
    }

    fn rows(&self) -> usize {
        self.values().len() / self.width.max(1)
    }

    fn shape(&self) -> Shape {
        Shape { rows: self.rows(), cols: self.width }
    }

    /// Some rows' values.
    fn range(&self, rows: Range<usize>) -> &[f32] {
        &self.values()[rows.start * self.width..rows.end * self.width]
    }
}

impl Cpu {
    /// A backend over this executor, with these instructions, that computes in singles.
    #[must_use]
    pub fn new(executor: Box<dyn Executor>, lane: Lane) -> Self {
        Self { executor, lane, precision: Precision::F32, spare: Spare::default() }
    }

    /// The same, computing in other numbers. In bytes, every lane gives the same bits: the sums are
    /// exact, and nothing else is rounded as the lane would like.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        let lane = if precision.in_bytes() { self.lane.exact() } else { self.lane };
        Self { lane, precision, ..self }
    }

    /// The instructions in use.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// Memory for `rows × width` values, with anything in it.
    fn room(&self, op: &'static str, rows: usize, width: usize) -> Result<Acts, BackendError> {
        let buffer = self.spare.take(rows.saturating_mul(width)).map_err(|oom| short(op, oom))?;
        Ok(Acts { buffer, width })
    }

    /// Writes all rows of `out`, piece by piece; `work` gets the first row of its piece. A row of
    /// the output is made of `inputs` values.
    fn by_rows(&self, out: &mut Acts, inputs: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
        if out.values().is_empty() {
            return;
        }
        let fits = (PIECE / inputs).max(1).next_multiple_of(24);
        let piece = out.rows().div_ceil(self.executor.threads()).clamp(1, fits);
        let cuts = Cuts::Every(piece * out.width);
        self.executor.for_each(&mut out.buffer.values, cuts, &|index, out: &mut [f32]| {
            work(index * piece, out);
        });
    }
}

impl Backend for Cpu {
    type Acts = Acts;
    type Linear = Linear;
    type Table = Table;
    type Norm = kernels::Norm;

    fn precision(&self) -> Precision {
        self.precision
    }

    fn upload_linear(
        &self,
        _: &[String],
        weight: Weight<'_>,
        bias: Option<&[f32]>,
        per: Per,
    ) -> Result<Linear, BackendError> {
        const OP: &str = "upload_linear";
        shapes::bias(OP, shapes::weight(OP, weight)?.rows, bias)?;
        let here = match self.precision {
            Precision::F16 => false,
            Precision::Bf16 => self.lane.has_halves(),
            Precision::F32 | Precision::Int8 | Precision::Int4 => true,
        };
        if !here {
            let (what, lane) = (self.precision.name(), self.lane.name());
            return Err(BackendError::Unsupported { what, lane });
        }
        match weight {
            Weight::Bytes(ByteRows { cols, .. }) if cols > kernels::Packed8::WIDEST => {
                let expected = format!("{} inputs at most in bytes", kernels::Packed8::WIDEST);
                return Err(BackendError::shape(OP, expected, cols));
            }
            Weight::Bytes(ByteRows { cols, values, scales }) => {
                kernels::Packed8::new(values, scales, cols, bias).map(Linear::Bytes)
            }
            Weight::Singles(Matrix { rows, cols, data }) => {
                if self.precision == Precision::Bf16 && per == Per::Token {
                    kernels::Packed16::new(data, rows, cols, bias).map(Linear::Halves)
                } else {
                    kernels::Packed::new(data, rows, cols, bias).map(Linear::Singles)
                }
            }
        }
        .map_err(|oom| short(OP, oom))
    }

    fn upload_table(&self, _: &[String], table: Weight<'_>) -> Result<Table, BackendError> {
        const OP: &str = "upload_table";
        shapes::weight(OP, table)?;
        let copied =
            match table {
                Weight::Singles(Matrix { cols, data, .. }) => kernels::copied(data)
                    .map(|data| Table { rows: Rows::Singles(data), width: cols }),
                Weight::Bytes(ByteRows { cols, values, scales }) => kernels::copied(values)
                    .and_then(|values| {
                        let rows = Rows::Bytes { values, scales: kernels::copied(scales)? };
                        Ok(Table { rows, width: cols })
                    }),
            };
        copied.map_err(|oom| short(OP, oom))
    }

    fn upload_norm(
        &self,
        _: &[String],
        gain: &[f32],
        bias: &[f32],
        eps: f32,
    ) -> Result<kernels::Norm, BackendError> {
        shapes::gains("upload_norm", gain, bias)?;
        Ok(kernels::Norm { gain: gain.to_vec(), bias: bias.to_vec(), eps })
    }

    fn embed(
        &self,
        lookups: &[Lookup<'_, Table>],
        norm: Option<&kernels::Norm>,
    ) -> Result<Acts, BackendError> {
        let shapes = lookups.iter().map(|lookup| (lookup.table.shape(), lookup.ids));
        let Shape { rows: tokens, cols: width } = shapes::looked_up(shapes)?;
        shapes::norm("embed", width, norm.map(|norm| norm.gain.len()))?;
        let mut out = self.room("embed", tokens, width)?;
        self.by_rows(&mut out, width, |first, rows| {
            rows.fill(0.0);
            for (token, row) in (first..).zip(rows.chunks_exact_mut(width)) {
                for Lookup { table, ids } in lookups {
                    table.add(ids[token] as usize, row);
                }
            }
            if let Some(norm) = norm {
                kernels::layer_norm(self.lane, rows, norm);
            }
        });
        Ok(out)
    }

    fn norm(&self, x: &mut Acts, norm: &kernels::Norm) -> Result<(), BackendError> {
        shapes::norm("norm", x.width, Some(norm.gain.len()))?;
        let width = x.width;
        self.by_rows(x, width, |_, rows| kernels::layer_norm(self.lane, rows, norm));
        Ok(())
    }

    fn linear(
        &self,
        x: &Acts,
        weight: &Linear,
        epilogue: Epilogue<'_, Acts, kernels::Norm>,
    ) -> Result<Acts, BackendError> {
        let layer = Shape { rows: weight.outputs(), cols: weight.inputs() };
        let Shape { rows, cols: outputs } =
            shapes::linear(x.shape(), layer, epilogue.residual.map(Acts::shape))?;
        shapes::norm("linear", outputs, epilogue.norm.map(|norm| norm.gain.len()))?;
        let activation = activation(epilogue.activation);
        let mut out = self.room("linear", rows, outputs)?;
        self.by_rows(&mut out, x.width, |first, out| {
            let rows = first..first + out.len() / outputs;
            let x = x.range(rows.clone());
            let residual = epilogue.residual.map(|add| add.range(rows));
            let finish = kernels::Finish { activation, residual };
            match weight {
                Linear::Singles(weight) => kernels::linear(self.lane, x, weight, finish, out),
                Linear::Halves(weight) => kernels::linear16(self.lane, x, weight, finish, out),
                Linear::Bytes(weight) => kernels::linear8(self.lane, x, weight, finish, out),
            }
            if let Some(norm) = epilogue.norm {
                kernels::layer_norm(self.lane, out, norm);
            }
        });
        Ok(out)
    }

    fn attention(
        &self,
        qkv: &Acts,
        layout: &Layout,
        attention: &Attention<'_, Table>,
    ) -> Result<Acts, BackendError> {
        let heads = heads(qkv, layout, attention)?;
        let width = heads.count * heads.width;
        let mut out = self.room("attention", layout.tokens(), width)?;
        let attend = |text: Range<usize>, queries: Range<usize>, out: &mut [f32]| {
            kernels::attend(self.lane, qkv.range(text), queries, heads, out);
        };
        // A text's keys are laid out once for each piece that it is cut into.
        if layout.len() >= 2 * self.executor.threads() || self.executor.threads() == 1 {
            let cuts = Cuts::At { starts: layout.starts(), width };
            self.executor.for_each(&mut out.buffer.values, cuts, &|text, out: &mut [f32]| {
                let text = layout.text(text);
                attend(text.clone(), 0..text.len(), out);
            });
            return Ok(out);
        }
        self.by_rows(&mut out, width, |first, mut out| {
            // A piece may span several texts: attend for each in turn.
            let mut row = first;
            while !out.is_empty() {
                let text = layout.text_of(row);
                let take = (text.end - row).min(out.len() / width);
                let (piece, rest) = out.split_at_mut(take * width);
                let first = row - text.start;
                attend(text, first..first + take, piece);
                out = rest;
                row += take;
            }
        });
        Ok(out)
    }

    fn pool(&self, x: &Acts, layout: &Layout, pooling: Pooling) -> Result<Acts, BackendError> {
        shapes::rows("pool", x.shape(), layout)?;
        let mut pooled = self.room("pool", layout.len(), x.width)?;
        let rows = pooled.buffer.values.chunks_exact_mut(x.width.max(1));
        for (text, out) in layout.texts().zip(rows) {
            let (first, last) = (text.start, text.end - 1);
            match pooling {
                Pooling::Mean => kernels::mean_rows(x.range(text), out),
                Pooling::Max => kernels::max_rows(x.range(text), out),
                Pooling::Cls => out.copy_from_slice(x.range(first..first + 1)),
                Pooling::LastToken => out.copy_from_slice(x.range(last..last + 1)),
            }
        }
        Ok(pooled)
    }

    fn read<'a>(&'a self, x: &'a Acts) -> BoxFuture<'a, Result<Vec<f32>, BackendError>> {
        Box::pin(std::future::ready(Ok(x.values().to_vec())))
    }
}

fn short(op: &'static str, oom: kernels::OutOfMemory) -> BackendError {
    BackendError::OutOfMemory { op, bytes: oom.bytes }
}

fn heads<'a>(
    qkv: &Acts,
    layout: &Layout,
    attention: &Attention<'a, Table>,
) -> Result<kernels::Heads<'a>, BackendError> {
    let count = attention.heads;
    let width = shapes::head_width(qkv.shape(), layout, count)?;
    let bias = match attention.position {
        Position::Embedded => None,
        Position::Relative { table, reach } => {
            let Rows::Singles(values) = &table.rows else {
                let expected = "biases in singles";
                return Err(BackendError::shape("attention", expected, "bytes"));
            };
            shapes::biases(table.shape(), layout, count, reach)?;
            Some(kernels::Bias { table: values, reach })
        }
    };
    Ok(kernels::Heads { count, width, scale: attention.scale, window: attention.window, bias })
}

fn activation(activation: trireme_backend::Activation) -> kernels::Activation {
    use trireme_backend::Activation as Port;
    match activation {
        Port::None => kernels::Activation::None,
        Port::Gelu => kernels::Activation::Gelu,
        Port::GeluTanh => kernels::Activation::GeluTanh,
        Port::Relu => kernels::Activation::Relu,
        Port::Silu => kernels::Activation::Silu,
        Port::Tanh => kernels::Activation::Tanh,
    }
}
