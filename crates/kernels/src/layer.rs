//! What every packed weight has, whatever numbers it is kept in: a shape, a bias, and what happens
//! to a product before it is stored.

use crate::activation::{Activation, apply};
use crate::arch::{LANES, Vector};
use crate::memory::{OutOfMemory, filled};
use crate::reduce::filled_up;

/// Outputs that lie side by side.
pub(crate) const PANEL: usize = LANES;

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
    /// The layer of a row-major weight of `len` values; panics where the sizes disagree.
    pub fn new(
        len: usize,
        outputs: usize,
        inputs: usize,
        bias: Option<&[f32]>,
    ) -> Result<Self, OutOfMemory> {
        assert_eq!(len, outputs * inputs, "weight must be outputs × inputs");
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

    /// Makes sixteen outputs of each row from its product with a panel.
    #[inline(always)]
    pub fn store<V: Vector>(
        &self,
        products: &mut [V],
        finish: Finish<'_>,
        panel: usize,
        row: usize,
        out: &mut [f32],
    ) {
        let bias = V::load(&self.bias[panel]);
        for value in products.iter_mut() {
            *value = *value + bias;
        }
        apply(finish.activation, products);
        let first = panel * PANEL;
        let width = PANEL.min(self.outputs - first);
        for (row, &value) in (row..).zip(products.iter()) {
            let at = row * self.outputs + first;
            let residual = finish.residual.map(|residual| &residual[at..at + width]);
            store_row(value, residual, &mut out[at..at + width]);
        }
    }
}

/// Adds a row's residual, where there is one, and stores as much as fits.
#[inline(always)]
fn store_row<V: Vector>(value: V, residual: Option<&[f32]>, out: &mut [f32]) {
    // A whole panel's length is known to the compiler; any other would be a call to copy it.
    if let Some(out) = out.as_mut_array::<PANEL>() {
        match residual.and_then(|residual| residual.as_array::<PANEL>()) {
            Some(residual) => (value + V::load(residual)).store(out),
            None => value.store(out),
        }
        return;
    }
    let mut block = filled_up(residual.unwrap_or(&[]), 0.0);
    match residual {
        Some(_) => (value + V::load(&block)).store(&mut block),
        None => value.store(&mut block),
    }
    out.copy_from_slice(&block[..out.len()]);
}
