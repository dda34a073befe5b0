//! The CPU backend passes the port's suite on every lane and with any cut of the work.

use trireme_backend::{
    Backend, BackendError, ByteRows, Epilogue, Lookup, Matrix, Per, conformance,
};
use trireme_cpu::{Cpu, Cuts, Executor, Inline, Lane, Precision, Work};

/// Cuts as a machine with this many threads would, and runs the pieces backwards.
struct Backwards(usize);

impl Executor for Backwards {
    fn threads(&self) -> usize {
        self.0
    }

    fn for_each(&self, out: &mut [f32], cuts: Cuts<'_>, work: &Work<'_>) {
        for (index, piece) in cuts.pieces(out).enumerate().collect::<Vec<_>>().into_iter().rev() {
            work(index, piece);
        }
    }
}

#[test]
fn every_lane_conforms() {
    for lane in Lane::all() {
        println!("lane {}", lane.name());
        conformance::run(&Cpu::new(Box::new(Inline), lane), conformance::Inline, 1e-5);
    }
}

#[test]
fn any_number_of_threads_conforms() {
    for threads in [2, 3, 7, 64] {
        println!("{threads} threads");
        let cpu = Cpu::new(Box::new(Backwards(threads)), Lane::detect());
        conformance::run(&cpu, conformance::Inline, 1e-5);
    }
}

/// As wide as no model is, and no reason to panic.
#[test]
fn a_row_wider_than_a_piece_is_a_piece() {
    let cpu = Cpu::new(Box::new(Inline), Lane::detect());
    let (inputs, rows) = (70_000, 3);
    let table = vec![1.0; inputs];
    let table =
        cpu.upload_table(&[], Matrix { rows: 1, cols: inputs, data: &table }.into()).unwrap();
    let x = cpu.embed(&[Lookup { table: &table, ids: &[0; 3] }], None).unwrap();
    let weight = vec![0.5; inputs];
    let weight = Matrix { rows: 1, cols: inputs, data: &weight };
    let weight = cpu.upload_linear(&[], weight.into(), None, Per::Token).unwrap();
    let got = cpu.linear(&x, &weight, Epilogue::PLAIN).unwrap();
    assert_eq!(got.values(), vec![35_000.0; rows]);
}

#[test]
fn a_layer_whose_sums_would_not_fit_is_refused() {
    let cpu = Cpu::new(Box::new(Inline), Lane::detect()).with_precision(Precision::Int8);
    let values = vec![1; 140_000];
    let weight = ByteRows { cols: values.len(), values: &values, scales: &[1.0] };
    let got = cpu.upload_linear(&[], weight.into(), None, Per::Token);
    assert!(matches!(got, Err(BackendError::Shape { .. })), "it was taken");
}
