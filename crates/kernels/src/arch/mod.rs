//! Which instructions there are, and the one place where they are switched on.
//!
//! A kernel is a generic `#[inline(always)]` function over [`Math`]; [`dispatch!`] compiles it
//! once for every lane. Inlined into a function that has `avx2` and `fma` switched on, the same
//! loops become 256-bit code.

/// A set of instructions that this machine has. A value of a lane proves that: it can only be had
/// by asking the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lane(pub(crate) Isa);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isa {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Lane {
    /// What every machine has.
    pub const PORTABLE: Self = Self(Isa::Portable);

    /// Every lane of this machine, the fastest first.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let lanes = vec![Self::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
        {
            return [vec![Self(Isa::Avx2)], lanes].concat();
        }
        lanes
    }

    /// The fastest lane of this machine.
    #[must_use]
    pub fn detect() -> Self {
        Self::all().first().copied().unwrap_or(Self::PORTABLE)
    }

    /// The lane of this name, where the machine has it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|lane| lane.name() == name)
    }

    /// `portable` or `avx2`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Isa::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => "avx2",
        }
    }
}

/// The arithmetic in which lanes differ.
pub(crate) trait Math {
    /// Rows of the output that a matrix tile keeps in registers.
    const TILE_ROWS: usize;

    /// `a * b + c`; fused where that is one instruction.
    fn madd(a: f32, b: f32, c: f32) -> f32;
}

/// Multiply, round, add: without the instruction, a fused multiply-add is a library call.
pub(crate) struct Plain;

impl Math for Plain {
    const TILE_ROWS: usize = 2;

    #[inline(always)]
    fn madd(a: f32, b: f32, c: f32) -> f32 {
        a * b + c
    }
}

/// One rounding.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
pub(crate) struct Fused;

impl Math for Fused {
    const TILE_ROWS: usize = 6;

    #[inline(always)]
    fn madd(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }
}

/// Calls `$body::<Math>($args)` with the instructions of `$lane` switched on.
macro_rules! dispatch {
    ($lane:expr, $body:ident($($arg:ident: $ty:ty),* $(,)?)) => {{
        match $lane.0 {
            $crate::arch::Isa::Portable => $body::<$crate::arch::Plain>($($arg),*),
            #[cfg(target_arch = "x86_64")]
            $crate::arch::Isa::Avx2 => {
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $ty),*) {
                    $body::<$crate::arch::Fused>($($arg),*)
                }
                #[allow(unsafe_code)]
                // SAFETY: a `Lane` with `Isa::Avx2` is made in `Lane::all` alone, after the
                // machine said that it has both features.
                unsafe {
                    avx2($($arg),*)
                }
            }
        }
    }};
}
pub(crate) use dispatch;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_found_by_its_name_or_not_at_all() {
        for lane in Lane::all() {
            assert_eq!(Lane::named(lane.name()), Some(lane));
        }
        assert_eq!(Lane::named("amx"), None);
        assert_eq!(Lane::all().last(), Some(&Lane::PORTABLE));
    }
}
