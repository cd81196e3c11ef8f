//! Gradient flow under a fixed kernel against exact solutions, asymptotics and explicit steps.

use ntkscope_core::kernel::AnalyticKernel::Ntk;
use ntkscope_core::loss::Loss;
use ntkscope_core::predict::{KernelRegression, regression_len};
use ntkscope_core::{Error, MatRef, Portable};
use ntkscope_tests::cases::{SIX_LABELS, Samples, named, six_points};
use ntkscope_tests::golden::reference;
use ntkscope_tests::measure::{analytic_kernel, expanded, kernel_flow, kernel_flow_to, predicted, targets};
use ntkscope_tests::tolerance::Check;

/// Hidden widths do not enter the analytic kernels, their number does.
const WIDTHS: [usize; 3] = [1; 3];

fn six_kernel(name: &str, depth: usize) -> Vec<f64> {
    analytic_kernel(&Portable, &named(name, 2, &WIDTHS[..depth]), Ntk, &six_points(), None)
}

/// -1 or +1
fn sign(i: usize) -> f64 {
    2.0 * SIX_LABELS[i] as f64 - 1.0
}

/// u with u + e^u - 1 = growth, by Newton's method from above, where the left side is convex.
fn logit(growth: f64) -> f64 {
    let mut u = growth.ln_1p();
    for _ in 0..200 {
        u -= (u + u.exp_m1() - growth) / (1.0 + u.exp());
    }
    u
}

#[test]
fn six_points_to_any_time() {
    let golden = reference();
    let y = targets(Loss::CrossEntropy, &SIX_LABELS, 1, 0.0);
    let mut against = Check::named("kernel flow against reference, tolerance 1e-10");
    let (mut exact, mut late) = (Check::named("six points to t = 1e8"), Check::named("six points at t = e^1000"));
    let mut distance = Check::named("six points: |theta - theta_0|");
    for (name, depth) in [("lin0", 2), ("lin0", 3), ("bias1", 1), ("bias1", 2), ("bias1", 3)] {
        let case = format!("{name}, depth {depth}");
        let kernel = six_kernel(name, depth);
        let lambda = golden.six_points.lambda_in_label_direction[&format!("fcn {name} L={depth}")];
        kernel_flow(&Portable, &kernel, (&Samples::zeros(6, 1), &y), Loss::CrossEntropy, 1e-10, |flow| {
            for power in 0..=8 {
                let time = 10f64.powi(power);
                flow.advance_to(time.ln_1p()).expect("a flow");
                let u = logit(lambda * time / 6.0);
                for (i, f) in flow.outputs().data().iter().enumerate() {
                    exact.absolute(&case, (i, power), sign(i) * u, *f);
                    let flows = &golden.theory.logistic_flow;
                    let flows = if name == "lin0" { &flows.lin0 } else { &flows.bias1 };
                    if let (2, Some(u)) = (depth, flows.u.get(&format!("{time:.0}"))) {
                        assert!((flows.lambda_s - lambda).abs() < 1e-14);
                        against.absolute(&case, (i, power), sign(i) * u, *f);
                    }
                }
                distance.absolute(&case, power, (6.0 * u * u / lambda).sqrt(), flow.distance());
                assert!(
                    predicted(&kernel, &Samples::zeros(6, 1), flow.dual()).iter().all(|f| (f.abs() - u).abs() < 1e-8)
                );
            }
            let before = flow.steps();
            flow.advance_to(1000.0).expect("a flow");
            println!("{case}: {before} steps to t = 1e8, {} to e^1000", flow.steps());
            // u = ln(lambda t/6) up to u/t
            let u = 1000.0 + (lambda / 6.0).ln();
            flow.outputs().data().iter().enumerate().for_each(|(i, f)| late.relative(&case, i, sign(i) * u, *f));
        });
    }
    [against, exact, late, distance].into_iter().for_each(Check::finish);
}

#[test]
fn the_error_falls_with_the_fourth_power_of_the_steps() {
    let (kernel, y) = (six_kernel("bias1", 2), targets(Loss::CrossEntropy, &SIX_LABELS, 1, 0.0));
    let lambda = reference().six_points.lambda_in_label_direction["fcn bias1 L=2"];
    let error_and_steps = |tolerance: f64| {
        kernel_flow(&Portable, &kernel, (&Samples::zeros(6, 1), &y), Loss::CrossEntropy, tolerance, |flow| {
            flow.advance_to(30f64.ln_1p()).expect("a flow");
            ((flow.outputs().data()[1].abs() - logit(5.0 * lambda)).abs(), flow.steps() as f64)
        })
    };
    let mut check = Check::named("order of the kernel flow");
    let mut coarse = error_and_steps(1e-6);
    for tolerance in [1e-8, 1e-10] {
        let fine = error_and_steps(tolerance);
        check.absolute(&tolerance, fine.1, 4.0, (coarse.0 / fine.0).ln() / (fine.1 / coarse.1).ln());
        coarse = fine;
    }
    check.finish();
}

#[test]
fn separable_labels_grow_like_the_logarithm_of_time() {
    // f_i = s_i (ln t - ln(n a_i)) with a_i = s_i (K^-1 s)_i > 0, from any f_0
    let (mut kernel, f_0) = (six_kernel("bias1", 3), Samples::<f64>::gaussian(6, 1, 12));
    (0..6).for_each(|i| kernel[7 * i] += 30.0);
    let (labels, mut check) = ([0, 1, 1, 1, 0, 1], Check::named("separable labels, t = e^700"));
    let s = Samples::from_values(&labels.map(|l| 2.0 * l as f64 - 1.0), 1);
    let mut buffer = vec![0.0; regression_len(6, 1)];
    let view = MatRef::new(&kernel, 6, 6).expect("length");
    let mut inverse =
        KernelRegression::new(&Portable, view, Samples::zeros(6, 1).view(), s.view(), &mut buffer).expect("shapes");
    let a: Vec<f64> = inverse.dual(&Portable, f64::INFINITY).expect("regular").data().to_vec();
    let a: Vec<f64> = a.iter().zip(&s.values).map(|(a, s)| a * s).collect();
    assert!(a.iter().all(|a| *a > 0.0), "every sample supports the separation: {a:?}");
    let y = targets(Loss::CrossEntropy, &labels, 1, 0.0);
    let (f, _) = kernel_flow_to(&kernel, (&f_0, &y), Loss::CrossEntropy, 1e-8, 700.0);
    for i in 0..6 {
        check.absolute(&"logit", i, s.values[i] * (700.0 - (6.0 * a[i]).ln()), f[i]);
    }
    check.finish();
}

#[test]
fn soft_labels_are_met() {
    let golden = reference();
    let x = Samples::<f64>::from_rows(&golden.samples);
    let kernel = analytic_kernel(&Portable, &named("bias1", x.d, &[1, 1]), Ntk, &x, None);
    let f_0 = Samples::from_values(&[0.3, -0.2, 0.1, 0.5, -0.4], 1);
    let y = targets(Loss::CrossEntropy, &[0, 1, 0, 1, 1], 1, 0.1);
    let mut check = Check::named("kernel flow of soft labels against reference");
    let expected = &golden.theory.soft_label_binary;
    for log_time in [20.0, 36.0, 1000.0] {
        let (f, g) = kernel_flow_to(&kernel, (&f_0, &y), Loss::CrossEntropy, 1e-10, log_time);
        for (i, (e, f)) in expected.train.iter().zip(&f).enumerate() {
            check.absolute(&log_time, i, *e, *f);
        }
        let test = predicted(&golden.theory.k_test_row_ntk, &Samples::from_values(&[0.15], 1), g.view());
        check.absolute(&log_time, "test", expected.test, test[0]);
    }
    // three classes: f = ln q up to the mean, which stays what it was
    let q = targets(Loss::CrossEntropy, &[0, 1, 2, 1, 0], 3, 0.1);
    let f_0 = Samples::<f64>::gaussian(5, 3, 77);
    let (f, _) = kernel_flow_to(&expanded(&kernel, (5, 5), 3), (&f_0, &q), Loss::CrossEntropy, 1e-10, 1000.0);
    for (i, f) in f.iter().enumerate() {
        let mean = |v: &dyn Fn(usize) -> f64| (0..3).map(|c| v(i / 3 * 3 + c)).sum::<f64>() / 3.0;
        let expected = q.values[i].ln() - mean(&|k| q.values[k].ln()) + mean(&|k| f_0.values[k]);
        check.absolute(&"softmax", i, expected, *f);
    }
    check.finish();
}

#[test]
fn squared_error_in_closed_form() {
    let x: Samples<f64> = Samples::gaussian(10, 3, 4);
    let (f_0, y) = (Samples::<f64>::gaussian(10, 2, 5), Samples::<f64>::gaussian(10, 2, 6));
    let kernel = expanded(&analytic_kernel(&Portable, &named("bias1", 3, &WIDTHS[..2]), Ntk, &x, None), (10, 10), 2);
    let mut buffer = vec![0.0; regression_len(10, 2)];
    let view = MatRef::new(&kernel, 20, 20).expect("length");
    let mut closed = KernelRegression::new(&Portable, view, f_0.view(), y.view(), &mut buffer).expect("shapes");
    let mut check = Check::named("kernel flow of squared error");
    kernel_flow(&Portable, &kernel, (&f_0, &y), Loss::SquaredError, 1e-10, |flow| {
        for log_time in [0.1, 1.0, 3.0, 6.0, 30.0, 1000.0f64] {
            flow.advance_to(log_time).expect("a flow");
            let g = closed.dual(&Portable, log_time.exp_m1()).expect("a time");
            let expected = predicted(&kernel, &f_0, g);
            check.all_scaled(&log_time, &expected, flow.outputs().data());
        }
    });
    check.finish();
}

#[test]
fn singular_kernels_learn_what_they_can() {
    let mut check = Check::named("kernel flow under singular kernels");
    // without bias one hidden layer has no part along the alternating labels: nothing is ever learned
    let (kernel, y) = (six_kernel("lin0", 1), targets(Loss::CrossEntropy, &SIX_LABELS, 1, 0.0));
    let (f, g) = kernel_flow_to(&kernel, (&Samples::zeros(6, 1), &y), Loss::CrossEntropy, 1e-8, 1000.0);
    assert!(f.iter().all(|f| f.abs() < 1e-6), "{f:?} {g:?}");
    // equal samples with different labels: the logit of their mean label, 2 of 3
    let kernel: Vec<f64> =
        [[2.0, 2.0, 2.0, 0.5], [2.0, 2.0, 2.0, 0.5], [2.0, 2.0, 2.0, 0.5], [0.5, 0.5, 0.5, 1.0]].concat();
    for (fourth, end) in [(0.9, 1000.0), (0.75, 25.0)] {
        let y = Samples::from_values(&[1.0, 0.0, 1.0, fourth], 1);
        let (f, _) = kernel_flow_to(&kernel, (&Samples::zeros(4, 1), &y), Loss::CrossEntropy, 1e-10, end);
        for (i, f) in f.iter().enumerate() {
            let q: f64 = if i < 3 { 2.0 / 3.0 } else { fourth };
            check.absolute(&"twins", i, (q / (1.0 - q)).ln(), *f);
        }
    }
    // a fourth whose label is certain grows without end: from t = 1/epsilon on doubles do not hold both
    let y = Samples::from_values(&[1.0, 0.0, 1.0, 1.0], 1);
    kernel_flow(&Portable, &kernel, (&Samples::zeros(4, 1), &y), Loss::CrossEntropy, 1e-6, |flow| {
        flow.advance_to(30.0).expect("a flow");
        assert!(flow.outputs().data()[3] > 28.0);
        let result = flow.advance_to(1000.0);
        assert!(matches!(result, Err(Error::StepUnderflow { .. })), "{result:?}");
        println!("mixed labels: given up at ln(1 + t) = {} after {} steps", flow.log_time(), flow.steps());
    });
    kernel_flow(
        &Portable,
        &[0.0],
        (&Samples::zeros(1, 1), &Samples::from_values(&[1.0], 1)),
        Loss::CrossEntropy,
        1e-6,
        |flow| {
            flow.advance_to(1000.0).expect("nothing moves");
            assert_eq!(flow.outputs().data(), [0.0]);
        },
    );
    check.finish();
}

#[test]
fn single_precision() {
    let x = six_points::<f32>();
    let kernel = analytic_kernel(&Portable, &named("bias1", 2, &WIDTHS[..2]), Ntk, &x, None);
    let lambda = reference().six_points.lambda_in_label_direction["fcn bias1 L=2"];
    let mut check = Check::named("kernel flow, f32");
    let f_0 = Samples::<f32>::zeros(6, 1);
    let y = targets(Loss::CrossEntropy, &SIX_LABELS, 1, 0.0);
    kernel_flow(&Portable, &kernel, (&f_0, &y), Loss::CrossEntropy, 1e-4, |flow| {
        for (log_time, u) in [
            (3.0f32, logit(lambda * 3f64.exp_m1() / 6.0)),
            (20.0, logit(lambda * 20f64.exp_m1() / 6.0)),
            (1000.0, 1000.0 + (lambda / 6.0).ln()),
        ] {
            flow.advance_to(log_time).expect("a flow");
            for (i, f) in flow.outputs().data().iter().enumerate() {
                check.relative(&log_time, i, sign(i) * u, f64::from(*f));
            }
        }
    });
    // a tolerance below the rounding of the outputs is met as far as rounding lets it
    kernel_flow(&Portable, &kernel, (&f_0, &y), Loss::CrossEntropy, 1e-12, |flow| {
        flow.advance_to(3.0).expect("a flow")
    });
    let soft = targets(Loss::CrossEntropy, &SIX_LABELS, 1, 0.2);
    kernel_flow(&Portable, &kernel, (&f_0, &soft), Loss::CrossEntropy, 1e-4, |flow| {
        flow.advance_to(1000.0).expect("a flow");
        for (i, f) in flow.outputs().data().iter().enumerate() {
            check.relative(&"soft", i, sign(i) * 9f64.ln(), f64::from(*f));
        }
    });
    check.finish();
}

#[test]
fn a_larger_kernel_is_a_faster_clock() {
    // f of c K at time t is f of K at time c t
    let (kernel, f_0) = (six_kernel("bias1", 2), Samples::<f64>::gaussian(6, 1, 70));
    let mut check = Check::named("kernel against clock");
    for (loss, smoothing) in [(Loss::CrossEntropy, 0.0), (Loss::CrossEntropy, 0.2), (Loss::SquaredError, 0.0)] {
        let y = targets(loss, &[0, 1, 1, 1, 0, 1], 1, smoothing);
        for time in [3.0, 1e4f64] {
            let (expected, _) = kernel_flow_to(&kernel, (&f_0, &y), loss, 1e-8, time.ln_1p());
            for scale in [1e-12, 1e10] {
                let scaled: Vec<f64> = kernel.iter().map(|k| k * scale).collect();
                let (f, _) = kernel_flow_to(&scaled, (&f_0, &y), loss, 1e-8, (time / scale).ln_1p());
                check.all_scaled(&format!("{loss:?}, smoothing {smoothing}, t = {time}, c = {scale}"), &expected, &f);
            }
        }
    }
    check.finish();
}
