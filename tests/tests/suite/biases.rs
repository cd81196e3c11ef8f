//! Trained biases in every hidden layer: their kernels against values computed elsewhere and against theory, and what is
//! exact of them.

use ntkscope_core::Portable;
use ntkscope_core::init::Normals;
use ntkscope_core::kernel::AnalyticKernel::{Nngp, Ntk};
use ntkscope_core::kernel::MultiOutput;
use ntkscope_core::network::{Bias, Network, ResNet, Trained};
use ntkscope_tests::cases::{SIX_LABELS, Samples, biased_residual as residual, named, six_points};
use ntkscope_tests::golden::{Matrix, biases};
use ntkscope_tests::measure::{analytic_kernel, eigenvalues, layers, ntk, outputs, theta};
use ntkscope_tests::tolerance::{Check, same_bits};

/// Hidden widths do not enter the analytic kernels, their number does.
const WIDTHS: [usize; 5] = [1; 5];

fn compare<N: Network>(network: &N, which: [(&Matrix, bool); 2], x: &Samples<f64>, case: &str, check: &mut Check) {
    for (expected, tangent) in which {
        let kernel = analytic_kernel(&Portable, network, if tangent { Ntk } else { Nngp }, x, None);
        for (e, value) in kernel.iter().enumerate() {
            check.relative(&case, (e / x.n, e % x.n), expected[e / x.n][e % x.n], *value);
        }
    }
}

#[test]
fn reference_kernels() {
    let golden = biases();
    let mut check = Check::named("golden kernels of hidden biases");
    let mut compared = 0;
    for points in [&golden.six_points, &golden.points] {
        let x: Samples<f64> = Samples::from_rows(&points.samples);
        for (name, family) in &points.fcn {
            for (depth, kernels) in &family.depths {
                let case = format!("{name}, {} points, depth {depth}", x.n);
                let network = named(name, x.d, &WIDTHS[..*depth]);
                compare(&network, [(&kernels.nngp, false), (&kernels.ntk, true)], &x, &case, &mut check);
                compared += 1;
            }
        }
        for (key, family) in &points.resnet {
            let alpha = key.strip_prefix("alpha=").and_then(|rest| rest.strip_suffix(",bias_in=1,branch_bias=1"));
            let alpha: f64 = alpha.and_then(|alpha| alpha.parse().ok()).expect("an alpha");
            for (depth, kernels) in &family.depths {
                let case = format!("{key}, {} points, depth {depth}", x.n);
                let network = residual(x.d, (1, *depth), alpha, Some(1.0));
                let branches = network.with_trained(Trained::Branches);
                compare(&network, [(&kernels.nngp, false), (&kernels.ntk_all, true)], &x, &case, &mut check);
                let case = format!("{case}, branches");
                compare(&branches, [(&kernels.nngp, false), (&kernels.ntk_branches, true)], &x, &case, &mut check);
                compared += 2;
            }
        }
    }
    check.finish();
    assert_eq!(compared, 2 * (4 + 2 * 2 * 3));
}

#[test]
fn six_points_spectrum() {
    let golden = biases().six_point_spectra;
    let x = six_points::<f64>();
    let mut check = Check::named("six points: lambda_min");
    let mut compared = 0;
    let mut compare = |key: String, kernel: &[f64]| {
        let values = eigenvalues(kernel, 6);
        let label = |i: usize| 2.0 * SIX_LABELS[i] as f64 - 1.0;
        let in_direction = (0..36).map(|e| label(e / 6) * kernel[e] * label(e % 6)).sum::<f64>() / 6.0;
        for (of, expected, value) in [
            ("lambda_min", &golden.lambda_min, values[0]),
            ("lambda_max", &golden.lambda_max, values[5]),
            ("label direction", &golden.lambda_in_label_direction, in_direction),
        ] {
            // relative to the kernel, whose scale grows with the depth
            check.scaled(&key, of, expected[&key], value, kernel[0]);
        }
        compared += 1;
    };
    for depth in [1, 2, 3, 5] {
        let kernel = analytic_kernel(&Portable, &named("hidden", 2, &WIDTHS[..depth]), Ntk, &x, None);
        compare(format!("fcn hidden L={depth}"), &kernel);
    }
    for (alpha, text) in [(0.5, "0.5"), (1.0, "1")] {
        for depth in [1, 2, 3] {
            let network = residual(2, (1, depth), alpha, Some(1.0));
            for (trained, word) in [(Trained::All, "all trained"), (Trained::Branches, "V,W,b,d trained")] {
                let kernel = analytic_kernel(&Portable, &network.with_trained(trained), Ntk, &x, None);
                compare(format!("resnet bias_in branch_bias alpha={text} L={depth} ({word})"), &kernel);
            }
        }
    }
    check.finish();
    assert_eq!(compared, golden.lambda_min.len());
}

#[test]
fn diagonal() {
    let x: Samples<f64> = Samples::gaussian(20, 5, 3);
    let squares: Vec<f64> = (0..x.n).map(|i| x.view().row(i).iter().map(|v| v * v).sum()).collect();
    let mut check = Check::named("analytic diagonal");
    for depth in 1..=5 {
        let network = named("hidden", x.d, &WIDTHS[..depth]);
        let (nngp, ntk) =
            (analytic_kernel(&Portable, &network, Nngp, &x, None), analytic_kernel(&Portable, &network, Ntk, &x, None));
        let l = depth as f64;
        for (i, square) in squares.iter().enumerate() {
            let (at, case) = (i * (x.n + 1), format!("depth {depth}"));
            check.relative(&case, i, square + l, nngp[at]);
            check.relative(&case, i, (l + 1.0) * square + l * (l + 3.0) / 2.0, ntk[at]);
        }
    }
    check.finish();
    let mut check = Check::named("residual diagonal");
    for (depth, alpha, p) in [(1, 1.0, 1.0), (2, 0.5, 0.7), (3, 0.3, 1.0), (5, 1.0, 2.0)] {
        let ntk = analytic_kernel(&Portable, &residual(x.d, (1, depth), alpha, Some(p)), Ntk, &x, None);
        let (a2, growth) = (alpha * alpha, 1.0 + alpha * alpha);
        let power = |k: usize| growth.powi(k as i32);
        for (i, square) in squares.iter().enumerate() {
            let weights = (2.0 * power(depth) + 2.0 * depth as f64 * a2 * power(depth - 1)) * (square + 1.0);
            let expected = weights + 2.0 * p * p * (power(depth) - 1.0);
            check.relative(&format!("depth {depth}, alpha {alpha}"), i, expected, ntk[i * (x.n + 1)]);
        }
    }
    check.finish();
}

/// A bias at the output adds its square to the NTK and the NNGP kernel, and nothing else.
#[test]
fn a_bias_at_the_output_adds_1() {
    let x: Samples<f64> = Samples::gaussian(12, 3, 4);
    let mut check = Check::named("a bias at the output");
    for depth in 1..=5 {
        for which in [Nngp, Ntk] {
            let of = |name| analytic_kernel(&Portable, &named(name, 3, &WIDTHS[..depth]), which, &x, None);
            for (e, (all, hidden)) in of("ball1").iter().zip(of("hidden")).enumerate() {
                check.absolute(&format!("depth {depth}, {which:?}"), (e / x.n, e % x.n), 1.0, all - hidden);
            }
        }
    }
    check.finish();
}

#[test]
fn one_hidden_layer_has_its_bias_at_the_input() {
    let x: Samples<f64> = Samples::gaussian(12, 3, 4);
    let (hidden, input) = (named("hidden", 3, &[17]), named("bias1", 3, &[17]));
    assert_eq!(hidden.sizes(), input.sizes());
    let start: Vec<f64> = theta(&hidden, 5);
    same_bits(&"parameters", &theta::<_, f64>(&input, 5), &start);
    same_bits(&"outputs", &outputs(&input, &start, &x), &outputs(&hidden, &start, &x));
    for which in [Nngp, Ntk] {
        let of = |network| analytic_kernel(&Portable, network, which, &x, None);
        same_bits(&"limit", &of(&input), &of(&hidden));
    }
    let of = |network| ntk(&Portable, (network, &start), &x, None, MultiOutput::Trace);
    same_bits(&"kernel", &of(&input), &of(&hidden));
}

/// A bias that starts at 0 is not drawn and changes no output at the start; one of scale 0 changes nothing ever.
#[test]
fn biases_of_branches_start_at_0() {
    let x: Samples<f64> = Samples::gaussian(9, 3, 8);
    for depth in 1..=3 {
        let size = (13, depth);
        let (without, with) = (residual(3, size, 0.7, None), residual(3, size, 0.7, Some(1.0)));
        let (plain, start): (Vec<f64>, Vec<f64>) = (theta(&without, 6), theta(&with, 6));
        let mut weights = Vec::new();
        for layer in layers(&with) {
            weights.extend(&start[layer.weights..][..layer.inputs * layer.outputs]);
            let bias = layer.bias.map_or(&[][..], |at| &start[at..][..layer.outputs]);
            // that of the input is drawn
            if layer.name.index.is_none() {
                weights.extend(bias);
            } else {
                assert!(bias.len() == 13 && bias.iter().all(|b| b.to_bits() == 0), "{}", layer.name.of_bias());
            }
        }
        same_bits(&"drawn", &plain, &weights);
        same_bits(&"outputs", &outputs(&without, &plain, &x), &outputs(&with, &start, &x));
        for trained in [Trained::All, Trained::Branches] {
            let (without, with) = (without.with_trained(trained), with.with_trained(trained));
            let of = |network, which| analytic_kernel(&Portable, network, which, &x, None);
            same_bits(&"NNGP", &of(&without, Nngp), &of(&with, Nngp));
            let none = residual(3, size, 0.7, Some(0.0)).with_trained(trained);
            same_bits(&"limit", &of(&without, Ntk), &of(&none, Ntk));
            let moved =
                |network: &ResNet, theta: &[f64]| ntk(&Portable, (network, theta), &x, None, MultiOutput::Trace);
            let mut anywhere = start.clone();
            let mut normals = Normals::new(7);
            let at = layers(&with).flat_map(|l| l.bias.filter(|_| l.name.index.is_some()).map(|at| at..at + l.outputs));
            at.flatten().for_each(|at| anywhere[at] = normals.draw());
            same_bits(&"kernel", &moved(&without, &plain), &moved(&none, &anywhere));
        }
    }
}

/// The names of all arrays, in the order of the parameters.
#[test]
fn names() {
    let network = residual(3, (4, 2), 0.5, Some(1.0));
    let names = layers(&network).flat_map(|layer| {
        [Some(layer.name.of_weights().to_string()), layer.bias.map(|_| layer.name.of_bias().to_string())]
    });
    let names: Vec<_> = names.flatten().collect();
    assert_eq!(names, ["A", "b", "W1", "b1", "V1", "d1", "W2", "b2", "V2", "d2", "v"]);
    let fcn = named("hidden", 3, &[4, 5, 6]).with_bias(Bias::Hidden, 0.5).expect("a scale");
    assert!(layers(&fcn).map(|layer| layer.bias.is_some()).eq([true, true, true, false]));
}
