//! Laws of predictors over random initializations.

use ntkscope_core::kernel::AnalyticKernel::{Nngp, Ntk};
use ntkscope_core::loss::Loss;
use ntkscope_core::predict::{
    GaussianProcess, Joint, Smoother, Training, gaussian_process_len, laplace_covariance, mean, smoother_len,
};
use ntkscope_core::{Error, MatMut, MatRef, Portable};
use ntkscope_tests::cases::{Samples, named};
use ntkscope_tests::golden::{PenalizedLaw, distribution, reference};
use ntkscope_tests::measure::{
    analytic_kernel, covariance_of, eigenvalues, expanded, fixed_point, gram, predicted, smoother_at, smoother_of,
    square, targets,
};
use ntkscope_tests::tolerance::Check;

/// Stacked NNGP and NTK of bias1 with two hidden layers.
pub(crate) fn stacked(x: &Samples<f64>) -> (Vec<f64>, Vec<f64>) {
    let network = named("bias1", x.d, &[1, 1]);
    (analytic_kernel(&Portable, &network, Nngp, x, None), analytic_kernel(&Portable, &network, Ntk, x, None))
}

pub(crate) fn joint(kernel: &[f64], train: usize) -> Joint<'_, f64> {
    Joint::new(square(kernel), train).expect("square")
}

/// The five samples of the reference, its test point and three more.
pub(crate) fn nine() -> Samples<f64> {
    let mut rows = reference().samples;
    rows.extend([[0.2, 0.3, 0.9], [-0.5, 0.4, 0.1], [1.2, -0.3, 0.4], [0.0, -1.0, 0.3]].map(|x| x.to_vec()));
    Samples::from_rows(&rows)
}

/// A y of several outputs, row-major.
pub(crate) fn mean_of(a: &[f64], y: &Samples<f64>) -> Vec<f64> {
    let m = a.len() / y.n;
    let mut out = vec![f64::NAN; m * y.d];
    let a = MatRef::new(a, m, y.n).expect("length");
    mean(&Portable, a, y.view(), MatMut::new(&mut out, m, y.d).expect("length")).expect("shapes");
    out
}

/// Outputs that meet the targets.
pub(crate) fn met(loss: Loss, y: &Samples<f64>) -> Samples<f64> {
    let mut out = Samples::zeros(y.n, y.d);
    loss.met(y.view(), MatMut::new(&mut out.values, y.n, y.d).expect("length")).expect("shapes");
    out
}

#[test]
fn laws_against_the_reference() {
    let theory = reference().theory;
    let x = nine();
    let (nngp, ntk) = stacked(&x.select(&[0, 1, 2, 3, 4, 5]));
    let y = Samples::from_values(&[-1.0, 1.0, -1.0, 1.0, 1.0], 1);
    let mut check = Check::named("law against reference");
    for (time, expected) in [(3.0, &theory.lee2019_t3_meanloss), (f64::INFINITY, &theory.lee2019_tinf)] {
        let a = smoother_of(joint(&ntk, 5), Training::Flow(time));
        check.absolute(&time, "mean", expected.mean, mean_of(&a, &y)[0]);
        check.absolute(&time, "variance", expected.var, covariance_of(joint(&nngp, 5), &a)[0]);
    }
    check.finish();
}

#[test]
fn ridge_is_squared_error_with_a_penalty() {
    let (_, ntk) = stacked(&nine());
    let ntk = joint(&ntk, 5);
    let y = Samples::from_values(&[-1.0, 1.0, -1.0, 1.0, 1.0], 1);
    let train: Vec<f64> = (0..25).map(|e| ntk.train().at(e / 5, e % 5)).collect();
    let mut check = Check::named("ridge by the minimum");
    for penalty in [1e-3, 0.1, 10.0] {
        let a = smoother_of(ntk, Training::Ridge(penalty));
        fixed_point(&train, &y, Loss::SquaredError, penalty, |problem| {
            problem.solve(Samples::zeros(5, 1).view()).expect("a minimum");
            check.all_scaled(&penalty, &a, &smoother_at(problem, ntk.cross()));
            let cross: Vec<f64> = (0..20).map(|e| ntk.cross().at(e / 5, e % 5)).collect();
            let f = predicted(&cross, &Samples::zeros(4, 1), problem.dual());
            check.all_scaled(&penalty, &mean_of(&a, &y), &f);
        });
    }
    check.finish();
}

/// Delta method and Laplace approximation at the solution from f_0 = 0, against their reference.
fn penalized(case: &str, x: &Samples<f64>, y: &Samples<f64>, loss: Loss, expected: &PenalizedLaw, check: &mut Check) {
    let (n, c) = (y.n, y.d);
    let (nngp, ntk) = stacked(x);
    let (nngp, ntk) = (expanded(&nngp, (x.n, x.n), c), expanded(&ntk, (x.n, x.n), c));
    let (s, t) = (joint(&nngp, n * c), joint(&ntk, n * c));
    let train: Vec<f64> = (0..n * c * n * c).map(|e| t.train().at(e / (n * c), e % (n * c))).collect();
    fixed_point(&train, y, loss, expected.lam / n as f64, |problem| {
        problem.solve(Samples::zeros(n, c).view()).expect("a minimum");
        let a = smoother_at(problem, t.cross());
        let m = t.test().rows();
        check.all_scaled(&case, &expected.delta.concat(), &covariance_of(s, &a));
        let mut laplace = vec![f64::NAN; m * m];
        let out = MatMut::new(&mut laplace, m, m).expect("length");
        laplace_covariance(&Portable, problem, t, MatRef::new(&a, m, n * c).expect("length"), out).expect("shapes");
        check.all_scaled(&case, &expected.laplace.concat(), &laplace);
        let cross: Vec<f64> = (0..m * n * c).map(|e| t.cross().at(e / (n * c), e % (n * c))).collect();
        let f = predicted(&cross, &Samples::zeros(m / c, c), problem.dual());
        check.all_scaled(&case, &expected.outputs, &f);
    });
}

#[test]
fn delta_method_and_laplace_against_the_reference() {
    let golden = distribution();
    let x = Samples::<f64>::from_rows(&golden.samples);
    let mut check = Check::named("penalized law against reference");
    let y = targets(Loss::CrossEntropy, &golden.labels, 1, 0.0);
    for expected in &golden.binary {
        penalized(&format!("binary, lam {}", expected.lam), &x, &y, Loss::CrossEntropy, expected, &mut check);
    }
    let y = targets(Loss::CrossEntropy, &(0..12).map(|i| i % 3).collect::<Vec<_>>(), 3, 0.0);
    let x = x.select(&(0..14).collect::<Vec<_>>());
    for expected in &golden.softmax {
        penalized(&format!("softmax, lam {}", expected.lam), &x, &y, Loss::CrossEntropy, expected, &mut check);
    }
    check.finish();
    // an ensemble is far surer than the Laplace approximation says
    let sd = |law: &[Vec<f64>]| law[0][0].sqrt();
    let law = &golden.binary[0];
    assert!((sd(&law.delta) - 0.55).abs() < 0.005 && (sd(&law.laplace) - 2.93).abs() < 0.005);
}

#[test]
fn covariances_are_positive_semidefinite() {
    let x = nine();
    // training samples among the test samples: singular
    let all = x.select(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 5]);
    let mut check = Check::named("negative eigenvalue of a covariance");
    let (nngp, ntk) = stacked(&all);
    let (s, t) = (joint(&nngp, 5), joint(&ntk, 5));
    let mut compare = |case: &str, covariance: &[f64]| {
        let w = eigenvalues(covariance, covariance.len().isqrt());
        check.scaled(&case, 0, 0.0, w[0].min(0.0), nngp[0]);
    };
    for training in [Training::Flow(0.0), Training::Flow(3.0), Training::Flow(f64::INFINITY), Training::Ridge(1e-3)] {
        compare(&format!("{training:?}"), &covariance_of(s, &smoother_of(t, training)));
    }
    let train: Vec<f64> = (0..25).map(|e| t.train().at(e / 5, e % 5)).collect();
    fixed_point(&train, &targets(Loss::CrossEntropy, &[0, 1, 0, 1, 1], 1, 0.0), Loss::CrossEntropy, 1e-3, |problem| {
        problem.solve(Samples::zeros(5, 1).view()).expect("a minimum");
        let a = smoother_at(problem, t.cross());
        compare("delta", &covariance_of(s, &a));
        let mut laplace = vec![f64::NAN; 64];
        let out = MatMut::new(&mut laplace, 8, 8).expect("length");
        laplace_covariance(&Portable, problem, t, MatRef::new(&a, 8, 5).expect("length"), out).expect("shapes");
        let scaled: Vec<f64> = laplace.iter().map(|k| k * 5.0 * 1e-3).collect();
        compare("Laplace", &scaled);
    });
    check.finish();
}

#[test]
fn laws_that_do_not_fit_are_refused() {
    let kernel = gram(4, 6, 0.0, 5);
    assert!(matches!(Joint::new(square(&kernel), 5), Err(Error::BufferLength { .. })));
    assert!(matches!(Joint::new(MatRef::new(&kernel, 2, 8).expect("length"), 1), Err(Error::Shape { .. })));
    let mut buffer = vec![0.0; smoother_len(3).max(gaussian_process_len(4))];
    let mut result = |kernel: &[f64], training, len: usize| {
        Smoother::new(&Portable, joint(kernel, 3).train(), training, &mut buffer[..len]).err()
    };
    let len = smoother_len(3);
    assert_eq!(result(&kernel, Training::Flow(1.0), len), None);
    assert!(matches!(result(&kernel, Training::Flow(1.0), len - 1), Some(Error::BufferLength { .. })));
    for training in
        [Training::Flow(-1.0), Training::Flow(f64::NAN), Training::Ridge(0.0), Training::Ridge(f64::INFINITY)]
    {
        assert!(matches!(result(&kernel, training, len), Some(Error::OutOfRange { .. })), "{training:?}");
    }
    // the first two samples are equal
    let twins: Vec<f64> = (0..16).map(|e| kernel[e / 4 / 2 * 2 * 4 + e % 4 / 2 * 2]).collect();
    for training in [Training::Flow(f64::INFINITY), Training::Flow(1e300), Training::Ridge(1e-3)] {
        assert_eq!(result(&twins, training, len), None);
    }
    let saddle = [1.0, 2.0, 2.0, 1.0];
    let process = GaussianProcess::new(&Portable, square(&saddle), &mut buffer);
    assert_eq!(process.err(), Some(Error::IndefiniteKernel { eigenvalue: 0 }));
    let short = gaussian_process_len(4) - 1;
    let process = GaussianProcess::new(&Portable, square(&kernel), &mut buffer[..short]);
    assert!(matches!(process, Err(Error::BufferLength { .. })));
}
