//! The server, as it is started, asked and ended.

mod ending;
mod endurance;
mod jobs;
mod keys;
mod message;
mod models;
mod options;
mod predictions;
mod rates;
mod rolling;
mod secrets;
mod server;
mod starting;
mod token_ids;
mod traces;
mod trouble;
mod web;

use std::time::{Duration, Instant};

use super::*;
use server::Server;

/// What does not come true in this time does not come true.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again until there is an answer.
fn until<T>(what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "it never came true that {what}");
        std::thread::yield_now();
    }
}
