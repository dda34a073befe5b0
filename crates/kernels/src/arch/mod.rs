//! Which instructions there are, and the one place where they are switched on.
//!
//! A kernel is a generic `#[inline(always)]` function over [`Simd`]: a [`Vector`] of singles and a
//! [`Dot`] of [`Bytes`]. [`dispatch!`] compiles it once for every lane, with that lane's instructions
//! on.

mod dot;
#[cfg(target_arch = "aarch64")]
pub(crate) mod neon;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
#[cfg(target_arch = "x86_64")]
pub(crate) mod x86;

mod vector;

pub(crate) use dot::{Bytes, Dot, Halves, OFFSET, WIDTH, Weights};
pub(crate) use vector::{Block, LANES, Of, ROUND, Vector};

/// Asks for memory that is soon read; does nothing where stable Rust has no way to ask.
#[inline(always)]
pub(crate) fn fetch_ahead<T>(values: &[T]) {
    #[cfg(target_arch = "x86_64")]
    x86::fetch_ahead(values);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = values;
}

/// What every machine of this target has, or, on wasm, what this module was built for.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod portable {
    use std::arch::wasm32::v128;

    pub(crate) use super::wasm::Bytes as OfBytes;

    pub(crate) type Singles = super::Of<v128, 4, false>;
    pub(crate) type Fused = super::Of<v128, 4, true>;

    pub(super) const FUSED: bool = cfg!(target_feature = "relaxed-simd");
    pub(super) const NAME: &str = if FUSED { "relaxed-simd" } else { "simd128" };
}

/// What every machine has.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod portable {
    pub(crate) use super::dot::Scalar as OfBytes;

    pub(crate) type Singles = super::Of<f32, 16, false>;
    pub(crate) type Fused = Singles;

    pub(super) const FUSED: bool = false;
    pub(super) const NAME: &str = "portable";
}

pub(crate) use portable::{Fused, OfBytes, Singles};

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
    #[cfg(target_arch = "x86_64")]
    Bf16,
    #[cfg(target_arch = "aarch64")]
    Neon,
    #[cfg(target_arch = "aarch64")]
    DotProd,
}

impl Lane {
    /// What every machine has.
    pub const PORTABLE: Self = Self { isa: Isa::Portable, fused: portable::FUSED };

    /// Every lane of this machine, the fastest first.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut lanes = vec![Self::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        lanes.extend(x86::isas().map(|isa| Self { isa, fused: true }));
        #[cfg(target_arch = "aarch64")]
        lanes.extend(neon::isas().map(|isa| Self { isa, fused: true }));
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

    /// Whether it multiplies halves of singles faster than singles.
    #[must_use]
    pub fn has_halves(self) -> bool {
        self.name() == "bf16"
    }

    /// `portable`, and `avx2`, `avx512`, `vnni` or `bf16` on x86-64, `neon` or `dotprod` on
    /// aarch64; `simd128` or `relaxed-simd` on wasm.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.isa {
            Isa::Portable => portable::NAME,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Isa::Vnni => "vnni",
            #[cfg(target_arch = "x86_64")]
            Isa::Bf16 => "bf16",
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => "neon",
            #[cfg(target_arch = "aarch64")]
            Isa::DotProd => "dotprod",
        }
    }
}

/// What a lane computes with.
pub(crate) trait Simd {
    type V: Vector;
    type D: Bytes;
}

/// The same for halves of singles.
pub(crate) trait SimdHalves {
    type V: Vector;
    type D: Dot<Input = [u16; 2], Sum = f32>;
}

impl<V: Vector, D: Dot<Input = [u16; 2], Sum = f32>> SimdHalves for (V, D) {
    type V = V;
    type D = D;
}

impl<V: Vector, D: Bytes> Simd for (V, D) {
    type V = V;
    type D = D;
}

/// Methods that are one instruction, its operands in their order.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! one_instruction {
    ($($method:ident: $instruction:ident),* $(,)?) => {$(
        #[inline(always)]
        fn $method(self, b: Self) -> Self {
            // SAFETY: the lane's features are on.
            unsafe { $instruction(self, b) }
        }
    )*};
}
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) use one_instruction;

/// Calls `$body::<$with>($args)` in a function that has these features switched on.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! switched_on {
    ($features:literal, $body:ident::<$with:ty>($($arg:ident: $ty:ty),*)) => {{
        #[target_feature(enable = $features)]
        fn switched_on($($arg: $ty),*) {
            $body::<$with>($($arg),*)
        }
        #[allow(unsafe_code)]
        // SAFETY: a `Lane` with this `Isa` is made in `Lane::all` alone, from `isas`, which asked
        // the machine for each of these features.
        unsafe {
            switched_on($($arg),*)
        }
    }};
}
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) use switched_on;

/// Calls `$body::<Vector, Dot>($args)` for a product of halves of singles.
macro_rules! dispatch_halves {
    ($lane:expr, $body:ident($($arg:ident: $ty:ty),* $(,)?)) => {{
        #[cfg(target_arch = "x86_64")]
        use $crate::arch::{Isa, Of, switched_on, x86};
        match $lane.isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Bf16 => switched_on!(
                "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16",
                $body::<(Of<std::arch::x86_64::__m512, 1, true>, x86::Bf16)>($($arg: $ty),*)
            ),
            _ => $body::<($crate::arch::Singles, $crate::arch::Halves)>($($arg),*),
        }
    }};
}
pub(crate) use dispatch_halves;

/// Calls `$body::<Simd>($args)` with the instructions of `$lane` switched on.
macro_rules! dispatch {
    ($lane:expr, $body:ident($($arg:ident: $ty:ty),* $(,)?)) => {{
        #[cfg(target_arch = "aarch64")]
        use std::arch::aarch64::float32x4_t;
        #[cfg(target_arch = "x86_64")]
        use std::arch::x86_64::{__m256, __m512};

        #[cfg(target_arch = "aarch64")]
        use $crate::arch::{Of, neon, switched_on};
        #[cfg(target_arch = "x86_64")]
        use $crate::arch::{Of, switched_on, x86};
        use $crate::arch::{Fused, Isa, OfBytes, Singles};
        match ($lane.isa, $lane.fused) {
            (Isa::Portable, true) => $body::<(Fused, OfBytes)>($($arg),*),
            (Isa::Portable, false) => $body::<(Singles, OfBytes)>($($arg),*),
            #[cfg(target_arch = "x86_64")]
            (Isa::Avx2, true) => switched_on!(
                "avx2,fma",
                $body::<(Of<__m256, 2, true>, x86::Avx2)>($($arg: $ty),*)
            ),
            #[cfg(target_arch = "x86_64")]
            (Isa::Avx2, false) => switched_on!(
                "avx2,fma",
                $body::<(Of<__m256, 2, false>, x86::Avx2)>($($arg: $ty),*)
            ),
            #[cfg(target_arch = "x86_64")]
            (Isa::Avx512, true) => switched_on!(
                "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl",
                $body::<(Of<__m512, 1, true>, x86::Avx512)>($($arg: $ty),*)
            ),
            #[cfg(target_arch = "x86_64")]
            (Isa::Avx512, false) => switched_on!(
                "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl",
                $body::<(Of<__m512, 1, false>, x86::Avx512)>($($arg: $ty),*)
            ),
            #[cfg(target_arch = "x86_64")]
            (Isa::Vnni | Isa::Bf16, true) => switched_on!(
                "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni",
                $body::<(Of<__m512, 1, true>, x86::Vnni)>($($arg: $ty),*)
            ),
            #[cfg(target_arch = "x86_64")]
            (Isa::Vnni | Isa::Bf16, false) => switched_on!(
                "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni",
                $body::<(Of<__m512, 1, false>, x86::Vnni)>($($arg: $ty),*)
            ),
            #[cfg(target_arch = "aarch64")]
            (Isa::Neon, true) => switched_on!(
                "neon",
                $body::<(Of<float32x4_t, 4, true>, neon::Neon)>($($arg: $ty),*)
            ),
            #[cfg(target_arch = "aarch64")]
            (Isa::Neon, false) => switched_on!(
                "neon",
                $body::<(Of<float32x4_t, 4, false>, neon::Neon)>($($arg: $ty),*)
            ),
            #[cfg(target_arch = "aarch64")]
            (Isa::DotProd, true) => switched_on!(
                "neon,dotprod",
                $body::<(Of<float32x4_t, 4, true>, neon::DotProd)>($($arg: $ty),*)
            ),
            #[cfg(target_arch = "aarch64")]
            (Isa::DotProd, false) => switched_on!(
                "neon,dotprod",
                $body::<(Of<float32x4_t, 4, false>, neon::DotProd)>($($arg: $ty),*)
            ),
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
