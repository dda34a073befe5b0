//! The kernels at a MiniLM's shapes: what each lane reaches, and what a peer reaches beside it.
//!
//! Ours and the peer's are measured in turn, many short times, and the best of each counts: other
//! work on the machine can only slow a run down.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use trireme_backend::bytes::quantize;
use trireme_kernels::{
    Activation, Finish, Heads, Lane, Norm, Packed, Packed8, Packed16, attend, layer_norm, linear,
    linear8, linear16,
};

const ROUNDS: usize = 40;

/// Rows, inputs and outputs of a MiniLM's products, and one of a DistilBERT's.
const SHAPES: [(usize, usize, usize); 6] = [
    (1, 384, 1536),
    (16, 384, 1536),
    (128, 384, 1152),
    (128, 384, 1536),
    (128, 1536, 384),
    (128, 768, 768),
];

const PLAIN: Finish<'_> = Finish { activation: Activation::None, residual: None };

/// The best time of each function, run in turn.
fn best<const N: usize>(mut run: [&mut dyn FnMut(); N]) -> [Duration; N] {
    let mut best = [Duration::MAX; N];
    for _ in 0..ROUNDS {
        for (best, run) in best.iter_mut().zip(&mut run) {
            let started = Instant::now();
            run();
            *best = started.elapsed().min(*best);
        }
    }
    best
}

fn noise(len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 2_654_435_761) % 1000) as f32 / 500.0 - 1.0).collect()
}

/// Bytes of a weight; not rotated, which no product notices.
fn quantized(weight: &[f32], inputs: usize) -> (Vec<i8>, Vec<f32>) {
    let mut values = vec![0; weight.len()];
    let rows = weight.chunks(inputs).zip(values.chunks_mut(inputs));
    let scales = rows.map(|(row, bytes)| quantize(row, bytes)).collect();
    (values, scales)
}

fn giga(operations: usize, time: Duration) -> f64 {
    operations as f64 / time.as_secs_f64() / 1e9
}

/// The product alone, against `matrixmultiply`, which packs its operands at every call.
fn products() {
    println!(
        "{:10} {:22} {:>10} {:>16} {:>7}",
        "lane", "rows×inputs×outputs", "ours", "matrixmultiply", "ratio"
    );
    for lane in Lane::all() {
        for (rows, inputs, outputs) in SHAPES {
            let (x, weight) = (noise(rows * inputs), noise(outputs * inputs));
            let packed = Packed::new(&weight, outputs, inputs, None).unwrap();
            let (mut ours, mut theirs) = (vec![0.0; rows * outputs], vec![0.0; rows * outputs]);
            let mut run = || linear(lane, &x, &packed, PLAIN, &mut ours);
            let mut peer = || {
                #[allow(unsafe_code)]
                // SAFETY: the strides stay within slices of rows × inputs, outputs × inputs and
                // rows × outputs values; the weight is read as its transpose.
                unsafe {
                    matrixmultiply::sgemm(
                        rows,
                        inputs,
                        outputs,
                        1.0,
                        x.as_ptr(),
                        inputs as isize,
                        1,
                        weight.as_ptr(),
                        1,
                        inputs as isize,
                        0.0,
                        theirs.as_mut_ptr(),
                        outputs as isize,
                        1,
                    );
                }
            };
            let [ours, theirs] = best([&mut run, &mut peer]);
            let work = 2 * rows * inputs * outputs;
            println!(
                "{:10} {:22} {:6.1} GF/s {:11.1} GF/s {:6.2}x",
                lane.name(),
                format!("{rows}×{inputs}×{outputs}"),
                giga(work, ours),
                giga(work, theirs),
                theirs.as_secs_f64() / ours.as_secs_f64(),
            );
        }
    }
}

/// The same product in fewer bits, rounding or rotating and quantising its input among it.
fn fewer_bits() {
    println!(
        "\n{:10} {:22} {:>11} {:>11} {:>6} {:>11} {:>6}",
        "lane", "rows×inputs×outputs", "f32", "bf16", "ratio", "int8", "ratio"
    );
    for lane in Lane::all() {
        for (rows, inputs, outputs) in SHAPES {
            let (x, weight) = (noise(rows * inputs), noise(outputs * inputs));
            let singles = Packed::new(&weight, outputs, inputs, None).unwrap();
            let halves = Packed16::new(&weight, outputs, inputs, None).unwrap();
            let (values, scales) = quantized(&weight, inputs);
            let bytes = Packed8::new(&values, &scales, inputs, None).unwrap();
            let mut out = [(); 3].map(|()| vec![0.0; rows * outputs]);
            let [one, two, three] = &mut out;
            let [in_singles, in_halves, in_bytes] = best([
                &mut || linear(lane, &x, &singles, PLAIN, one),
                &mut || linear16(lane, &x, &halves, PLAIN, two),
                &mut || linear8(lane, &x, &bytes, PLAIN, three),
            ]);
            let rate = |time| format!("{:.1} G/s", giga(2 * rows * inputs * outputs, time));
            let ratio = |time: Duration| in_singles.as_secs_f64() / time.as_secs_f64();
            println!(
                "{:10} {:22} {:>11} {:>11} {:5.2}x {:>11} {:5.2}x",
                lane.name(),
                format!("{rows}×{inputs}×{outputs}"),
                rate(in_singles),
                rate(in_halves),
                ratio(in_halves),
                rate(in_bytes),
                ratio(in_bytes),
            );
        }
    }
}

/// What stands between products, for 128 tokens of a MiniLM.
fn between() {
    let (tokens, width, inner, count) = (128, 384, 1536, 12);
    println!("\n{:10} {:32} {:>12}", "lane", "kernel, 128 tokens", "ns / token");
    for lane in Lane::all() {
        let identity = Packed::new(&vec![0.0; inner], inner, 1, Some(&noise(inner))).unwrap();
        let x = noise(tokens);
        let mut out = vec![0.0; tokens * inner];
        let mut apply = |activation| {
            let finish = Finish { activation, residual: None };
            linear(lane, &x, &identity, finish, &mut out);
        };
        let [plain] = best([&mut || apply(Activation::None)]);
        let [gelu] = best([&mut || apply(Activation::Gelu)]);
        let norm = Norm { gain: noise(width), bias: noise(width), eps: 1e-12 };
        let mut rows = noise(tokens * width);
        let [normed] = best([&mut || layer_norm(lane, &mut rows, &norm)]);
        let qkv = noise(tokens * 3 * width);
        let mut context = vec![0.0; tokens * width];
        let heads = Heads { count, width: width / count, scale: 0.18, window: None, bias: None };
        let [attended] = best([&mut || attend(lane, &qkv, 0..tokens, heads, &mut context)]);
        for (name, time) in [
            ("GELU of 1536 columns", gelu.saturating_sub(plain)),
            ("layer norm of 384 columns", normed),
            ("attention, 12 heads of 32", attended),
        ] {
            println!(
                "{:10} {name:32} {:12.0}",
                lane.name(),
                time.as_nanos() as f64 / tokens as f64
            );
        }
    }
}

fn main() {
    products();
    fewer_bits();
    between();
}
