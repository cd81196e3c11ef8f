//! The fast way against the plain one, and one precision against another.

use ntkscope_core::kernel::AnalyticKernel::{Nngp, Ntk};
use ntkscope_core::kernel::MultiOutput;
use ntkscope_core::network::{Activation, Mirrored, Network};
use ntkscope_core::{Approx32, Portable, Real};
use ntkscope_tests::cases::{Samples, Shape, named, residual_shapes, shapes};
use ntkscope_tests::measure::{analytic_kernel, ntk, ntk_by_contraction, outputs, theta};
use ntkscope_tests::tolerance::{Check, same_bits};
use std::fmt::Display;

/// A point where a mirrored network's halves differ.
fn moved<N: Network>(network: &N, seed: u64) -> Vec<f64> {
    let mut theta = theta::<N, f64>(network, seed);
    let step: Samples<f64> = Samples::gaussian(theta.len(), 1, seed + 1);
    theta.iter_mut().zip(&step.values).for_each(|(t, s)| *t += 0.2 * s);
    theta
}

fn kinds(outputs: usize) -> Vec<MultiOutput> {
    let classes = (0..outputs).map(MultiOutput::Class);
    [MultiOutput::Full, MultiOutput::Trace].into_iter().chain(classes).collect()
}

fn compare<N: Network>(network: &N, shape: &Shape, case: &dyn Display, check: &mut Check) {
    let theta = moved(network, shape.seed);
    let (x, y): (Samples<f64>, Samples<f64>) = (shape.left(), shape.right());
    for which in kinds(shape.outputs) {
        for (sets, other) in [("one set", None), ("two sets", Some(&y))] {
            let plain = ntk_by_contraction((network, &theta), &x, other, which);
            let fast = ntk(&Portable, (network, &theta), &x, other, which);
            check.all_scaled(&format!("{case}, {which:?}, {sets}"), &plain, &fast);
        }
    }
}

#[test]
fn structured_and_jacobian_contraction() {
    let mut check = Check::named("structured");
    for shape in shapes() {
        let network = shape.network();
        compare(&network, &shape, &format!("{shape:?}"), &mut check);
        compare(&Mirrored(network), &shape, &format!("mirrored {shape:?}"), &mut check);
    }
    for (network, shape) in residual_shapes() {
        compare(&network, &shape, &format!("{network:?}, {shape:?}"), &mut check);
        compare(&Mirrored(network), &shape, &format!("mirrored {network:?}, {shape:?}"), &mut check);
    }
    check.finish();
}

#[test]
fn the_kinds_of_kernels_of_several_outputs_belong_together() {
    let mut check = Check::named("trace of the full kernel");
    for shape in shapes().iter().filter(|shape| shape.outputs > 1) {
        let (network, c) = (shape.network(), shape.outputs);
        let theta = moved(&network, shape.seed);
        let (x, y): (Samples<f64>, Samples<f64>) = (shape.left(), shape.right());
        let of = |which| ntk(&Portable, (&network, &theta), &x, Some(&y), which);
        let (full, trace) = (of(MultiOutput::Full), of(MultiOutput::Trace));
        let entry = |i: usize, j: usize, k: usize, l: usize| full[(i * c + k) * y.n * c + j * c + l];
        for k in 0..c {
            let block: Vec<f64> = (0..x.n * y.n).map(|e| entry(e / y.n, e % y.n, k, k)).collect();
            same_bits(&format!("class {k}, {shape:?}"), &block, &of(MultiOutput::Class(k)));
        }
        let mean: Vec<f64> =
            (0..x.n * y.n).map(|e| (0..c).map(|k| entry(e / y.n, e % y.n, k, k)).sum::<f64>() / c as f64).collect();
        check.all_scaled(&format!("{shape:?}"), &mean, &trace);
    }
    check.finish();
}

/// Outputs and kernels in another precision, of the same parameters rounded.
fn compare_precision<T: Real>(outputs_check: &mut Check, kernels: &mut Check, erf: bool) {
    for shape in shapes() {
        if !erf && shape.activation == Activation::Erf {
            continue;
        }
        let network = Mirrored(shape.network());
        // both precisions start from numbers that the lower one has
        let low: Vec<T> = moved(&network, shape.seed).iter().map(|t| T::from_f64(*t)).collect();
        let high: Vec<f64> = low.iter().map(|t| t.to_f64()).collect();
        let x: Samples<T> = shape.left();
        let wide: Samples<f64> = x.map();
        let case = format!("{shape:?}");
        // the pair's output is a difference: compare with the size of one half's
        let (first, second) = high.split_at(high.len() / 2);
        let halves = [outputs(&network.0, first, &wide), outputs(&network.0, second, &wide)];
        let scale = halves.iter().flatten().fold(0.0f64, |m, v| m.max(v.abs())).max(1e-3);
        let (expected, actual) = (outputs(&network, &high, &wide), outputs(&network, &low, &x));
        for (i, (e, a)) in expected.iter().zip(&actual).enumerate() {
            outputs_check.scaled(&case, i, *e, a.to_f64(), scale);
        }
        let expected = ntk(&Portable, (&network, &high), &wide, None, MultiOutput::Full);
        let actual = ntk(&Portable, (&network, &low), &x, None, MultiOutput::Full);
        kernels.all_scaled(&case, &expected, &actual);
    }
}

#[test]
fn single_precision() {
    let (mut f, mut kernels, mut analytic) =
        (Check::named("f32: outputs"), Check::named("f32: empirical kernel"), Check::named("f32: analytic kernel"));
    compare_precision::<f32>(&mut f, &mut kernels, true);
    analytic_precision::<f32>(&mut analytic);
    f.finish();
    kernels.finish();
    analytic.finish();
}

#[test]
fn approximate_functions() {
    // ReLU networks take no transcendental function, so their passes are those of f32 bit for bit
    for shape in shapes().iter().filter(|s| s.activation == Activation::Relu) {
        let network = shape.network();
        let single: Vec<f32> = theta(&network, shape.seed);
        let approximate: Vec<Approx32> = single.iter().map(|t| Approx32(*t)).collect();
        let x: Samples<f32> = shape.left();
        let expected = ntk(&Portable, (&network, &single), &x, None, MultiOutput::Full);
        let actual = ntk(&Portable, (&network, &approximate), &x.map(), None, MultiOutput::Full);
        same_bits(&format!("{shape:?}"), &expected, &actual.iter().map(|k| k.0).collect::<Vec<_>>());
    }
    let (mut f, mut kernels, mut analytic) = (
        Check::named("Approx32: outputs"),
        Check::named("Approx32: empirical kernel"),
        Check::named("Approx32: analytic kernel"),
    );
    compare_precision::<Approx32>(&mut f, &mut kernels, true);
    analytic_precision::<Approx32>(&mut analytic);
    f.finish();
    kernels.finish();
    analytic.finish();
}

fn analytic_precision<T: Real>(check: &mut Check) {
    let widths = [1; 4];
    let x: Samples<T> = Samples::gaussian(20, 3, 8);
    let mut wide: Samples<f64> = x.map();
    // near-duplicates cost f32 half its digits unless the angle is taken from differences
    let (mut close, base) = (x.clone(), x.view().row(0).to_vec());
    close.values.extend(base.iter().map(|v| T::from_f64(v.to_f64() * (1.0 + 1e-4))));
    close.values.extend(base.iter().enumerate().map(|(k, v)| T::from_f64(v.to_f64() + 3e-4 * k as f64)));
    close.values.extend(base.iter().map(|v| T::ZERO - *v));
    close.n += 3;
    wide.values = close.values.iter().map(|v| v.to_f64()).collect();
    wide.n = close.n;
    for name in ["lin0", "bias1", "ball1"] {
        for depth in 1..=4 {
            let network = named(name, 3, &widths[..depth]);
            for which in [Nngp, Ntk] {
                let expected = analytic_kernel(&Portable, &network, which, &wide, None);
                let actual = analytic_kernel(&Portable, &network, which, &close, None);
                check.all_scaled(&format!("{name}, depth {depth}, {which:?}"), &expected, &actual);
            }
        }
    }
}
