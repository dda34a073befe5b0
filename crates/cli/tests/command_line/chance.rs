//! Moments of chance that are the same in every run, and how many of them there are.

/// Numbers that follow from a seed.
pub struct Chance(u64);

impl Chance {
    /// A seed of nought would stay nought.
    pub fn of(seed: u64) -> Self {
        Self(seed.max(1))
    }

    pub fn below(&mut self, most: u64) -> u64 {
        // Marsaglia's xorshift.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

/// How often something is killed: `TRIREME_KILLS` times at full size.
pub fn kills(usual: u64) -> u64 {
    std::env::var("TRIREME_KILLS").map_or(usual, |number| number.parse().unwrap())
}
