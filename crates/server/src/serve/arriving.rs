//! How slowly a request's body may arrive.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::time::Sleep;
use trireme_http::Late;

/// Bytes a millisecond that a body has on the whole. Whoever sends one byte after another is never
/// silent for long, and would never be done.
const PACE: u64 = 4;

/// How long the next piece of a body is waited for, of which so much has come and been waited for:
/// for as long as any piece, and in all for as long again as what came has earned.
fn rest(patience: Duration, came: u64, waited: Duration) -> Duration {
    let earned = Duration::from_millis(came / PACE);
    patience.min(patience.saturating_add(earned).saturating_sub(waited))
}

/// A body that is [`Late`] where it arrives too slowly. Time in which nobody reads it does not count.
pub struct Arriving {
    body: Body,
    patience: Duration,
    came: u64,
    waited: Duration,
    /// Since when the next piece is waited for, and until when.
    next: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Arriving {
    pub fn new(body: Body, patience: Duration) -> Self {
        Self { body, patience, came: 0, waited: Duration::ZERO, next: None }
    }
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
            this.came += data.map_or(0, |data| data.len() as u64);
            this.waited += this.next.take().map_or(Duration::ZERO, |(since, _)| since.elapsed());
            return Poll::Ready(frame);
        }
        let rest = rest(this.patience, this.came, this.waited);
        let next = || (Instant::now(), Box::pin(tokio::time::sleep(rest)));
        ready!(this.next.get_or_insert_with(next).1.as_mut().poll(context));
        Poll::Ready(Some(Err(axum::Error::new(Late))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_time_for_each_piece_and_in_all_as_much_as_it_earns() {
        const SECOND: Duration = Duration::from_secs(1);
        let patience = 30 * SECOND;
        for (case, came, waited, expected) in [
            ("nothing came", 0, Duration::ZERO, patience),
            ("one byte, at the last moment", 1, 29 * SECOND, SECOND),
            ("and another", 2, patience, Duration::ZERO),
            ("one that was late, once more", 2, 40 * SECOND, Duration::ZERO),
            ("at half the pace", 60_000, patience, 15 * SECOND),
            ("at the pace", 400_000, 100 * SECOND, patience),
            ("faster", 4_000_000, 100 * SECOND, patience),
        ] {
            assert_eq!(rest(patience, came, waited), expected, "{case}");
        }
        assert_eq!(rest(Duration::MAX, u64::MAX, SECOND), Duration::MAX - SECOND);
    }
}
