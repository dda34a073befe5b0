//! Whose turn it is to bring the model.

use std::sync::Mutex;
use std::time::Duration;

use trireme_service::ports::Clock as _;

use crate::ports::Performance;

/// A request whose caller left is stopped without a word, and cannot hand its turn back.
const LONGEST: Duration = Duration::from_secs(5);

static SINCE: Mutex<Option<Duration>> = Mutex::new(None);

/// The right to bring the model, until it is dropped.
pub struct Turn;

impl Turn {
    /// Takes the turn, where nobody has it.
    pub fn take() -> Option<Self> {
        let now = Performance.now();
        let mut since = SINCE.lock().ok()?;
        if since.is_some_and(|since| now.saturating_sub(since) < LONGEST) {
            return None;
        }
        *since = Some(now);
        Some(Self)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Ok(mut since) = SINCE.lock() {
            *since = None;
        }
    }
}
