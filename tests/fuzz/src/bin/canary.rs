//! Fails on purpose, behind what real parsers have: a magic word, which is compared by `memcmp`,
//! and a number. No blind guess hits these eleven bytes; `cargo xtask fuzz` demands that they are
//! found, which proves that coverage, comparisons and `memcmp` are traced.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let number = data.strip_prefix(b"TRIREME").and_then(<[u8]>::first_chunk);
    let number = number.map(|bytes| u32::from_le_bytes(*bytes));
    assert!(number != Some(0x9E37_79B1), "the canary sings: the fuzzer found its word");
});
