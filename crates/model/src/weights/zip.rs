//! Where the entries of an uncompressed zip archive lie in the file.
//!
//! The `zip` crate (9.4) would do this too, with its lying sizes checked, but on wasm32 it depends
//! on `getrandom`'s `wasm_js`, thus on `wasm-bindgen`, whatever its features, which this crate may
//! not bring to hosts without JavaScript. `torch.save` stores its entries as they are, so all that
//! is needed is the central directory. Checksums aren't verified: that would read the whole of a
//! memory-mapped file before its first use.

use std::collections::BTreeMap;

use super::torch::{TorchError, brief};

const LOCAL: u64 = 0x0403_4b50;
const CENTRAL: u64 = 0x0201_4b50;
const END: u64 = 0x0605_4b50;
const END64: u64 = 0x0606_4b50;
const LOCATOR64: u64 = 0x0706_4b50;
const ZIP64_EXTRA: u64 = 1;

const LOCAL_LEN: usize = 30;
const CENTRAL_LEN: usize = 46;
const END_LEN: usize = 22;
const LOCATOR64_LEN: usize = 20;

/// Whether the file begins as a zip archive does.
pub(super) fn is_archive(file: &[u8]) -> bool {
    number(file, 0, 4) == Some(LOCAL)
}

/// The entries' bytes by name.
pub(super) fn entries(file: &[u8]) -> Result<BTreeMap<&str, &[u8]>, TorchError> {
    let missing_end = TorchError::Truncated { what: "zip archive", at: file.len() };
    let (mut at, count) = directory(file).ok_or(missing_end)?;
    let mut entries = BTreeMap::new();
    // The count may lie: each round reads at least one header, so the file's end is the bound.
    for _ in 0..count {
        let entry =
            Entry::read(file, at).ok_or(TorchError::Truncated { what: "zip directory", at })?;
        let data = entry.data(file)?;
        if entries.insert(entry.name, data).is_some() {
            return Err(entry.bad("is there twice"));
        }
        at = entry.next;
    }
    Ok(entries)
}

/// One header of the central directory.
struct Entry<'a> {
    name: &'a str,
    encrypted: bool,
    method: u64,
    packed: u64,
    size: u64,
    header: u64,
    next: usize,
}

impl<'a> Entry<'a> {
    fn read(file: &'a [u8], at: usize) -> Option<Self> {
        let record = file.get(at..at.checked_add(CENTRAL_LEN)?)?;
        if number(record, 0, 4)? != CENTRAL {
            return None;
        }
        let name = at + CENTRAL_LEN;
        let extra = name + usize::try_from(number(record, 28, 2)?).ok()?;
        let comment = extra + usize::try_from(number(record, 30, 2)?).ok()?;
        let next = comment + usize::try_from(number(record, 32, 2)?).ok()?;
        let narrow = [number(record, 24, 4)?, number(record, 20, 4)?, number(record, 42, 4)?];
        let [size, packed, header] = widen(file.get(extra..comment)?, narrow)?;
        Some(Self {
            name: std::str::from_utf8(file.get(name..extra)?).ok()?,
            encrypted: number(record, 8, 2)? & 1 == 1,
            method: number(record, 10, 2)?,
            packed,
            size,
            header,
            next,
        })
    }

    fn data(&self, file: &'a [u8]) -> Result<&'a [u8], TorchError> {
        if self.encrypted {
            return Err(self.bad("is encrypted"));
        }
        if self.method != 0 {
            return Err(TorchError::Compressed { entry: brief(self.name) });
        }
        if self.packed != self.size {
            return Err(self.bad("is stored, yet has two sizes"));
        }
        self.stored(file).ok_or_else(|| self.bad("lies outside the file"))
    }

    fn stored(&self, file: &'a [u8]) -> Option<&'a [u8]> {
        let header = usize::try_from(self.header).ok()?;
        let record = file.get(header..header.checked_add(LOCAL_LEN)?)?;
        if number(record, 0, 4)? != LOCAL {
            return None;
        }
        let name = usize::try_from(number(record, 26, 2)?).ok()?;
        let extra = usize::try_from(number(record, 28, 2)?).ok()?;
        let data = file.get(header + LOCAL_LEN + name + extra..)?;
        data.get(..usize::try_from(self.size).ok()?)
    }

    fn bad(&self, reason: &'static str) -> TorchError {
        TorchError::BadEntry { entry: brief(self.name), reason }
    }
}

/// Where the central directory starts, and how many headers it says it has.
fn directory(file: &[u8]) -> Option<(usize, u64)> {
    let end = end_record(file)?;
    let (start, count) = match wide_end_record(file, end) {
        Some(wide) => (number(file, wide + 48, 8)?, number(file, wide + 32, 8)?),
        None => (number(file, end + 16, 4)?, number(file, end + 10, 2)?),
    };
    Some((usize::try_from(start).ok()?, count))
}

/// The last record of the archive: only a comment of at most 65535 bytes may follow it.
fn end_record(file: &[u8]) -> Option<usize> {
    let last = file.len().checked_sub(END_LEN)?;
    let first = last.saturating_sub(usize::from(u16::MAX));
    (first..=last).rev().find(|&at| {
        let comment = number(file, at + 20, 2).and_then(|n| usize::try_from(n).ok());
        number(file, at, 4) == Some(END) && comment == Some(last - at)
    })
}

/// The 64-bit record that a locator just before the last record points to.
fn wide_end_record(file: &[u8], end: usize) -> Option<usize> {
    let locator = end.checked_sub(LOCATOR64_LEN)?;
    let at = usize::try_from(number(file, locator + 8, 8)?).ok()?;
    let is_wide = number(file, locator, 4)? == LOCATOR64 && number(file, at, 4)? == END64;
    is_wide.then_some(at)
}

/// Puts the zip64 extra field's values where the 32-bit ones are saturated, in the format's order.
fn widen(extra: &[u8], narrow: [u64; 3]) -> Option<[u64; 3]> {
    let wide = zip64_field(extra);
    let mut at = 0;
    let [size, packed, header] = narrow.map(|value| {
        if value != u64::from(u32::MAX) {
            return Some(value);
        }
        at += 8;
        number(wide, at - 8, 8)
    });
    Some([size?, packed?, header?])
}

fn zip64_field(mut extra: &[u8]) -> &[u8] {
    while let (Some(id), Some(len)) = (number(extra, 0, 2), number(extra, 2, 2)) {
        let end = usize::try_from(len).map_or(usize::MAX, |len| len + 4);
        let Some((field, rest)) = extra.split_at_checked(end) else { break };
        if id == ZIP64_EXTRA {
            return field.get(4..).unwrap_or_default();
        }
        extra = rest;
    }
    &[]
}

/// The little-endian number of at most eight bytes at an offset.
fn number(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(width)?)?;
    Some(bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)))
}
