//! AdamW, on each variable where it lies.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use trireme_candle::core::backprop::GradStore;
use trireme_candle::core::{CpuStorage, InplaceOp2, Layout, Result, Storage, Tensor};
use trireme_candle::{Parameter, values};

use crate::{Options, TrainError};

const BETA: [f32; 2] = [0.9, 0.999];
const EPS: f32 = 1e-8;
/// Values that one thread updates at a time.
const PIECE: usize = 16 * 1024;

/// The running means of a variable's gradient and of its square.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Moments {
    pub mean: Vec<f32>,
    pub square: Vec<f32>,
}

/// The optimiser's memory, by the variables' names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Adam {
    pub moments: BTreeMap<String, Moments>,
}

/// One variable's update.
struct Update<'a> {
    moments: Mutex<&'a mut Moments>,
    /// What the gradient is multiplied by: less than one where it is too long.
    shorten: f32,
    rate: f32,
    decay: f32,
    /// One less the betas' powers: what the means lack while they are young.
    lack: [f32; 2],
}

/// What a parameter is called in a saved state.
pub(crate) fn called(parameter: &Parameter) -> String {
    parameter.names.join("+")
}

impl Adam {
    /// Changes every parameter; `step` counts from 0. Returns the gradient's length.
    pub fn step(
        &mut self,
        parameters: &[Parameter],
        gradients: &GradStore,
        options: &Options,
        rate: f64,
        step: usize,
    ) -> std::result::Result<f64, TrainError> {
        let found = parameters.iter().filter_map(|p| Some((p, gradients.get(&p.var)?)));
        let found: Vec<(&Parameter, Tensor)> =
            found.map(|(p, gradient)| Ok((p, gradient.contiguous()?))).collect::<Result<_>>()?;
        let length = length(found.iter().map(|(_, gradient)| gradient))?;
        let power = i32::try_from(step + 1).unwrap_or(i32::MAX);
        for (parameter, gradient) in found {
            let moments = self.moments.entry(called(parameter)).or_default();
            moments.mean.resize(gradient.elem_count(), 0.0);
            moments.square.resize(gradient.elem_count(), 0.0);
            let update = Update {
                moments: Mutex::new(moments),
                shorten: if length > options.clip { (options.clip / length) as f32 } else { 1.0 },
                rate: rate as f32,
                decay: if decays(parameter) { (rate * options.decay) as f32 } else { 0.0 },
                lack: BETA.map(|beta| 1.0 - beta.powi(power)),
            };
            parameter.var.inplace_op2(&gradient, &update)?;
        }
        Ok(length)
    }
}

/// Biases and norms are vectors.
fn decays(parameter: &Parameter) -> bool {
    parameter.var.dims().len() > 1
}

/// The length of all gradients as one vector.
fn length<'a>(gradients: impl Iterator<Item = &'a Tensor>) -> Result<f64> {
    let mut sum = 0.0;
    for gradient in gradients {
        let (storage, layout) = gradient.storage_and_layout();
        let Storage::Cpu(storage) = &*storage else { continue };
        let squares = |values: &[f32]| values.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
        // Pieces are summed in order, so the number of threads changes nothing.
        let pieces: Vec<f64> = values(storage, layout)?.par_chunks(PIECE).map(squares).collect();
        sum += pieces.iter().sum::<f64>();
    }
    Ok(sum.sqrt())
}

impl InplaceOp2 for Update<'_> {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn cpu_fwd(
        &self,
        weights: &mut CpuStorage,
        layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> Result<()> {
        let gradient = values(gradient, gradient_layout)?;
        let CpuStorage::F32(weights) = weights else {
            trireme_candle::core::bail!("weights that are not singles")
        };
        let weights = match layout.contiguous_offsets() {
            Some((start, end)) => &mut weights[start..end],
            None => trireme_candle::core::bail!("weights that do not lie row by row"),
        };
        let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        let Moments { mean, square } = &mut **moments;
        weights
            .par_chunks_mut(PIECE)
            .zip(gradient.par_chunks(PIECE))
            .zip(mean.par_chunks_mut(PIECE))
            .zip(square.par_chunks_mut(PIECE))
            .for_each(|(((weights, gradient), mean), square)| {
                let rows = weights.iter_mut().zip(gradient).zip(mean).zip(square);
                for (((weight, gradient), mean), square) in rows {
                    let gradient = gradient * self.shorten;
                    *mean = BETA[0] * *mean + (1.0 - BETA[0]) * gradient;
                    *square = BETA[1] * *square + (1.0 - BETA[1]) * gradient * gradient;
                    let (mean, square) = (*mean / self.lack[0], *square / self.lack[1]);
                    *weight -= self.decay * *weight + self.rate * mean / (square.sqrt() + EPS);
                }
            });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use trireme_candle::core::{Device, Var};

    use super::*;

    /// What AdamW makes of [1, -2] at a rate of 0.1 and a decay of 0.5, where the gradient is the
    /// value itself and no longer than 1: the formula of its paper, in `f64`.
    fn expected(steps: i32) -> [f64; 2] {
        let (mut x, mut m, mut v) = ([1.0f64, -2.0], [0.0f64; 2], [0.0f64; 2]);
        for step in 1..=steps {
            let norm = x.iter().map(|x| x * x).sum::<f64>().sqrt();
            let gradient = x.map(|x| if norm > 1.0 { x / norm } else { x });
            for at in 0..2 {
                x[at] -= 0.1 * 0.5 * x[at];
                m[at] = 0.9 * m[at] + 0.1 * gradient[at];
                v[at] = 0.999 * v[at] + 0.001 * gradient[at] * gradient[at];
                let (mean, square) =
                    (m[at] / (1.0 - 0.9f64.powi(step)), v[at] / (1.0 - 0.999f64.powi(step)));
                x[at] -= 0.1 * mean / (square.sqrt() + 1e-8);
            }
        }
        x
    }

    #[test]
    fn steps_are_those_of_the_papers() {
        let start = Tensor::new(&[[1.0f32, -2.0]], &Device::Cpu).unwrap();
        let var = Var::from_tensor(&start).unwrap();
        let parameters = [Parameter { names: vec!["x.weight".to_owned()], var: var.clone() }];
        let options = Options { decay: 0.5, clip: 1.0, ..Options::default() };
        let mut adam = Adam::default();
        for step in 0..5 {
            let gradients = (var.sqr().unwrap() * 0.5).unwrap().sum_all().unwrap();
            let gradients = gradients.backward().unwrap();
            adam.step(&parameters, &gradients, &options, 0.1, step).unwrap();
            let got = var.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let expected = expected(i32::try_from(step).unwrap() + 1);
            for (got, expected) in got.iter().zip(expected) {
                assert!((f64::from(*got) - expected).abs() < 1e-5, "{step}: {got}, {expected}");
            }
        }
    }
}
