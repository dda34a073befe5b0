//! One engine, four hosts: each on its real runtime, behind HTTP, held to the same answers.
//!
//! `cargo xtask build` makes what these tests run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, also in its helpers"
)]

mod bits;
mod browser;
mod contract;
#[allow(dead_code, reason = "a wire carries no token ids; the engine's own tests look at those")]
#[path = "../engine/golden.rs"]
mod golden;
mod host;
mod models;
mod native;
mod package;
mod parity;
mod spin;
mod worker;
mod workerd;
