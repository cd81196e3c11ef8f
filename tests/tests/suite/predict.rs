//! A fixed kernel's predictions: regression in closed form, flow of any loss to any time.

use ntkscope_core::kernel::AnalyticKernel::Ntk;
use ntkscope_core::linalg::cholesky_solve;
use ntkscope_core::loss::Loss;
use ntkscope_core::predict::{
    KernelFlow, KernelRegression, expand, factor_curvature, kernel_flow_len, predict, regression_len,
};
use ntkscope_core::{Error, MatMut, MatRef, Portable};
use ntkscope_tests::cases::{SIX_LABELS, Samples, named, six_points};
use ntkscope_tests::golden::reference;
use ntkscope_tests::measure::{analytic_kernel, targets};
use ntkscope_tests::tolerance::{Check, same_bits};

type Flow<'a> = KernelFlow<'a, f64, Portable>;

/// Hidden widths do not enter the analytic kernels, their number does.
const WIDTHS: [usize; 3] = [1; 3];

fn square(kernel: &[f64]) -> MatRef<'_, f64> {
    let n = kernel.len().isqrt();
    MatRef::new(kernel, n, n).expect("square")
}

/// Calls `body` with a flow in a buffer of just the right length.
fn flow<R>(
    kernel: &[f64],
    f_0: &Samples<f64>,
    y: &Samples<f64>,
    loss: Loss,
    tolerance: f64,
    body: impl FnOnce(&mut Flow<'_>) -> R,
) -> R {
    let mut buffer = vec![f64::NAN; kernel_flow_len(y.n, y.d)];
    let flow = KernelFlow::new(&Portable, square(kernel), f_0.view(), y.view(), loss, tolerance, &mut buffer);
    body(&mut flow.expect("a valid problem"))
}

/// Train outputs and dual coefficients at ln(1 + t).
fn flow_to(
    kernel: &[f64],
    f_0: &Samples<f64>,
    y: &Samples<f64>,
    loss: Loss,
    tolerance: f64,
    log_time: f64,
) -> (Vec<f64>, Vec<f64>) {
    flow(kernel, f_0, y, loss, tolerance, |flow| {
        flow.advance_to(log_time).expect("a flow");
        assert_eq!(flow.log_time(), log_time);
        (flow.outputs().data().to_vec(), flow.dual().data().to_vec())
    })
}

/// f_0 + K g
fn predicted(k_cross: &[f64], f_0: &Samples<f64>, g: &[f64]) -> Vec<f64> {
    let mut out = vec![f64::NAN; f_0.values.len()];
    let cross = MatRef::new(k_cross, f_0.values.len(), g.len()).expect("length");
    let g = MatRef::new(g, g.len() / f_0.d, f_0.d).expect("length");
    predict(&Portable, cross, f_0.view(), g, MatMut::new(&mut out, f_0.n, f_0.d).expect("length")).expect("shapes");
    out
}

fn rows(values: &[f64], d: usize) -> Samples<f64> {
    Samples { values: values.to_vec(), n: values.len() / d, d }
}

fn zeros(n: usize, d: usize) -> Samples<f64> {
    rows(&vec![0.0; n * d], d)
}

#[test]
fn probe() {
    for (name, depth) in [("lin0", 2), ("bias1", 2)] {
        let kernel = analytic_kernel(&Portable, &named(name, 2, &WIDTHS[..depth]), Ntk, &six_points(), None);
        let y = targets(Loss::Logistic, &SIX_LABELS, 1, 0.0);
        let r = reference().theory.logistic_flow;
        let e = if name == "lin0" { r.lin0 } else { r.bias1 };
        for tolerance in [1e-4, 1e-6, 1e-8, 1e-10, 1e-12] {
            flow(&kernel, &zeros(6, 1), &y, Loss::Logistic, tolerance, |flow| {
                for t in [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6] {
                    flow.advance_to(f64::ln_1p(t)).expect("flow");
                    let u = e.u[&format!("{}", t as u64)];
                    print!("{:.1e} ", (flow.outputs().data()[1].abs() - u).abs());
                }
                let s = flow.steps();
                let r = flow.advance_to(1000.0);
                println!("{name} {tolerance:e}: steps {s} {} {r:?} {}", flow.steps(), flow.outputs().data()[1]);
            });
            flow(&kernel, &zeros(6, 1), &y, Loss::Logistic, tolerance, |flow| {
                flow.advance_to(f64::ln_1p(1e8)).expect("flow");
                println!("one go to 1e8: {}", flow.steps());
            });
        }
    }
    for loss in [Loss::SquaredError, Loss::Logistic] {
        let x: Samples<f64> = Samples::gaussian(12, 3, 4);
        let kernel = analytic_kernel(&Portable, &named("bias1", 3, &WIDTHS[..2]), Ntk, &x, None);
        let y: Vec<f64> = (0..12).map(|i| [0.1, 0.9, 0.3][i % 3]).collect();
        flow(&kernel, &zeros(12, 1), &rows(&y, 1), loss, 1e-6, |flow| {
            for s in [1., 3., 10., 20., 30., 36., 40., 50., 1000.] {
                let r = flow.advance_to(s);
                let e = flow
                    .outputs()
                    .data()
                    .iter()
                    .zip(&y)
                    .map(|(f, q)| (if loss == Loss::Logistic { 1. / (1. + (-f).exp()) } else { *f } - q).abs())
                    .fold(0.0, f64::max);
                println!("{loss:?} {s}: {r:?} {} {e:e}", flow.steps());
            }
        });
    }
}
