//! Rules without I/O: what a request may ask, what an answer looks like, what can go wrong.
//!
//! Everything here is plain data and pure functions. Storing, clocks, randomness and sockets are
//! elsewhere, so the same rules hold in a browser, at the edge and at the origin.

pub mod access;
pub mod admission;
pub mod batch;
pub mod batching;
pub mod calendar;
pub mod dataset;
pub mod fault;
pub mod histogram;
pub mod hygiene;
pub mod jobs;
pub mod limits;
pub mod lru;
pub mod metrics;
pub mod pace;
pub mod quantize;
pub mod rate;
pub mod records;
pub mod rounding;
pub mod similarity;
pub mod top;
pub mod wire;

pub use fault::{Class, Code, Fault, Retry};
pub use limits::Limits;
