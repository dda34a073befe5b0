//! `activation(x · weightᵀ + bias) + residual`, multiplied in halves of singles.
//!
//! A half keeps a single's exponent and eight bits of its digits (`bfloat16`), so nothing has to be
//! scaled. Sums are singles.

use std::cell::RefCell;
use std::marker::PhantomData;

use crate::arch::{Dot, LANES, Lane, SimdHalves, Vector, Weights, dispatch_halves, fetch_ahead};
use crate::layer::{Finish, Layer};
use crate::memory::{OutOfMemory, filled};
use crate::tile::{MOST, Tiled, by_tiles, dots, share};

/// A weight `[outputs, inputs]` in halves, and its bias in singles.
#[derive(Debug, Clone)]
pub struct Packed16 {
    /// Panel by panel, two inputs by two inputs.
    panels: Vec<Weights>,
    layer: Layer,
}

impl Packed16 {
    /// Rounds and packs a row-major weight.
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
        let depth = inputs.div_ceil(2);
        let mut panels = filled(Weights([0; 4 * LANES]), outputs.div_ceil(LANES) * depth)?;
        for (output, row) in weight.chunks_exact(inputs.max(1)).enumerate() {
            let panel = &mut panels[output / LANES * depth..][..depth];
            for (input, &value) in row.iter().enumerate() {
                let at = output % LANES * 4 + input % 2 * 2;
                panel[input / 2].0[at..at + 2].copy_from_slice(&half(value).to_ne_bytes());
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

/// The nearest half, ties to even; a NaN stays one.
#[inline(always)]
fn half(value: f32) -> u16 {
    let bits = value.to_bits();
    let rounded = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16;
    let quiet = bits >> 16 | 0x40;
    (if value.is_nan() { quiet } else { rounded }) as u16
}

thread_local! {
    /// The inputs of the product at hand; kept, so that the next one finds memory.
    static ROUNDED: RefCell<Vec<[u16; 2]>> = RefCell::default();
}

/// Multiplies `x [rows, inputs]` into `out [rows, outputs]`; fast where the lane
/// [has halves](Lane::has_halves). It keeps a half of its own for each value of `x`, so give it few
/// rows at once.
///
/// # Panics
/// Where the slices disagree about the number of rows.
pub fn linear16(lane: Lane, x: &[f32], weight: &Packed16, finish: Finish<'_>, out: &mut [f32]) {
    weight.layer.check(x, finish, out);
    if out.is_empty() || weight.inputs() == 0 {
        return;
    }
    ROUNDED.with_borrow_mut(|halves| {
        halves.resize(x.len() / weight.inputs() * weight.inputs().div_ceil(2), [0; 2]);
        let halves = halves.as_mut_slice();
        dispatch_halves!(
            lane,
            body(
                x: &[f32],
                halves: &mut [[u16; 2]],
                weight: &Packed16,
                finish: Finish<'_>,
                out: &mut [f32]
            )
        );
    });
}

#[inline(always)]
fn body<S: SimdHalves>(
    x: &[f32],
    halves: &mut [[u16; 2]],
    weight: &Packed16,
    finish: Finish<'_>,
    out: &mut [f32],
) {
    let (inputs, depth) = (weight.inputs(), weight.inputs().div_ceil(2));
    for (row, halves) in x.chunks_exact(inputs).zip(halves.chunks_exact_mut(depth)) {
        let (pairs, last) = row.as_chunks::<2>();
        for (pair, halves) in pairs.iter().zip(halves.iter_mut()) {
            *halves = [half(pair[0]), half(pair[1])];
        }
        if let ([value], Some(halves)) = (last, halves.last_mut()) {
            *halves = [half(*value), 0];
        }
    }
    let (x, rows) = (&*halves, 0..x.len() / inputs);
    let panels = weight.layer.bias.len();
    let together = if S::D::PANELS == 2 { panels - panels % 2 } else { 0 };
    let zero = [0.0; LANES];
    for panel in (0..together).step_by(2) {
        let sums = [[zero; 2]; MOST];
        let work = &mut Columns::<S, 2> { x, weight, panel, finish, out, sums, lane: PhantomData };
        by_tiles(S::D::ROWS, rows.clone(), work);
    }
    for panel in together..panels {
        let sums = [[zero; 1]; MOST];
        let work = &mut Columns::<S, 1> { x, weight, panel, finish, out, sums, lane: PhantomData };
        by_tiles(S::D::ROWS, rows.clone(), work);
    }
}

/// The outputs of `PANELS` panels for every row.
struct Columns<'a, S, const PANELS: usize> {
    x: &'a [[u16; 2]],
    weight: &'a Packed16,
    /// The first of them.
    panel: usize,
    finish: Finish<'a>,
    out: &'a mut [f32],
    /// Of the tile at hand.
    sums: [[[f32; LANES]; PANELS]; MOST],
    lane: PhantomData<S>,
}

impl<S: SimdHalves, const PANELS: usize> Tiled for Columns<'_, S, PANELS> {
    #[inline(always)]
    fn tile<const ROWS: usize>(&mut self, row: usize) {
        let Self { x, weight, panel, .. } = *self;
        let depth = weight.inputs().div_ceil(2);
        let next = &weight.panels[(panel + PANELS) * depth..];
        let next = &next[..next.len().min(PANELS * depth)];
        fetch_ahead(share(next, row..row + ROWS, x.len() / depth));

        let mut rows: [&[[u16; 2]]; ROWS] = [&[]; ROWS];
        for (i, halves) in rows.iter_mut().enumerate() {
            *halves = &x[(row + i) * depth..][..depth];
        }
        let mut panels: [&[Weights]; PANELS] = [&[]; PANELS];
        for (p, weights) in panels.iter_mut().enumerate() {
            *weights = &weight.panels[(panel + p) * depth..][..depth];
        }
        dots::<S::D, ROWS, PANELS>(rows, panels, [0.0; ROWS], &mut self.sums);
    }

    #[inline(always)]
    fn finish(&mut self, row: usize, rows: usize) {
        for p in 0..PANELS {
            let mut products = [S::V::splat(0.0); MOST];
            for (product, sums) in products.iter_mut().zip(&self.sums[..rows]) {
                *product = S::V::load(&sums[p]);
            }
            let products = &mut products[..rows];
            self.weight.layer.store(products, self.finish, self.panel + p, row, self.out);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use trireme_backend::oracle;

    use super::*;
    use crate::activation::Activation;

    fn run(lane: Lane, x: &[f32], weight: &Packed16, finish: Finish<'_>) -> Vec<f32> {
        let mut out = vec![0.0; x.len() / weight.inputs() * weight.outputs()];
        linear16(lane, x, weight, finish, &mut out);
        out
    }

    fn values(len: usize) -> impl Strategy<Value = Vec<f32>> {
        prop::collection::vec(-2.0f32..2.0, len)
    }

    /// Shapes around every tile and panel edge.
    fn problem() -> impl Strategy<Value = (usize, Vec<f32>, Vec<f32>, Vec<f32>)> {
        (1usize..20, 1usize..40, 1usize..40).prop_flat_map(|(rows, inputs, outputs)| {
            (Just(inputs), values(rows * inputs), values(outputs * inputs), values(outputs))
        })
    }

    fn rounded(values: &[f32]) -> Vec<f32> {
        values.iter().map(|&value| f32::from_bits(u32::from(half(value)) << 16)).collect()
    }

    proptest! {
        #[test]
        fn it_is_the_product_of_what_was_rounded_on_every_lane(
            (inputs, x, weight, bias) in problem()
        ) {
            let packed = Packed16::new(&weight, bias.len(), inputs, Some(&bias)).unwrap();
            let expected = oracle::linear(&rounded(&x), &rounded(&weight), &bias, inputs);
            let plain = Finish { activation: Activation::None, residual: None };
            for lane in Lane::all() {
                for (got, expected) in run(lane, &x, &packed, plain).iter().zip(&expected) {
                    let off = (f64::from(*got) - expected).abs();
                    prop_assert!(off < 1e-4, "{}: expected {expected}, got {got}", lane.name());
                }
            }
        }

        #[test]
        fn a_row_is_the_same_bits_alone_and_among_others((inputs, x, weight, bias) in problem()) {
            let packed = Packed16::new(&weight, bias.len(), inputs, Some(&bias)).unwrap();
            let finish = Finish { activation: Activation::Gelu, residual: None };
            for lane in Lane::all() {
                let all = run(lane, &x, &packed, finish);
                let alone: Vec<f32> =
                    x.chunks(inputs).flat_map(|row| run(lane, row, &packed, finish)).collect();
                prop_assert_eq!(&all, &alone, "{}", lane.name());
            }
        }

        #[test]
        fn a_half_is_the_nearest(value in -1e30f32..1e30) {
            let near = f32::from_bits(u32::from(half(value)) << 16);
            let step = f32::from_bits(value.to_bits() & 0x7f80_0000) / 128.0;
            prop_assert!((near - value).abs() <= step / 2.0, "{value} became {near}");
        }
    }

    #[test]
    fn what_is_not_finite_spoils_its_own_row_only() {
        let weight = Packed16::new(&[1.0, 2.0], 1, 2, None).unwrap();
        let plain = Finish { activation: Activation::None, residual: None };
        for lane in Lane::all() {
            let got = run(lane, &[1.0, 1.0, f32::NAN, 1.0, f32::INFINITY, 1.0], &weight, plain);
            assert_eq!(got[0], 3.0, "{}", lane.name());
            assert!(got[1].is_nan() && got[2].is_infinite(), "{}: {got:?}", lane.name());
        }
    }
}
