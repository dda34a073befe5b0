//! The native clock and randomness.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trireme_domain::Limits;
use trireme_service::ports::{BoxFuture, Clock, Entropy, Telemetry, Timer};
use trireme_service::{Models, Policy, Service};

/// The use cases over these models, on this machine.
#[must_use]
pub fn service(
    models: Models,
    limits: Limits,
    policy: Policy,
    telemetry: Arc<dyn Telemetry>,
) -> Service {
    let policy = Arc::new(policy);
    Service { limits, policy, telemetry, ..Service::new(models, Steady::default(), Random) }
}

/// The system's monotonic clock, counted from when it was made.
#[derive(Debug, Clone, Copy)]
pub struct Steady(Instant);

impl Default for Steady {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Steady {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

impl Timer for Steady {
    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// The system's random bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Random;

impl Entropy for Random {
    fn id(&self) -> String {
        let mut bytes = [0; 16];
        // A system without randomness still answers; its ids then only count up.
        if getrandom::fill(&mut bytes).is_err() {
            bytes[8..].copy_from_slice(&next().to_be_bytes());
        }
        format!("{:032x}", u128::from_be_bytes(bytes))
    }
}

fn next() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed)
}
