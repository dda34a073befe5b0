//! AdamW, on each variable where it lies.

use std::collections::BTreeMap;

use rayon::prelude::*;
use trireme_candle::core::backprop::GradStore;
use trireme_candle::core::{
    CpuStorage, InplaceOp2, InplaceOp3, Layout, Result, Storage, Tensor, bail,
};
use trireme_candle::{Parameter, values};

use crate::{Options, TrainError};

const BETA: [f32; 2] = [0.9, 0.999];
const EPS: f32 = 1e-8;
/// Values that one thread updates at a time.
const PIECE: usize = 16 * 1024;

/// The running means of a variable's gradient and of its square, as vectors.
#[derive(Debug, Clone)]
pub(crate) struct Moments {
    pub mean: Tensor,
    pub square: Tensor,
}

/// The optimiser's memory, by the variables' names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Adam {
    /// Whether it is made of candle's own operations.
    pub by_parts: bool,
    pub moments: BTreeMap<String, Moments>,
}

/// A parameter, and the gradient of its values, as a vector.
type Found<'a> = (&'a Parameter, Tensor);

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
        let found = found.map(|(p, gradient)| Ok((p, gradient.flatten_all()?.contiguous()?)));
        // Biases and norms, which are vectors, do not decay.
        let (matrices, vectors): (Vec<Found<'_>>, Vec<_>) = found
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .partition(|(parameter, _)| parameter.var.dims().len() > 1);
        let length = length(matrices.iter().chain(&vectors).map(|(_, gradient)| gradient))?;
        let power = i32::try_from(step + 1).unwrap_or(i32::MAX);
        let shorten = if length > options.clip { (options.clip / length) as f32 } else { 1.0 };
        for (some, decay) in [(matrices, (rate * options.decay) as f32), (vectors, 0.0)] {
            let lack = BETA.map(|beta| 1.0 - beta.powi(power));
            let by = Move { rate: rate as f32, decay, lack };
            match self.by_parts {
                true => self.change_together(&some, shorten, &by)?,
                false => self.change(&some, shorten, &by)?,
            }
        }
        Ok(length)
    }

    fn change(&mut self, some: &[Found<'_>], shorten: f32, by: &Move) -> Result<()> {
        for (parameter, gradient) in some {
            let Moments { mean, square } = self.remembered(parameter, gradient)?;
            mean.inplace_op2(gradient, &Remember { shorten, of: Moment::Mean })?;
            square.inplace_op2(gradient, &Remember { shorten, of: Moment::Square })?;
            parameter.var.as_tensor().inplace_op3(&mean, &square, by)?;
        }
        Ok(())
    }

    /// The same of candle's own operations. Each costs a device the same time however little it has
    /// to do, so all parameters are one vector here.
    fn change_together(&mut self, some: &[Found<'_>], shorten: f32, by: &Move) -> Result<()> {
        if some.is_empty() {
            return Ok(());
        }
        let (mut means, mut squares, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for (parameter, gradient) in some {
            let Moments { mean, square } = self.remembered(parameter, gradient)?;
            means.push(mean);
            squares.push(square);
            weights.push(parameter.var.flatten_all()?);
        }
        let gradients: Vec<&Tensor> = some.iter().map(|(_, gradient)| gradient).collect();
        let gradient = (Tensor::cat(&gradients, 0)? * f64::from(shorten))?;
        let mean = running(&Tensor::cat(&means, 0)?, &gradient, BETA[0])?;
        let square = running(&Tensor::cat(&squares, 0)?, &gradient.sqr()?, BETA[1])?;
        let weights = by.moved(&Tensor::cat(&weights, 0)?, &mean, &square)?;
        let mut from = 0;
        for (parameter, gradient) in some {
            let len = gradient.elem_count();
            let part = |of: &Tensor| of.narrow(0, from, len);
            let moments = Moments { mean: part(&mean)?, square: part(&square)? };
            self.moments.insert(called(parameter), moments);
            parameter.var.set(&part(&weights)?.reshape(parameter.var.shape())?)?;
            from += len;
        }
        Ok(())
    }

    /// What is remembered of a parameter: nothing yet is zeros.
    fn remembered(&mut self, parameter: &Parameter, gradient: &Tensor) -> Result<Moments> {
        let name = called(parameter);
        if let Some(moments) = self.moments.get(&name) {
            return Ok(moments.clone());
        }
        let moments = Moments { mean: gradient.zeros_like()?, square: gradient.zeros_like()? };
        self.moments.insert(name, moments.clone());
        Ok(moments)
    }
}

/// The length of all gradients as one vector.
fn length<'a>(gradients: impl Iterator<Item = &'a Tensor>) -> Result<f64> {
    let (mut sum, mut elsewhere) = (0.0, Vec::new());
    for gradient in gradients {
        let (storage, layout) = gradient.storage_and_layout();
        let Storage::Cpu(storage) = &*storage else {
            elsewhere.push(gradient.sqr()?.sum_all()?);
            continue;
        };
        let squares = |values: &[f32]| values.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
        // Pieces are summed in order, so the number of threads changes nothing.
        let pieces: Vec<f64> = values(storage, layout)?.par_chunks(PIECE).map(squares).collect();
        sum += pieces.iter().sum::<f64>();
    }
    if !elsewhere.is_empty() {
        // Another device is waited for once.
        let sums = Tensor::stack(&elsewhere, 0)?.to_vec1::<f32>()?;
        sum += sums.into_iter().map(f64::from).sum::<f64>();
    }
    Ok(sum.sqrt())
}

/// A running mean with one more value in it, of candle's own operations.
fn running(mean: &Tensor, new: &Tensor, beta: f32) -> Result<Tensor> {
    (mean * f64::from(beta))? + (new * f64::from(1.0 - beta))?
}

/// The values that an operation in place changes.
fn changed<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&mut values[start..end]),
        _ => bail!("values that are no singles, or do not lie row by row"),
    }
}

/// Which of the means.
#[derive(Clone, Copy)]
enum Moment {
    Mean,
    Square,
}

/// Adds a gradient to a running mean.
struct Remember {
    /// What the gradient is multiplied by: less than one where it is too long.
    shorten: f32,
    of: Moment,
}

impl InplaceOp2 for Remember {
    fn name(&self) -> &'static str {
        "adam's memory"
    }

    fn cpu_fwd(
        &self,
        mean: &mut CpuStorage,
        layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> Result<()> {
        let gradient = values(gradient, gradient_layout)?;
        let pieces = changed(mean, layout)?.par_chunks_mut(PIECE).zip(gradient.par_chunks(PIECE));
        pieces.for_each(|(mean, gradient)| {
            for (mean, gradient) in mean.iter_mut().zip(gradient) {
                let gradient = gradient * self.shorten;
                *mean = match self.of {
                    Moment::Mean => BETA[0] * *mean + (1.0 - BETA[0]) * gradient,
                    Moment::Square => BETA[1] * *mean + (1.0 - BETA[1]) * gradient * gradient,
                };
            }
        });
        Ok(())
    }
}

/// Moves weights by the means.
struct Move {
    rate: f32,
    decay: f32,
    /// One less the betas' powers: what the means lack while they are young.
    lack: [f32; 2],
}

impl InplaceOp3 for Move {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn cpu_fwd(
        &self,
        weights: &mut CpuStorage,
        layout: &Layout,
        mean: &CpuStorage,
        mean_layout: &Layout,
        square: &CpuStorage,
        square_layout: &Layout,
    ) -> Result<()> {
        let (mean, square) = (values(mean, mean_layout)?, values(square, square_layout)?);
        let pieces = mean.par_chunks(PIECE).zip(square.par_chunks(PIECE));
        let weights = changed(weights, layout)?.par_chunks_mut(PIECE);
        weights.zip(pieces).for_each(|(weights, (mean, square))| {
            for ((weight, mean), square) in weights.iter_mut().zip(mean).zip(square) {
                let (mean, square) = (mean / self.lack[0], square / self.lack[1]);
                *weight -= self.decay * *weight + self.rate * mean / (square.sqrt() + EPS);
            }
        });
        Ok(())
    }
}

impl Move {
    /// Moved weights, of candle's own operations.
    fn moved(&self, weights: &Tensor, mean: &Tensor, square: &Tensor) -> Result<Tensor> {
        let along = (mean * f64::from(self.rate / self.lack[0]))?;
        let deviation = ((square / f64::from(self.lack[1]))?.sqrt()? + f64::from(EPS))?;
        (weights * f64::from(1.0 - self.decay))? - (along / deviation)?
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
        for by_parts in [false, true] {
            let start = Tensor::new(&[[1.0f32, -2.0]], &Device::Cpu).unwrap();
            let var = Var::from_tensor(&start).unwrap();
            let parameters = [Parameter { names: vec!["x.weight".to_owned()], var: var.clone() }];
            let options = Options { decay: 0.5, clip: 1.0, ..Options::default() };
            let mut adam = Adam { by_parts, ..Adam::default() };
            for step in 0..5 {
                let gradients = (var.sqr().unwrap() * 0.5).unwrap().sum_all().unwrap();
                let gradients = gradients.backward().unwrap();
                adam.step(&parameters, &gradients, &options, 0.1, step).unwrap();
                let got = var.flatten_all().unwrap().to_vec1::<f32>().unwrap();
                let expected = expected(i32::try_from(step).unwrap() + 1);
                for (got, expected) in got.iter().zip(expected) {
                    let near = (f64::from(*got) - expected).abs() < 1e-5;
                    assert!(near, "by parts: {by_parts}, step {step}: {got}, expected {expected}");
                }
            }
        }
    }
}
