//! Gradient flow under a fixed kernel of several outputs.

use ntkscope_core::kernel::AnalyticKernel::Ntk;
use ntkscope_core::loss::Loss;
use ntkscope_core::{MatMut, MatRef, Portable};
use ntkscope_tests::cases::{Samples, named};
use ntkscope_tests::measure::{analytic_kernel, expanded, kernel_flow_to, predicted, targets};
use ntkscope_tests::tolerance::Check;

/// f(t) of df/dt = -K r/n by the classical Runge-Kutta method.
fn by_explicit_steps(kernel: &[f64], f_0: &Samples<f64>, y: &Samples<f64>, loss: Loss, time: f64) -> Vec<f64> {
    let (steps, size) = (4000, y.values.len());
    let h = time / f64::from(steps);
    let slope = |f: &[f64]| -> Vec<f64> {
        let mut r = vec![0.0; size];
        let view = MatRef::new(f, y.n, y.d).expect("length");
        loss.residuals(view, y.view(), 0.0, MatMut::new(&mut r, y.n, y.d).expect("length")).expect("one shape");
        (0..size).map(|i| -(0..size).map(|j| kernel[i * size + j] * r[j]).sum::<f64>()).collect()
    };
    let mut f = f_0.values.clone();
    for _ in 0..steps {
        let shifted = |k: &[f64], share: f64| f.iter().zip(k).map(|(f, k)| f + share * h * k).collect::<Vec<_>>();
        let a = slope(&f);
        let b = slope(&shifted(&a, 0.5));
        let c = slope(&shifted(&b, 0.5));
        let d = slope(&shifted(&c, 1.0));
        (0..size).for_each(|i| f[i] += h / 6.0 * (a[i] + 2.0 * b[i] + 2.0 * c[i] + d[i]));
    }
    f
}

#[test]
fn any_kernel_of_several_outputs() {
    // not of the form Theta (x) I: the outputs are coupled through the kernel as well
    let a: Samples<f64> = Samples::gaussian(12, 14, 50);
    let dot = |i: usize, j: usize| (0..14).map(|k| a.values[i * 14 + k] * a.values[j * 14 + k]).sum::<f64>() / 14.0;
    let kernel: Vec<f64> = (0..144).map(|e| dot(e / 12, e % 12)).collect();
    let f_0 = Samples::<f64>::gaussian(4, 3, 51);
    let hard = targets(Loss::CrossEntropy, &[0, 1, 2, 1], 3, 0.0);
    let soft = Samples::from_values(&[0.2, 0.3, 0.5, 0.0, 0.5, 0.5, 1.0, 0.0, 0.0, 0.1, 0.1, 0.8], 3);
    let mut check = Check::named("kernel flow by explicit steps");
    for (name, y) in [("hard", &hard), ("soft", &soft)] {
        for time in [0.5, 8.0f64] {
            let (f, _) = kernel_flow_to(&kernel, (&f_0, y), Loss::CrossEntropy, 1e-10, time.ln_1p());
            let expected = by_explicit_steps(&kernel, &f_0, y, Loss::CrossEntropy, time);
            check.all_scaled(&format!("{name}, t = {time}"), &expected, &f);
        }
    }
    check.finish();
}

#[test]
fn classes_keep_their_sum_and_two_are_one_logit() {
    let x: Samples<f64> = Samples::gaussian(13, 3, 60);
    let (train, test) = (x.select(&[0, 1, 2, 3, 4, 5, 6, 7]), x.select(&[8, 9, 10, 11, 12]));
    let network = named("bias1", 3, &[1, 1]);
    let (kernel, cross) = (
        analytic_kernel(&Portable, &network, Ntk, &train, None),
        analytic_kernel(&Portable, &network, Ntk, &test, Some(&train)),
    );
    let (mut sums, mut two) = (Check::named("sum over the classes"), Check::named("two classes as one"));
    let (f_0, f_0_test) = (Samples::<f64>::gaussian(8, 3, 61), Samples::<f64>::gaussian(5, 3, 62));
    for (smoothing, log_time) in [(0.0, 3.0), (0.0, 30.0), (0.0, 300.0), (0.1, 3.0), (0.1, 30.0), (0.1, 300.0)] {
        let case = format!("smoothing {smoothing}, ln(1 + t) = {log_time}");
        let y = targets(Loss::CrossEntropy, &[0, 1, 2, 1, 0, 2, 2, 1], 3, smoothing);
        let (f, g) = kernel_flow_to(&expanded(&kernel, (8, 8), 3), (&f_0, &y), Loss::CrossEntropy, 1e-6, log_time);
        let f_test = predicted(&expanded(&cross, (5, 8), 3), &f_0_test, g.view());
        let sum = |row: &[f64]| row.iter().sum::<f64>();
        for (before, after) in [(&f_0.values, &f), (&f_0_test.values, &f_test)] {
            for (i, (before, after)) in before.chunks(3).zip(after.chunks(3)).enumerate() {
                sums.absolute(&case, i, sum(before), sum(after));
            }
        }
        let labels = [0, 1, 1, 1, 0, 0, 1, 0];
        let (one, pair) =
            (targets(Loss::CrossEntropy, &labels, 1, smoothing), targets(Loss::CrossEntropy, &labels, 2, smoothing));
        let start = Samples::<f64>::gaussian(8, 2, 63);
        let difference = |f: &[f64]| f.chunks(2).map(|f| f[1] - f[0]).collect::<Vec<_>>();
        let twice: Vec<f64> = kernel.iter().map(|k| 2.0 * k).collect();
        let single = Samples::from_values(&difference(&start.values), 1);
        let (logit, _) = kernel_flow_to(&twice, (&single, &one), Loss::CrossEntropy, 1e-10, log_time);
        let (both, _) =
            kernel_flow_to(&expanded(&kernel, (8, 8), 2), (&start, &pair), Loss::CrossEntropy, 1e-10, log_time);
        two.all_scaled(&case, &logit, &difference(&both));
    }
    sums.finish();
    two.finish();
}
