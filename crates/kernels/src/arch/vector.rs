//! Sixteen singles at once, in as many registers as a lane needs for them.
//!
//! A kernel is written once over [`Vector`]. What is done to the sixteen, and in which order their
//! sums are joined, does not depend on how wide a register is; so every lane that rounds products
//! and sums one by one gives the same bits.

use std::ops::{Add, Div, Mul, Sub};

/// Values of a [`Vector`].
pub(crate) const LANES: usize = 16;

/// Sixteen singles in memory; a register takes them from one cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Block(pub [f32; LANES]);

/// Adding this to a value rounds it to the nearest integer, ties to even, and leaves that integer
/// in the low bits: it is 1.5 · 2²³.
pub(crate) const ROUND: f32 = 12_582_912.0;

/// Sixteen singles.
pub(crate) trait Vector:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// Rows of a tile of sixteen columns that registers hold.
    const ROWS: usize;

    fn splat(value: f32) -> Self;
    fn load(values: &[f32; LANES]) -> Self;
    fn store(self, out: &mut [f32; LANES]);

    /// Integers as the nearest singles.
    fn from_integers(values: &[i32; LANES]) -> Self;

    /// `self * b + c`, rounded once or twice as the lane does.
    fn madd(self, b: Self, c: Self) -> Self;

    /// The other where it is larger, else `self`; so a NaN in `self` stays.
    fn larger(self, other: Self) -> Self;

    /// The other where it is smaller, else `self`; so a NaN in `self` stays.
    fn smaller(self, other: Self) -> Self;

    /// `yes` where `self` is less than `limit`, else `no`; also where either is NaN.
    fn where_less(self, limit: Self, yes: Self, no: Self) -> Self;

    fn abs(self) -> Self;

    /// The size of `self` with the other's sign; `self` is not negative.
    fn with_sign_of(self, other: Self) -> Self;

    /// The larger of two sizes, as integers: so infinity beats all numbers, and NaN infinity.
    fn larger_size(self, other: Self) -> Self;

    /// `2ⁿ⁻¹`, where `self` is `n + ROUND`.
    fn half_power(self) -> Self;

    /// The integers' low bytes, where each value is an integer plus [`ROUND`].
    fn low_bytes(self) -> [i8; LANES];

    /// Sums and differences of values that lie `HALF` apart, in place of the first and the second.
    fn butterfly<const HALF: usize>(self) -> Self;

    /// The sum: of halves, of halves of those, and so on.
    fn sum(self) -> f32;

    /// The largest; not NaN, unless the lane that beats the others is.
    fn top(self) -> f32;
}

/// A register of singles, and the instructions on it. [`Vector`] says what each means.
pub(crate) trait Register: Copy {
    const WIDTH: usize;
    const ROWS: usize;

    fn splat(value: f32) -> Self;
    /// `values` holds at least a register.
    fn load(values: &[f32]) -> Self;
    /// `out` holds at least a register.
    fn store(self, out: &mut [f32]);
    fn from_integers(values: &[i32]) -> Self;
    fn add(self, b: Self) -> Self;
    fn sub(self, b: Self) -> Self;
    fn mul(self, b: Self) -> Self;
    fn div(self, b: Self) -> Self;
    /// One rounding; called only where the lane has the instruction.
    fn fused(self, b: Self, c: Self) -> Self;
    fn larger(self, other: Self) -> Self;
    fn smaller(self, other: Self) -> Self;
    fn where_less(self, limit: Self, yes: Self, no: Self) -> Self;
    fn abs(self) -> Self;
    fn with_sign_of(self, other: Self) -> Self;
    fn larger_size(self, other: Self) -> Self;
    fn half_power(self) -> Self;
    /// `out` holds at least a register.
    fn low_bytes(self, out: &mut [i8]);
    fn butterfly<const HALF: usize>(self) -> Self;
    fn sum(self) -> f32;
    fn top(self) -> f32;
}

/// A [`Vector`] of `N` registers; `FUSED` where `a * b + c` is rounded once.
#[derive(Clone, Copy)]
pub(crate) struct Of<R, const N: usize, const FUSED: bool>([R; N]);

impl<R: Register, const N: usize, const FUSED: bool> Of<R, N, FUSED> {
    // Everything here is a loop of known length: what is given to `array::from_fn` or `map` may
    // become a function of its own, and there the lane's instructions are off.

    #[inline(always)]
    fn each(mut self, f: impl Fn(R) -> R) -> Self {
        for register in &mut self.0 {
            *register = f(*register);
        }
        self
    }

    #[inline(always)]
    fn both(mut self, b: Self, f: impl Fn(R, R) -> R) -> Self {
        for (a, b) in self.0.iter_mut().zip(b.0) {
            *a = f(*a, b);
        }
        self
    }

    /// Joins registers that lie half apart until one is left.
    #[inline(always)]
    fn joined(mut self, f: impl Fn(R, R) -> R) -> R {
        let mut half = N / 2;
        while half > 0 {
            for i in 0..half {
                self.0[i] = f(self.0[i], self.0[i + half]);
            }
            half /= 2;
        }
        self.0[0]
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident) => {
        impl<R: Register, const N: usize, const FUSED: bool> $trait for Of<R, N, FUSED> {
            type Output = Self;

            #[inline(always)]
            fn $method(self, b: Self) -> Self {
                self.both(b, R::$method)
            }
        }
    };
}

operator!(Add, add);
operator!(Sub, sub);
operator!(Mul, mul);
operator!(Div, div);

impl<R: Register, const N: usize, const FUSED: bool> Vector for Of<R, N, FUSED> {
    const ROWS: usize = R::ROWS;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self([R::splat(value); N])
    }

    #[inline(always)]
    fn load(values: &[f32; LANES]) -> Self {
        let mut out = [R::splat(0.0); N];
        for (out, values) in out.iter_mut().zip(values.chunks_exact(R::WIDTH)) {
            *out = R::load(values);
        }
        Self(out)
    }

    #[inline(always)]
    fn store(self, out: &mut [f32; LANES]) {
        for (register, out) in self.0.into_iter().zip(out.chunks_exact_mut(R::WIDTH)) {
            register.store(out);
        }
    }

    #[inline(always)]
    fn from_integers(values: &[i32; LANES]) -> Self {
        let mut out = [R::splat(0.0); N];
        for (out, values) in out.iter_mut().zip(values.chunks_exact(R::WIDTH)) {
            *out = R::from_integers(values);
        }
        Self(out)
    }

    #[inline(always)]
    fn madd(mut self, b: Self, c: Self) -> Self {
        for ((a, b), c) in self.0.iter_mut().zip(b.0).zip(c.0) {
            *a = if FUSED { a.fused(b, c) } else { a.mul(b).add(c) };
        }
        self
    }

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        self.both(other, R::larger)
    }

    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        self.both(other, R::smaller)
    }

    #[inline(always)]
    fn where_less(self, limit: Self, mut yes: Self, no: Self) -> Self {
        for i in 0..N {
            yes.0[i] = self.0[i].where_less(limit.0[i], yes.0[i], no.0[i]);
        }
        yes
    }

    #[inline(always)]
    fn abs(self) -> Self {
        self.each(R::abs)
    }

    #[inline(always)]
    fn with_sign_of(self, other: Self) -> Self {
        self.both(other, R::with_sign_of)
    }

    #[inline(always)]
    fn larger_size(self, other: Self) -> Self {
        self.both(other, R::larger_size)
    }

    #[inline(always)]
    fn half_power(self) -> Self {
        self.each(R::half_power)
    }

    #[inline(always)]
    fn low_bytes(self) -> [i8; LANES] {
        let mut out = [0; LANES];
        for (register, out) in self.0.into_iter().zip(out.chunks_exact_mut(R::WIDTH)) {
            register.low_bytes(out);
        }
        out
    }

    #[inline(always)]
    fn butterfly<const HALF: usize>(mut self) -> Self {
        if HALF < R::WIDTH {
            return self.each(R::butterfly::<HALF>);
        }
        let apart = HALF / R::WIDTH;
        for i in 0..N {
            if i & apart == 0 {
                let (low, high) = (self.0[i], self.0[i + apart]);
                (self.0[i], self.0[i + apart]) = (low.add(high), low.sub(high));
            }
        }
        self
    }

    #[inline(always)]
    fn sum(self) -> f32 {
        self.joined(R::add).sum()
    }

    #[inline(always)]
    fn top(self) -> f32 {
        self.joined(R::larger).top()
    }
}

/// One value: what every machine has, and what the other registers are held against.
impl Register for f32 {
    const WIDTH: usize = 1;
    const ROWS: usize = 2;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        value
    }

    #[inline(always)]
    fn load(values: &[f32]) -> Self {
        values[0]
    }

    #[inline(always)]
    fn store(self, out: &mut [f32]) {
        out[0] = self;
    }

    #[inline(always)]
    fn from_integers(values: &[i32]) -> Self {
        values[0] as f32
    }

    #[inline(always)]
    fn add(self, b: Self) -> Self {
        self + b
    }

    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        self - b
    }

    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        self * b
    }

    #[inline(always)]
    fn div(self, b: Self) -> Self {
        self / b
    }

    #[inline(always)]
    fn fused(self, b: Self, c: Self) -> Self {
        self.mul_add(b, c)
    }

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        if other > self { other } else { self }
    }

    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        if other < self { other } else { self }
    }

    #[inline(always)]
    fn where_less(self, limit: Self, yes: Self, no: Self) -> Self {
        if self < limit { yes } else { no }
    }

    #[inline(always)]
    fn abs(self) -> Self {
        f32::abs(self)
    }

    #[inline(always)]
    fn with_sign_of(self, other: Self) -> Self {
        self.copysign(other)
    }

    #[inline(always)]
    fn larger_size(self, other: Self) -> Self {
        f32::from_bits(self.to_bits().max(other.to_bits()))
    }

    #[inline(always)]
    fn half_power(self) -> Self {
        f32::from_bits(self.to_bits().wrapping_add(126) << 23)
    }

    #[inline(always)]
    fn low_bytes(self, out: &mut [i8]) {
        out[0] = self.to_bits() as i8;
    }

    #[inline(always)]
    fn butterfly<const HALF: usize>(self) -> Self {
        self
    }

    #[inline(always)]
    fn sum(self) -> f32 {
        self
    }

    #[inline(always)]
    fn top(self) -> f32 {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::{Lane, Simd, dispatch};

    const A: [f32; LANES] = [
        0.0,
        -0.0,
        1.5,
        -2.5,
        3.0e38,
        -3.0e38,
        1.0e-40,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        7.0,
        -9.0,
        0.1,
        -0.3,
        63.0,
        -63.0,
    ];

    /// Every operation on the sixteen and a rotation of them, as bits.
    #[inline(always)]
    fn body<S: Simd>(out: &mut Vec<(&'static str, Vec<u32>)>) {
        let numbers: [f32; LANES] = std::array::from_fn(|i| (i as f32 - 6.3) * 1.7);
        let integers: [i32; LANES] = std::array::from_fn(|i| (i as i32 - 8) * 16_777_213);
        let turned: [f32; LANES] = std::array::from_fn(|i| A[(i + 5) % LANES]);
        let (a, b, n) = (S::V::load(&A), S::V::load(&turned), S::V::load(&numbers));
        let mut note = |name, v: S::V| {
            let mut values = [0.0; LANES];
            v.store(&mut values);
            // Which NaN it is may differ.
            let bits = |x: &f32| if x.is_nan() { u32::MAX } else { x.to_bits() };
            out.push((name, values.iter().map(bits).collect()));
        };
        note("add", a + b);
        note("sub", a - b);
        note("mul", a * b);
        note("div", a / b);
        note("madd", n.madd(n, S::V::splat(0.3)));
        note("larger", a.larger(b));
        note("smaller", a.smaller(b));
        note("where_less", a.where_less(b, n, S::V::splat(5.0)));
        note("abs", n.abs());
        note("with_sign_of", n.abs().with_sign_of(a));
        note("larger_size", a.abs().larger_size(b.abs()));
        note("half_power", (n + S::V::splat(ROUND)).half_power());
        note("butterfly 1", n.butterfly::<1>());
        note("butterfly 2", n.butterfly::<2>());
        note("butterfly 4", n.butterfly::<4>());
        note("butterfly 8", n.butterfly::<8>());
        note("from_integers", S::V::from_integers(&integers));
        note("sum", S::V::splat(n.sum()));
        note("top", S::V::splat(n.top()));
        let bytes = (n + S::V::splat(ROUND)).low_bytes();
        out.push(("low_bytes", bytes.iter().map(|&byte| byte as u32).collect()));
    }

    fn operations(lane: Lane) -> Vec<(&'static str, Vec<u32>)> {
        let mut noted = Vec::new();
        let out = &mut noted;
        dispatch!(lane, body(out: &mut Vec<(&'static str, Vec<u32>)>));
        noted
    }

    #[test]
    fn every_operation_is_the_same_bits_on_every_lane() {
        let expected = operations(Lane::PORTABLE);
        for lane in Lane::all() {
            for ((name, got), (_, expected)) in operations(lane.exact()).iter().zip(&expected) {
                assert_eq!(got, expected, "{name} on {}", lane.name());
            }
        }
    }

    #[test]
    fn a_butterfly_is_sums_and_differences() {
        let lanes: [f32; LANES] = std::array::from_fn(|i| (i * i) as f32);
        let mut got = [0.0; LANES];
        Of::<f32, 16, false>::load(&lanes).butterfly::<4>().store(&mut got);
        for (i, got) in got.into_iter().enumerate() {
            let other = lanes[i ^ 4];
            let expected = if i & 4 == 0 { lanes[i] + other } else { other - lanes[i] };
            assert_eq!(got, expected, "value {i}");
        }
    }
}
