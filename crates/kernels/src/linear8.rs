//! `activation(x · weightᵀ + bias) + residual`, multiplied in bytes.
//!
//! The rows of `x` are quantised as they come. The sums of products are exact, so they are the same
//! on every lane; what follows is rounded one operation at a time, so that is the same, too.

use std::cell::RefCell;
use std::marker::PhantomData;

use crate::arch::{Bytes, Dot, Lane, OFFSET, Simd, Vector, WIDTH, Weights, dispatch, fetch_ahead};
use crate::layer::{Finish, Layer};
use crate::memory::{OutOfMemory, filled};
use crate::quantize::Rows8;
use crate::tile::{MOST, Tiled, by_tiles, dots, share};

/// A weight `[outputs, inputs]` in bytes, each output with a scale of its own, and its bias.
#[derive(Debug, Clone)]
pub struct Packed8 {
    /// Panel by panel, four inputs by four inputs.
    panels: Vec<Weights>,
    scales: Vec<[f32; WIDTH]>,
    /// The sum of each output's weights.
    sums: Vec<[i32; WIDTH]>,
    layer: Layer,
}

impl Packed8 {
    /// Inputs of the widest layer whose sums fit into 32 bits.
    pub const WIDEST: usize = i32::MAX as usize / (128 * 127);

    /// Packs a row-major weight: bytes in [-127, 127], of rotated rows, with a scale for each row.
    ///
    /// # Errors
    /// [`OutOfMemory`].
    ///
    /// # Panics
    /// Where the slices have not the sizes that `scales` and `inputs` say, or sums of so many
    /// inputs would overflow.
    pub fn new(
        weight: &[i8],
        row_scales: &[f32],
        inputs: usize,
        bias: Option<&[f32]>,
    ) -> Result<Self, OutOfMemory> {
        let outputs = row_scales.len();
        let layer = Layer::new(weight.len(), outputs, inputs, bias)?;
        assert!(inputs <= Self::WIDEST, "sums of {inputs} products would overflow");
        let (blocks, depth) = (outputs.div_ceil(WIDTH), inputs.div_ceil(4));
        let mut panels = filled(Weights([OFFSET; 4 * WIDTH]), blocks * depth)?;
        let mut scales = filled([0.0; WIDTH], blocks)?;
        scales.as_flattened_mut()[..outputs].copy_from_slice(row_scales);
        let mut sums = filled([0; WIDTH], blocks)?;
        for (output, row) in weight.chunks_exact(inputs.max(1)).enumerate() {
            let (panel, column) = (output / WIDTH, output % WIDTH);
            for (input, &byte) in row.iter().enumerate() {
                sums[panel][column] += i32::from(byte);
                panels[panel * depth + input / 4].0[column * 4 + input % 4] =
                    byte.cast_unsigned().wrapping_add(OFFSET);
            }
        }
        Ok(Self { panels, scales, sums, layer })
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

thread_local! {
    /// The inputs of the product at hand; kept, so that the next one finds memory.
    static QUANTIZED: RefCell<Rows8> = RefCell::default();
}

/// Multiplies `x [rows, inputs]` into `out [rows, outputs]`. Every lane gives the same bits. It
/// keeps a byte of its own for each value of `x`, so give it few rows at once.
///
/// # Panics
/// Where the slices disagree about the number of rows.
pub fn linear8(lane: Lane, x: &[f32], weight: &Packed8, finish: Finish<'_>, out: &mut [f32]) {
    weight.layer.check(x, finish, out);
    if out.is_empty() || weight.inputs() == 0 {
        return;
    }
    let lane = lane.exact();
    QUANTIZED.with_borrow_mut(|rows| {
        rows.fill(lane, x, weight.inputs());
        let x = &*rows;
        dispatch!(lane, body(x: &Rows8, weight: &Packed8, finish: Finish<'_>, out: &mut [f32]));
    });
}

#[inline(always)]
fn body<S: Simd>(x: &Rows8, weight: &Packed8, finish: Finish<'_>, out: &mut [f32]) {
    let panels = weight.scales.len();
    let together = if S::D::PANELS == 2 { panels - panels % 2 } else { 0 };
    let rows = 0..x.scales.len();
    for panel in (0..together).step_by(2) {
        let work = &mut Columns::<S, 2> {
            x,
            weight,
            panel,
            finish,
            out,
            sums: [[[0; WIDTH]; 2]; MOST],
            lane: PhantomData,
        };
        by_tiles(S::D::ROWS, rows.clone(), work);
    }
    for panel in together..panels {
        let work = &mut Columns::<S, 1> {
            x,
            weight,
            panel,
            finish,
            out,
            sums: [[[0; WIDTH]; 1]; MOST],
            lane: PhantomData,
        };
        by_tiles(S::D::ROWS, rows.clone(), work);
    }
}

/// The outputs of `PANELS` panels for every row.
struct Columns<'a, S, const PANELS: usize> {
    x: &'a Rows8,
    weight: &'a Packed8,
    /// The first of them.
    panel: usize,
    finish: Finish<'a>,
    out: &'a mut [f32],
    /// The exact sums of the tile at hand.
    sums: [[[i32; WIDTH]; PANELS]; MOST],
    lane: PhantomData<S>,
}

impl<S: Simd, const PANELS: usize> Tiled for Columns<'_, S, PANELS> {
    #[inline(always)]
    fn tile<const ROWS: usize>(&mut self, row: usize) {
        let Self { x, weight, panel, .. } = *self;
        let depth = weight.inputs().div_ceil(4);
        let next = &weight.panels[(panel + PANELS) * depth..];
        let next = &next[..next.len().min(PANELS * depth)];
        fetch_ahead(share(next, row..row + ROWS, x.scales.len()));

        let mut rows: [&[[i8; 4]]; ROWS] = [&[]; ROWS];
        for (i, values) in rows.iter_mut().enumerate() {
            *values = &x.values[(row + i) * depth..][..depth];
        }
        let mut starts = [0; ROWS];
        for (i, start) in starts.iter_mut().enumerate() {
            // Where bytes are larger than weights, this takes what that adds away again.
            *start = -S::D::EXCESS * x.sums[row + i];
        }
        let mut panels: [&[Weights]; PANELS] = [&[]; PANELS];
        for (p, weights) in panels.iter_mut().enumerate() {
            *weights = &weight.panels[(panel + p) * depth..][..depth];
        }
        dots::<S::D, ROWS, PANELS>(rows, panels, starts, &mut self.sums);
    }

    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "`p` is a column of `sums`")]
    fn finish(&mut self, row: usize, rows: usize) {
        let Self { x, weight, panel, .. } = *self;
        for p in 0..PANELS {
            let scales = S::V::load(&weight.scales[panel + p]);
            let mut products = [scales; MOST];
            for (i, product) in products[..rows].iter_mut().enumerate() {
                let sums = &mut self.sums[i][p];
                if S::D::RAISED != 0 {
                    for (sum, weights) in sums.iter_mut().zip(&weight.sums[panel + p]) {
                        *sum -= S::D::RAISED * weights;
                    }
                }
                *product = S::V::from_integers(sums) * (S::V::splat(x.scales[row + i]) * scales);
            }
            weight.layer.store(&mut products[..rows], self.finish, panel + p, row, self.out);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use trireme_backend::{bytes, oracle};

    use super::*;
    use crate::activation::Activation;

    const PLAIN: Finish<'_> = Finish { activation: Activation::None, residual: None };

    fn values(len: usize) -> impl Strategy<Value = Vec<f32>> {
        prop::collection::vec(-2.0f32..2.0, len)
    }

    /// Shapes around every tile and panel edge.
    fn problem() -> impl Strategy<Value = (usize, Vec<f32>, Vec<f32>, Vec<f32>)> {
        (1usize..20, 1usize..40, 1usize..40).prop_flat_map(|(rows, inputs, outputs)| {
            (Just(inputs), values(rows * inputs), values(outputs * inputs), values(outputs))
        })
    }

    /// The bytes of a weight, and their scales.
    fn quantized(weight: &[f32], inputs: usize) -> (Vec<i8>, Vec<f32>) {
        let mut values = vec![0; weight.len()];
        let mut scales = Vec::new();
        for (row, to) in weight.chunks(inputs).zip(values.chunks_mut(inputs)) {
            let mut row = row.to_vec();
            bytes::rotate(&mut row);
            scales.push(bytes::quantize(&row, to) / bytes::mixed(inputs) as f32);
        }
        (values, scales)
    }

    fn packed(weight: &[f32], inputs: usize, bias: Option<&[f32]>) -> Packed8 {
        let (values, scales) = quantized(weight, inputs);
        Packed8::new(&values, &scales, inputs, bias).unwrap()
    }

    /// What a rotated row of bytes stands for; `over` is what its scale was not divided by.
    fn plain(row: &[i8], scale: f32, over: usize) -> Vec<f32> {
        let mut row: Vec<f32> = row.iter().map(|&byte| f32::from(byte) * scale).collect();
        bytes::rotate(&mut row);
        row.into_iter().map(|value| value / over as f32).collect()
    }

    fn run(lane: Lane, x: &[f32], weight: &Packed8, finish: Finish<'_>) -> Vec<f32> {
        let mut out = vec![0.0; x.len() / weight.inputs() * weight.outputs()];
        linear8(lane, x, weight, finish, &mut out);
        out
    }

    proptest! {
        #[test]
        fn it_is_the_product_of_what_was_quantised((inputs, x, weight, bias) in problem()) {
            let packed = packed(&weight, inputs, Some(&bias));
            let mut rows = Rows8::default();
            rows.fill(Lane::PORTABLE, &x, inputs);
            let near: Vec<f32> = rows
                .values
                .chunks(inputs.div_ceil(4))
                .zip(&rows.scales)
                .flat_map(|(row, scale)| {
                    plain(&row.as_flattened()[..inputs], *scale, bytes::mixed(inputs))
                })
                .collect();
            let (values, scales) = quantized(&weight, inputs);
            let weight: Vec<f32> = values
                .chunks(inputs)
                .zip(&scales)
                .flat_map(|(row, scale)| plain(row, *scale, 1))
                .collect();
            let expected = oracle::linear(&near, &weight, &bias, inputs);
            for (got, expected) in run(Lane::PORTABLE, &x, &packed, PLAIN).iter().zip(&expected) {
                let off = (f64::from(*got) - expected).abs();
                prop_assert!(off < 1e-4, "expected {expected}, got {got}");
            }
        }

        #[test]
        fn every_lane_gives_the_same_bits_to_a_row_alone_and_among_others(
            (inputs, x, weight, bias) in problem()
        ) {
            let packed = packed(&weight, inputs, Some(&bias));
            let finish = Finish { activation: Activation::Gelu, residual: None };
            let expected: Vec<f32> =
                x.chunks(inputs).flat_map(|row| run(Lane::PORTABLE, row, &packed, finish)).collect();
            for lane in Lane::all() {
                prop_assert_eq!(&run(lane, &x, &packed, finish), &expected, "{}", lane.name());
            }
        }
    }

    #[test]
    fn the_largest_sums_there_are_fit() {
        for (inputs, sign) in [(3072, 1.0), (3072, -1.0), (7, 1.0)] {
            let weight = packed(&vec![sign; inputs], inputs, None);
            for lane in Lane::all() {
                let got = run(lane, &vec![-1.0; inputs], &weight, PLAIN)[0];
                let expected = -sign * inputs as f32;
                let off = (got - expected).abs() / expected.abs();
                assert!(off < 1e-6, "{}: expected {expected}, got {got}", lane.name());
            }
        }
    }

    #[test]
    fn what_is_not_finite_spoils_its_own_row_only() {
        let weight = packed(&[1.0, 2.0], 2, None);
        for lane in Lane::all() {
            let got = run(lane, &[1.0, 1.0, f32::INFINITY, 1.0, 0.0, 0.0], &weight, PLAIN);
            assert!(got[1].is_nan(), "{}: expected NaN, got {}", lane.name(), got[1]);
            let expected = run(lane, &[1.0, 1.0], &weight, PLAIN)[0];
            assert_eq!((got[0], got[2]), (expected, 0.0), "{}", lane.name());
        }
    }

    #[test]
    fn no_rows_and_an_output_that_is_always_zero() {
        let weight = packed(&[0.0, 0.0, 1.0, -1.0], 2, Some(&[0.5, 0.0]));
        for lane in Lane::all() {
            assert_eq!(run(lane, &[], &weight, PLAIN), []);
            assert_eq!(run(lane, &[3.0, 1.0], &weight, PLAIN)[0], 0.5, "{}", lane.name());
        }
    }
}
