//! Slice-to-slice kernels for encoders.
//!
//! Each kernel is written once, over a vector of sixteen values, and compiled once for each
//! [`Lane`], whose registers hold them. Its meaning in `f64` stands in `trireme_backend::oracle`,
//! and each file's tests hold the kernel against it, on every lane.
//!
//! Two rules make an answer independent of its batch. A row of the output is computed from its own
//! inputs only. And the order of additions depends on the width alone: never on the number of
//! rows, on where a tile ends, or on how many threads share the work.
//!
//! ```
//! use trireme_kernels::{Activation, Finish, Lane, Packed, linear};
//!
//! let weight = Packed::new(&[1.0, 2.0, 3.0, 4.0], 2, 2, Some(&[0.5, -0.5]))?;
//! let mut out = [0.0; 2];
//! let plain = Finish { activation: Activation::None, residual: None };
//! linear(Lane::detect(), &[1.0, 1.0], &weight, plain, &mut out);
//! assert_eq!(out, [3.5, 6.5]);
//! # Ok::<(), trireme_kernels::OutOfMemory>(())
//! ```

mod activation;
mod arch;
mod attention;
mod layer;
mod linear;
mod linear16;
mod linear8;
mod math;
mod memory;
mod norm;
mod pool;
mod quantize;
mod reduce;
mod rotate;
mod sum_rows;
mod tile;

pub use activation::Activation;
pub use arch::Lane;
pub use attention::{Bias, Heads, attend};
pub use layer::Finish;
pub use linear::{Packed, linear};
pub use linear8::{Packed8, linear8};
pub use linear16::{Packed16, linear16};
pub use memory::{OutOfMemory, copied, filled};
pub use norm::{Norm, layer_norm};
pub use pool::{max_rows, mean_rows};
pub use sum_rows::{add_bytes, add_row};
