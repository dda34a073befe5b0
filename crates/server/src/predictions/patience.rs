//! Waiting for a place that may hang: once one record took too long, one request at a time finds out
//! whether that is over, and no other is held up.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether records are waited for.
#[derive(Default)]
pub struct Patience {
    /// The last record that was waited for took too long.
    lost: AtomicBool,
    /// Somebody finds out whether that is over.
    tried: AtomicBool,
}

/// One who waits. Who leaves before the end has found out nothing.
pub struct Waiting<'a> {
    patience: &'a Patience,
    tries: bool,
}

impl Patience {
    /// Waits, where waiting makes sense.
    pub fn begin(&self) -> Option<Waiting<'_>> {
        let tries = self.lost.load(Relaxed);
        let taken = tries && self.tried.swap(true, Relaxed);
        (!taken).then_some(Waiting { patience: self, tries })
    }
}

impl Waiting<'_> {
    /// What was waited for came, or it took too long.
    pub fn end(self, came: bool) {
        // Said when it begins and when it is over, not each time.
        match (self.patience.lost.swap(!came, Relaxed), came) {
            (false, false) => tracing::error!("records take too long to write; answers go without"),
            (true, true) => tracing::info!("records are written in time again"),
            _ => {}
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.tries {
            self.patience.tried.store(false, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_it_was_lost_one_at_a_time_waits_until_it_is_back() {
        let patience = Patience::default();
        let (first, second) = (patience.begin(), patience.begin());
        assert!(first.is_some() && second.is_some(), "all wait");
        first.unwrap().end(false);
        let tries = patience.begin();
        assert!(tries.is_some() && patience.begin().is_none(), "one tries");
        drop(tries);
        let tries = patience.begin();
        assert!(tries.is_some(), "one who left is followed by another");
        tries.unwrap().end(false);
        patience.begin().unwrap().end(true);
        let all = [patience.begin(), patience.begin()];
        assert!(all.iter().all(Option::is_some), "all wait again");
    }
}
