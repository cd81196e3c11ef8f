//! Residual networks: their analytic kernels against values computed elsewhere and against theory, and what is
//! trained.

use ntkscope_core::Portable;
use ntkscope_core::kernel::AnalyticKernel::{Nngp, Ntk};
use ntkscope_core::kernel::MultiOutput;
use ntkscope_core::network::{Network, ResNet, Trained};
use ntkscope_tests::cases::{SIX_LABELS, Samples, named, residual_shapes, six_points};
use ntkscope_tests::golden::reference;
use ntkscope_tests::measure::{analytic_kernel, eigenvalues, jacobian_of, ntk, outputs, theta};
use ntkscope_tests::tolerance::{Check, same_bits};

/// The network of a key such as `alpha=0.5,bias_in=1`; its width does not enter the analytic kernels.
fn of_key(key: &str, inputs: usize, depth: usize) -> ResNet {
    let (alpha, bias) = key.split_once(",bias_in=").expect("alpha and bias");
    let alpha = alpha.trim_start_matches("alpha=").parse().expect("a number");
    residual(inputs, depth, alpha, bias == "1")
}

fn residual(inputs: usize, depth: usize, alpha: f64, bias: bool) -> ResNet {
    let plain = ResNet::new(inputs, 1, depth, 1, alpha).expect("positive sizes");
    if bias { plain.with_input_bias(1.0).expect("a scale") } else { plain }
}

#[test]
fn reference_kernels() {
    let reference = reference();
    let x: Samples<f64> = Samples::from_rows(&reference.samples);
    let mut check = Check::named("golden residual kernels");
    assert_eq!(reference.resnet.len(), 6);
    for (key, family) in &reference.resnet {
        for (depth, kernels) in &family.depths {
            let all = of_key(key, x.d, *depth);
            let branches = all.with_trained(Trained::Branches);
            for (network, which, expected) in
                [(all, Nngp, &kernels.nngp), (all, Ntk, &kernels.ntk_all), (branches, Ntk, &kernels.ntk_branches)]
            {
                let actual = analytic_kernel(&Portable, &network, which, &x, None);
                let case = format!("{network:?}, {which:?}");
                for (e, value) in actual.iter().enumerate() {
                    check.relative(&case, (e / x.n, e % x.n), expected[e / x.n][e % x.n], *value);
                }
            }
        }
    }
    check.finish();
}

#[test]
fn six_points_spectrum() {
    let golden = reference().six_points;
    let x = six_points::<f64>();
    let mut check = Check::named("six points: lambda_min");
    let mut null = Check::named("six points: null direction");
    for (alpha, text) in [(0.5, "0.5"), (1.0, "1")] {
        for (bias, word) in [(false, "nobias"), (true, "bias_in")] {
            for depth in [1, 2, 3, 5] {
                let key = format!("resnet {word} alpha={text} L={depth} (all trained)");
                let kernel = analytic_kernel(&Portable, &residual(2, depth, alpha, bias), Ntk, &x, None);
                let label = |i: usize| 2.0 * SIX_LABELS[i] as f64 - 1.0;
                let rayleigh = (0..36).map(|e| label(e / 6) * kernel[e] * label(e % 6)).sum::<f64>() / 6.0;
                let (expected, lambda_min) = (golden.lambda_min[&key], eigenvalues(&kernel, 6)[0]);
                if expected.abs() < 1e-30 {
                    null.absolute(&key, "lambda_min", expected, lambda_min);
                    null.absolute(&key, "label direction", expected, rayleigh);
                } else {
                    // relative to the kernel, whose scale grows like (1 + alpha^2)^L
                    let scale = kernel[0];
                    check.scaled(&key, "lambda_min", expected, lambda_min, scale);
                    check.scaled(&key, "label direction", golden.lambda_in_label_direction[&key], rayleigh, scale);
                }
            }
        }
    }
    check.finish();
    null.finish();
}

#[test]
fn diagonal() {
    let x: Samples<f64> = Samples::gaussian(20, 5, 3);
    let mut check = Check::named("residual diagonal");
    for (depth, alpha, bias) in [(1, 1.0, false), (2, 0.5, true), (3, 0.3, false), (5, 1.0, true)] {
        let network = residual(x.d, depth, alpha, bias);
        let of = |network: &ResNet, which| analytic_kernel(&Portable, network, which, &x, None);
        let (nngp, ntk) = (of(&network, Nngp), of(&network, Ntk));
        let branches = of(&network.with_trained(Trained::Branches), Ntk);
        let growth = 1.0 + alpha * alpha;
        for i in 0..x.n {
            let q = x.view().row(i).iter().map(|v| v * v).sum::<f64>() + if bias { 1.0 } else { 0.0 };
            let in_branches = 2.0 * depth as f64 * alpha * alpha * growth.powi(depth as i32 - 1) * q;
            let (at, case) = (i * x.n + i, format!("depth {depth}, alpha {alpha}"));
            check.relative(&case, i, growth.powi(depth as i32) * q, nngp[at]);
            check.relative(&case, i, in_branches, branches[at]);
            check.relative(&case, i, 2.0 * growth.powi(depth as i32) * q + in_branches, ntk[at]);
        }
    }
    check.finish();
}

#[test]
fn the_branch_of_one_block_is_a_fully_connected_network() {
    // Theta_VW = alpha^2 times that of one hidden layer without bias
    let x: Samples<f64> = Samples::gaussian(12, 3, 4);
    let expected = analytic_kernel(&Portable, &named("lin0", 3, &[1]), Ntk, &x, None);
    let network = residual(3, 1, 0.5, false).with_trained(Trained::Branches);
    let actual: Vec<f64> = analytic_kernel(&Portable, &network, Ntk, &x, None).iter().map(|k| k / 0.25).collect();
    let mut check = Check::named("one residual block");
    check.all_scaled(&"one block", &expected, &actual);
    check.finish();
}

#[test]
fn what_is_not_trained_has_no_gradient_and_no_share_in_the_kernel() {
    for (network, shape) in residual_shapes() {
        let (all, branches) = (network.with_trained(Trained::All), network.with_trained(Trained::Branches));
        let (theta, x): (Vec<f64>, Samples<f64>) = (theta(&all, shape.seed), shape.left());
        same_bits(&"outputs", &outputs(&all, &theta, &x), &outputs(&branches, &theta, &x));
        let mut expected = jacobian_of(&all, &theta, &x);
        for layer in [branches.layer(0), branches.layer(branches.sizes().layers - 1)] {
            assert!(!layer.is_trained());
            let len = layer.inputs * layer.outputs + layer.bias.map_or(0, |_| layer.outputs);
            for row in expected.chunks_exact_mut(theta.len()) {
                row[layer.weights..][..len].fill(0.0);
            }
        }
        let actual = jacobian_of(&branches, &theta, &x);
        assert!(expected.iter().zip(&actual).all(|(e, a)| e == a), "{network:?}");
    }
}

#[test]
fn sizes_and_names() {
    let network = ResNet::new(3, 4, 2, 5, 0.5).expect("positive sizes").with_input_bias(0.7).expect("a scale");
    let sizes = network.sizes();
    assert_eq!(sizes.parameters, 3 * 4 + 4 + 4 * 16 + 5 * 4);
    let mut seen = vec![0; sizes.parameters];
    let mut names = Vec::new();
    for layer in (0..sizes.layers).map(|index| network.layer(index)) {
        seen[layer.weights..][..layer.inputs * layer.outputs].iter_mut().for_each(|s| *s += 1);
        names.push(layer.name.of_weights().to_string());
        if let Some(at) = layer.bias {
            seen[at..][..layer.outputs].iter_mut().for_each(|s| *s += 1);
            names.push(layer.name.of_bias().to_string());
        }
    }
    assert!(seen.iter().all(|s| *s == 1), "every parameter belongs to one layer");
    assert_eq!(names, ["A", "b", "W1", "V1", "W2", "V2", "v"]);
    for wrong in [
        ResNet::new(0, 1, 1, 1, 1.0),
        ResNet::new(1, 0, 1, 1, 1.0),
        ResNet::new(1, 1, 0, 1, 1.0),
        ResNet::new(1, 1, 1, 0, 1.0),
        ResNet::new(1, 1, 1, 1, 0.0),
        ResNet::new(1, 1, 1, 1, f64::NAN),
    ] {
        assert!(wrong.is_err());
    }
    // one sample of one number through one block of one unit, by hand: theta = A b W V v
    let network = ResNet::new(1, 1, 1, 1, 0.5).expect("positive sizes").with_input_bias(2.0).expect("a scale");
    let theta = [3.0, 0.25, 2.0, -4.0, 5.0];
    let x = Samples::from_rows(&[vec![1.0f64]]);
    let x_0 = 3.0 + 2.0 * 0.25;
    let root = 2.0f64.sqrt();
    let expected = 5.0 * (x_0 + 0.5 * -4.0 * (root * 2.0 * x_0));
    let mut check = Check::named("one residual unit");
    check.relative(&"output", 0, expected, outputs(&network, &theta, &x)[0]);
    // grad f by hand
    let (branch, gate) = (0.5 * -4.0 * root * 2.0, root * 2.0 * x_0);
    let gradient =
        [5.0 * (1.0 + branch), 10.0 * (1.0 + branch), 5.0 * 0.5 * -4.0 * root * x_0, 5.0 * 0.5 * gate, expected / 5.0];
    for (k, (e, a)) in gradient.iter().zip(jacobian_of(&network, &theta, &x)).enumerate() {
        check.relative(&"gradient", k, *e, a);
    }
    let square: f64 = gradient.iter().map(|g| g * g).sum();
    check.relative(&"kernel", 0, square, ntk(&Portable, (&network, &theta), &x, None, MultiOutput::Trace)[0]);
    check.finish();
}
