//! Draws from Gaussian processes, and laws of predictors by drawing.

use ntkscope_core::init::Normals;
use ntkscope_core::loss::Loss;
use ntkscope_core::predict::{
    GaussianProcess, KernelRegression, Training, draw_fixed_point, gaussian_process_len, regression_len,
};
use ntkscope_core::{MatMut, MatRef, Portable};
use ntkscope_tests::cases::Samples;
use ntkscope_tests::golden::distribution;
use ntkscope_tests::measure::{
    covariance_of, expanded, fixed_point, predicted, smoother_of, soft_targets, square, targets,
};
use ntkscope_tests::tolerance::{Check, same_bits};

use crate::predict_law::{joint, mean_of, met, nine, stacked};

/// Draws enough for 1 %; fewer, for 4 %, in debug builds.
const DRAWS: usize = if cfg!(debug_assertions) { 10_000 } else { 200_000 };

fn drawn() -> Check {
    if cfg!(debug_assertions) { Check::named("moments of fewer draws") } else { Check::named("moments of draws") }
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
    let q = targets(Loss::CrossEntropy, &[0, 1, 0, 1, 1], 1, 0.2);
    let drawn = soft_targets(&train, &q, Loss::CrossEntropy, |problem| {
        moments(&nngp, 1, DRAWS, |f_0| {
            let (f_0, f_0_test) = split(f_0);
            problem.solve(f_0.view()).expect("a limit");
            predicted(&cross, &f_0_test, problem.dual())
        })
    });
    compare("soft labels", (&mean_of(&a, &met(Loss::CrossEntropy, &q)), &covariance_of(s, &a)), drawn);
    // centred logits of three classes: mean A y_c, covariance cov (x) P
    let q = targets(Loss::CrossEntropy, &[0, 1, 2, 1, 0], 3, 0.2);
    let (train, cross) = (expanded(&train, (5, 5), 3), expanded(&cross, (4, 5), 3));
    let drawn = soft_targets(&train, &q, Loss::CrossEntropy, |problem| {
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
    compare("three classes", (&mean_of(&a, &met(Loss::CrossEntropy, &q)), &covariance), drawn);
    check.finish();
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
    let mut check = Check::named("delta method against draws");
    for (loss, c, laws) in [(Loss::CrossEntropy, 1, &golden.binary), (Loss::CrossEntropy, 3, &golden.softmax)] {
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
                    draw_fixed_point(&Portable, &mut process, &mut normals, problem, cross, all, out).expect("drawn");
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
