//! Bad luck on purpose, for builds that rehearse it; no other build holds this module.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};

use trireme_domain::Fault;

use crate::engine::{Answers, Job};
use crate::ports::{BoxFuture, Compute};

/// Whether the next piece of work that a pool's helper gets is its last.
pub static HELPER_DIES: AtomicBool = AtomicBool::new(false);

/// A [`Compute`] that meets with an accident where a text asks for one.
pub struct Drill<C>(pub C);

impl<C: Compute> Compute for Drill<C> {
    fn submit(&self, job: Job) -> BoxFuture<'_, Result<Answers, Fault>> {
        Box::pin(async move {
            match job.texts.first().map(|text| text.first.as_str()) {
                Some("drill: panic") => panic(),
                Some("drill: trap") => {
                    black_box(sink(black_box(1)));
                }
                Some("drill: out of memory") => hoard(),
                Some("drill: helper") => HELPER_DIES.store(true, Ordering::Relaxed),
                _ => {}
            }
            self.0.submit(job).await
        })
    }
}

#[expect(clippy::panic, reason = "the drill is what happens then")]
fn panic() {
    panic!("a drill");
}

/// Calls itself until the stack ends.
fn sink(depth: u64) -> u64 {
    let frame = black_box([depth; 512]);
    if black_box(depth) == 0 { 0 } else { sink(depth + 1) + frame[depth as usize % 512] }
}

/// Takes all the memory there is, as code does that never asks whether there is any.
fn hoard() {
    let mut held = Vec::new();
    loop {
        held.push(black_box(vec![1u8; 16 << 20]));
    }
}
