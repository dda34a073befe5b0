//! How slowly a request's body may arrive.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::time::Sleep;
use trireme_domain::pace::rest;
use trireme_http::Late;

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
