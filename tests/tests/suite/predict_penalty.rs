//! Gradient flow under a fixed kernel and a penalty: exact solutions, explicit steps, and where it ends.

use ntkscope_core::kernel::AnalyticKernel::Ntk;
use ntkscope_core::loss::Loss;
use ntkscope_core::{Error, MatMut, Portable};
use ntkscope_tests::cases::{Samples, named, six_points};
use ntkscope_tests::measure::{analytic_kernel, expanded, fixed_point, kernel_flow, targets};
use ntkscope_tests::tolerance::Check;

const WIDTHS: [usize; 2] = [1; 2];
const LABELS: [usize; 6] = [0, 1, 1, 0, 2, 1];
const CASES: [(Loss, usize); 4] =
    [(Loss::SquaredError, 1), (Loss::CrossEntropy, 1), (Loss::CrossEntropy, 3), (Loss::Exponential, 1)];

/// Six samples on the circle under a loss.
struct Six {
    loss: Loss,
    name: String,
    kernel: Vec<f64>,
    f_0: Samples<f64>,
    y: Samples<f64>,
}

impl Six {
    fn new(loss: Loss, outputs: usize) -> Self {
        let kernel = analytic_kernel(&Portable, &named("bias1", 2, &WIDTHS), Ntk, &six_points(), None);
        let labels = LABELS.map(|label| label.min(outputs.max(2) - 1));
        Self {
            loss,
            name: format!("{loss}, {outputs} outputs"),
            kernel: expanded(&kernel, (6, 6), outputs),
            f_0: Samples::gaussian(6, outputs, 5),
            y: targets(loss, &labels, outputs, 0.0),
        }
    }

    /// Outputs under this penalty at these ln(1 + t).
    fn flow(&self, penalty: f64, log_times: &[f64]) -> Vec<Vec<f64>> {
        kernel_flow(&Portable, &self.kernel, (&self.f_0, &self.y), self.loss, 1e-10, |flow| {
            flow.set_penalty(penalty).expect("at the start");
            let at = |log_time: &f64| {
                flow.advance_to(*log_time).expect("a flow");
                flow.outputs().data().to_vec()
            };
            log_times.iter().map(at).collect()
        })
    }

    /// df/dt = -(1/n) K r(f) - LAMBDA (f - f_0) by the classical Runge-Kutta method.
    fn explicit(&self, penalty: f64, time: f64) -> Vec<f64> {
        const STEPS: u32 = 4000;
        let (size, c, h) = (self.y.values.len(), self.y.d, time / f64::from(STEPS));
        let velocity = |f: &[f64]| -> Vec<f64> {
            let (mut r, outputs) = (vec![0.0; size], Samples::from_values(f, c));
            let out = MatMut::new(&mut r, self.y.n, c).expect("length");
            self.loss.residuals(outputs.view(), self.y.view(), 0.0, out).expect("shapes");
            let product = |i: usize| (0..size).map(|j| self.kernel[i * size + j] * r[j]).sum::<f64>();
            (0..size).map(|i| -product(i) - penalty * (f[i] - self.f_0.values[i])).collect()
        };
        let moved = |f: &[f64], by: &[f64], share: f64| -> Vec<f64> {
            f.iter().zip(by).map(|(f, v)| f + share * h * v).collect()
        };
        let mut f = self.f_0.values.clone();
        for _ in 0..STEPS {
            let first = velocity(&f);
            let second = velocity(&moved(&f, &first, 0.5));
            let third = velocity(&moved(&f, &second, 0.5));
            let last = velocity(&moved(&f, &third, 1.0));
            for (k, f) in f.iter_mut().enumerate() {
                *f += h / 6.0 * (first[k] + 2.0 * second[k] + 2.0 * third[k] + last[k]);
            }
        }
        f
    }
}

/// One sample under squared error: f = f* + (f_0 - f*) e^(-(K + LAMBDA) t), f* = (K y + LAMBDA f_0)/(K + LAMBDA).
#[test]
fn one_sample_under_squared_error() {
    let mut check = Check::named("penalized flow of one sample");
    let (f_0, y): (Samples<f64>, Samples<f64>) = (Samples::from_values(&[0.7], 1), Samples::from_values(&[-1.0], 1));
    for (k, penalty) in [(2.0, 0.5), (0.1, 3.0), (5.0, 1e-3)] {
        kernel_flow(&Portable, &[k], (&f_0, &y), Loss::SquaredError, 1e-10, |flow| {
            flow.set_penalty(penalty).expect("at the start");
            for time in [0.1f64, 1.0, 10.0, 1e6] {
                flow.advance_to(time.ln_1p()).expect("a flow");
                let end = (0.7 * penalty - k) / (k + penalty);
                let f = end + (0.7 - end) * (-(k + penalty) * time).exp();
                check.absolute(&format!("K = {k}, penalty {penalty}"), time, f, flow.outputs().at(0, 0));
            }
        });
    }
    check.finish();
}

#[test]
fn penalized_flow_by_explicit_steps() {
    let mut check = Check::named("penalized flow by explicit steps");
    for (loss, outputs) in CASES {
        let six = Six::new(loss, outputs);
        for (penalty, time) in [(0.02, 3.0f64), (0.5, 3.0), (0.1, 30.0)] {
            let (expected, got) = (six.explicit(penalty, time), six.flow(penalty, &[time.ln_1p()]).remove(0));
            for (k, (expected, got)) in expected.iter().zip(&got).enumerate() {
                check.absolute(&format!("{}, penalty {penalty}", six.name), (time, k), *expected, *got);
            }
        }
    }
    check.finish();
}

#[test]
fn it_ends_in_the_fixed_point() {
    let mut check = Check::named("end of the penalized flow");
    for (loss, outputs) in CASES {
        let six = Six::new(loss, outputs);
        for penalty in [1e-3, 0.02, 0.5] {
            let end = fixed_point(&six.kernel, &six.y, loss, penalty, |end| {
                end.solve(six.f_0.view()).expect("a minimum");
                end.outputs().data().to_vec()
            });
            for got in six.flow(penalty, &[40.0, 1000.0]) {
                for (k, (expected, got)) in end.iter().zip(&got).enumerate() {
                    check.absolute(&format!("{}, penalty {penalty}", six.name), k, *expected, *got);
                }
            }
        }
    }
    check.finish();
}

#[test]
fn what_is_no_penalty_is_refused() {
    let six = Six::new(Loss::CrossEntropy, 1);
    kernel_flow(&Portable, &six.kernel, (&six.f_0, &six.y), Loss::CrossEntropy, 1e-6, |flow| {
        for penalty in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(flow.set_penalty(penalty), Err(Error::OutOfRange { .. })), "{penalty}");
        }
        flow.advance_to(0.1).expect("a flow");
        assert!(matches!(flow.set_penalty(0.1), Err(Error::OutOfRange { .. })), "it has moved");
    });
}
