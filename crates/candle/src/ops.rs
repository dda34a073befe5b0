//! What stands between two products, as one operation each.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;
use trireme_backend::Activation;

use crate::noise::Mask;

/// Columns whose sums one thread makes: enough that rows are read in whole cache lines.
const COLUMNS: usize = 64;

/// The values of a tensor that lies in memory row by row.
///
/// # Errors
/// Where it does not, or its values are no singles.
pub fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => candle_core::bail!("a tensor that does not lie row by row"),
    }
}

/// Hands a tensor's values to a function.
pub(crate) fn read<T>(tensor: &Tensor, of: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        candle_core::Storage::Cpu(storage) => of(values(storage, layout)?),
        _ => candle_core::bail!("this operation is computed on the CPU"),
    }
}

fn like(tensor: &Tensor, values: Vec<f32>) -> Result<Tensor> {
    Tensor::from_vec(values, tensor.shape(), tensor.device())
}

/// The sum of each column of `rows`, row by row, whatever the number of threads.
fn column_sums(rows: &[f32], width: usize) -> Vec<f32> {
    let mut sums = vec![0.0; width];
    sums.par_chunks_mut(COLUMNS).enumerate().for_each(|(block, sums)| {
        for row in rows.chunks_exact(width) {
            for (sum, value) in sums.iter_mut().zip(&row[block * COLUMNS..]) {
                *sum += value;
            }
        }
    });
    sums
}

/// `activation(x + bias)`.
pub(crate) struct Activate(pub Activation);

impl CustomOp2 for Activate {
    fn name(&self) -> &'static str {
        "activate"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, bias) = (values(x, x_layout)?, values(bias, bias_layout)?);
        let mut out = x.to_vec();
        out.par_chunks_mut(bias.len()).for_each(|row| {
            for (value, bias) in row.iter_mut().zip(bias) {
                *value = activated(self.0, *value + bias);
            }
        });
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let width = bias.elem_count();
        let mut of_x = read(gradient, |gradient| Ok(gradient.to_vec()))?;
        if self.0 != Activation::None {
            read(x, |x| {
                read(bias, |bias| {
                    let rows = of_x.par_chunks_mut(width).zip(x.par_chunks(width));
                    rows.for_each(|(gradient, x)| {
                        for ((gradient, x), bias) in gradient.iter_mut().zip(x).zip(bias) {
                            *gradient *= slope(self.0, x + bias);
                        }
                    });
                    Ok(())
                })
            })?;
        }
        let of_bias = column_sums(&of_x, width);
        Ok((Some(like(x, of_x)?), Some(like(bias, of_bias)?)))
    }
}

/// Φ(x) and φ(x). By Abramowitz and Stegun 7.1.26 (|error| < 1.5e-7), whose exponential is φ's.
fn normal(x: f32) -> (f32, f32) {
    const TAIL: [f32; 5] = [0.254_829_6, -0.284_496_72, 1.421_413_8, -1.453_152, 1.061_405_4];
    let bell = (-0.5 * x * x).exp();
    let t = 1.0 / (1.0 + 0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2 * x.abs());
    let tail = TAIL.iter().rev().fold(0.0, |sum, factor| (sum + factor) * t);
    let upper = 0.5 * tail * bell;
    let below = if x < 0.0 { upper } else { 1.0 - upper };
    (below, bell * 0.398_942_3)
}

/// The inner function of GELU's tanh form, and its slope.
fn tanh_inner(x: f32) -> (f32, f32) {
    const SLOPE: f32 = 0.797_884_6;
    ((SLOPE * (x + 0.044_715 * x * x * x)).tanh(), SLOPE * (1.0 + 0.134_145 * x * x))
}

fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

fn activated(activation: Activation, x: f32) -> f32 {
    match activation {
        Activation::None => x,
        Activation::Gelu => x * normal(x).0,
        Activation::GeluTanh => 0.5 * x * (1.0 + tanh_inner(x).0),
        Activation::Relu => x.max(0.0),
        Activation::Silu => x * logistic(x),
        Activation::Tanh => x.tanh(),
    }
}

fn slope(activation: Activation, x: f32) -> f32 {
    match activation {
        Activation::None => 1.0,
        Activation::Gelu => {
            let (below, bell) = normal(x);
            below + x * bell
        }
        Activation::GeluTanh => {
            let (tanh, inner) = tanh_inner(x);
            0.5 * (1.0 + tanh) + 0.5 * x * (1.0 - tanh * tanh) * inner
        }
        Activation::Relu => f32::from(x > 0.0),
        Activation::Silu => {
            let part = logistic(x);
            part * (1.0 + x * (1.0 - part))
        }
        Activation::Tanh => 1.0 - x.tanh().powi(2),
    }
}

/// Layer norm of each row, with a gain and a bias.
pub(crate) struct Normalise(pub f32);

impl Normalise {
    /// The mean of a row, and one over its deviation.
    fn moments(&self, row: &[f32]) -> (f32, f32) {
        let count = row.len() as f64;
        let mean = row.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
        let squares = row.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
        (mean as f32, (1.0 / (squares + f64::from(self.0)).sqrt()) as f32)
    }
}

impl CustomOp3 for Normalise {
    fn name(&self) -> &'static str {
        "layer norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gain: &CpuStorage,
        gain_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (gain, bias) = (values(gain, gain_layout)?, values(bias, bias_layout)?);
        let mut out = values(x, x_layout)?.to_vec();
        out.par_chunks_mut(gain.len()).for_each(|row| {
            let (mean, scale) = self.moments(row);
            for ((x, gain), bias) in row.iter_mut().zip(gain).zip(bias) {
                *x = (*x - mean) * scale * gain + bias;
            }
        });
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        gain: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let width = gain.elem_count();
        let mut normed = read(x, |x| Ok(x.to_vec()))?;
        let (of_x, of_gain, of_bias) = read(gradient, |gradient| {
            let of_bias = column_sums(gradient, width);
            let mut of_x = gradient.to_vec();
            read(gain, |gain| {
                let rows = of_x.par_chunks_mut(width).zip(normed.par_chunks_mut(width));
                rows.for_each(|(gradient, x)| self.back(gradient, x, gain));
                Ok(())
            })?;
            normed.par_iter_mut().zip(gradient).for_each(|(normed, gradient)| *normed *= gradient);
            Ok((of_x, column_sums(&normed, width), of_bias))
        })?;
        Ok((Some(like(x, of_x)?), Some(like(gain, of_gain)?), Some(like(bias, of_bias)?)))
    }
}

impl Normalise {
    /// Turns a row's gradient into its input's, and its input into what the gain multiplied.
    fn back(&self, gradient: &mut [f32], x: &mut [f32], gain: &[f32]) {
        let (mean, scale) = self.moments(x);
        let (mut sum, mut along) = (0.0f64, 0.0f64);
        for ((gradient, x), gain) in gradient.iter_mut().zip(x.iter_mut()).zip(gain) {
            *x = (*x - mean) * scale;
            *gradient *= gain;
            sum += f64::from(*gradient);
            along += f64::from(*gradient) * f64::from(*x);
        }
        let count = x.len() as f64;
        let (sum, along) = ((sum / count) as f32, (along / count) as f32);
        for (gradient, x) in gradient.iter_mut().zip(x) {
            *gradient = scale * (*gradient - sum - *x * along);
        }
    }
}

/// Leaves values out and enlarges the others.
pub(crate) struct Leave(pub Mask);

impl Leave {
    fn some(&self, values: &[f32]) -> Vec<f32> {
        let indices = values.par_iter().enumerate();
        indices.map(|(index, value)| value * self.0.factor(index)).collect()
    }
}

impl CustomOp1 for Leave {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((CpuStorage::F32(self.some(values(x, layout)?)), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(like(x, read(gradient, |gradient| Ok(self.some(gradient)))?)?))
    }
}
