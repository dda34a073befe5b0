//! The GPU backend passes the port's suite, in singles and in bytes.

use trireme_backend::{
    Activation, Attention, Backend, BackendError, BoxFuture, ByteRows, Epilogue, Layout, Lookup,
    Matrix, Per, Pooling, Position, Precision, bytes, conformance,
};
use trireme_cpu::{Cpu, Inline, Lane};
use trireme_gpu::{Extras, Gpu, OpenError};

struct Blocking;

impl conformance::Wait for Blocking {
    fn wait<T>(&self, future: BoxFuture<'_, T>) -> T {
        pollster::block_on(future)
    }
}

/// Opened with all that the device has, and with nothing that not every device has.
fn opened() -> [Result<Gpu, OpenError>; 2] {
    [Extras { halves: true, subgroups: true }, Extras::default()]
        .map(|extras| pollster::block_on(Gpu::open_with(extras)))
}

#[test]
fn the_gpu_conforms() {
    for gpu in opened().map(Result::unwrap) {
        for precision in [Precision::F32, Precision::Int8] {
            println!("{:?}, {}", gpu.about(), precision.name());
            conformance::run(&gpu.clone().with_precision(precision), Blocking, 1e-5);
        }
    }
}

#[test]
fn the_gpu_conforms_in_halves() {
    let [gpu, bare] = opened().map(|gpu| gpu.unwrap().with_precision(Precision::F16));
    assert!(gpu.about().extras.halves, "{:?} has no halves", gpu.about());
    conformance::run(&gpu, Blocking, 1.5e-2);
    let weight = Matrix { rows: 1, cols: 1, data: &[1.0] };
    let refused = bare.upload_linear(&[], weight.into(), None, Per::Token).err();
    assert_eq!(refused, Some(BackendError::Unsupported { what: "f16", lane: "this GPU" }));
}

/// Rows that are bytes once they are mixed, so that nothing is rounded on the way.
fn whole_rows(rows: usize, width: usize) -> Vec<f32> {
    let size = bytes::mixed(width) as f32;
    let byte = |at: usize| (at * 7919 % 127) as f32 - 63.0;
    let row = |row: usize| {
        let mut mixed: Vec<f32> = (0..width).map(|at| byte(row * width + at)).collect();
        // The largest there may be, so that a step is one.
        mixed[row % width] = 63.0;
        bytes::rotate(&mut mixed);
        mixed.into_iter().map(move |value| value / size)
    };
    (0..rows).flat_map(row).collect()
}

/// What a layer in bytes makes of rows.
fn product<B: Backend>(
    backend: &B,
    x: &[f32],
    width: usize,
    weight: ByteRows<'_>,
) -> Result<Vec<f32>, BackendError> {
    let rows = x.len() / width;
    let table = Matrix { rows, cols: width, data: x };
    let table = backend.upload_table(&[], table.into())?;
    let ids: Vec<u32> = (0..rows as u32).collect();
    let x = backend.embed(&[Lookup { table: &table, ids: &ids }], None)?;
    let weight = backend.upload_linear(&[], weight.into(), None, Per::Token)?;
    let out = backend.linear(&x, &weight, Epilogue::PLAIN)?;
    pollster::block_on(backend.read(&out))
}

#[test]
fn sums_of_bytes_are_the_processors() {
    let gpu = pollster::block_on(Gpu::open()).unwrap().with_precision(Precision::Int8);
    let cpu = Cpu::new(Box::new(Inline), Lane::detect()).with_precision(Precision::Int8);
    for (rows, width, outputs) in [(1, 4, 1), (7, 48, 21), (70, 384, 67), (3, 1536, 384)] {
        let x = whole_rows(rows, width);
        let byte = |at: usize| ((at * 104_729) % 255) as i8;
        let values: Vec<i8> = (0..outputs * width).map(|at| byte(at).max(-127)).collect();
        let scales = vec![1.0; outputs];
        let weight = ByteRows { cols: width, values: &values, scales: &scales };
        let got = product(&gpu, &x, width, weight).unwrap();
        let expected = product(&cpu, &x, width, weight).unwrap();
        assert_eq!(got, expected, "{rows} × {width} by {outputs}");
        assert!(got.iter().any(|&sum| sum.abs() > 1000.0), "the sums are of some size");
    }
}

#[test]
fn what_is_no_number_stays_so_and_stays_in_its_row() {
    let gpu = pollster::block_on(Gpu::open()).unwrap();
    let x = [1.0, 2.0, f32::NAN, 2.0, 3.0, 4.0];
    let weight = [0.5; 8];
    for activation in Activation::ALL {
        let table = Matrix { rows: 3, cols: 2, data: &x };
        let table = gpu.upload_table(&[], table.into()).unwrap();
        let x = gpu.embed(&[Lookup { table: &table, ids: &[0, 1, 2] }], None).unwrap();
        let weight = Matrix { rows: 4, cols: 2, data: &weight };
        let weight = gpu.upload_linear(&[], weight.into(), None, Per::Token).unwrap();
        let out = gpu.linear(&x, &weight, Epilogue::activate(activation)).unwrap();
        for pooling in [Pooling::Mean, Pooling::Max] {
            let layout = Layout::from_lengths([1, 2]).unwrap();
            let pooled = gpu.pool(&out, &layout, pooling).unwrap();
            let got = pollster::block_on(gpu.read(&pooled)).unwrap();
            let kept =
                got[..4].iter().all(|v| v.is_finite()) && got[4..].iter().all(|v| v.is_nan());
            assert!(kept, "{activation:?}, {pooling:?}: {got:?}");
        }
    }
}

#[test]
fn a_layer_whose_sums_would_not_fit_is_refused() {
    let gpu = pollster::block_on(Gpu::open()).unwrap().with_precision(Precision::Int8);
    let values = vec![1; 300_000];
    let weight = ByteRows { cols: values.len(), values: &values, scales: &[1.0] };
    let got = gpu.upload_linear(&[], weight.into(), None, Per::Token);
    assert!(matches!(got, Err(BackendError::Shape { .. })), "it was taken");
}

/// More workgroups along one side than any device takes: a mistake that only the device sees.
#[test]
fn what_the_device_refuses_is_told_once_and_the_next_answer_is_right() {
    let gpu = pollster::block_on(Gpu::open()).unwrap();
    let sum = |layout: &Layout| {
        let table = Matrix { rows: 1, cols: 3, data: &[1.0, 2.0, 4.0] };
        let table = gpu.upload_table(&[], table.into())?;
        let qkv = gpu.embed(&[Lookup { table: &table, ids: &vec![0; layout.tokens()] }], None)?;
        let (heads, scale, position, window) = (1, 1.0, Position::Embedded, None);
        let attention = Attention { heads, scale, position, window };
        let out = gpu.attention(&qkv, layout, &attention)?;
        pollster::block_on(gpu.read(&out))
    };
    let [few, many] =
        [3, 70_000].map(|texts| Layout::from_lengths(std::iter::repeat_n(1, texts)).unwrap());
    assert_eq!(sum(&few), Ok(vec![4.0; 3]));
    let refused = sum(&many);
    assert!(matches!(refused, Err(BackendError::Device { .. })), "{:?}", refused.err());
    assert_eq!(sum(&few), Ok(vec![4.0; 3]), "after it");
}
