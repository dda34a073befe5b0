//! What every packed weight has, whatever numbers it is kept in: a shape, a bias, and what happens
//! to a product before it is stored.

use crate::activation::{Activation, apply};
use crate::arch::Math;
use crate::memory::{OutOfMemory, filled};

/// Outputs that lie side by side.
pub(crate) const PANEL: usize = 16;

/// A layer without its weight.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    /// The last panel is filled up with zeros.
    pub bias: Vec<[f32; PANEL]>,
    pub inputs: usize,
    pub outputs: usize,
}

/// What happens to a product before it is stored.
#[derive(Debug, Clone, Copy)]
pub struct Finish<'a> {
    /// Applied to product plus bias.
    pub activation: Activation,
    /// Added last; same shape as the output.
    pub residual: Option<&'a [f32]>,
}

impl Layer {
    /// The layer of a row-major weight; panics where the sizes disagree.
    pub fn new(
        weight: &[f32],
        outputs: usize,
        inputs: usize,
        bias: Option<&[f32]>,
    ) -> Result<Self, OutOfMemory> {
        assert_eq!(weight.len(), outputs * inputs, "weight must be outputs × inputs");
        let mut padded = filled([0.0; PANEL], outputs.div_ceil(PANEL))?;
        if let Some(bias) = bias {
            assert_eq!(bias.len(), outputs, "bias must have one value for each output");
            padded.as_flattened_mut()[..outputs].copy_from_slice(bias);
        }
        Ok(Self { bias: padded, inputs, outputs })
    }

    /// Panics where the slices disagree about the number of rows.
    pub fn check(&self, x: &[f32], finish: Finish<'_>, out: &[f32]) {
        let rows = x.len() / self.inputs.max(1);
        assert_eq!(x.len(), rows * self.inputs, "x must hold whole rows");
        assert_eq!(out.len(), rows * self.outputs, "out must be rows × outputs");
        if let Some(residual) = finish.residual {
            assert_eq!(residual.len(), out.len(), "residual must have the shape of out");
        }
    }

    /// Makes sixteen outputs of a row from its product with a panel, while that is in registers.
    #[inline(always)]
    pub fn store<M: Math>(
        &self,
        mut block: [f32; PANEL],
        finish: Finish<'_>,
        panel: usize,
        row: usize,
        out: &mut [f32],
    ) {
        for (value, bias) in block.iter_mut().zip(&self.bias[panel]) {
            *value += bias;
        }
        apply::<M>(finish.activation, &mut block);
        let first = panel * PANEL;
        let at = row * self.outputs + first;
        let width = PANEL.min(self.outputs - first);
        let out = &mut out[at..at + width];
        let residual = finish.residual.map(|residual| &residual[at..at + width]);
        // A whole panel's length is known to the compiler; any other would be a call to copy it.
        if let Some(out) = out.as_mut_array::<PANEL>() {
            if let Some(residual) = residual.and_then(|residual| residual.as_array::<PANEL>()) {
                for (value, add) in block.iter_mut().zip(residual) {
                    *value += add;
                }
            }
            *out = block;
            return;
        }
        for (at, (out, value)) in out.iter_mut().zip(block).enumerate() {
            *out = value + residual.map_or(0.0, |residual| residual[at]);
        }
    }
}
