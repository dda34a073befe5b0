//! The threads that listen, and when they pause.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::{self, available_parallelism};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// A runtime for the program. Where there is one processor, the thread that listens pauses before it
/// looks who else came, if somebody was just refused for want of room.
///
/// # Errors
/// The system's, where it gives no threads.
pub fn runtime() -> std::io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    // Of several threads one that pauses would hold up the others, which it does nothing for.
    if available_parallelism().is_ok_and(|processors| processors.get() == 1) {
        builder.on_thread_park(|| thread::sleep(PAUSE.take()));
    }
    builder.enable_all().build()
}

/// The hook of a runtime is told nothing, so what it knows is the process's own.
pub(crate) static PAUSE: Pause = Pause(AtomicU64::new(0));

/// A pause that is allowed, in nanoseconds, until it is taken.
pub(crate) struct Pause(AtomicU64);

impl Pause {
    /// Allows one. Those that were allowed before and not taken are one with it: the longest.
    pub fn allow(&self, time: Duration) {
        self.0.fetch_max(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    /// Takes it; nobody else does.
    fn take(&self) -> Duration {
        Duration::from_nanos(self.0.swap(0, Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_taken_once_and_those_that_were_allowed_together_are_one() {
        let pause = Pause(AtomicU64::new(0));
        assert_eq!(pause.take(), Duration::ZERO, "none is allowed");
        let time = Duration::from_millis(2);
        pause.allow(time);
        pause.allow(time);
        // Of a refusal for want of time.
        pause.allow(Duration::ZERO);
        assert_eq!([pause.take(), pause.take()], [time, Duration::ZERO]);
    }
}
