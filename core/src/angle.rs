//! Angles from the squared sine of their half, without a branch: what the arc-cosine kernels of ReLU (Cho and Saul
//! 2009) need of an angle t in [0, pi], one square root and two polynomials.
//!
//! ```text
//! kappa0 = (pi - t)/pi          kappa1 = (sin t + (pi - t) cos t)/pi          1 - kappa1 = 2 sin^2(t/2) - b(t)
//! ```
//!
//! with `b(t) = (sin t - t cos t)/pi`, about t^3/(3 pi). Up to pi/2 both come from t, beyond it from pi - t, where
//! kappa1 = b(pi - t): so neither kappa0 and kappa1 near pi nor 1 - kappa1 near 0 is a difference of large numbers.
//! For t up to pi/2 let s = sin(t/2), m = s^2, which is at most 1/2:
//!
//! ```text
//! t/2 = asin s = s (1 + m P(m))          b(t) = s m Q(m)
//! ```
//!
//! The coefficients of P and Q are those of `tests/golden/half_angle.py`, from the lowest degree on. Errors before
//! rounding, of t/2 and b: 2.4e-9 and 1.5e-8 in f32, 2.7e-18 and 5.8e-18 in f64.

use crate::Real;

/// P in f32.
pub(crate) const ARCSINE_F32: [f32; 8] =
    [0.16666621, 0.07502788, 0.04406378, 0.036137544, -0.008694601, 0.11185444, -0.14186051, 0.12706666];

/// Q in f32.
pub(crate) const MOMENT_F32: [f32; 7] =
    [0.84882635, 0.08488035, 0.027352408, 0.011865879, 0.010996215, -0.0056212163, 0.013876117];

/// P in f64.
pub(crate) const ARCSINE_F64: [f64; 19] = [
    0.16666666666666932,
    0.07499999999916623,
    0.04464285723522516,
    0.03038193922355666,
    0.02237233646603744,
    0.017348790682071683,
    0.014027084756445539,
    0.010843052393119529,
    0.015787096670617038,
    -0.030538585522631924,
    0.2005133903292464,
    -0.7335619504421981,
    2.1903599957494198,
    -4.925211812994294,
    8.366999068701647,
    -10.33430783091084,
    8.827901016396206,
    -4.6709330379185205,
    1.1757114748384203,
];

/// Q in f64.
pub(crate) const MOMENT_F64: [f64; 18] = [
    0.8488263631567751,
    0.08488263631568364,
    0.02728370452875376,
    0.012631344796533748,
    0.0070333577196467715,
    0.004382449625155601,
    0.002943726039811848,
    0.002118334358389699,
    0.0013149296559429465,
    0.002698723366175471,
    -0.006423669802451428,
    0.027545086509475115,
    -0.07251849538398722,
    0.1479192592233776,
    -0.21325173910337075,
    0.21196572195902308,
    -0.12892650517094412,
    0.037692286182856104,
];

/// sum_k c_k x^k, by Horner's rule.
#[inline(always)]
pub(crate) fn polynomial<T: Real, const N: usize>(c: &[T; N], x: T) -> T {
    c[..N - 1].iter().rev().fold(c[N - 1], |sum, c| sum * x + *c)
}

/// asin(sqrt(m)) for m in [0, 1/2], from m and its square root.
#[inline(always)]
pub fn arcsine<T: Real>(m: T, root: T) -> T {
    root + root * (m * T::arcsine_excess(m))
}

/// kappa0 and 1 - kappa1 of the angle of which `sin2` and `cos2` are sin^2 and cos^2 of the half.
///
/// Exactly 1 and 0 for the angle 0; 1 - kappa1 is never negative. `sqrt` is [`Real::sqrt`], or a compiler's own
/// that gives the same bits and can be vectorized.
#[inline(always)]
pub fn arc_cosine<T: Real>(sin2: T, cos2: T, sqrt: impl Fn(T) -> T) -> (T, T) {
    let acute = sin2 <= cos2;
    let m = if acute { sin2 } else { cos2 };
    let root = sqrt(m);
    let share = T::from_f64(core::f64::consts::FRAC_2_PI) * arcsine(m, root);
    let b = root * (m * T::bracket(m));
    if acute { (T::ONE - share, sin2 + sin2 - b) } else { (share, T::ONE - b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::f64::consts::PI;

    /// Both against the angle itself, to the error of the polynomials and some roundings.
    #[test]
    fn kappa_of_angles_from_0_to_pi() {
        fn check<T: Real>(allowed: f64) {
            for step in 0..=1000 {
                let angle = f64::from(step) * PI / 1000.0;
                // the numbers that T holds, not those of the angle
                let sin2 = T::from_f64(libm::pow(libm::sin(angle / 2.0), 2.0));
                let cos2 = T::from_f64(libm::pow(libm::cos(angle / 2.0), 2.0));
                let half = libm::atan2(libm::sqrt(sin2.to_f64()), libm::sqrt(cos2.to_f64()));
                let (angle, (kappa0, gap)) = (2.0 * half, arc_cosine(sin2, cos2, T::sqrt));
                let expected = (PI - angle) / PI;
                let kappa1 = (libm::sin(angle) + (PI - angle) * libm::cos(angle)) / PI;
                assert!((kappa0.to_f64() - expected).abs() < allowed, "kappa0 of step {step}");
                assert!((gap.to_f64() - (1.0 - kappa1)).abs() < 2.0 * allowed, "gap of step {step}");
                assert!(gap >= T::ZERO, "gap of step {step}");
            }
        }
        check::<f64>(4.0 * f64::EPSILON);
        check::<f32>(4.0 * f64::from(f32::EPSILON));
    }

    #[test]
    fn the_ends_are_exact() {
        assert_eq!(arc_cosine(0.0, 1.0, f64::sqrt), (1.0, 0.0));
        assert_eq!(arc_cosine(1.0, 0.0, f64::sqrt), (0.0, 1.0));
        assert_eq!(arc_cosine(0.0_f32, 1.0, f32::sqrt), (1.0, 0.0));
        assert_eq!(arc_cosine(1.0_f32, 0.0, f32::sqrt), (0.0, 1.0));
    }

    #[test]
    fn polynomials_run_from_the_lowest_degree_on() {
        assert_eq!(polynomial(&[1.0, -2.0, 3.0], 2.0), 9.0);
        assert_eq!(polynomial(&[5.0], 7.0), 5.0);
    }
}
