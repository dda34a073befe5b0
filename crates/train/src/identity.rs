//! A hash that a file may keep: the same in every build and on every machine.

use std::hash::Hasher;

/// Fowler, Noll and Vo's, of 64 bits. The standard library's may change with its version.
pub(crate) struct Identity(u64);

impl Default for Identity {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Identity {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.write(&number.to_le_bytes());
    }

    fn write_u64(&mut self, number: u64) {
        self.write(&number.to_le_bytes());
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{Hash, Hasher};

    use super::Identity;

    #[test]
    fn a_hash_is_what_its_authors_say() {
        for (bytes, expected) in [(&b""[..], 0xcbf2_9ce4_8422_2325), (b"a", 0xaf63_dc4c_8601_ec8c)]
        {
            let mut hash = Identity::default();
            hash.write(bytes);
            assert_eq!(hash.finish(), expected, "{bytes:?}");
        }
        let of = |value: &dyn Fn(&mut Identity)| {
            let mut hash = Identity::default();
            value(&mut hash);
            hash.finish()
        };
        assert_eq!(of(&|hash| 7usize.hash(hash)), of(&|hash| 7u64.hash(hash)));
        assert_ne!(of(&|hash| 7u32.hash(hash)), of(&|hash| 8u32.hash(hash)));
    }
}
