//! Every activation with golden kernels against them: of the six points, and of points with near duplicates.

use ntkscope_core::Portable;
use ntkscope_core::kernel::AnalyticKernel::{Nngp, Ntk};
use ntkscope_core::network::{Activation, Bias, Fcn};
use ntkscope_tests::cases::Samples;
use ntkscope_tests::golden::activations;
use ntkscope_tests::measure::analytic_kernel;
use ntkscope_tests::tolerance::Check;

#[test]
fn golden_kernels_by_activation() {
    let (golden, mut check) = (activations(), Check::named("golden kernels by activation"));
    let mut seen = 0;
    for (name, by_points) in &golden.activations {
        let activation: Activation = name.parse().expect("an activation");
        for (points, by_bias) in by_points {
            let x: Samples<f64> = Samples::from_rows(&golden.points[points]);
            for (bias, family) in by_bias {
                let bias: Bias = bias.parse().expect("a bias");
                let scale = if bias == Bias::All { 0.5 } else { 1.0 };
                for (depth, kernels) in &family.depths {
                    let widths = vec![1; *depth];
                    let network = Fcn::new(x.d, &widths, 1)
                        .and_then(|fcn| fcn.with_activation(activation).with_bias(bias, scale))
                        .expect("a network");
                    for (which, expected) in [(Nngp, &kernels.nngp), (Ntk, &kernels.ntk)] {
                        let case = format!("{name}, {points}, bias {bias}, depth {depth}, {which}");
                        let actual = analytic_kernel(&Portable, &network, which, &x, None);
                        check.all_scaled(&case, &expected.concat(), &actual);
                        seen += 1;
                    }
                }
            }
        }
    }
    assert_eq!(seen, golden.activations.len() * 2 * 2 * 3 * 2);
    check.finish();
}
