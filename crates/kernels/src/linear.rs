//! `activation(x · weightᵀ + bias) + residual`.
//!
//! The weight is packed once into panels of sixteen outputs. A tile keeps a few rows of the output
//! in registers while it walks the inputs in ascending order, so each element is one chain of
//! additions whose order no tile edge can change. `f32` peak needs nothing more on the machines we
//! measured; the epilogue is applied while the tile is still in registers.

use crate::arch::{Lane, Math, dispatch};
use crate::layer::{Finish, Layer, PANEL};
use crate::memory::{OutOfMemory, filled};

/// A weight `[outputs, inputs]` with its bias, laid out for the tile.
#[derive(Debug, Clone)]
pub struct Packed {
    /// Panel by panel, input by input, sixteen outputs side by side; the last panel is filled up
    /// with zeros.
    panels: Vec<[f32; PANEL]>,
    layer: Layer,
}

impl Packed {
    /// Packs a row-major weight.
    ///
    /// # Errors
    /// [`OutOfMemory`].
    ///
    /// # Panics
    /// Where the slices have not the sizes that `outputs` and `inputs` say.
    pub fn new(
        weight: &[f32],
        outputs: usize,
        inputs: usize,
        bias: Option<&[f32]>,
    ) -> Result<Self, OutOfMemory> {
        let layer = Layer::new(weight, outputs, inputs, bias)?;
        let mut panels = filled([0.0; PANEL], layer.bias.len() * inputs)?;
        for (output, row) in weight.chunks_exact(inputs.max(1)).enumerate() {
            let panel = &mut panels[output / PANEL * inputs..][..inputs];
            for (column, &value) in panel.iter_mut().zip(row) {
                column[output % PANEL] = value;
            }
        }
        Ok(Self { panels, layer })
    }

    /// Columns of the input.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.layer.inputs
    }

    /// Columns of the output.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.layer.outputs
    }
}

/// Multiplies `x [rows, inputs]` into `out [rows, outputs]`.
///
/// # Panics
/// Where the slices disagree about the number of rows.
pub fn linear(lane: Lane, x: &[f32], weight: &Packed, finish: Finish<'_>, out: &mut [f32]) {
    weight.layer.check(x, finish, out);
    dispatch!(lane, body(x: &[f32], weight: &Packed, finish: Finish<'_>, out: &mut [f32]));
}

#[inline(always)]
fn body<M: Math>(x: &[f32], weight: &Packed, finish: Finish<'_>, out: &mut [f32]) {
    let rows = x.len() / weight.inputs().max(1);
    for (index, panel) in weight.panels.chunks_exact(weight.inputs().max(1)).enumerate() {
        let mut row = 0;
        while row < rows {
            row += match (M::TILE_ROWS, rows - row) {
                (6, 6..) => tile::<M, 6>(x, weight, panel, index, row, finish, out),
                (2, 2..) | (_, 2..=3) => tile::<M, 2>(x, weight, panel, index, row, finish, out),
                (_, 4..) => tile::<M, 4>(x, weight, panel, index, row, finish, out),
                _ => tile::<M, 1>(x, weight, panel, index, row, finish, out),
            };
        }
    }
}

/// One block of `ROWS` × sixteen outputs; says how many rows it did.
#[inline(always)]
fn tile<M: Math, const ROWS: usize>(
    x: &[f32],
    weight: &Packed,
    panel: &[[f32; PANEL]],
    index: usize,
    row: usize,
    finish: Finish<'_>,
    out: &mut [f32],
) -> usize {
    let inputs = weight.inputs();
    let rows: [&[f32]; ROWS] = std::array::from_fn(|i| &x[(row + i) * inputs..][..panel.len()]);
    let mut acc = [[0.0f32; PANEL]; ROWS];
    for (k, column) in panel.iter().enumerate() {
        for i in 0..ROWS {
            let value = rows[i][k];
            for j in 0..PANEL {
                acc[i][j] = M::madd(value, column[j], acc[i][j]);
            }
        }
    }
    for (i, product) in acc.into_iter().enumerate() {
        weight.layer.store::<M>(product, finish, index, row + i, out);
    }
    ROWS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use trireme_backend::oracle;

    use super::*;
    use crate::activation::Activation;

    fn values(len: usize) -> impl Strategy<Value = Vec<f32>> {
        prop::collection::vec(-2.0f32..2.0, len)
    }

    /// Shapes around every tile and panel edge.
    fn problem() -> impl Strategy<Value = (usize, Vec<f32>, Vec<f32>, Vec<f32>)> {
        (1usize..15, 1usize..40, 1usize..40).prop_flat_map(|(rows, inputs, outputs)| {
            (Just(inputs), values(rows * inputs), values(outputs * inputs), values(outputs))
        })
    }

    proptest! {
        #[test]
        fn a_linear_layer_is_its_oracle_on_every_lane((inputs, x, weight, bias) in problem()) {
            let expected = oracle::linear(&x, &weight, &bias, inputs);
            let packed = Packed::new(&weight, bias.len(), inputs, Some(&bias)).unwrap();
            for lane in Lane::all() {
                let mut got = vec![0.0; expected.len()];
                let finish = Finish { activation: Activation::None, residual: None };
                linear(lane, &x, &packed, finish, &mut got);
                for (at, (&got, &expected)) in got.iter().zip(&expected).enumerate() {
                    let off = (f64::from(got) - expected).abs();
                    prop_assert!(off < 1e-4, "{} at {at}: expected {expected}, got {got}", lane.name());
                }
            }
        }

        #[test]
        fn a_row_is_the_same_bits_alone_and_among_others((inputs, x, weight, bias) in problem()) {
            let packed = Packed::new(&weight, bias.len(), inputs, Some(&bias)).unwrap();
            for lane in Lane::all() {
                let finish = Finish { activation: Activation::Gelu, residual: None };
                let mut all = vec![0.0; x.len() / inputs * bias.len()];
                linear(lane, &x, &packed, finish, &mut all);
                for (row, together) in x.chunks(inputs).zip(all.chunks(bias.len())) {
                    let mut alone = vec![0.0; bias.len()];
                    linear(lane, row, &packed, finish, &mut alone);
                    prop_assert_eq!(&alone[..], together, "lane {}", lane.name());
                }
            }
        }
    }

    #[test]
    fn the_residual_is_added_after_the_activation() {
        let weight = Packed::new(&[1.0], 1, 1, None).unwrap();
        let mut got = [0.0];
        let finish = Finish { activation: Activation::Relu, residual: Some(&[10.0]) };
        linear(Lane::PORTABLE, &[-3.0], &weight, finish, &mut got);
        assert_eq!(got, [10.0]);
    }
}
