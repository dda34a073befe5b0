//! What every store does, whichever it is: one suite, run on a file of SQLite and on a server of
//! PostgreSQL.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, also in its helpers, and says what it tries"
)]

mod faults;
mod jobs;
mod leases;
mod life;
mod migrations;
mod notices;
mod places;
mod predictions;
mod sound;
mod swept;
