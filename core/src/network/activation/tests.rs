//! Expectations against quadratures and known values; derivatives against differences.

use super::*;
use crate::Portable;
use crate::choice::Choice;

/// E[phi(u) phi(v)] and E[phi'(u) phi'(v)] by the trapezoidal rule on the plane, which converges exponentially for
/// smooth functions.
fn quadrature(phi: Activation, [q, q_other, angle]: [f64; 3]) -> [f64; 2] {
    let (step, reach) = (1.0 / 16.0, 144);
    let (p, p_other) = (libm::sqrt(q), libm::sqrt(q_other));
    let mut sums = [0.0; 2];
    for i in -reach..=reach {
        for k in -reach..=reach {
            let (x, y) = (step * f64::from(i), step * f64::from(k));
            let (u, v) = (p * x, p_other * (libm::cos(angle) * x + libm::sin(angle) * y));
            let weight = libm::exp(-0.5 * (x * x + y * y));
            sums[0] += weight * phi.phi(u) * phi.phi(v);
            sums[1] += weight * phi.dphi(u) * phi.dphi(v);
        }
    }
    sums.map(|sum| sum * step * step / core::f64::consts::TAU)
}

/// Variance, covariance and derivative after a layer.
fn propagated(phi: Activation, [q, q_other, angle]: [f64; 3], a: f64, beta: f64) -> [f64; 3] {
    let half = |f: fn(f64) -> f64| [f(angle / 2.0) * f(angle / 2.0)];
    let (mut sin2, mut cos2) = (half(libm::sin), half(libm::cos));
    let (mut others, mut product) = ([q_other], [libm::sqrt(q * q_other)]);
    let (mut derivative, mut work, mut covariance) = ([0.0], [0.0], [0.0]);
    let mut pairs = Pairs {
        q,
        q_other: &mut others,
        product: &mut product,
        sin2: &mut sin2,
        cos2: &mut cos2,
        derivative: &mut derivative,
        work: &mut work,
        series: Series::None,
    };
    phi.propagate(&Portable, &mut pairs, a, beta);
    pairs.covariance(&mut covariance);
    [pairs.q, covariance[0], derivative[0]]
}

const PAIRS: [[f64; 3]; 5] = [[1.0, 1.0, 1.0], [0.3, 2.0, 2.5], [4.0, 0.1, 0.2], [1.5, 1.5, 3.1], [0.7, 0.9, 1e-3]];

#[test]
fn expectations_are_those_of_a_quadrature() {
    // kinks leave an error of first order in the step; their exact values are tested below
    for phi in Activation::ALL.iter().copied().filter(|phi| !phi.has_kink()) {
        for pair in PAIRS {
            let ([e, d], [variance, _]) = (quadrature(phi, pair), quadrature(phi, [pair[0], pair[0], 0.0]));
            let (a, beta) = (1.7, 0.3);
            let expected = [a * variance + beta, a * e + beta, a * d];
            for (expected, got) in expected.iter().zip(propagated(phi, pair, a, beta)) {
                assert!((expected - got).abs() < 1e-12, "{phi}, {pair:?}: {expected} {got}");
            }
        }
    }
}

#[test]
fn relu_at_angles_of_known_expectations() {
    let (pi, root) = (core::f64::consts::PI, libm::sqrt(3.0));
    // kappa1, kappa0
    let known = [(0.0, [1.0, 1.0]), (pi / 2.0, [1.0 / pi, 0.5]), (pi, [0.0, 0.0])];
    let sixty = (pi / 3.0, [root / (2.0 * pi) + 1.0 / 3.0, 2.0 / 3.0]);
    for (angle, [kappa1, kappa0]) in known.into_iter().chain([sixty]) {
        for (q, q_other, beta) in [(1.0, 1.0, 0.0), (0.3, 5.0, 0.0), (0.3, 5.0, 0.7)] {
            let [variance, covariance, derivative] = propagated(Activation::Relu, [q, q_other, angle], 2.0, beta);
            let expected = [q + beta, libm::sqrt(q * q_other) * kappa1 + beta, kappa0];
            for (expected, got) in expected.into_iter().zip([variance, covariance, derivative]) {
                assert!((expected - got).abs() < 1e-14 * (1.0 + expected), "{angle}: {expected} {got}");
            }
        }
    }
}

#[test]
fn derivatives_are_those_of_differences() {
    let step = 1e-5;
    for phi in Activation::ALL {
        for z in [-3.0, -0.7, -0.01, 0.2, 1.1, 4.0f64] {
            let expected = (phi.phi(z + step) - phi.phi(z - step)) / (2.0 * step);
            assert!((phi.dphi(z) - expected).abs() < 1e-9, "{phi} at {z}");
        }
    }
}

/// `max(z, 0) - s max(-z, 0)`: of quadrants, the exact values of ReLU's pairs at the angle and at its supplement.
#[test]
fn leaky_relu_is_made_of_relus() {
    for slope in [-0.5, 0.01, 0.3, 1.0, 2.0] {
        let leaky = Activation::LeakyRelu(Slope::new(slope).unwrap());
        for [q, q_other, angle] in PAIRS {
            for beta in [0.0, 0.4] {
                let relu = |angle: f64| propagated(Activation::Relu, [q, q_other, angle], 2.0, 0.0);
                let ([variance, e, d], [_, e_apart, d_apart]) = (relu(angle), relu(core::f64::consts::PI - angle));
                let square = 1.0 + slope * slope;
                let expected = [
                    square * variance + beta,
                    square * e - 2.0 * slope * e_apart + beta,
                    square * d + 2.0 * slope * d_apart,
                ];
                for (expected, got) in expected.into_iter().zip(propagated(leaky, [q, q_other, angle], 2.0, beta)) {
                    assert!((expected - got).abs() < 1e-14 * (1.0 + expected.abs()), "{slope}: {expected} {got}");
                }
            }
        }
    }
}

/// The series, at variances and angles for which it is long enough and too long, against the rule on the plane.
#[test]
fn series_are_those_of_the_plane() {
    for phi in Activation::ALL.iter().copied().filter(|phi| phi.has_series()) {
        for (q, q_other) in [(1.0, 1.0), (0.1, 3.0), (4.0, 2.0), (1e-5, 0.3), (20.0, 9.0), (1e-9, 1e-9), (0.0, 1.0)] {
            for angle in [0.0, 1e-6, 0.01, 0.3, 1.0, 1.6, 2.9, core::f64::consts::PI] {
                let [sin2, cos2] = [libm::sin, libm::cos].map(|f| libm::pow(f(angle / 2.0), 2.0));
                let mut numbers = [[0.0; SERIES]; 2];
                for (numbers, q) in numbers.iter_mut().zip([q, q_other]) {
                    let (a, b, c, d, e, f) =
                        (&mut [][..], &mut [][..], &mut [][..], &mut [][..], &mut [][..], &mut [][..]);
                    let series = Series::Fill { numbers, taken: 0 };
                    let mut pairs =
                        Pairs { q, q_other: a, product: b, sin2: c, cos2: d, derivative: e, work: f, series };
                    phi.propagate(&Portable, &mut pairs, 1.0, 0.0);
                    assert_eq!(pairs.series.taken(), SERIES);
                }
                let results = [true, false].map(|known| {
                    let (mut sin2, mut cos2, mut others) = ([sin2], [cos2], [q_other]);
                    let (mut product, mut derivative, mut work) = ([libm::sqrt(q * q_other)], [0.0], [0.0]);
                    let [one, others_numbers] = &numbers;
                    let series = match known {
                        true => Series::Read { one, others: others_numbers, each: SERIES, taken: 0 },
                        false => Series::None,
                    };
                    let mut pairs = Pairs {
                        q,
                        q_other: &mut others,
                        product: &mut product,
                        sin2: &mut sin2,
                        cos2: &mut cos2,
                        derivative: &mut derivative,
                        work: &mut work,
                        series,
                    };
                    phi.propagate(&Portable, &mut pairs, 1.0, 0.0);
                    let mut covariance = [0.0];
                    pairs.covariance(&mut covariance);
                    [pairs.q, pairs.q_other[0], covariance[0], pairs.derivative[0]]
                });
                let [summed, plane] = results;
                let scale = [plane[0], plane[1], libm::sqrt(plane[0] * plane[1]), phi.dphi(0.0)];
                for ((summed, plane), scale) in summed.into_iter().zip(plane).zip(scale) {
                    assert!(
                        (summed - plane).abs() <= 2e-13 * scale,
                        "{phi}, {q}, {q_other}, {angle}: {summed} {plane}"
                    );
                }
            }
        }
    }
}

#[test]
fn names_with_slopes_lead_back() {
    for (text, slope) in
        [("leaky-relu", 0.01), ("leaky_relu:0.2", 0.2), ("leaky-relu:-1", -1.0), ("leaky-relu:1e-3", 1e-3)]
    {
        let read: Activation = text.parse().unwrap();
        assert_eq!(read, Activation::LeakyRelu(Slope::new(slope).unwrap()));
    }
    for wrong in ["leaky-relu:", "leaky-relu:nan", "leaky-relu:inf", "relu:0.1", "leaky-relu:0.1:2", "step", ""] {
        assert!(wrong.parse::<Activation>().is_err(), "{wrong}");
    }
}
