//! The GPU backend: the port's operations as compute shaders, the same natively and in a browser.
//!
//! Operations are recorded as they are asked for, and run in one submission when an answer is read.
//! Shapes are numbers that shaders are told, so that no new length compiles anything.

mod backend;
mod device;
mod kernel;
mod marker;
mod pipelines;
mod pool;
mod stream;
mod tile;
mod tuner;
mod unroll;
mod weights;

pub use backend::{Acts, Gpu};
pub use device::{About, OpenError};
pub use kernel::Extras;
pub use stream::Counts;
pub use tuner::Clock;
pub use weights::{Linear, Norm, Table};
