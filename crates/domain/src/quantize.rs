//! Smaller vectors on the wire.
//!
//! The scales are fixed, so that a vector is the same whatever else is in its batch, and vectors
//! of different requests can be compared.

/// Eight bits a dimension: -1 to 1 becomes -127 to 127.
#[must_use]
pub fn int8(vector: &[f32]) -> Vec<i8> {
    vector.iter().map(|v| (v.clamp(-1.0, 1.0) * 127.0).round_ties_even() as i8).collect()
}

/// One bit a dimension, set where the value is positive; the first dimension is the highest bit.
#[must_use]
pub fn ubinary(vector: &[f32]) -> Vec<u8> {
    vector
        .chunks(8)
        .map(|eight| {
            let bits = eight.iter().enumerate().filter(|(_, v)| **v > 0.0);
            bits.fold(0, |byte, (at, _)| byte | (0x80 >> at))
        })
        .collect()
}

/// The bits of [`ubinary`], shifted to signed bytes as sentence-transformers does.
#[must_use]
pub fn binary(vector: &[f32]) -> Vec<i8> {
    ubinary(vector).into_iter().map(|byte| (i16::from(byte) - 128) as i8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bits_span_the_unit_range() {
        assert_eq!(int8(&[-1.0, -0.5, 0.0, 0.004, 1.0, 7.0]), [-127, -64, 0, 1, 127, 127]);
    }

    /// `numpy.packbits(v > 0)`, and the same less 128.
    #[test]
    fn bits_are_packed_from_the_high_end() {
        let vector = [1.0, -1.0, 0.5, 0.0, 0.1, -0.1, -2.0, 3.0, 0.2];
        assert_eq!(ubinary(&vector), [0b1010_1001, 0b1000_0000]);
        assert_eq!(binary(&vector), [41, 0]);
    }
}
