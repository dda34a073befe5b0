//! The lanes of x86-64.
//!
//! `avx512` stands for the features that every server since Skylake has; `vnni` for one
//! instruction more, which does in one step what takes the others three; `bf16` for another, which
//! multiplies halves of singles.
#![allow(unsafe_code)]

mod bytes;
mod halves;
mod singles;

use std::arch::is_x86_feature_detected as has;
use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};

pub(crate) use bytes::{Avx2, Avx512, Vnni};
pub(crate) use halves::Bf16;

use super::Isa;

// Why everything below is sound: `dispatch!` names these types only in a function that has their
// features switched on, and each method is inlined into that. Loads and stores stay within what is
// borrowed, and none asks for alignment.

/// The instruction sets that this machine has, the fastest last.
pub(crate) fn isas() -> impl Iterator<Item = Isa> {
    let avx2 = has!("avx2") && has!("fma");
    let avx512 =
        avx2 && has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl");
    let vnni = avx512 && has!("avx512vnni");
    let bf16 = vnni && has!("avx512bf16");
    [(avx2, Isa::Avx2), (avx512, Isa::Avx512), (vnni, Isa::Vnni), (bf16, Isa::Bf16)]
        .into_iter()
        .filter_map(|(there, isa)| there.then_some(isa))
}

/// Brings values into the second cache.
#[inline(always)]
pub(crate) fn fetch_ahead<T>(values: &[T]) {
    const LINE: usize = 64;
    let start = values.as_ptr().cast::<i8>();
    for line in (0..size_of_val(values)).step_by(LINE) {
        // SAFETY: a hint; whatever the address, nothing is read or written.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(start.wrapping_add(line)) }
    }
}
