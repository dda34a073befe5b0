//! Just enough of WebAssembly's binary format to see and lift a module's cap on memory.
#![allow(clippy::unwrap_used, reason = "called by tests only, on modules that we built")]

use std::ops::Range;

/// The id of the section that declares memories.
const MEMORY: u8 = 5;

const PAGE: u64 = 65536;

/// Bytes that a module's memory can never exceed.
///
/// # Panics
/// Where the bytes are no module with one memory.
#[must_use]
pub fn cap(module: &[u8]) -> Option<u64> {
    let (flags, limits) = module[section(module)].split_first().unwrap();
    let (_, rest) = leb(limits);
    (flags & 1 == 1).then(|| leb(rest).0 * PAGE)
}

/// The same module without that cap.
///
/// # Panics
/// Where the bytes are no module with one memory.
#[must_use]
pub fn uncapped(module: &[u8]) -> Vec<u8> {
    let Range { start, end } = section(module);
    let (min, rest) = leb(&module[start + 1..end]);
    let min_bytes = &module[start + 1..end - rest.len()];
    assert!(min > 0 && min_bytes.len() < 100, "a small section has a length of one byte");
    let one_memory = [MEMORY, 2 + min_bytes.len() as u8, 1, 0];
    [&module[..start - 3], &one_memory, min_bytes, &module[end..]].concat()
}

/// Where the limits of the one memory stand: flags, the least, the most.
fn section(module: &[u8]) -> Range<usize> {
    let mut at = 8;
    loop {
        let (size, rest) = leb(&module[at + 1..]);
        let start = module.len() - rest.len();
        let end = start + size as usize;
        if module[at] == MEMORY {
            assert!(module[start] == 1 && start == at + 2, "one memory, described in few bytes");
            return start + 1..end;
        }
        at = end;
    }
}

/// A number, and what follows it.
fn leb(bytes: &[u8]) -> (u64, &[u8]) {
    let length = 1 + bytes.iter().position(|byte| byte & 0x80 == 0).unwrap();
    let digits = bytes[..length].iter().rev();
    (digits.fold(0, |number, byte| number << 7 | u64::from(byte & 0x7f)), &bytes[length..])
}

#[test]
fn a_cap_is_seen_and_lifted() {
    // An empty type section, a memory of 1 to 300 pages, and an empty export section.
    let module = b"\0asm\x01\0\0\0\x01\x01\0\x05\x05\x01\x01\x01\xac\x02\x07\x01\0";
    assert_eq!(cap(module), Some(300 * PAGE));
    let lifted = uncapped(module);
    assert_eq!(lifted, b"\0asm\x01\0\0\0\x01\x01\0\x05\x03\x01\0\x01\x07\x01\0");
    assert_eq!(cap(&lifted), None);
}
