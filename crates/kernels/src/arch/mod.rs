//! Which instructions there are, and the one place where they are switched on.
//!
//! A kernel is a generic `#[inline(always)]` function over [`Math`] or [`Dot`]; [`dispatch!`] and
//! [`dispatch_dot!`] compile it once for every lane. Inlined into a function that has `avx2`
//! switched on, the same loops become 256-bit code.

mod dot;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
#[cfg(target_arch = "x86_64")]
pub(crate) mod x86;

pub(crate) use dot::{Dot, OFFSET, WIDTH, Weights};

/// What [`dispatch_dot!`] takes where no lane has more.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) use wasm::Simd128 as PortableDot;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub(crate) use dot::Scalar as PortableDot;

/// A set of instructions that this machine has. A value of a lane proves that: it can only be had
/// by asking the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lane {
    pub(crate) isa: Isa,
    /// Whether a product and a sum may be rounded as one.
    pub(crate) fused: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isa {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Vnni,
}

impl Lane {
    /// What every machine has.
    pub const PORTABLE: Self = Self { isa: Isa::Portable, fused: false };

    /// Every lane of this machine, the fastest first.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut lanes = vec![Self::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        lanes.extend(x86::isas().map(|isa| Self { isa, fused: true }));
        lanes.reverse();
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

    /// The same instructions, but every product and every sum is rounded by itself: then every
    /// lane gives the same bits.
    #[must_use]
    pub fn exact(self) -> Self {
        Self { fused: false, ..self }
    }

    /// `portable`, `avx2`, `avx512` or `vnni`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.isa {
            Isa::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Isa::Vnni => "vnni",
        }
    }
}

/// The arithmetic in which lanes differ.
pub(crate) trait Math {
    /// Rows of the output that a matrix tile keeps in registers.
    const TILE_ROWS: usize;

    /// Queries that an attention takes at once.
    const QUERIES: usize;

    /// `a * b + c`; fused where that is one instruction.
    fn madd(a: f32, b: f32, c: f32) -> f32;
}

/// Multiply, round, add: without the instruction, a fused multiply-add is a library call.
/// Registers hold this many values.
pub(crate) struct Plain<const LANES: usize = 4>;

impl<const LANES: usize> Math for Plain<LANES> {
    const TILE_ROWS: usize = if LANES > 4 { 6 } else { 2 };
    // The compiler makes vectors of one query's products and sums, and none of more.
    const QUERIES: usize = 1;

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
    // Sixteen registers of eight: eight hold sums.
    const QUERIES: usize = 2;

    #[inline(always)]
    fn madd(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }
}

/// Calls `$body::<$with>($args)` in a function that has these features switched on.
#[cfg(target_arch = "x86_64")]
macro_rules! switched_on {
    ($features:literal, $body:ident::<$with:ty>($($arg:ident: $ty:ty),*)) => {{
        #[target_feature(enable = $features)]
        fn switched_on($($arg: $ty),*) {
            $body::<$with>($($arg),*)
        }
        #[allow(unsafe_code)]
        // SAFETY: a `Lane` with this `Isa` is made in `Lane::all` alone, from `x86::isas`, which
        // asked the machine for each of these features.
        unsafe {
            switched_on($($arg),*)
        }
    }};
}
#[cfg(target_arch = "x86_64")]
pub(crate) use switched_on;

/// Calls `$body::<Math>($args)` with the instructions of `$lane` switched on.
macro_rules! dispatch {
    ($lane:expr, $body:ident($($arg:ident: $ty:ty),* $(,)?)) => {{
        #[cfg(target_arch = "x86_64")]
        use $crate::arch::{Fused, switched_on};
        use $crate::arch::{Isa, Plain};
        match ($lane.isa, $lane.fused) {
            (Isa::Portable, _) => $body::<Plain>($($arg),*),
            // Wider registers made these loops slower: 11.2 s in place of 8.6 s for 256 texts of 128
            // tokens on Zen 4.
            #[cfg(target_arch = "x86_64")]
            (Isa::Avx2 | Isa::Avx512 | Isa::Vnni, true) => switched_on!("avx2,fma", $body::<Fused>($($arg: $ty),*)),
            #[cfg(target_arch = "x86_64")]
            (Isa::Avx2, false) => switched_on!("avx2", $body::<Plain<8>>($($arg: $ty),*)),
            #[cfg(target_arch = "x86_64")]
            (Isa::Avx512 | Isa::Vnni, false) => switched_on!(
                "avx2,avx512f,avx512bw,avx512dq,avx512vl",
                $body::<Plain<16>>($($arg: $ty),*)
            ),
        }
    }};
}
pub(crate) use dispatch;

/// Calls `$body::<Dot>($args)` with the instructions of `$lane` switched on.
macro_rules! dispatch_dot {
    ($lane:expr, $body:ident($($arg:ident: $ty:ty),* $(,)?)) => {{
        use $crate::arch::Isa;
        #[cfg(target_arch = "x86_64")]
        use $crate::arch::{switched_on, x86};
        match $lane.isa {
            Isa::Portable => $body::<$crate::arch::PortableDot>($($arg),*),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => switched_on!("avx2", $body::<x86::Avx2>($($arg: $ty),*)),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => switched_on!(
                "avx2,avx512f,avx512bw,avx512dq,avx512vl",
                $body::<x86::Avx512>($($arg: $ty),*)
            ),
            #[cfg(target_arch = "x86_64")]
            Isa::Vnni => switched_on!(
                "avx2,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni",
                $body::<x86::Vnni>($($arg: $ty),*)
            ),
        }
    }};
}
pub(crate) use dispatch_dot;

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
