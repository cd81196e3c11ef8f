//! The scalar. Every transcendental function of the crate goes through [`Real`], so results do not
//! depend on the platform's maths library: `f32` and `f64` use libm on every machine, [`Approx32`]
//! is an `f32` with micromath's cheaper functions.

use crate::angle;
use core::fmt::{Debug, Display};
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
    impl Sealed for super::Approx32 {}
}

/// A real number of fixed precision. Sealed: `f32`, `f64`, [`Approx32`].
pub trait Real:
    sealed::Sealed
    + Copy
    + Debug
    + Default
    + Display
    + PartialEq
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + 'static
{
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;
    /// distance from 1 to the next larger number
    const EPSILON: Self;
    /// smallest positive number of full precision
    const SMALLEST: Self;
    /// largest finite number
    const LARGEST: Self;
    /// a power of two about the root of [`Self::LARGEST`]: 2^64 of 24 bits, 2^512 of 53
    const HALF_RANGE: Self;

    /// nearest number to `x`
    fn from_f64(x: f64) -> Self;
    /// the same number in double precision
    fn to_f64(self) -> f64;
    /// |x|
    fn abs(self) -> Self;
    /// neither infinite nor NaN
    fn is_finite(self) -> bool;
    /// The power of two in (|x|/2, |x|], but at least [`Self::SMALLEST`]; 1 of what is not finite. To multiply by it, or
    /// by its inverse, rounds nothing.
    fn power_of_two(self) -> Self;
    /// square root
    fn sqrt(self) -> Self;
    /// e^x
    fn exp(self) -> Self;
    /// e^x - 1
    fn exp_m1(self) -> Self;
    /// natural logarithm
    fn ln(self) -> Self;
    /// ln(1 + x)
    fn ln_1p(self) -> Self;
    /// angle of the point (x, y) = (`other`, `self`), in (-pi, pi]
    fn atan2(self, other: Self) -> Self;
    /// sine
    fn sin(self) -> Self;
    /// cosine
    fn cos(self) -> Self;
    /// error function (2/sqrt(pi)) int_0^x e^(-s^2) ds
    fn erf(self) -> Self;
    /// (asin s - s)/s^3 with s = sqrt(m), m in [0, 1/2]: a polynomial, see [`crate::angle`]. With [`Self::bracket`] it
    /// serves ReLU's arc-cosine kernels ([`crate::Backend::arc_cosine`]) alone.
    fn arcsine_excess(m: Self) -> Self;
    /// (sin t - t cos t)/(pi s^3) with s = sin(t/2) = sqrt(m), m in [0, 1/2]: a polynomial, see [`crate::angle`]
    fn bracket(m: Self) -> Self;

    /// nearest number to a count
    fn from_count(n: usize) -> Self {
        Self::from_f64(n as f64)
    }
    /// neither a number nor infinite
    fn is_nan(self) -> bool {
        self.partial_cmp(&self).is_none()
    }
    /// the larger of two; NaN if either is, so that a maximum never hides one
    fn max(self, other: Self) -> Self {
        if other > self || other.is_nan() { other } else { self }
    }
    /// the smaller of two; NaN if either is
    fn min(self, other: Self) -> Self {
        if other < self || other.is_nan() { other } else { self }
    }
}

macro_rules! arithmetic_through_libm {
    ($t:ty, $half_range:literal, $exponent:literal, $fabs:path, $sqrt:path, $exp:path, $expm1:path, $log:path, $log1p:path, $atan2:path, $erf:path, $sin:path, $cos:path,
     $arcsine:expr, $moment:expr) => {
        impl Real for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const EPSILON: Self = <$t>::EPSILON;
            const SMALLEST: Self = <$t>::MIN_POSITIVE;
            const LARGEST: Self = <$t>::MAX;
            const HALF_RANGE: Self = <$t>::from_bits($half_range);
            fn from_f64(x: f64) -> Self {
                x as $t
            }
            fn to_f64(self) -> f64 {
                self as f64
            }
            fn abs(self) -> Self {
                $fabs(self)
            }
            fn is_finite(self) -> bool {
                <$t>::is_finite(self)
            }
            fn power_of_two(self) -> Self {
                if !Real::is_finite(self) {
                    return 1.0;
                }
                // the exponent alone, which is 0 of what is smaller
                Real::max(<$t>::from_bits(self.to_bits() & $exponent), Self::SMALLEST)
            }
            fn sqrt(self) -> Self {
                $sqrt(self)
            }
            fn exp(self) -> Self {
                $exp(self)
            }
            fn exp_m1(self) -> Self {
                $expm1(self)
            }
            fn ln(self) -> Self {
                $log(self)
            }
            fn ln_1p(self) -> Self {
                $log1p(self)
            }
            fn atan2(self, other: Self) -> Self {
                $atan2(self, other)
            }
            fn erf(self) -> Self {
                $erf(self)
            }
            fn sin(self) -> Self {
                $sin(self)
            }
            fn cos(self) -> Self {
                $cos(self)
            }
            #[inline(always)]
            fn arcsine_excess(m: Self) -> Self {
                angle::polynomial(&$arcsine, m)
            }
            #[inline(always)]
            fn bracket(m: Self) -> Self {
                angle::polynomial(&$moment, m)
            }
        }
    };
}
// The one macro of the crate: the two impls differ in nothing but names, and a generic impl would need
// the very trait it defines.
arithmetic_through_libm!(
    f32,
    0x5f80_0000,
    0x7f80_0000,
    libm::fabsf,
    libm::sqrtf,
    libm::expf,
    libm::expm1f,
    libm::logf,
    libm::log1pf,
    libm::atan2f,
    libm::erff,
    libm::sinf,
    libm::cosf,
    angle::ARCSINE_F32,
    angle::MOMENT_F32
);
arithmetic_through_libm!(
    f64,
    0x5ff0_0000_0000_0000,
    0x7ff0_0000_0000_0000,
    libm::fabs,
    libm::sqrt,
    libm::exp,
    libm::expm1,
    libm::log,
    libm::log1p,
    libm::atan2,
    libm::erf,
    libm::sin,
    libm::cos,
    angle::ARCSINE_F64,
    angle::MOMENT_F64
);

/// `f32` with micromath's approximations of sqrt, exp, ln and atan2.
///
/// Measured worst errors of micromath 2.1: exp 2e-3 relative, ln 0.12 absolute, atan2 about 3e-3 absolute, sqrt 6 %
/// relative. erf, sine and cosine, and the differences `exp_m1` and `ln_1p` near 0 where those errors would swamp the result, stay
/// with libm; so does what micromath was not made for: zeros, negative logarithms, numbers too small or too large,
/// infinities and NaN (of which it would make e^NaN = inf, sqrt(inf) = 2e19, ln(-1) = 6.5). A type of its own, so
/// that cheaper mathematics is something one writes down and never a silent switch. Losses and empirical kernels
/// computed with it are good for about two digits, analytic kernels (which take square roots) for one: enough to
/// watch a kernel drift by more than that on a device, not to test a theory.
#[derive(Clone, Copy, Default, PartialEq, PartialOrd)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(transparent)]
pub struct Approx32(pub f32);

impl Debug for Approx32 {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        Debug::fmt(&self.0, f)
    }
}
impl Display for Approx32 {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        Display::fmt(&self.0, f)
    }
}
impl Add for Approx32 {
    type Output = Self;
    fn add(self, y: Self) -> Self {
        Self(self.0 + y.0)
    }
}
impl Sub for Approx32 {
    type Output = Self;
    fn sub(self, y: Self) -> Self {
        Self(self.0 - y.0)
    }
}
impl Mul for Approx32 {
    type Output = Self;
    fn mul(self, y: Self) -> Self {
        Self(self.0 * y.0)
    }
}
impl Div for Approx32 {
    type Output = Self;
    fn div(self, y: Self) -> Self {
        Self(self.0 / y.0)
    }
}
impl Neg for Approx32 {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}
impl AddAssign for Approx32 {
    fn add_assign(&mut self, y: Self) {
        self.0 += y.0;
    }
}
impl SubAssign for Approx32 {
    fn sub_assign(&mut self, y: Self) {
        self.0 -= y.0;
    }
}
impl MulAssign for Approx32 {
    fn mul_assign(&mut self, y: Self) {
        self.0 *= y.0;
    }
}
impl DivAssign for Approx32 {
    fn div_assign(&mut self, y: Self) {
        self.0 /= y.0;
    }
}
impl Real for Approx32 {
    const ZERO: Self = Self(0.0);
    const ONE: Self = Self(1.0);
    const EPSILON: Self = Self(f32::EPSILON);
    const SMALLEST: Self = Self(f32::SMALLEST);
    const LARGEST: Self = Self(f32::LARGEST);
    const HALF_RANGE: Self = Self(f32::HALF_RANGE);
    fn from_f64(x: f64) -> Self {
        Self(x as f32)
    }
    fn to_f64(self) -> f64 {
        f64::from(self.0)
    }
    fn abs(self) -> Self {
        Self(libm::fabsf(self.0))
    }
    fn is_finite(self) -> bool {
        self.0.is_finite()
    }
    fn power_of_two(self) -> Self {
        Self(self.0.power_of_two())
    }
    fn sqrt(self) -> Self {
        if self.0.is_normal() && self.0 > 0.0 {
            Self(micromath::F32(self.0).sqrt().0)
        } else {
            Self(libm::sqrtf(self.0))
        }
    }
    fn exp(self) -> Self {
        if libm::fabsf(self.0) < 87.0 { Self(micromath::F32(self.0).exp().0) } else { Self(libm::expf(self.0)) }
    }
    fn exp_m1(self) -> Self {
        if libm::fabsf(self.0) < 0.5 { Self(libm::expm1f(self.0)) } else { self.exp() - Self::ONE }
    }
    fn ln(self) -> Self {
        if self.0.is_normal() && self.0 > 0.0 { Self(micromath::F32(self.0).ln().0) } else { Self(libm::logf(self.0)) }
    }
    fn ln_1p(self) -> Self {
        if libm::fabsf(self.0) < 0.5 { Self(libm::log1pf(self.0)) } else { (Self::ONE + self).ln() }
    }
    fn atan2(self, other: Self) -> Self {
        let size = Real::max(self.abs(), other.abs()).0;
        if size > 1e-15 && size < 1e15 {
            Self(micromath::F32(self.0).atan2(micromath::F32(other.0)).0)
        } else {
            Self(libm::atan2f(self.0, other.0))
        }
    }
    fn erf(self) -> Self {
        Self(libm::erff(self.0))
    }
    fn sin(self) -> Self {
        Self(libm::sinf(self.0))
    }
    fn cos(self) -> Self {
        Self(libm::cosf(self.0))
    }
    fn arcsine_excess(m: Self) -> Self {
        Self(f32::arcsine_excess(m.0))
    }
    fn bracket(m: Self) -> Self {
        Self(f32::bracket(m.0))
    }
}
