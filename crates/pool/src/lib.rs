//! A pool of threads, for hosts that have them: the pieces of an operation are shared out over it,
//! and passes run side by side.
//!
//! A native host lets the pool start its threads. In a browser a thread is a worker that the page
//! starts, so there the pool has seats, and whoever comes takes one: [`Shared::seated`].

#[cfg(feature = "drill")]
mod drill;
mod shared;

pub use shared::{Seat, Shared, wait};
