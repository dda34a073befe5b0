//! Native host.
pub mod source;
