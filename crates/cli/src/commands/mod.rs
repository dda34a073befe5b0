//! The commands, one a file.

pub mod batch;
pub mod bench;
pub mod classify;
pub mod config;
pub mod distill;
pub mod embed;
pub mod eval;
pub mod info;
mod keeping;
pub mod pack;
pub mod quality;
pub mod quantize;
pub mod serve;
pub mod similarity;
pub mod state;
pub mod train;
