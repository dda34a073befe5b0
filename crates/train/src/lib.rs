//! Fine-tunes a model.
//!
//! A [`Trainer`] runs the model's own encoder over the differentiable backend and changes its
//! weights, a step at a time. What it learns is an [`Objective`]: classes, or how near two texts
//! are. It can be put away between any two steps ([`Trainer::state`]) and goes on as if it had not
//! been.
//!
//! Nothing here opens a file. The order of the texts, what is left out and new weights follow from
//! the seed alone.

mod adam;
mod distill;
mod error;
mod identity;
mod loss;
mod options;
mod order;
mod plot;
mod state;
mod task;
mod trainer;
mod triplets;

pub use distill::{Distill, Lesson};
pub use error::TrainError;
pub use options::{Options, Schedule};
pub use order::{draws, shuffled, split};
pub use plot::{Point, plot};
pub use task::{Classify, Loss, Objective, Pair, Pairs, Score};
pub use trainer::{Progress, Trainer};
pub use triplets::{Triplet, Triplets};

use trireme_candle::Noise;
pub use trireme_candle::Place;

/// Streams of random numbers, so that no two uses share one.
#[derive(Clone, Copy)]
enum Stream {
    Order = 1,
    Dropout = 2,
    Head = 3,
    Split = 4,
    Change = 5,
}

fn stream(seed: u64, stream: Stream) -> Noise {
    Noise::new(seed).part(stream as u64)
}

/// Values for a new weight: normal, with the deviation that transformers gives them.
pub fn fresh_weights(seed: u64) -> impl FnMut(usize) -> Vec<f32> {
    const DEVIATION: f64 = 0.02;
    let noise = stream(seed, Stream::Head);
    let mut next = 0;
    move |len| {
        (0..len)
            .map(|_| {
                // Box and Muller's way from two even numbers to a normal one.
                let (a, b) = (noise.unit(next), noise.unit(next + 1));
                next += 2;
                let radius = (-2.0 * (1.0 - a).ln()).sqrt();
                (DEVIATION * radius * (std::f64::consts::TAU * b).cos()) as f32
            })
            .collect()
    }
}
