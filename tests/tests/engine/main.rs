//! The engine against the reference: goldens made by PyTorch, on every lane of this machine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

mod bundle;
mod faults;
mod golden;
mod gpu;
mod invariance;
mod load;
mod minilm;
mod student;
mod tiny;
mod trained;
