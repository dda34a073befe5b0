//! Products of bytes, summed in 32 bits.
//!
//! Every lane computes the same sums exactly, so none can be told from another. Weights lie in
//! [-127, 127] and are kept as `weight + 128`; inputs lie in [-63, 63]. Two products are then at
//! most 2 · 255 · 63 = 32,130 and fit into the 16 bits that AVX2 has for them; and an instruction
//! that takes an unsigned and a signed byte takes these as they are.

/// Outputs of a panel.
pub(crate) const WIDTH: usize = 16;

/// Added to each weight.
pub(crate) const OFFSET: u8 = 128;

/// Four inputs of each output of a panel, side by side. A register takes them from one cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Weights(pub [u8; 4 * WIDTH]);

/// How a lane multiplies a block of weights by four inputs.
pub(crate) trait Dot {
    /// How much larger than its weight a byte is by the time it is multiplied.
    const EXCESS: i32 = OFFSET as i32;

    /// Added to each input.
    const RAISED: i32 = 0;

    /// Rows of the output that a tile keeps in registers.
    const ROWS: usize;

    /// Panels that a tile walks side by side.
    const PANELS: usize;

    /// Outputs of a panel that a tile keeps in registers; it divides [`WIDTH`].
    const BLOCK: usize;

    /// Running sums of `BLOCK` outputs.
    type Sums: Copy;

    /// The weights of `BLOCK` outputs, ready to be multiplied.
    type Block: Copy;

    /// Sums that all begin with this value.
    fn start(value: i32) -> Self::Sums;

    /// The weights of the block that begins with output `first`.
    fn block(weights: &Weights, first: usize) -> Self::Block;

    /// Adds four products to each sum.
    fn step(sums: Self::Sums, block: Self::Block, inputs: [i8; 4]) -> Self::Sums;

    /// Writes the sums.
    fn finish(sums: Self::Sums, out: &mut [i32]);
}

/// What every machine has; also what the other lanes are held against.
#[cfg_attr(all(target_arch = "wasm32", target_feature = "simd128"), allow(dead_code))]
pub(crate) struct Scalar;

impl Dot for Scalar {
    const ROWS: usize = 1;
    const PANELS: usize = 1;
    const BLOCK: usize = WIDTH;

    type Sums = [i32; WIDTH];
    type Block = Weights;

    #[inline(always)]
    fn start(value: i32) -> Self::Sums {
        [value; WIDTH]
    }

    #[inline(always)]
    fn block(weights: &Weights, _: usize) -> Weights {
        *weights
    }

    #[inline(always)]
    fn step(mut sums: Self::Sums, block: Weights, inputs: [i8; 4]) -> Self::Sums {
        for (sum, weights) in sums.iter_mut().zip(block.0.as_chunks::<4>().0) {
            for (&weight, input) in weights.iter().zip(inputs) {
                *sum += i32::from(weight) * i32::from(input);
            }
        }
        sums
    }

    #[inline(always)]
    fn finish(sums: Self::Sums, out: &mut [i32]) {
        out.copy_from_slice(&sums);
    }
}
