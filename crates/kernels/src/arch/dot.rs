//! Products of bytes, summed in 32 bits, and of halves of singles.
//!
//! Every lane computes the same sums of bytes exactly, so none can be told from another. Weights
//! lie in [-127, 127] and inputs in [-63, 63]. Where an instruction takes an unsigned and a signed
//! byte, weights are kept as `weight + 128`: two products are then at most 2 · 255 · 63 = 32,130
//! and fit into the 16 bits that AVX2 has for them.

/// Outputs of a panel.
pub(crate) const WIDTH: usize = 16;

/// Added to each weight. The lanes of aarch64, and wasm's relaxed one, take signed bytes.
pub(crate) const OFFSET: u8 =
    if cfg!(any(target_arch = "aarch64", target_feature = "relaxed-simd")) { 0 } else { 128 };

/// The weights of each output of a panel for a few inputs, side by side: four bytes, or two halves
/// of singles. A register takes them from one cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Weights(pub [u8; 4 * WIDTH]);

/// How a lane multiplies sixty-four bytes of weights, those of sixteen outputs and of the inputs
/// that it takes at once, by these inputs.
pub(crate) trait Dot {
    /// The inputs that are taken at once.
    type Input: Copy;

    /// A sum in memory.
    type Sum: Copy;

    /// What each sum begins with, unless something must be taken away from it.
    const ZERO: Self::Sum;

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
    fn start(value: Self::Sum) -> Self::Sums;

    /// The weights of the block that begins with output `first`.
    fn block(weights: &Weights, first: usize) -> Self::Block;

    /// Adds the products to each sum.
    fn step(sums: Self::Sums, block: Self::Block, inputs: Self::Input) -> Self::Sums;

    /// Writes the sums.
    fn finish(sums: Self::Sums, out: &mut [Self::Sum]);
}

/// A [`Dot`] of bytes, four at once.
pub(crate) trait Bytes: Dot<Input = [i8; 4], Sum = i32> {
    /// How much larger than its weight a byte is by the time it is multiplied.
    const EXCESS: i32 = OFFSET as i32;

    /// Added to each input.
    const RAISED: i32 = 0;
}

/// What every machine has; also what the other lanes are held against.
#[cfg_attr(all(target_arch = "wasm32", target_feature = "simd128"), allow(dead_code))]
pub(crate) struct Scalar;

impl Bytes for Scalar {
    const EXCESS: i32 = 0;
}

impl Dot for Scalar {
    type Input = [i8; 4];
    type Sum = i32;

    const ZERO: i32 = 0;
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
                let weight = weight.wrapping_sub(OFFSET).cast_signed();
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

/// Two halves of singles at once, as `vdpbf16ps` would, but for how it rounds on the way.
pub(crate) struct Halves;

impl Dot for Halves {
    type Input = [u16; 2];
    type Sum = f32;

    const ZERO: f32 = 0.0;
    const ROWS: usize = 1;
    const PANELS: usize = 1;
    const BLOCK: usize = WIDTH;

    type Sums = [f32; WIDTH];
    type Block = Weights;

    #[inline(always)]
    fn start(value: f32) -> Self::Sums {
        [value; WIDTH]
    }

    #[inline(always)]
    fn block(weights: &Weights, _: usize) -> Weights {
        *weights
    }

    #[inline(always)]
    fn step(mut sums: Self::Sums, block: Weights, inputs: [u16; 2]) -> Self::Sums {
        let single = |half: u16| f32::from_bits(u32::from(half) << 16);
        for (sum, pair) in sums.iter_mut().zip(block.0.as_chunks::<4>().0) {
            let [a, b, c, d] = *pair;
            *sum += single(u16::from_ne_bytes([c, d])) * single(inputs[1]);
            *sum += single(u16::from_ne_bytes([a, b])) * single(inputs[0]);
        }
        sums
    }

    #[inline(always)]
    fn finish(sums: Self::Sums, out: &mut [f32]) {
        out.copy_from_slice(&sums);
    }
}
