//! Candle passes the port's suite, and its way back is the slope of its way forward.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

use trireme_backend::{
    Activation, Attention, Backend, Epilogue, Layout, Lookup, Matrix, Per, Pooling, Position,
    conformance,
};
use trireme_candle::core::{Tensor, Var};
use trireme_candle::{Acts, Candle, Noise, Place};

#[test]
fn candle_conforms() {
    for place in places() {
        println!("{place:?}");
        conformance::run(&Candle::on(place, |_| true), conformance::Inline, 1e-5);
    }
}

/// The processor, with our operations and with candle's alone; and CUDA, where that is.
fn places() -> Vec<Place> {
    let mut places = vec![Place::default(), Place::by_parts()];
    places.extend(Place::cuda());
    places
}

/// Numbers in [-1, 1) that are the same each time.
fn noise(stream: u64, len: usize) -> Vec<f32> {
    let noise = Noise::new(stream);
    (0..len as u64).map(|index| (noise.unit(index) * 2.0 - 1.0) as f32).collect()
}

fn name(name: &str) -> [String; 1] {
    [name.to_owned()]
}

const WIDTH: usize = 12;
const HEADS: usize = 3;

/// A layer of every operation, on texts of three lengths.
struct Little {
    candle: Candle,
    layout: Layout,
    table: trireme_candle::Table,
    norm: trireme_candle::Norm,
    qkv: trireme_candle::Linear,
    up: trireme_candle::Linear,
    down: trireme_candle::Linear,
    head: trireme_candle::Linear,
    ids: Vec<u32>,
}

impl Little {
    fn new(place: Place) -> Self {
        let candle = Candle::on(place, |_| true);
        let linear = |called: &str, stream, rows, cols, per| {
            let (weight, bias) = (noise(stream, rows * cols), noise(stream + 1, rows));
            let weight = Matrix { rows, cols, data: &weight };
            candle.upload_linear(&name(called), weight.into(), Some(&bias), per).unwrap()
        };
        let table = noise(1, 9 * WIDTH);
        let table = Matrix { rows: 9, cols: WIDTH, data: &table };
        let (gain, bias) = (noise(2, WIDTH), noise(3, WIDTH));
        Self {
            layout: Layout::from_lengths([1, 4, 3]).unwrap(),
            table: candle.upload_table(&name("table"), table.into()).unwrap(),
            norm: candle.upload_norm(&name("norm"), &gain, &bias, 1e-5).unwrap(),
            qkv: linear("qkv", 10, 3 * WIDTH, WIDTH, Per::Token),
            up: linear("up", 20, 20, WIDTH, Per::Token),
            down: linear("down", 30, WIDTH, 20, Per::Token),
            head: linear("head", 40, 2, WIDTH, Per::Text),
            ids: vec![3, 0, 8, 8, 1, 2, 4, 7],
            candle,
        }
    }

    fn loss(&self, activation: Activation, pooling: Pooling) -> Tensor {
        let candle = &self.candle;
        let lookup = Lookup { table: &self.table, ids: &self.ids };
        let mut x = candle.embed(&[lookup], None).unwrap();
        candle.norm(&mut x, &self.norm).unwrap();
        let attention =
            Attention { heads: HEADS, scale: 0.5, position: Position::Embedded, window: None };
        let qkv = candle.linear(&x, &self.qkv, Epilogue::PLAIN).unwrap();
        let context = candle.attention(&qkv, &self.layout, &attention).unwrap();
        let inner = candle.linear(&context, &self.up, Epilogue::activate(activation)).unwrap();
        let residual = Epilogue { activation: Activation::None, residual: Some(&x), norm: None };
        let mut out = candle.linear(&inner, &self.down, residual).unwrap();
        candle.norm(&mut out, &self.norm).unwrap();
        let pooled = candle.pool(&out, &self.layout, pooling).unwrap();
        let Acts { tensor, .. } =
            candle.linear(&pooled, &self.head, Epilogue::activate(Activation::Tanh)).unwrap();
        tensor.sqr().unwrap().sum_all().unwrap()
    }
}

fn value(loss: &Tensor) -> f64 {
    f64::from(loss.to_scalar::<f32>().unwrap())
}

/// Moves one value of a variable.
fn moved(var: &Var, at: usize, by: f32) {
    let mut values = var.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    values[at] += by;
    var.set(&Tensor::from_vec(values, var.shape(), var.device()).unwrap()).unwrap();
}

/// Compares some values of each parameter's gradient with what moving them does to the loss.
fn holds(little: &Little, loss: impl Fn() -> Tensor) {
    const STEP: f32 = 4e-3;
    let gradients = loss().backward().unwrap();
    let parameters = little.candle.parameters();
    assert_eq!(parameters.len(), 11, "every weight is a parameter");
    for parameter in parameters {
        let gradient = gradients.get(&parameter.var).unwrap().flatten_all().unwrap();
        let gradient = gradient.to_vec1::<f32>().unwrap();
        let every = (gradient.len() / 7).max(1);
        for at in (0..gradient.len()).step_by(every) {
            moved(&parameter.var, at, STEP);
            let above = value(&loss());
            moved(&parameter.var, at, -2.0 * STEP);
            let below = value(&loss());
            moved(&parameter.var, at, STEP);
            let expected = (above - below) / (2.0 * f64::from(STEP));
            let got = f64::from(gradient[at]);
            let near = (got - expected).abs() <= 5e-3 + 0.03 * expected.abs();
            assert!(near, "{:?}[{at}]: expected {expected}, got {got}", parameter.names);
        }
    }
}

#[test]
fn the_way_back_is_the_slope_of_the_way_forward() {
    for (activation, pooling) in [
        (Activation::Gelu, Pooling::Mean),
        (Activation::GeluTanh, Pooling::Cls),
        (Activation::Silu, Pooling::LastToken),
        (Activation::Tanh, Pooling::Max),
        (Activation::None, Pooling::Mean),
    ] {
        for place in places() {
            println!("{activation:?}, {pooling:?}, {place:?}");
            let little = Little::new(place);
            holds(&little, || little.loss(activation, pooling));
        }
    }
}

#[test]
fn the_way_back_leaves_out_what_the_way_forward_left_out() {
    let mut losses = Vec::new();
    for place in places() {
        println!("{place:?}");
        let little = Little::new(place);
        let step = Noise::new(5).part(1);
        let loss = || {
            little.candle.dropout().set(0.25, step);
            little.loss(Activation::Gelu, Pooling::Mean)
        };
        let with = value(&loss());
        holds(&little, loss);
        little.candle.dropout().set(0.0, step);
        assert_ne!(with, value(&little.loss(Activation::Gelu, Pooling::Mean)));
        losses.push(with);
    }
    for (place, loss) in places().into_iter().zip(&losses) {
        let near = (loss - losses[0]).abs() < 1e-5;
        assert!(near, "{place:?} leaves out other values: {loss}, expected {}", losses[0]);
    }
}

#[test]
fn what_is_not_to_be_trained_is_no_parameter() {
    let candle = Candle::new(|name| name != "frozen.weight");
    let weight = Matrix { rows: 1, cols: 2, data: &[1.0, 2.0] };
    for called in ["frozen", "free"] {
        let bias = Some(&[0.0][..]);
        candle.upload_linear(&name(called), weight.into(), bias, Per::Token).unwrap();
    }
    let names: Vec<String> = candle.parameters().into_iter().flat_map(|p| p.names).collect();
    assert_eq!(names, ["frozen.bias", "free.weight", "free.bias"]);
}
