//! The native host: its routes over a real socket, and its compute thread under bad luck.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, also in its helpers"
)]

mod contract;
mod opening;
mod quality;
mod running;
mod threads;
