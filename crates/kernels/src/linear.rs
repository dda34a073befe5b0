//! `activation(x · weightᵀ + bias) + residual`.
//!
//! The weight is packed once into panels of sixteen outputs. A tile keeps a few rows of the output
//! in registers while it walks the inputs in ascending order, so each element is one chain of
//! additions whose order no tile edge can change. `f32` peak needs nothing more on the machines we
//! measured; the epilogue is applied while the tile is still in registers.

use crate::arch::{Block, Lane, Simd, Vector, dispatch, fetch_ahead};
use crate::layer::{Finish, Layer, PANEL};
use crate::memory::{OutOfMemory, filled};
use crate::tile::{MOST, Tiled, by_tiles, share, tile};

/// A weight `[outputs, inputs]` with its bias, laid out for the tile.
#[derive(Debug, Clone)]
pub struct Packed {
    /// Panel by panel, input by input, sixteen outputs side by side; the last panel is filled up
    /// with zeros.
    panels: Vec<Block>,
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
        let layer = Layer::new(weight.len(), outputs, inputs, bias)?;
        let mut panels = filled(Block([0.0; PANEL]), layer.bias.len() * inputs)?;
        for (output, row) in weight.chunks_exact(inputs.max(1)).enumerate() {
            let panel = &mut panels[output / PANEL * inputs..][..inputs];
            for (column, &value) in panel.iter_mut().zip(row) {
                column.0[output % PANEL] = value;
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
fn body<S: Simd>(x: &[f32], weight: &Packed, finish: Finish<'_>, out: &mut [f32]) {
    let inputs = weight.inputs().max(1);
    let zero = S::V::splat(0.0);
    let mut panels = weight.panels.chunks_exact(inputs).enumerate().peekable();
    while let Some((index, panel)) = panels.next() {
        let next = panels.peek().map_or(&[][..], |(_, next)| next);
        let layer = &weight.layer;
        let work =
            &mut Columns { x, layer, panel, next, index, finish, out, products: [zero; MOST] };
        by_tiles(S::V::ROWS, 0..x.len() / inputs, work);
    }
}

/// Sixteen outputs of every row.
struct Columns<'a, V> {
    x: &'a [f32],
    layer: &'a Layer,
    panel: &'a [Block],
    /// The panel after this one.
    next: &'a [Block],
    index: usize,
    finish: Finish<'a>,
    out: &'a mut [f32],
    /// Of the tile at hand.
    products: [V; MOST],
}

impl<V: Vector> Tiled for Columns<'_, V> {
    #[inline(always)]
    fn tile<const ROWS: usize>(&mut self, row: usize) {
        let inputs = self.panel.len();
        fetch_ahead(share(self.next, row..row + ROWS, self.x.len() / inputs));
        let mut rows: [&[f32]; ROWS] = [&[]; ROWS];
        for (row, x) in rows.iter_mut().zip(self.x[row * inputs..].chunks_exact(inputs)) {
            *row = x;
        }
        let products = tile::<V, ROWS>(rows, self.panel);
        for (product, to) in products.into_iter().zip(&mut self.products) {
            *to = product;
        }
    }

    #[inline(always)]
    fn finish(&mut self, row: usize, rows: usize) {
        let products = &mut self.products[..rows];
        self.layer.store(products, self.finish, self.index, row, self.out);
    }
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
