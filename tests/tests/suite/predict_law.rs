//! Laws of predictors over random initializations, and draws from Gaussian processes.

use ntkscope_core::init::Normals;
use ntkscope_core::kernel::AnalyticKernel::{Nngp, Ntk};
use ntkscope_core::loss::Loss;
use ntkscope_core::predict::{
    GaussianProcess, Joint, KernelRegression, Training, draw_fixed_point, gaussian_process_len, laplace_covariance,
    mean, regression_len, smoother, smoother_len,
};
use ntkscope_core::{Error, MatMut, MatRef, Portable};
use ntkscope_tests::cases::{Samples, named};
use ntkscope_tests::golden::{PenalisedLaw, distribution, reference};
use ntkscope_tests::measure::{
    analytic_kernel, covariance_of, eigenvalues, expanded, fixed_point, gram, predicted, smoother_at, smoother_of,
    soft_targets, square, targets,
};
use ntkscope_tests::tolerance::{Check, same_bits};

/// Draws enough for 1 %; fewer, for 4 %, in debug builds.
const DRAWS: usize = if cfg!(debug_assertions) { 10_000 } else { 200_000 };

fn drawn() -> Check {
    if cfg!(debug_assertions) { Check::of("moments of fewer draws") } else { Check::of("moments of draws") }
}

/// Stacked NNGP and NTK of bias1 with two hidden layers.
fn stacked(x: &Samples<f64>) -> (Vec<f64>, Vec<f64>) {
    let network = named("bias1", x.d, &[1, 1]);
    (analytic_kernel(&Portable, &network, Nngp, x, None), analytic_kernel(&Portable, &network, Ntk, x, None))
}

fn joint(kernel: &[f64], train: usize) -> Joint<'_, f64> {
    Joint::new(square(kernel), train).expect("square")
}

/// The five samples of the reference, its test point and three more.
fn nine() -> Samples<f64> {
    let mut rows = reference().samples;
    rows.extend([[0.2, 0.3, 0.9], [-0.5, 0.4, 0.1], [1.2, -0.3, 0.4], [0.0, -1.0, 0.3]].map(|x| x.to_vec()));
    Samples::from_rows(&rows)
}

/// A y of several outputs, row-major.
fn mean_of(a: &[f64], y: &Samples<f64>) -> Vec<f64> {
    let m = a.len() / y.n;
    let mut out = vec![f64::NAN; m * y.d];
    let a = MatRef::new(a, m, y.n).expect("length");
    mean(&Portable, a, y.view(), MatMut::new(&mut out, m, y.d).expect("length")).expect("shapes");
    out
}

/// Outputs that meet the targets.
fn met(loss: Loss, y: &Samples<f64>) -> Samples<f64> {
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
    let mut check = Check::of("law against reference");
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
    let mut check = Check::of("ridge by the minimum");
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

/// Calls `body` with mean and covariance `(mC)` of `DRAWS` predictions of `predict`, which gets draws of f_0 `(n + m, C)`.
fn moments(
    nngp: &[f64],
    outputs: usize,
    draws: usize,
    mut predict: impl FnMut(&Samples<f64>) -> Vec<f64>,
) -> (Vec<f64>, Vec<f64>) {
    let n = nngp.len().isqrt();
    let mut buffer = vec![f64::NAN; gaussian_process_len(n)];
    let mut process = GaussianProcess::new(&Portable, square(nngp), &mut buffer).expect("a covariance");
    let (mut normals, mut f_0) = (Normals::new(2024), Samples::zeros(n, outputs));
    let (mut sum, mut products) = (Vec::new(), Vec::new());
    for _ in 0..draws {
        let out = MatMut::new(&mut f_0.values, n, outputs).expect("length");
        process.draw(&Portable, &mut normals, out).expect("shapes");
        add_moments(&predict(&f_0), &mut sum, &mut products);
    }
    finish_moments(draws, sum, products)
}

fn add_moments(f: &[f64], sum: &mut Vec<f64>, products: &mut Vec<f64>) {
    sum.resize(f.len(), 0.0);
    products.resize(f.len() * f.len(), 0.0);
    for (i, x) in f.iter().enumerate() {
        sum[i] += x;
        f.iter().enumerate().for_each(|(j, y)| products[i * f.len() + j] += x * y);
    }
}

fn finish_moments(draws: usize, sum: Vec<f64>, products: Vec<f64>) -> (Vec<f64>, Vec<f64>) {
    let m = sum.len();
    let mean: Vec<f64> = sum.iter().map(|s| s / draws as f64).collect();
    let covariance = (0..m * m).map(|e| products[e] / draws as f64 - mean[e / m] * mean[e % m]).collect();
    (mean, covariance)
}

#[test]
fn laws_by_drawing() {
    let x = nine();
    let (nngp, ntk) = stacked(&x);
    let (s, t) = (joint(&nngp, 5), joint(&ntk, 5));
    let train: Vec<f64> = (0..25).map(|e| t.train().at(e / 5, e % 5)).collect();
    let cross: Vec<f64> = (0..20).map(|e| t.cross().at(e / 5, e % 5)).collect();
    let mut check = drawn();
    let mut compare = |case: &str, (mean, covariance): (&[f64], &[f64]), drawn: (Vec<f64>, Vec<f64>)| {
        check.all_scaled(&format!("{case}: mean"), mean, &drawn.0);
        check.all_scaled(&format!("{case}: covariance"), covariance, &drawn.1);
    };
    let split = |f_0: &Samples<f64>| (f_0.select(&[0, 1, 2, 3, 4]), f_0.select(&[5, 6, 7, 8]));
    let y = Samples::from_values(&[-1.0, 1.0, -1.0, 1.0, 1.0], 1);
    for time in [3.0, f64::INFINITY] {
        let a = smoother_of(t, Training::Flow(time));
        let mut buffer = vec![0.0; regression_len(5, 1)];
        let drawn = moments(&nngp, 1, DRAWS, |f_0| {
            let (f_0, f_0_test) = split(f_0);
            let regression = KernelRegression::new(&Portable, square(&train), f_0.view(), y.view(), &mut buffer);
            predicted(&cross, &f_0_test, regression.expect("shapes").dual(&Portable, time).expect("regular"))
        });
        compare(&format!("squared error, t = {time}"), (&mean_of(&a, &y), &covariance_of(s, &a)), drawn);
    }
    let a = smoother_of(t, Training::Ridge(0.1));
    let drawn = fixed_point(&train, &y, Loss::SquaredError, 0.1, |problem| {
        moments(&nngp, 1, DRAWS, |f_0| {
            let (f_0, f_0_test) = split(f_0);
            problem.solve(f_0.view()).expect("a minimum");
            predicted(&cross, &f_0_test, problem.dual())
        })
    });
    compare("ridge", (&mean_of(&a, &y), &covariance_of(s, &a)), drawn);
    let a = smoother_of(t, Training::Flow(f64::INFINITY));
    let q = targets(Loss::Logistic, &[0, 1, 0, 1, 1], 1, 0.2);
    let drawn = soft_targets(&train, &q, Loss::Logistic, |problem| {
        moments(&nngp, 1, DRAWS, |f_0| {
            let (f_0, f_0_test) = split(f_0);
            problem.solve(f_0.view()).expect("a limit");
            predicted(&cross, &f_0_test, problem.dual())
        })
    });
    compare("soft labels", (&mean_of(&a, &met(Loss::Logistic, &q)), &covariance_of(s, &a)), drawn);
    // centred logits of three classes: mean A y_c, covariance cov (x) P
    let q = targets(Loss::Softmax, &[0, 1, 2, 1, 0], 3, 0.2);
    let (train, cross) = (expanded(&train, (5, 5), 3), expanded(&cross, (4, 5), 3));
    let drawn = soft_targets(&train, &q, Loss::Softmax, |problem| {
        moments(&nngp, 3, DRAWS, |f_0| {
            let (f_0, f_0_test) = split(f_0);
            problem.solve(f_0.view()).expect("a limit");
            let f = predicted(&cross, &f_0_test, problem.dual());
            f.chunks(3).flat_map(|f| f.iter().map(|x| x - f.iter().sum::<f64>() / 3.0)).collect()
        })
    });
    let one = covariance_of(s, &a);
    let centred = |e: usize| {
        let (i, j) = (e / 12, e % 12);
        one[i / 3 * 4 + j / 3] * (if i % 3 == j % 3 { 2.0 / 3.0 } else { -1.0 / 3.0 })
    };
    let covariance: Vec<f64> = (0..144).map(centred).collect();
    compare("three classes", (&mean_of(&a, &met(Loss::Softmax, &q)), &covariance), drawn);
    check.finish();
}

/// Delta method and Laplace approximation at the solution from f_0 = 0, against their reference.
fn penalised(case: &str, x: &Samples<f64>, y: &Samples<f64>, loss: Loss, expected: &PenalisedLaw, check: &mut Check) {
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
    let mut check = Check::of("penalised law against reference");
    let y = targets(Loss::Logistic, &golden.labels, 1, 0.0);
    for expected in &golden.binary {
        penalised(&format!("binary, lam {}", expected.lam), &x, &y, Loss::Logistic, expected, &mut check);
    }
    let y = targets(Loss::Softmax, &(0..12).map(|i| i % 3).collect::<Vec<_>>(), 3, 0.0);
    let x = x.select(&(0..14).collect::<Vec<_>>());
    for expected in &golden.softmax {
        penalised(&format!("softmax, lam {}", expected.lam), &x, &y, Loss::Softmax, expected, &mut check);
    }
    check.finish();
    // an ensemble is far surer than the Laplace approximation says
    let sd = |law: &[Vec<f64>]| law[0][0].sqrt();
    let law = &golden.binary[0];
    assert!((sd(&law.delta) - 0.55).abs() < 0.005 && (sd(&law.laplace) - 2.93).abs() < 0.005);
}

/// Standard deviations of draws against those of a covariance.
fn compare_deviations(case: &str, covariance: &[f64], drawn: &[f64], check: &mut Check) {
    let m = covariance.len().isqrt();
    for i in 0..m {
        check.relative(&case, i, covariance[i * m + i].sqrt(), drawn[i * m + i].sqrt());
    }
}

#[test]
fn delta_method_by_drawing() {
    let golden = distribution();
    let x = Samples::<f64>::from_rows(&golden.samples);
    let (nngp, ntk) = stacked(&x);
    let t = joint(&ntk, 12);
    let mut check = Check::of("delta method against draws");
    for (loss, c, laws) in [(Loss::Logistic, 1, &golden.binary), (Loss::Softmax, 3, &golden.softmax)] {
        let labels = if c == 1 { golden.labels.clone() } else { (0..12).map(|i| i % 3).collect() };
        let y = targets(loss, &labels, c, 0.0);
        let train: Vec<f64> = (0..144).map(|e| t.train().at(e / 12, e % 12)).collect();
        let cross: Vec<f64> = (0..84).map(|e| t.cross().at(e / 12, e % 12)).collect();
        let (train, cross) = (expanded(&train, (12, 12), c), expanded(&cross, (7, 12), c));
        let cross = MatRef::new(&cross, 7 * c, 12 * c).expect("length");
        for law in laws {
            let mut buffer = vec![f64::NAN; gaussian_process_len(19)];
            let mut process = GaussianProcess::new(&Portable, square(&nngp), &mut buffer).expect("a covariance");
            let (mut normals, mut f_0, mut f) = (Normals::new(7), Samples::<f64>::zeros(19, c), Samples::zeros(7, c));
            let (mut sum, mut products) = (Vec::new(), Vec::new());
            let draws = DRAWS / 10;
            fixed_point(&train, &y, loss, law.lam / 12.0, |problem| {
                for _ in 0..draws {
                    let all = MatMut::new(&mut f_0.values, 19, c).expect("length");
                    let out = MatMut::new(&mut f.values, 7, c).expect("length");
                    draw_fixed_point(&Portable, (&mut process, &mut normals), problem, cross, all, out).expect("drawn");
                    // the softmax reference has the first two test points
                    add_moments(&f.values[..law.outputs.len()], &mut sum, &mut products);
                }
            });
            let (mean, drawn) = finish_moments(draws, sum, products);
            let case = format!("{loss:?}, lam {}", law.lam);
            compare_deviations(&case, &law.delta.concat(), &drawn, &mut check);
            println!("{case}: mean {mean:.3?}, from f_0 = 0 {:.3?}", law.outputs);
        }
    }
    check.finish();
}

#[test]
fn covariances_are_positive_semidefinite() {
    let x = nine();
    // training samples among the test samples: singular
    let all = x.select(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 5]);
    let mut check = Check::of("negative eigenvalue of a covariance");
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
    fixed_point(&train, &targets(Loss::Logistic, &[0, 1, 0, 1, 1], 1, 0.0), Loss::Logistic, 1e-3, |problem| {
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
fn draws_have_their_covariance() {
    let x = nine();
    // the last sample is the first
    let x = x.select(&[0, 1, 2, 5, 6, 0]);
    let (nngp, _) = stacked(&x);
    let mut check = drawn();
    let (mean, covariance) = moments(&nngp, 1, DRAWS, |f| f.values.clone());
    check.all_scaled(&"covariance", &nngp, &covariance);
    mean.iter().for_each(|mean| check.scaled(&"mean", 0, 0.0, *mean, nngp[0].sqrt()));
    check.finish();
    let mut buffer = vec![f64::NAN; gaussian_process_len(6)];
    let mut process = GaussianProcess::new(&Portable, square(&nngp), &mut buffer).expect("a covariance");
    let mut draw = |seed: u64, columns: usize| {
        let mut f = vec![f64::NAN; 6 * columns];
        let out = MatMut::new(&mut f, 6, columns).expect("length");
        process.draw(&Portable, &mut Normals::new(seed), out).expect("shapes");
        f
    };
    let (one, again, three) = (draw(3, 1), draw(3, 1), draw(3, 3));
    same_bits(&"the same seed", &one, &again);
    same_bits(&"the first column", &one, &three.chunks(3).map(|f| f[0]).collect::<Vec<_>>());
    assert!(one != draw(4, 1));
    assert_eq!(
        [one[0].to_bits(), one[3].to_bits()],
        [0x3ff2_3a6a_e03b_ac2d, 0xbfb3_8bde_20ba_7f68],
        "on every machine"
    );
    assert!((one[0] - one[5]).abs() < 1e-14, "equal samples have equal values: {one:?}");
    let deviates: Vec<f64> = {
        let mut normals = Normals::new(3);
        (0..6).map(|_| normals.draw()).collect()
    };
    // of a diagonal covariance: the deviates themselves, by ascending variance, up to signs
    let diagonal: Vec<f64> = (0..36).map(|e| if e % 7 == 0 { 1.0 + (e / 7) as f64 } else { 0.0 }).collect();
    let mut process = GaussianProcess::new(&Portable, square(&diagonal), &mut buffer).expect("a covariance");
    let mut f = [f64::NAN; 6];
    process.draw(&Portable, &mut Normals::new(3), MatMut::new(&mut f, 6, 1).expect("length")).expect("shapes");
    for (i, f) in f.iter().enumerate() {
        assert_eq!(f.abs(), (deviates[i] * (1.0 + i as f64).sqrt()).abs());
    }
}

#[test]
fn laws_that_do_not_fit_are_refused() {
    let kernel = gram(4, 6, 0.0, 5);
    assert!(matches!(Joint::new(square(&kernel), 5), Err(Error::BufferLength { .. })));
    assert!(matches!(Joint::new(MatRef::new(&kernel, 2, 8).expect("length"), 1), Err(Error::Shape { .. })));
    let (mut out, mut buffer) = ([0.0; 3], vec![0.0; smoother_len(3, 1).max(gaussian_process_len(4))]);
    let mut result = |kernel: &[f64], training, len: usize| {
        let out = MatMut::new(&mut out, 1, 3).expect("length");
        smoother(&Portable, joint(kernel, 3), training, out, &mut buffer[..len]).err()
    };
    let len = smoother_len(3, 1);
    assert_eq!(result(&kernel, Training::Flow(1.0), len), None);
    assert!(matches!(result(&kernel, Training::Flow(1.0), len - 1), Some(Error::BufferLength { .. })));
    for training in
        [Training::Flow(-1.0), Training::Flow(f64::NAN), Training::Ridge(0.0), Training::Ridge(f64::INFINITY)]
    {
        assert!(matches!(result(&kernel, training, len), Some(Error::OutOfRange { .. })), "{training:?}");
    }
    // the first two samples are equal
    let twins: Vec<f64> = (0..16).map(|e| kernel[e / 4 / 2 * 2 * 4 + e % 4 / 2 * 2]).collect();
    let singular = Some(Error::SingularKernel { eigenvalue: 0 });
    assert_eq!(result(&twins, Training::Flow(f64::INFINITY), len), singular);
    assert_eq!(result(&twins, Training::Flow(1e300), len), None);
    assert_eq!(result(&twins, Training::Ridge(1e-3), len), None);
    let saddle = [1.0, 2.0, 2.0, 1.0];
    let process = GaussianProcess::new(&Portable, square(&saddle), &mut buffer);
    assert_eq!(process.err(), Some(Error::IndefiniteKernel { eigenvalue: 0 }));
    let short = gaussian_process_len(4) - 1;
    let process = GaussianProcess::new(&Portable, square(&kernel), &mut buffer[..short]);
    assert!(matches!(process, Err(Error::BufferLength { .. })));
}
