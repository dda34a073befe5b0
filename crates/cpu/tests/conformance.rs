//! The CPU backend passes the port's suite on every lane and with any cut of the work.

use trireme_backend::conformance;
use trireme_cpu::{Cpu, Cuts, Executor, Inline, Lane, Work};

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
