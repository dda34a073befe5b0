//! Between rows and what they mean: databases count in signed numbers.

use std::time::Duration;

use trireme_domain::jobs::Status;
use trireme_domain::{Code, Fault};
use trireme_service::store::StoreError;

/// Milliseconds; a time that is too long for a row is as long as one can say.
pub fn millis(time: Duration) -> i64 {
    // Half of the range, so that a moment may be added to it.
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX).min(i64::MAX / 2)
}

pub fn time(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}

pub fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX / 2)
}

pub fn count(number: i64) -> usize {
    usize::try_from(number).unwrap_or_default()
}

pub fn token(fence: u64) -> i64 {
    i64::try_from(fence).unwrap_or(-1)
}

pub fn fence(token: i64) -> u64 {
    u64::try_from(token).unwrap_or_default()
}

pub fn times(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

pub fn status(name: &str) -> Result<Status, StoreError> {
    let reason = || format!("a job's status is {name:?}");
    Status::named(name).ok_or_else(|| StoreError::Damaged { reason: reason() })
}

/// A fault as it was written down. A code that this program does not know is an older one's.
pub fn fault(code: Option<String>, message: Option<String>) -> Option<Fault> {
    let code = Code::named(&code?).unwrap_or(Code::Internal);
    Some(Fault::new(code, message.unwrap_or_default()))
}
