//! Analytic kernels against values computed elsewhere, and against what they must be by theory.

use ntkscope_core::kernel::AnalyticKernel::{Nngp, Ntk};
use ntkscope_core::network::{Activation, Bias, Fcn};
use ntkscope_core::{Backend, Portable};
use ntkscope_tests::cases::{SIX_LABELS, Samples, named, six_points};
use ntkscope_tests::golden::{Matrix, extreme, reference};
use ntkscope_tests::measure::{analytic_kernel, eigenvalues};
use ntkscope_tests::tolerance::{Check, same_bits};

/// Hidden widths do not enter the analytic kernels, their number does.
const WIDTHS: [usize; 5] = [1; 5];

/// Calls `compare(index, expected, actual, scale)` for all entries, scale = sqrt(K_ii K_jj).
fn entries(expected: &Matrix, actual: &[f64], mut compare: impl FnMut((usize, usize), f64, f64, f64)) {
    let n = expected.len();
    assert_eq!(actual.len(), n * n);
    for i in 0..n {
        for j in 0..n {
            let scale = (expected[i][i] * expected[j][j]).sqrt();
            compare((i, j), expected[i][j], actual[i * n + j], if scale == 0.0 { 1.0 } else { scale });
        }
    }
}

#[test]
fn reference_kernels() {
    let reference = reference();
    let x: Samples<f64> = Samples::from_rows(&reference.samples);
    let mut check = Check::named("golden kernels");
    let mut families = 0;
    for (name, family) in &reference.fcn {
        for (depth, kernels) in &family.depths {
            let network = named(name, x.d, &WIDTHS[..*depth]);
            for (which, expected) in [(Nngp, &kernels.nngp), (Ntk, &kernels.ntk)] {
                let actual = analytic_kernel(&Portable, &network, which, &x, None);
                let case = format!("{name}, depth {depth}, {which:?}");
                entries(expected, &actual, |at, e, a, _| check.relative(&case, at, e, a));
                // two sets of samples take another path through the tiles
                let rows = analytic_kernel(&Portable, &network, which, &x.select(&[3, 1]), Some(&x));
                for (j, value) in rows.iter().enumerate() {
                    let at = ([3, 1][j / x.n], j % x.n);
                    check.relative(&format!("{case}, two sets"), at, expected[at.0][at.1], *value);
                }
            }
        }
        families += 1;
    }
    assert_eq!(families, 5);
    check.finish();
}

/// (kappa0, 1 - kappa1) of one angle.
fn arc_cosine(sin2: f64, cos2: f64) -> (f64, f64) {
    let (mut kappa0, mut gap) = ([f64::NAN], [f64::NAN]);
    Portable.arc_cosine(&[sin2], &[cos2], &mut kappa0, &mut gap);
    (kappa0[0], gap[0])
}

#[test]
fn kappas() {
    let scalars = reference().scalars;
    let mut check = Check::named("golden kappas");
    for (u, (expected0, expected1)) in scalars.u.iter().zip(scalars.kappa0.iter().zip(&scalars.kappa1)) {
        let cosine: f64 = u.parse().expect("a number");
        let (kappa0, gap) = arc_cosine(0.5 * (1.0 - cosine), 0.5 * (1.0 + cosine));
        check.absolute(&"kappa0", u, *expected0, kappa0);
        check.absolute(&"kappa1", u, *expected1, 1.0 - gap);
    }
    check.finish();
    assert_eq!(arc_cosine(0.0, 1.0), (1.0, 0.0), "equal samples are exact");
    assert_eq!(arc_cosine(1.0, 0.0), (0.0, 1.0), "opposite samples are exact");
}

#[test]
fn diagonal() {
    let x: Samples<f64> = Samples::gaussian(20, 5, 3);
    let mut check = Check::named("analytic diagonal");
    for depth in 1..=5 {
        for (name, shift) in [("lin0", 0.0), ("bias1", 1.0)] {
            let network = named(name, x.d, &WIDTHS[..depth]);
            let (nngp, ntk) = (
                analytic_kernel(&Portable, &network, Nngp, &x, None),
                analytic_kernel(&Portable, &network, Ntk, &x, None),
            );
            for i in 0..x.n {
                let square = x.view().row(i).iter().map(|v| v * v).sum::<f64>() + shift;
                let case = format!("{name}, depth {depth}");
                check.relative(&case, i, square, nngp[i * x.n + i]);
                check.relative(&case, i, (depth + 1) as f64 * square, ntk[i * x.n + i]);
            }
        }
    }
    check.finish();
}

#[test]
fn a_bias_at_the_input_is_an_input_of_1() {
    let x: Samples<f64> = Samples::gaussian(12, 3, 4);
    // exact: with three inputs the 1 is added last in either case
    for depth in 1..=4 {
        for which in [Nngp, Ntk] {
            let expected = analytic_kernel(&Portable, &named("lin0", 4, &WIDTHS[..depth]), which, &x.with_one(), None);
            let actual = analytic_kernel(&Portable, &named("bias1", 3, &WIDTHS[..depth]), which, &x, None);
            same_bits(&format!("depth {depth}, {which:?}"), &expected, &actual);
        }
    }
}

#[test]
fn six_points_spectrum() {
    let golden = reference().six_points;
    let x = six_points::<f64>();
    let (mut smallest, mut null, mut mode) = (
        Check::named("six points: lambda_min"),
        Check::named("six points: null direction"),
        Check::named("six points: mode"),
    );
    for name in ["lin0", "bias1"] {
        for depth in [1, 2, 3, 5] {
            let key = format!("fcn {name} L={depth}");
            let kernel = analytic_kernel(&Portable, &named(name, 2, &WIDTHS[..depth]), Ntk, &x, None);
            let label = |i: usize| 2.0 * SIX_LABELS[i] as f64 - 1.0;
            let image: Vec<f64> = (0..6).map(|i| (0..6).map(|j| kernel[i * 6 + j] * label(j)).sum()).collect();
            let rayleigh = (0..6).map(|i| label(i) * image[i]).sum::<f64>() / 6.0;
            let (expected, lambda_min) = (golden.lambda_min[&key], eigenvalues(&kernel, 6)[0]);
            let in_direction = golden.lambda_in_label_direction[&key];
            for (i, y) in image.iter().enumerate() {
                mode.absolute(&key, i, in_direction * label(i), *y);
            }
            let check = if expected.abs() < 1e-30 { &mut null } else { &mut smallest };
            check.absolute(&key, "lambda_min", expected, lambda_min);
            check.absolute(&key, "label direction", in_direction, rayleigh);
        }
    }
    smallest.finish();
    null.finish();
    mode.finish();
}

#[test]
fn equal_nearly_equal_collinear_antipodal_and_zero_samples() {
    let golden = extreme();
    let x: Samples<f64> = Samples::from_rows(&golden.samples);
    let mut check = Check::named("degenerate samples");
    for kernels in &golden.kernels {
        let network = named(&kernels.network, x.d, &WIDTHS[..kernels.depth]);
        for (which, expected) in [(Nngp, &kernels.nngp), (Ntk, &kernels.ntk)] {
            let actual = analytic_kernel(&Portable, &network, which, &x, None);
            let case = format!("{}, depth {}, {which:?}", kernels.network, kernels.depth);
            entries(expected, &actual, |at, e, a, scale| check.scaled(&case, at, e, a, scale));
        }
    }
    check.finish();
}

/// (E phi(u) phi(v), E phi'(u) phi'(v)) for erf by the trapezoidal rule in two dimensions, which converges
/// faster than any power of the step for analytic functions with Gaussian weight.
fn erf_moments(q: f64, q_other: f64, covariance: f64) -> (f64, f64) {
    const STEP: f64 = 0.15;
    const REACH: i32 = 57; // 57 * 0.15 = 8.55 standard deviations: e^-36
    let slope = covariance / q;
    let rest = (q_other - covariance * slope).max(0.0).sqrt();
    let derivative = |z: f64| std::f64::consts::FRAC_2_SQRT_PI * (-z * z).exp();
    let (mut value, mut tangent) = (0.0, 0.0);
    for i in -REACH..=REACH {
        let g = f64::from(i) * STEP;
        let u = q.sqrt() * g;
        let (mut inner, mut inner_tangent) = (0.0, 0.0);
        for k in -REACH..=REACH {
            let h = f64::from(k) * STEP;
            let v = slope * u + rest * h;
            let weight = (-0.5 * h * h).exp();
            inner += weight * libm::erf(v);
            inner_tangent += weight * derivative(v);
        }
        let weight = (-0.5 * g * g).exp();
        value += weight * libm::erf(u) * inner;
        tangent += weight * derivative(u) * inner_tangent;
    }
    let measure = STEP * STEP / (2.0 * std::f64::consts::PI);
    (value * measure, tangent * measure)
}

#[test]
fn erf_kernels_by_quadrature() {
    let reference = reference();
    let x: Samples<f64> = Samples::from_rows(&reference.samples);
    let mut check = Check::named("erf by quadrature");
    let (a, c_in, s) = (1.7, 0.8, 0.3);
    for (bias, first, later) in [(Bias::None, 0.0, 0.0), (Bias::Input, s * s, 0.0), (Bias::All, s * s, s * s)] {
        for i in 0..x.n {
            for j in 0..=i {
                let dot = |k: usize, l: usize| {
                    c_in * x.view().row(k).iter().zip(x.view().row(l)).map(|(u, v)| u * v).sum::<f64>() + first
                };
                let (mut q, mut q_other, mut covariance) = (dot(i, i), dot(j, j), dot(i, j));
                let mut ntk = covariance;
                for depth in 1..=2 {
                    let (value, tangent) = erf_moments(q, q_other, covariance);
                    covariance = a * value + later;
                    ntk = covariance + a * tangent * ntk;
                    (q, q_other) =
                        (a * erf_moments(q, q, q).0 + later, a * erf_moments(q_other, q_other, q_other).0 + later);
                    let network = Fcn::new(x.d, &WIDTHS[..depth], 1)
                        .expect("positive sizes")
                        .with_activation(Activation::Erf)
                        .with_variances(c_in, a)
                        .and_then(|fcn| fcn.with_bias(bias, s))
                        .expect("variances");
                    let pair = x.select(&[i, j]);
                    let case = format!("{bias:?}, depth {depth}");
                    let nngp = analytic_kernel(&Portable, &network, Nngp, &pair, None);
                    check.absolute(&format!("{case}, NNGP"), (i, j), covariance, nngp[2]);
                    let tangent = analytic_kernel(&Portable, &network, Ntk, &pair, None);
                    check.absolute(&format!("{case}, NTK"), (i, j), ntk, tangent[2]);
                }
            }
        }
    }
    check.finish();
}

/// Samples that differ by a few units in the last place, where the angle is all rounding.
fn barely_different<T: ntkscope_core::Real>() {
    for seed in 0..40 {
        let x: Samples<T> = Samples::gaussian(1, 3, 900 + seed);
        let mut all = x.clone();
        for k in 0..24 {
            let ulps = T::EPSILON * T::from_f64([0.5, 1.0, 2.0, 3.0, 7.0, 40.0][k / 4]);
            let sign = T::from_f64([1.0, -1.0, 1.0, -1.0][k % 4]);
            all.values.extend(x.values.iter().enumerate().map(|(c, v)| {
                let v = if c == k % 3 { *v + *v * ulps * sign } else { *v };
                if k % 4 > 1 { T::ZERO - v } else { v }
            }));
            all.n += 1;
        }
        for name in ["lin0", "bias1", "ball1"] {
            for depth in 1..=4 {
                let network = named(name, 3, &WIDTHS[..depth]);
                for which in [Nngp, Ntk] {
                    let kernel = analytic_kernel(&Portable, &network, which, &all, None);
                    assert!(kernel.iter().all(|k| k.is_finite()), "{name}, depth {depth}, seed {seed}: {kernel:?}");
                }
            }
        }
    }
}

#[test]
fn barely_different_samples_have_finite_kernels() {
    barely_different::<f64>();
    barely_different::<f32>();
    barely_different::<ntkscope_core::Approx32>();
}
