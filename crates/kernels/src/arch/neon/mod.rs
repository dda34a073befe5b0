//! The lanes of aarch64.
//!
//! `neon` is what every such machine has; `dotprod` stands for one instruction more, which does in
//! one step what takes the other four.
#![allow(unsafe_code)]

mod bytes;
mod singles;

use std::arch::is_aarch64_feature_detected as has;

pub(crate) use bytes::{DotProd, Neon};

use super::Isa;

// Why everything below is sound: `dispatch!` names these types only in a function that has their
// features switched on, and each method is inlined into that. Loads and stores stay within what is
// borrowed, and none asks for alignment.

/// The instruction sets that this machine has, the fastest last.
pub(crate) fn isas() -> impl Iterator<Item = Isa> {
    let neon = has!("neon");
    let dotprod = neon && has!("dotprod");
    [(neon, Isa::Neon), (dotprod, Isa::DotProd)]
        .into_iter()
        .filter_map(|(there, isa)| there.then_some(isa))
}
