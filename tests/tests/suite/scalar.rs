//! `Real`: NaN is never hidden, angles are as accurate as libm's, and `Approx32` is as its documentation says.

use ntkscope_core::angle::{arc_cosine, arcsine};
use ntkscope_core::{Approx32, Real};
use ntkscope_tests::tolerance::{Check, same_bits};

fn extrema<T: Real>() {
    let (one, nan) = (T::ONE, T::from_f64(f64::NAN));
    assert!(nan.is_nan() && !one.is_nan() && !nan.is_finite() && !(one / T::ZERO).is_finite());
    for (a, b) in [(one, nan), (nan, one), (nan, nan)] {
        assert!(Real::max(a, b).is_nan() && Real::min(a, b).is_nan(), "{a} {b}");
    }
    let two = T::from_count(2);
    assert!(Real::max(one, two) == two && Real::min(two, one) == one);
    assert!((one + T::EPSILON) > one && one + T::EPSILON / T::from_count(4) == one);
}

#[test]
fn a_maximum_does_not_hide_a_nan() {
    extrema::<f32>();
    extrema::<f64>();
    extrema::<Approx32>();
}

#[test]
fn conversions() {
    let values = [0.0, -0.0, 1.5, -2.25, 1e300, f64::INFINITY];
    same_bits(&"f64", &values, &values.map(<f64 as Real>::from_f64));
    assert_eq!(<f32 as Real>::from_f64(1.0 + 1e-12), 1.0);
    assert_eq!(f64::from_count(12345), 12345.0);
}

/// Every x of a fine logarithmic grid between two magnitudes.
fn grid(low: f64, high: f64) -> impl Iterator<Item = f32> {
    let count = 20_000;
    (0..=count).map(move |k| (low * (high / low).powf(f64::from(k) / f64::from(count))) as f32)
}

#[test]
fn approximate_functions_are_as_good_as_stated() {
    let (mut sqrt, mut exp, mut ln, mut angle) = (
        Check::named("Approx32: sqrt"),
        Check::named("Approx32: exp"),
        Check::named("Approx32: ln"),
        Check::named("Approx32: atan2"),
    );
    for x in grid(1e-12, 1e12) {
        let wide = f64::from(x);
        sqrt.relative(&"sqrt", x, wide.sqrt(), Approx32(x).sqrt().to_f64());
        ln.absolute(&"ln", x, wide.ln(), Approx32(x).ln().to_f64());
    }
    for x in grid(1e-6, 80.0).flat_map(|x| [x, -x]) {
        exp.relative(&"exp", x, f64::from(x).exp(), Approx32(x).exp().to_f64());
    }
    for k in 0..5000 {
        let (y, x) = (f64::from(k) * 0.004).sin_cos();
        for r in [1e-3, 1.0, 1e3] {
            let (y, x) = ((r * y) as f32, (r * x) as f32);
            let expected = f64::from(y).atan2(f64::from(x));
            angle.absolute(&"atan2", (y, x), expected, Approx32(y).atan2(Approx32(x)).to_f64());
        }
    }
    sqrt.finish();
    exp.finish();
    ln.finish();
    angle.finish();
}

#[test]
fn differences_near_0_keep_their_digits() {
    let mut check = Check::named("Approx32: exp_m1 and ln_1p near 0");
    for x in grid(1e-9, 0.45).flat_map(|x| [x, -x]) {
        check.relative(&"exp_m1", x, f64::from(x).exp_m1(), Approx32(x).exp_m1().to_f64());
        check.relative(&"ln_1p", x, f64::from(x).ln_1p(), Approx32(x).ln_1p().to_f64());
    }
    check.finish();
}
#[test]
fn approximate_functions_keep_zeros_infinities_and_nan() {
    let special =
        [0.0, -0.0, -1.0, -1e30, 1e-42, 1e30, 1e-30, 89.0, 1000.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
    let same = |name: &str, x: (f32, f32), exact: f32, approximate: Approx32| {
        let close = (approximate.0 - exact).abs() <= 0.07 * exact.abs() + 3e-3;
        let alike = if exact.is_finite() { close } else { exact.to_bits() == approximate.0.to_bits() };
        assert!(alike || (exact.is_nan() && approximate.is_nan()), "{name} {x:?}: {exact} {approximate}");
    };
    for x in special {
        let a = Approx32(x);
        same("sqrt", (x, x), Real::sqrt(x), a.sqrt());
        same("exp", (x, x), Real::exp(x), a.exp());
        same("exp_m1", (x, x), Real::exp_m1(x), a.exp_m1());
        same("ln", (x, x), Real::ln(x), a.ln());
        same("ln_1p", (x, x), Real::ln_1p(x), a.ln_1p());
        same("erf", (x, x), Real::erf(x), a.erf());
        // on the negative axis libm tells -0 from 0, micromath does not
        for y in special.into_iter().filter(|y| x != 0.0 || *y >= 0.0) {
            same("atan2", (x, y), Real::atan2(x, y), a.atan2(Approx32(y)));
        }
    }
}

/// m from the smallest to 1/2, on a logarithmic grid and on an even one.
fn half_angles() -> impl Iterator<Item = f64> {
    let logarithmic = (0..=20_000).map(|k| 0.5 * 1e-12f64.powf(f64::from(k) / 20_000.0));
    logarithmic.chain((0..=20_000).map(|k| 0.5 * f64::from(k) / 20_000.0))
}

#[test]
fn angles_are_those_of_libm() {
    let (mut double, mut single) = (Check::named("angle in ulps"), Check::named("angle in ulps, f32"));
    for m in half_angles() {
        let (expected, actual) = (libm::asin(libm::sqrt(m)), arcsine(m, libm::sqrt(m)));
        let ulps = expected.to_bits().abs_diff(actual.to_bits());
        double.error(&"f64", m, expected, actual, ulps as f64);
        let m = m as f32;
        let (expected, actual) = (libm::asinf(libm::sqrtf(m)), arcsine(m, libm::sqrtf(m)));
        let ulps = expected.to_bits().abs_diff(actual.to_bits());
        single.error(&"f32", m, f64::from(expected), f64::from(actual), f64::from(ulps));
    }
    double.finish();
    single.finish();
}

/// (sin t - t cos t)/pi = sum_k (-1)^k 2 (k + 1) t^(2k + 3)/((2k + 3)! pi).
fn moment(t: f64) -> f64 {
    let mut term = t * t * t / 6.0;
    let mut sum = 0.0;
    for k in 0..15 {
        let n = f64::from(k);
        sum += 2.0 * (n + 1.0) * term;
        term *= -t * t / ((2.0 * n + 4.0) * (2.0 * n + 5.0));
    }
    sum / std::f64::consts::PI
}

/// 1 - kappa1 up to a right angle, and kappa1 = 1 - that beyond it: neither loses digits where it is small.
#[test]
fn moments_of_small_and_large_angles_keep_their_digits() {
    let (mut double, mut single) = (Check::named("1 - kappa1"), Check::named("1 - kappa1, f32"));
    for m in half_angles().filter(|m| *m > 0.0) {
        let expected = 2.0 * m - moment(2.0 * libm::asin(libm::sqrt(m)));
        double.relative(&"f64", m, expected, arc_cosine(m, 1.0 - m, libm::sqrt).1);
        let rounded = m as f32;
        let m = f64::from(rounded);
        let expected = 2.0 * m - moment(2.0 * libm::asin(libm::sqrt(m)));
        single.relative(&"f32", m, expected, f64::from(arc_cosine(rounded, 1.0 - rounded, libm::sqrtf).1));
        let obtuse = (arc_cosine(1.0 - m, m, libm::sqrt), arc_cosine(m, 1.0 - m, libm::sqrt));
        assert!(obtuse.0.0 <= obtuse.1.0 && obtuse.0.1 >= obtuse.1.1 && obtuse.0.1 <= 1.0, "order at {m:e}");
    }
    double.finish();
    single.finish();
}
