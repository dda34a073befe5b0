//! Where products and sums are rounded one by one, every lane of every machine gives these bits.

use trireme_backend::bytes;
use trireme_kernels::{
    Activation, Bias, Finish, Heads, Lane, Norm, OutOfMemory, Packed8, attend, layer_norm, linear8,
};

/// What this file's layer comes to, on x86-64, on aarch64 and on wasm.
const BITS: u64 = 0xa022_554e_ff7a_b87a;

const TOKENS: usize = 37;
const HEADS: usize = 3;
/// Neither whole panels nor whole registers.
const WIDTH: usize = HEADS * 13;
const INNER: usize = 101;

const ACTIVATIONS: [Activation; 5] =
    [Activation::Gelu, Activation::GeluTanh, Activation::Relu, Activation::Silu, Activation::Tanh];

/// Numbers from -2 to 2 that every machine makes alike: integers, divided by a power of two.
struct Numbers(u32);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from(((self.0 >> 16) as u16).cast_signed()) / 16_384.0
    }

    fn many(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next()).collect()
    }

    fn layer(&mut self, outputs: usize, inputs: usize) -> Result<Packed8, OutOfMemory> {
        let (mut weight, bias) = (self.many(outputs * inputs), self.many(outputs));
        let (mut values, mut scales) = (vec![0; weight.len()], Vec::new());
        for (row, to) in weight.chunks_mut(inputs).zip(values.chunks_mut(inputs)) {
            bytes::rotate(row);
            scales.push(bytes::quantize(row, to) / bytes::mixed(inputs) as f32);
        }
        Packed8::new(&values, &scales, inputs, Some(&bias))
    }
}

fn through(lane: Lane, x: &[f32], layer: &Packed8, finish: Finish<'_>) -> Vec<f32> {
    let mut out = vec![0.0; x.len() / layer.inputs() * layer.outputs()];
    linear8(lane, x, layer, finish, &mut out);
    out
}

/// A layer of an encoder in bytes, once with each activation.
fn encoded(lane: Lane) -> Result<Vec<f32>, OutOfMemory> {
    let numbers = &mut Numbers(1);
    let plain = Finish { activation: Activation::None, residual: None };
    let x = numbers.many(TOKENS * WIDTH);
    let qkv = through(lane, &x, &numbers.layer(3 * WIDTH, WIDTH)?, plain);
    let table = numbers.many((2 * TOKENS + 1) * HEADS);
    let bias = Some(Bias { table: &table, reach: TOKENS });
    let heads = Heads { count: HEADS, width: WIDTH / HEADS, scale: 0.0625, window: Some(20), bias };
    let mut seen = vec![0.0; TOKENS * WIDTH];
    attend(lane.exact(), &qkv, 0..TOKENS, heads, &mut seen);
    let (up, down) = (numbers.layer(INNER, WIDTH)?, numbers.layer(WIDTH, INNER)?);
    let norm = Norm { gain: numbers.many(WIDTH), bias: numbers.many(WIDTH), eps: 1e-12 };
    for activation in ACTIVATIONS {
        let inner = through(lane, &seen, &up, Finish { activation, residual: None });
        seen = through(lane, &inner, &down, Finish { residual: Some(&seen), ..plain });
        layer_norm(lane.exact(), &mut seen, &norm);
    }
    Ok(seen)
}

/// FNV-1a.
fn hash(values: &[f32]) -> u64 {
    let bytes = values.iter().flat_map(|value| value.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[test]
fn every_lane_of_every_machine_gives_these_bits() {
    for lane in Lane::all() {
        let values = encoded(lane).unwrap();
        let spread = values.iter().fold(0.0f32, |top, value| top.max(value.abs()));
        assert!(spread.is_finite() && spread > 0.1, "{}: nothing is computed", lane.name());
        let got = hash(&values);
        assert_eq!(got, BITS, "{}: {got:#018x}", lane.name());
        println!("bits: {} {got:#018x}", lane.name());
    }
}
