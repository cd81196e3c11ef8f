//! The mirrored pair: output 0 and the kernel of a single copy at initialization.

use ntkscope_core::Portable;
use ntkscope_core::kernel::{AnalyticKernel, MultiOutput};
use ntkscope_core::network::{Mirrored, Network};
use ntkscope_tests::cases::{Samples, named, shapes};
use ntkscope_tests::measure::{analytic_kernel, jacobian_of, ntk, outputs, theta};
use ntkscope_tests::tolerance::{Check, same_bits};

#[test]
fn the_output_at_initialization_is_0() {
    for shape in shapes() {
        let network = Mirrored(shape.network());
        let f = outputs(&network, &theta::<_, f64>(&network, shape.seed), &shape.left());
        assert!(f.iter().all(|f| *f == 0.0), "{shape:?}: {f:?}");
        let f = outputs(&network, &theta::<_, f32>(&network, shape.seed), &shape.left());
        assert!(f.iter().all(|f| *f == 0.0), "{shape:?}: {f:?}");
    }
}

#[test]
fn the_kernel_at_initialization_is_that_of_one_copy() {
    let mut check = Check::named("mirrored kernel");
    for shape in shapes() {
        let (single, pair) = (shape.network(), Mirrored(shape.network()));
        let (x, y): (Samples<f64>, Samples<f64>) = (shape.left(), shape.right());
        let (one, both) = (theta::<_, f64>(&single, shape.seed), theta::<_, f64>(&pair, shape.seed));
        same_bits(&"first copy", &one, &both[..one.len()]);
        same_bits(&"second copy", &one, &both[one.len()..]);
        let case = format!("{shape:?}");
        for other in [None, Some(&y)] {
            let expected = ntk(&Portable, (&single, &one), &x, other, MultiOutput::Full);
            let actual = ntk(&Portable, (&pair, &both), &x, other, MultiOutput::Full);
            check.all_scaled(&case, &expected, &actual);
        }
        // f1 - f2 without the factor sqrt(1/2) has the Jacobian (J, -J): twice the kernel
        let jacobian = jacobian_of(&single, &one, &x);
        let twice = |i: usize, j: usize| -> f64 {
            let (a, b) = (&jacobian[i * one.len()..][..one.len()], &jacobian[j * one.len()..][..one.len()]);
            a.iter().zip(b).map(|(a, b)| a * b + (-a) * (-b)).sum()
        };
        let rows = x.n.min(4) * shape.outputs;
        let unscaled: Vec<f64> = (0..rows * rows).map(|e| twice(e / rows, e % rows) / 2.0).collect();
        let few = x.select(&(0..x.n.min(4)).collect::<Vec<_>>());
        check.all_scaled(&case, &unscaled, &ntk(&Portable, (&pair, &both), &few, None, MultiOutput::Full));
    }
    check.finish();
}

#[test]
fn the_analytic_kernel_is_that_of_one_copy() {
    let x: Samples<f64> = Samples::gaussian(9, 3, 1);
    let network = named("ball05", 3, &[8, 8]);
    for which in [AnalyticKernel::Nngp, AnalyticKernel::Ntk] {
        let expected = analytic_kernel(&Portable, &network, which, &x, None);
        same_bits(&"analytic", &expected, &analytic_kernel(&Portable, &Mirrored(network), which, &x, None));
    }
}

#[test]
fn names_and_places_of_the_layers() {
    let pair = Mirrored(named("ball1", 3, &[4, 5]));
    let sizes = pair.sizes();
    assert_eq!(sizes.parameters, 2 * (3 * 4 + 4 + 4 * 5 + 5 + 5 + 1));
    let mut seen = vec![0; sizes.parameters];
    let mut names = Vec::new();
    for index in 0..sizes.layers {
        let layer = pair.layer(index);
        seen[layer.weights..][..layer.inputs * layer.outputs].iter_mut().for_each(|s| *s += 1);
        let bias = layer.bias.expect("every layer has one");
        seen[bias..][..layer.outputs].iter_mut().for_each(|s| *s += 1);
        names.extend([layer.name.of_weights().to_string(), layer.name.of_bias().to_string()]);
    }
    assert!(seen.iter().all(|s| *s == 1), "every parameter belongs to one layer");
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 2 * sizes.layers);
    assert!(names.contains(&"second.W2".to_string()));
}
