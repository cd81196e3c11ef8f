//! Limits of soft targets under a fixed kernel.

use ntkscope_core::Portable;
use ntkscope_core::kernel::AnalyticKernel::Ntk;
use ntkscope_core::loss::Loss;
use ntkscope_tests::cases::{Samples, named};
use ntkscope_tests::golden::reference;
use ntkscope_tests::measure::{analytic_kernel, expanded, gram, kernel_flow, predicted, soft_targets, targets};
use ntkscope_tests::tolerance::Check;

use crate::predict_lazy::{column, five};

#[test]
fn soft_targets_against_the_reference() {
    let expected = reference().theory.soft_label_binary;
    let (kernel, row, f_0) = five();
    let mut check = Check::named("soft targets against reference");
    let y = targets(Loss::CrossEntropy, &[0, 1, 0, 1, 1], 1, 0.1);
    soft_targets(&kernel, &y, Loss::CrossEntropy, |problem| {
        problem.solve(f_0.view()).expect("a limit");
        check.all_scaled(&"train", &expected.train, problem.outputs().data());
        check.absolute(&"test", 0, expected.test, predicted(&row, &column(&[0.15]), problem.dual())[0]);
        check.relative(&"|theta - theta_0|^2", 0, expected.dtheta2, problem.distance().powi(2));
        assert_eq!(problem.steps(), 0, "in closed form");
    });
    // ln(1 + C (1 - eps)/eps) between the logits of C = 4 classes
    let y = targets(Loss::CrossEntropy, &[3, 1, 2, 1, 0], 4, 0.1);
    soft_targets(&expanded(&kernel, (5, 5), 4), &y, Loss::CrossEntropy, |problem| {
        problem.solve(Samples::gaussian(5, 4, 9).view()).expect("a limit");
        let f = problem.outputs();
        check.absolute(&"gap", 0, 37f64.ln(), f.at(0, 3) - f.at(0, 0));
    });
    check.finish();
}

#[test]
fn the_flow_ends_in_the_limit() {
    let mut check = Check::named("limit of the kernel flow");
    let x: Samples<f64> = Samples::gaussian(6, 3, 40);
    let twins = x.select(&[0, 1, 1, 2, 3, 0]);
    for (loss, c) in [(Loss::CrossEntropy, 1), (Loss::CrossEntropy, 3)] {
        let y = targets(loss, &[0, 1, 0, 1, 1, 1], c, 0.2);
        let network = named("bias1", 3, &[1, 1]);
        let f_0_of = |x: &Samples<f64>| {
            let values = (0..x.n).flat_map(|i| (0..c).map(move |k| (i, k))).map(|(i, k)| x.values[i * 3 + k].sin());
            Samples::from_values(&values.collect::<Vec<_>>(), c)
        };
        for (name, kernel, f_0) in [
            ("regular", expanded(&analytic_kernel(&Portable, &network, Ntk, &x, None), (6, 6), c), f_0_of(&x)),
            ("twins", expanded(&analytic_kernel(&Portable, &network, Ntk, &twins, None), (6, 6), c), f_0_of(&twins)),
            ("coupled", gram(6 * c, 6 * c + 8, 0.0, 41), f_0_of(&x)),
            ("coupled, singular", gram(6 * c, 3 * c, 0.0, 42), f_0_of(&x)),
        ] {
            let case = format!("{loss:?}, {name}");
            let (f, distance) = kernel_flow(&Portable, &kernel, (&f_0, &y), loss, 1e-10, |flow| {
                flow.advance_to(25.0).expect("a flow");
                (flow.outputs().data().to_vec(), flow.distance())
            });
            soft_targets(&kernel, &y, loss, |problem| {
                problem.solve(f_0.view()).unwrap_or_else(|e| panic!("{case}: {e}"));
                check.all_scaled(&case, problem.outputs().data(), &f);
                check.relative(&case, "distance", problem.distance(), distance);
                assert!(problem.residual() < 1e-10, "{case}: {}", problem.residual());
                let by_dual = predicted(&kernel, &f_0, problem.dual());
                check.all_scaled(&case, problem.outputs().data(), &by_dual);
                println!("{case}: {} Newton steps", problem.steps());
            });
        }
    }
    check.finish();
}

#[test]
fn equal_samples_with_other_labels() {
    let mut check = Check::named("logit of the mean target");
    let x: Samples<f64> = Samples::gaussian(3, 3, 50);
    // three equal samples of labels 1, 0, 1; two of labels 0, 1; one of a soft label
    let x = x.select(&[0, 0, 0, 1, 1, 2]);
    let network = named("bias1", 3, &[1, 1]);
    let kernel = analytic_kernel(&Portable, &network, Ntk, &x, None);
    let logit = |q: f64| (q / (1.0 - q)).ln();
    let y = column(&[1.0, 0.0, 1.0, 0.0, 1.0, 0.8]);
    let expected = [2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 0.5, 0.5, 0.8].map(logit);
    soft_targets(&kernel, &y, Loss::CrossEntropy, |problem| {
        for f_0 in [0.0, 3.0, -1e3, 1e6] {
            problem.solve(column(&[f_0; 6]).view()).expect("a limit");
            for (i, (e, f)) in expected.iter().zip(problem.outputs().data()).enumerate() {
                check.scaled(&f_0, i, *e, *f, 1.0 + f_0.abs());
            }
        }
    });
    let y = targets(Loss::CrossEntropy, &[0, 1, 2, 2, 0, 1], 3, 0.0);
    let mut y = Samples { values: y.values, ..y };
    y.values[9..15].copy_from_slice(&[0.5, 0.5, 0.0, 0.0, 0.0, 1.0]);
    y.values[15..].copy_from_slice(&[0.2, 0.3, 0.5]);
    soft_targets(&expanded(&kernel, (6, 6), 3), &y, Loss::CrossEntropy, |problem| {
        problem.solve(Samples::zeros(6, 3).view()).expect("a limit");
        for i in 0..6 {
            let q = [[1.0 / 3.0; 3], [0.25, 0.25, 0.5], [0.2, 0.3, 0.5]][[0, 0, 0, 1, 1, 2][i]];
            let mean = q.iter().map(|q: &f64| q.ln()).sum::<f64>() / 3.0;
            for (c, q) in q.iter().enumerate() {
                check.absolute(&"softmax", (i, c), q.ln() - mean, problem.outputs().at(i, c));
            }
        }
    });
    check.finish();
}
