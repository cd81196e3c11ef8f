//! Derivatives against central differences, in f64.

use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Activation, Bias, Fcn, Mirrored, Network, Trained};
use ntkscope_core::train::Problem;
use ntkscope_tests::cases::{Samples, Shape, named, residual_shapes, shapes};
use ntkscope_tests::measure::{jacobian_of, objective, outputs, pattern, targets, theta};
use ntkscope_tests::tolerance::Check;
use std::fmt::Display;

/// A power of two, so that theta +- h is formed with the least rounding.
const STEP: f64 = 1.0 / 131072.0;

/// Largest step of STEP, STEP/16, ... for which moving parameter k switches no ReLU on or off: within one
/// linear piece central differences have no truncation error at all.
fn step_within_a_piece<N: Network>(network: &N, theta: &mut [f64], k: usize, x: &Samples<f64>) -> f64 {
    let (centre, here) = (theta[k], pattern(network, theta, x));
    let mut h = STEP;
    for _ in 0..5 {
        let mut same = true;
        for sign in [1.0, -1.0] {
            theta[k] = centre + sign * h;
            same &= pattern(network, theta, x) == here;
        }
        theta[k] = centre;
        if same {
            return h;
        }
        h /= 16.0;
    }
    panic!("parameter {k}: a unit lies on its kink");
}

/// (g(theta + h e_k) - g(theta - h e_k)) / 2h, and h.
fn central<N: Network>(
    (network, activation): (&N, Activation),
    theta: &mut [f64],
    k: usize,
    x: &Samples<f64>,
    g: impl Fn(&[f64]) -> Vec<f64>,
) -> Vec<f64> {
    let h = if activation == Activation::Relu { step_within_a_piece(network, theta, k, x) } else { STEP };
    let centre = theta[k];
    theta[k] = centre + h;
    let above = g(theta);
    theta[k] = centre - h;
    let below = g(theta);
    theta[k] = centre;
    above.iter().zip(&below).map(|(a, b)| (a - b) / (2.0 * h)).collect()
}

fn few(shape: &Shape) -> Samples<f64> {
    shape.left().select(&(0..shape.batch.0.min(3)).collect::<Vec<_>>())
}

fn compare_jacobian<N: Network>(network: &N, shape: &Shape, case: &dyn Display, check: &mut Check) {
    let x = few(shape);
    let mut theta = theta::<N, f64>(network, shape.seed);
    let (rows, p) = (x.n * shape.outputs, theta.len());
    let jacobian = jacobian_of(network, &theta, &x);
    let scale = jacobian.iter().fold(0.0f64, |m, v| m.max(v.abs())).max(1e-3);
    for k in 0..p {
        let differences = central((network, shape.activation), &mut theta, k, &x, |t| outputs(network, t, &x));
        for row in 0..rows {
            check.scaled(case, (row, k), differences[row], jacobian[row * p + k], scale);
        }
    }
}

#[test]
fn jacobian() {
    let mut check = Check::named("Jacobian by differences");
    for shape in shapes() {
        let network = shape.network();
        compare_jacobian(&network, &shape, &format!("{shape:?}"), &mut check);
        compare_jacobian(&Mirrored(network), &shape, &format!("mirrored {shape:?}"), &mut check);
    }
    for (network, shape) in residual_shapes() {
        // what is not trained has a derivative, but no column
        let network = network.with_trained(Trained::All);
        compare_jacobian(&network, &shape, &format!("{network:?}"), &mut check);
        compare_jacobian(&Mirrored(network), &shape, &format!("mirrored {network:?}"), &mut check);
    }
    check.finish();
}

/// A point away from theta_0, where a mirrored network's halves differ too.
fn moved(theta_0: &[f64], seed: u64) -> Vec<f64> {
    let step: Samples<f64> = Samples::gaussian(theta_0.len(), 1, seed);
    theta_0.iter().zip(&step.values).map(|(a, b)| a + 0.3 * b).collect()
}

fn compare_gradient<N: Network>(
    network: &N,
    shape: &Shape,
    (loss, smoothing, penalty): (Loss, f64, f64),
    offset: Option<&Samples<f64>>,
    (check, scaling): (&mut Check, &mut Check),
) {
    let x = few(shape);
    let classes = shape.outputs.max(2);
    let labels: Vec<usize> = (0..x.n).map(|i| (i + shape.seed as usize) % classes).collect();
    let targets = targets::<f64>(loss, &labels, shape.outputs, smoothing);
    let plain = Problem::new(network, x.view(), targets.view(), loss, penalty).expect("a valid problem");
    let problem = offset.map_or(plain, |offset| plain.with_offset(offset.view()).expect("an offset that fits"));
    let theta_0 = theta::<N, f64>(network, shape.seed);
    let mut theta = moved(&theta_0, shape.seed + 5);
    let (at, gradient) = objective(network, &problem, &theta, &theta_0, false);
    let value = |t: &[f64]| {
        let square: f64 = t.iter().zip(&theta_0).map(|(a, b)| (a - b) * (a - b)).sum();
        vec![objective(network, &problem, t, &theta_0, false).0.loss + 0.5 * penalty * square]
    };
    let scale = gradient.iter().fold(0.0f64, |m, v| m.max(v.abs())).max(1e-3);
    let with = if offset.is_some() { ", offset" } else { "" };
    let case = format!("{loss:?}, smoothing {smoothing}, penalty {penalty}{with}, {shape:?}");
    for (k, derivative) in gradient.iter().enumerate() {
        let difference = central((network, shape.activation), &mut theta, k, &x, value)[0];
        check.scaled(&case, k, difference, *derivative, scale);
    }
    // the flow's gradient is the same one divided by the mismatch
    let (_, scaled) = objective(network, &problem, &theta, &theta_0, true);
    let kappa = at.ln_mismatch.exp();
    let expected: Vec<f64> = gradient.iter().map(|g| g / kappa).collect();
    scaling.all_scaled(&case, &expected, &scaled);
}

#[test]
fn losses() {
    let (mut check, mut scaling) = (Check::named("gradients by differences"), Check::named("gradient over mismatch"));
    for shape in shapes() {
        // three of the six kinds of every shape are enough here
        if (shape.bias == Bias::Input) != (shape.activation == Activation::Erf) {
            continue;
        }
        let network = shape.network();
        for kind in [
            (Loss::SquaredError, 0.0, 0.0),
            (Loss::SquaredError, 0.0, 0.3),
            (Loss::CrossEntropy, 0.0, 0.0),
            (Loss::CrossEntropy, 0.1, 0.02),
        ] {
            compare_gradient(&network, &shape, kind, None, (&mut check, &mut scaling));
            compare_gradient(&Mirrored(network), &shape, kind, None, (&mut check, &mut scaling));
        }
    }
    check.finish();
    scaling.finish();
}

/// The offset lies in the place of the outputs when derivatives are computed: every kind of network.
#[test]
fn losses_less_an_offset() {
    let (mut check, mut scaling) = (Check::named("gradients by differences"), Check::named("gradient over mismatch"));
    for (network, shape) in residual_shapes() {
        let offset: Samples<f64> = Samples::gaussian(few(&shape).n, shape.outputs, shape.seed + 7);
        let fcn = shape.network();
        for kind in [(Loss::SquaredError, 0.0, 0.0), (Loss::CrossEntropy, 0.1, 0.02)] {
            compare_gradient(&fcn, &shape, kind, Some(&offset), (&mut check, &mut scaling));
            compare_gradient(&Mirrored(fcn), &shape, kind, Some(&offset), (&mut check, &mut scaling));
            // what is not trained has a derivative, but its gradient is 0
            let network = network.with_trained(Trained::All);
            compare_gradient(&network, &shape, kind, Some(&offset), (&mut check, &mut scaling));
            compare_gradient(&Mirrored(network), &shape, kind, Some(&offset), (&mut check, &mut scaling));
        }
    }
    check.finish();
    scaling.finish();
}

/// theta . grad f = (L + 1) f without biases after the first layer (Euler).
fn compare_homogeneity<N: Network>(network: &N, depth: usize, theta: &[f64], case: &dyn Display, check: &mut Check) {
    let x: Samples<f64> = Samples::gaussian(5, 3, 11);
    let (f, jacobian) = (outputs(network, theta, &x), jacobian_of(network, theta, &x));
    let scale = f.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    for (i, row) in jacobian.chunks_exact(theta.len()).enumerate() {
        let product: f64 = row.iter().zip(theta).map(|(g, t)| g * t).sum();
        check.scaled(case, i, (depth + 1) as f64 * f[i], product, scale);
    }
}

#[test]
fn homogeneity() {
    let mut check = Check::named("homogeneity");
    for depth in 1..=4 {
        let widths = [40; 4];
        for name in ["lin0", "bias1"] {
            let network: Fcn = named(name, 3, &widths[..depth]);
            let start = theta::<_, f64>(&network, depth as u64);
            compare_homogeneity(&network, depth, &start, &format!("{name}, depth {depth}"), &mut check);
            let pair = Mirrored(network);
            let start = moved(&theta::<_, f64>(&pair, depth as u64), 9);
            compare_homogeneity(&pair, depth, &start, &format!("mirrored {name}, depth {depth}"), &mut check);
        }
    }
    check.finish();
}
