//! What the tests that cross crates share, and what the task runner must agree on with them:
//! where the checkout is, where downloaded models lie, how hosts are started, and how a table of
//! cases is run.
//!
//! ```
//! use trireme_tests::check_cases;
//!
//! check_cases([("one digit", "7", Some(7)), ("a word", "seven", None)], |text: &str| {
//!     text.parse::<u8>().ok()
//! });
//! ```
//!
//! Standard library only; `tests/architecture` holds this crate to it.
#![allow(
    clippy::panic,
    reason = "called by tests only, where a panic is the way to report a failure"
)]

mod cases;
mod pinned;
mod places;
mod postgres;
mod process;
pub mod rust_source;
pub mod wasm;
pub mod workerd;

pub use cases::check_cases;
pub use pinned::{
    JAVASCRIPT_CLIENTS, OBJECTS, PYTHON_CLIENTS, SCHEMATHESIS, javascript_clients, npm_pins,
    objects, pinned, python_clients, schemathesis,
};
pub use places::{
    built_host, cache_dir, data_file, minilm_dir, nginx, nginx_dir, repo_root, target_dir,
};
pub use postgres::{Postgres, postgres_programs};
pub use process::Process;
