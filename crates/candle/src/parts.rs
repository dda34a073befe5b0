//! What stands between two products, of candle's own operations: for devices on which ours, which
//! are written for the processor, do not run.
//!
//! Each says what its namesake in `ops` and `attention` says, and leaves out the same values.

use candle_core::backend::BackendStorage as _;
use candle_core::{
    CpuStorage, CudaStorage, CustomOp1, D, Device, Layout, Result, Shape, Storage, Tensor, bail,
};
use rayon::prelude::*;
use trireme_backend::Activation;

use crate::attention::Attend;
use crate::noise::Mask;

/// An index that candle answers with zeros.
const NOWHERE: u32 = u32::MAX;

/// `activation(x + bias)`.
pub(crate) fn activate(activation: Activation, x: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let x = x.broadcast_add(bias)?;
    match activation {
        Activation::None => Ok(x),
        Activation::Gelu => x.gelu_erf(),
        Activation::GeluTanh => x.gelu(),
        Activation::Relu => x.relu(),
        Activation::Silu => x.silu(),
        Activation::Tanh => x.tanh(),
    }
}

/// Rows with a mean of zero and a deviation of one, times a gain, and a bias.
pub(crate) fn normalise(x: &Tensor, gain: &Tensor, bias: &Tensor, eps: f32) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    let deviation = (variance + f64::from(eps))?.sqrt()?;
    centred.broadcast_div(&deviation)?.broadcast_mul(gain)?.broadcast_add(bias)
}

/// Leaves values out and enlarges the others.
pub(crate) fn leave(x: &Tensor, mask: Mask) -> Result<Tensor> {
    let indices = (0..x.elem_count()).into_par_iter();
    let factors: Vec<f32> = indices.map(|index| mask.factor(index)).collect();
    x * Tensor::from_vec(factors, x.shape(), x.device())?
}

/// What each token takes from its text. Texts stand side by side here, the short ones filled up,
/// so that one product computes all of them.
pub(crate) fn attend(attend: &Attend, qkv: &Tensor) -> Result<Tensor> {
    let (device, heads) = (qkv.device(), attend.heads);
    let (_, width) = qkv.dims2()?;
    let width = width / 3;
    let room = Room::of(attend);
    let (texts, longest) = (room.texts(), room.longest as usize);

    let apart = Arrange { rows: room.tokens(device)?, back: room.places(device)? };
    let together = Arrange { rows: apart.back.clone(), back: apart.rows.clone() };
    let apart = qkv.apply_op1(apart)?.reshape((texts, longest, 3, heads, width / heads))?;
    let part = |part| apart.narrow(2, part, 1)?.squeeze(2)?.transpose(1, 2)?.contiguous();
    let [queries, keys, values]: [Result<Tensor>; 3] = [0, 1, 2].map(part);
    let scores = (queries?.matmul(&keys?.t()?)? * f64::from(attend.scale))?;
    let scores = scores.broadcast_add(&room.biases(attend, device)?)?;
    let mut weights = softmax(&scores)?;
    if attend.mask.is_some() {
        weights = (weights * room.factors(attend, device)?)?;
    }
    let taken = weights.matmul(&values?)?.transpose(1, 2)?;
    taken.reshape((texts * longest, width))?.apply_op1(together)
}

/// Puts rows where others were, each in one place at most. Candle's own way back adds rows one by
/// one, for it does not know that none comes twice.
struct Arrange {
    /// Which row stands at each place.
    rows: Tensor,
    /// At which place each row stands.
    back: Tensor,
}

impl Arrange {
    fn shape(&self, layout: &Layout) -> Result<Shape> {
        Ok(Shape::from((self.rows.elem_count(), layout.shape().dims2()?.1)))
    }
}

impl CustomOp1 for Arrange {
    fn name(&self) -> &'static str {
        "arrange"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, rows_layout) = self.rows.storage_and_layout();
        let Storage::Cpu(rows) = &*rows else { bail!("rows that lie elsewhere") };
        Ok((x.index_select(rows, layout, rows_layout, 0)?, self.shape(layout)?))
    }

    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let (rows, rows_layout) = self.rows.storage_and_layout();
        let Storage::Cuda(rows) = &*rows else { bail!("rows that lie elsewhere") };
        Ok((x.index_select(rows, layout, rows_layout, 0)?, self.shape(layout)?))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let back = Self { rows: self.back.clone(), back: self.rows.clone() };
        gradient.contiguous()?.apply_op1(back).map(Some)
    }
}

/// Shares of one that grow with the scores of a row.
fn softmax(scores: &Tensor) -> Result<Tensor> {
    let top = scores.max_keepdim(D::Minus1)?.detach();
    let grown = scores.broadcast_sub(&top)?.exp()?;
    grown.broadcast_div(&grown.sum_keepdim(D::Minus1)?)
}

/// Where texts of several lengths stand side by side.
struct Room<'a> {
    /// Where each text begins among all tokens, and the end of the last.
    starts: &'a [u32],
    longest: u32,
}

impl<'a> Room<'a> {
    fn of(attend: &'a Attend) -> Self {
        let starts = &attend.starts[..];
        let longest = starts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        Self { starts, longest }
    }

    fn texts(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Which token stands at each place.
    fn tokens(&self, device: &Device) -> Result<Tensor> {
        let text = |pair: &[u32]| {
            let (first, end) = (pair[0], pair[1]);
            (first..first + self.longest).map(move |at| if at < end { at } else { NOWHERE })
        };
        Tensor::from_iter(self.starts.windows(2).flat_map(text), device)
    }

    /// At which place each token stands.
    fn places(&self, device: &Device) -> Result<Tensor> {
        let text = |(text, pair): (u32, &[u32])| {
            let first = text * self.longest;
            first..first + pair[1] - pair[0]
        };
        Tensor::from_iter((0..).zip(self.starts.windows(2)).flat_map(text), device)
    }

    /// What is added to a score: no key outside the text or the window is seen. A query that only
    /// fills up sees the whole text; nobody looks at what it takes.
    fn biases(&self, attend: &Attend, device: &Device) -> Result<Tensor> {
        let heads = if attend.distances.is_some() { attend.heads } else { 1 };
        self.each(heads, device, |_, length, head, query, key| {
            match (key < length, query < length) {
                (false, _) => f32::NEG_INFINITY,
                (true, false) => 0.0,
                (true, true) => attend.bias(query, key, head),
            }
        })
    }

    /// What a weight is multiplied by: zero where it is left out.
    fn factors(&self, attend: &Attend, device: &Device) -> Result<Tensor> {
        self.each(attend.heads, device, |first, _, head, query, key| {
            attend.factor(first + query, head, key)
        })
    }

    /// A value for each key of each query, of each head and text: from the text's first token, its
    /// length, the head, the query and the key.
    fn each(
        &self,
        heads: usize,
        device: &Device,
        value: impl Fn(usize, usize, usize, usize, usize) -> f32 + Sync,
    ) -> Result<Tensor> {
        let (texts, longest) = (self.texts(), self.longest as usize);
        let mut values = vec![0.0; texts * heads * longest * longest];
        values.par_chunks_mut((longest * longest).max(1)).enumerate().for_each(|(at, values)| {
            let (text, head) = (at / heads, at % heads);
            let [first, end] = [text, text + 1].map(|at| self.starts[at] as usize);
            for (at, out) in values.iter_mut().enumerate() {
                *out = value(first, end - first, head, at / longest, at % longest);
            }
        });
        Tensor::from_vec(values, (texts, heads, longest, longest), device)
    }
}
