//! The CPU backend: `trireme-kernels` over rows, shared out by an [`Executor`] that the host
//! brings.
//!
//! Work is cut along rows of the output only. How many threads there are, and where the cuts fall,
//! changes no bit of an answer.
//!
//! ```
//! use trireme_backend::{Backend, Lookup, Matrix};
//! use trireme_cpu::{Cpu, Inline};
//!
//! let cpu = Cpu::new(Box::new(Inline), trireme_cpu::Lane::detect());
//! let table = cpu.upload_table(&[], Matrix { rows: 2, cols: 1, data: &[1.0, 2.0] }.into())?;
//! let rows = cpu.embed(&[Lookup { table: &table, ids: &[1, 0, 1] }], None)?;
//! assert_eq!(rows.values(), [2.0, 1.0, 2.0]);
//! # Ok::<(), trireme_backend::BackendError>(())
//! ```

mod backend;
mod executor;
mod spare;
mod weights;

pub use backend::{Acts, Cpu};
pub use executor::{Cuts, Executor, Inline, Work};
pub use trireme_backend::Precision;
pub use trireme_kernels::Lane;
pub use weights::{Linear, Table};
