//! Where a native host keeps what outlives it: a file of SQLite, or a database of PostgreSQL.
//!
//! Both are adapters of [`trireme_service::store::Store`] and are held to one suite, in
//! `tests/conformance`. SQLite serves one host; several hosts share a PostgreSQL.
//!
//! ```
//! # async fn example(folder: &std::path::Path) -> Result<(), trireme_service::store::StoreError> {
//! use trireme_service::store::Store as _;
//! use trireme_store::Sqlite;
//!
//! let store = Sqlite::open(&folder.join("state.sqlite"))?;
//! assert_eq!(store.open_jobs("shop").await?, 0);
//! # Ok(())
//! # }
//! ```
//!
//! The tables are laid out by numbered files in `migrations/`, which are applied in order and never
//! changed. A state that a newer program wrote is refused by name.

mod failure;
mod migrations;
mod piece;
mod postgres;
mod rows;
mod sound;
mod sqlite;

pub use migrations::LATEST;
pub use postgres::Postgres;
pub use sqlite::Sqlite;
