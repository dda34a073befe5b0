//! WASI's clock and randomness.

use std::time::{Duration, Instant};

use spin_sdk::wasip3::random::random::get_random_u64;
use trireme_service::ports::{Clock, Entropy};

/// The monotonic clock, counted from when it was made.
pub struct Monotonic(pub Instant);

impl Clock for Monotonic {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The host's random numbers.
pub struct Random;

impl Entropy for Random {
    fn id(&self) -> String {
        format!("{:016x}{:016x}", get_random_u64(), get_random_u64())
    }
}
