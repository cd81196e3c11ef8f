//! Minima of penalized losses under a fixed kernel, beside limits of soft targets.

use ntkscope_core::init::Normals;
use ntkscope_core::kernel::AnalyticKernel::Ntk;
use ntkscope_core::loss::Loss;
use ntkscope_core::{MatMut, MatRef, Portable};
use ntkscope_tests::cases::{Samples, named};
use ntkscope_tests::golden::reference;
use ntkscope_tests::measure::{analytic_kernel, expanded, fixed_point, gram, predicted, soft_targets, targets};
use ntkscope_tests::tolerance::Check;

/// Outputs or targets `(n, 1)`.
pub(crate) fn column(values: &[f64]) -> Samples<f64> {
    Samples::from_values(values, 1)
}

/// The NTK of the five samples of the reference, its row of the test point and their f_0.
pub(crate) fn five() -> (Vec<f64>, Vec<f64>, Samples<f64>) {
    let golden = reference();
    let x = Samples::<f64>::from_rows(&golden.samples);
    let kernel = analytic_kernel(&Portable, &named("bias1", x.d, &[1, 1]), Ntk, &x, None);
    (kernel, golden.theory.k_test_row_ntk, column(&[0.3, -0.2, 0.1, 0.5, -0.4]))
}

/// r of the mean loss
fn residuals(loss: Loss, f: MatRef<'_, f64>, y: &Samples<f64>) -> Samples<f64> {
    let mut r = Samples::zeros(y.n, y.d);
    loss.residuals(f, y.view(), 0.0, MatMut::new(&mut r.values, y.n, y.d).expect("length")).expect("one shape");
    r
}

#[test]
fn penalized_minima_against_the_reference() {
    let theory = reference().theory;
    let (kernel, row, f_0) = five();
    let mut check = Check::named("penalized minimum against reference");
    // lam = 0.5 beside the sum of five losses
    let y = targets(Loss::CrossEntropy, &[0, 1, 0, 1, 1], 1, 0.0);
    fixed_point(&kernel, &y, Loss::CrossEntropy, 0.1, |problem| {
        problem.solve(f_0.view()).expect("a minimum");
        let expected = &theory.reg_ce_binary;
        check.all_scaled(&"logistic", &expected.train, problem.outputs().data());
        check.absolute(&"test", 0, expected.test, predicted(&row, &column(&[0.15]), problem.dual())[0]);
        check.absolute(&"|theta - theta_0|^2", 0, expected.dtheta2, problem.distance().powi(2));
        check.absolute(&"residual", 0, 0.0, problem.residual());
        assert!(problem.steps() < 10);
    });
    let y = targets(Loss::SquaredError, &[0, 1, 0, 1, 1], 1, 0.0);
    fixed_point(&kernel, &y, Loss::SquaredError, 0.1, |problem| {
        problem.solve(f_0.view()).expect("a minimum");
        check.all_scaled(&"ridge", &theory.ridge_mse.train, problem.outputs().data());
        check.absolute(&"test", 0, theory.ridge_mse.test, predicted(&row, &column(&[0.15]), problem.dual())[0]);
    });
    let y = targets(Loss::CrossEntropy, &[0, 1, 2, 1, 0], 3, 0.0);
    fixed_point(&expanded(&kernel, (5, 5), 3), &y, Loss::CrossEntropy, 0.1, |problem| {
        problem.solve(Samples::zeros(5, 3).view()).expect("a minimum");
        let expected = &theory.reg_ce_softmax;
        check.all_scaled(&"softmax", &expected.train.concat(), problem.outputs().data());
        let test = predicted(&expanded(&row, (1, 5), 3), &Samples::zeros(1, 3), problem.dual());
        check.all_scaled(&"test", &expected.test, &test);
    });
    check.finish();
}

/// Kernels of n samples of C outputs: shared, of nearly equal samples, coupled, singular.
fn kernels(n: usize, c: usize, seed: u64) -> Vec<(&'static str, Vec<f64>)> {
    let x: Samples<f64> = Samples::gaussian(n, 3, seed);
    let twins = x.select(&(0..n).map(|i| i / 2).collect::<Vec<_>>());
    let ntk =
        |x: &Samples<f64>| expanded(&analytic_kernel(&Portable, &named("bias1", 3, &[1, 1]), Ntk, x, None), (n, n), c);
    let size = n * c;
    vec![
        ("shared", ntk(&x)),
        ("twins", ntk(&twins)),
        ("coupled", gram(size, size + 3, 0.0, seed + 1)),
        ("coupled, singular", gram(size, size / 2 + 1, 0.0, seed + 2)),
        ("zero", vec![0.0; size * size]),
    ]
}

/// The losses with targets of n samples: hard, soft, and some of both.
fn problems(n: usize, seed: u64) -> Vec<(String, Loss, Samples<f64>)> {
    let mut normals = Normals::new(seed);
    let mut all = Vec::new();
    for (loss, c) in [(Loss::CrossEntropy, 1), (Loss::CrossEntropy, 3), (Loss::SquaredError, 2)] {
        let labels: Vec<usize> = (0..n).map(|_| (normals.draw().abs() * 10.0) as usize % c.max(2)).collect();
        let hard = targets(loss, &labels, c, 0.0);
        if loss == Loss::SquaredError {
            all.push(("squared error".into(), loss, hard));
            continue;
        }
        let soft = targets(loss, &labels, c, 0.2);
        let some = Samples { values: [&hard.values[..c], &soft.values[c..]].concat(), ..hard.clone() };
        for (name, y) in [("hard", hard), ("soft", soft), ("some hard", some)] {
            all.push((format!("{loss:?}, {name}"), loss, y));
        }
    }
    all
}

#[test]
fn minima_are_optimal() {
    let mut check = Check::named("optimality of penalized minima");
    let (mut distance, mut stated) = (Check::named("distance by the kernel"), Check::named("stated residual"));
    for (n, seed) in [(1, 1), (2, 2), (7, 3), (12, 4)] {
        for (name, loss, y) in problems(n, seed) {
            for (which, kernel) in kernels(n, y.d, seed) {
                for penalty in [1e-4, 1e-2, 1.0, 100.0] {
                    for scale in [0.0, 1.0, 1e3] {
                        let case = format!("{name}, {which}, n = {n}, penalty {penalty}, f_0 of size {scale}");
                        let mut f_0: Samples<f64> = Samples::gaussian(n, y.d, seed + 10);
                        f_0.values.iter_mut().for_each(|f| *f *= scale);
                        fixed_point(&kernel, &y, loss, penalty, |problem| {
                            problem.solve(f_0.view()).unwrap_or_else(|e| panic!("{case}: {e}"));
                            let f = problem.outputs().data().to_vec();
                            let mut g = residuals(loss, problem.outputs(), &y);
                            g.values.iter_mut().for_each(|r| *r /= -penalty);
                            let size = f.iter().fold(1.0, |m: f64, f| m.max(f.abs())).max(scale);
                            for (i, e) in predicted(&kernel, &f_0, g.view()).iter().enumerate() {
                                check.scaled(&case, i, *e, f[i], size);
                            }
                            for (i, e) in predicted(&kernel, &f_0, problem.dual()).iter().enumerate() {
                                check.scaled(&case, i, *e, f[i], size);
                            }
                            stated.scaled(&case, 0, 0.0, problem.residual(), size);
                            let moved: f64 = predicted(&kernel, &Samples::zeros(n, y.d), problem.dual())
                                .iter()
                                .zip(problem.dual().data())
                                .map(|(f, g)| f * g)
                                .sum();
                            let length = problem.distance();
                            distance.scaled(&case, 0, moved.max(0.0), length * length, 1.0 + length * length);
                        });
                    }
                }
            }
        }
    }
    check.finish();
    stated.finish();
    distance.finish();
}

#[test]
fn any_start_leads_to_the_minimum() {
    let mut check = Check::named("minima from random starts");
    let mut normals = Normals::new(77);
    let mut uniform =
        |low: f64, high: f64| low + (high - low) * (0.5 * (1.0 + libm::erf(normals.draw() / 2f64.sqrt())));
    let (mut most, mut total, mut hardest) = (0, 0, String::new());
    for trial in 0..1000 {
        let (n, c) = (uniform(1.0, 11.0) as usize, if trial % 2 == 0 { 1 } else { 3 });
        let loss = Loss::CrossEntropy;
        let smoothing = if trial % 4 < 2 { 0.0 } else { 0.1 };
        let labels: Vec<usize> = (0..n).map(|_| uniform(0.0, c.max(2) as f64) as usize).collect();
        let y = targets(loss, &labels, c, smoothing);
        let singular = trial % 3 == 0;
        let kernel = gram(n * c, if singular { n * c / 2 + 1 } else { n * c + 1 }, 0.0, trial);
        let scale = 10f64.powf(uniform(-2.0, 4.0));
        let kernel: Vec<f64> = kernel.iter().map(|k| k * scale).collect();
        let penalty = 10f64.powf(uniform(-7.0, 1.0)) * scale;
        let (size, reach) = (10f64.powf(uniform(0.0, 5.0)), 10f64.powf(uniform(0.0, 5.0)));
        let mut f_0: Samples<f64> = Samples::gaussian(n, c, trial + 5000);
        f_0.values.iter_mut().for_each(|f| *f *= size);
        let case = format!(
            "trial {trial}: n = {n}, C = {c}, kernel {scale:.1e}, penalty {penalty:.1e}, f_0 {size:.1e}, z {reach:.1e}"
        );
        fixed_point(&kernel, &y, loss, penalty, |problem| {
            problem.solve(f_0.view()).unwrap_or_else(|e| panic!("{case}: {e}"));
            let expected = problem.outputs().data().to_vec();
            let (from_0, start) = (problem.steps(), Samples::<f64>::gaussian(problem.rank(), 1, trial + 9000));
            let start: Vec<f64> = start.values.iter().map(|z| z * reach).collect();
            problem.solve_from(f_0.view(), &start).unwrap_or_else(|e| panic!("{case}: {e}"));
            check.all_scaled(&case, &expected, problem.outputs().data());
            for steps in [from_0, problem.steps()] {
                total += steps;
                if steps > most {
                    (most, hardest) = (steps, case.clone());
                }
            }
        });
    }
    println!("Newton steps: mean {:.1}, most {most} ({hardest})", total as f64 / 2000.0);
    assert!(most < 200, "{hardest}: {most} steps");
    check.finish();
}

#[test]
fn classes_keep_their_sum_at_the_minimum() {
    let x: Samples<f64> = Samples::gaussian(13, 3, 60);
    let (train, test) = (x.select(&[0, 1, 2, 3, 4, 5, 6, 7]), x.select(&[8, 9, 10, 11, 12]));
    let network = named("bias1", 3, &[1, 1]);
    let kernel = expanded(&analytic_kernel(&Portable, &network, Ntk, &train, None), (8, 8), 3);
    let cross = expanded(&analytic_kernel(&Portable, &network, Ntk, &test, Some(&train)), (5, 8), 3);
    let (f_0, f_0_test) = (Samples::<f64>::gaussian(8, 3, 61), Samples::<f64>::gaussian(5, 3, 62));
    let mut check = Check::named("sum over the classes at the minimum");
    let sum = |row: &[f64]| row.iter().sum::<f64>();
    let mut compare = |case: &str, before: &[f64], after: &[f64]| {
        for (i, (before, after)) in before.chunks(3).zip(after.chunks(3)).enumerate() {
            check.absolute(&case, i, sum(before), sum(after));
        }
    };
    let labels = [0, 1, 2, 1, 0, 2, 2, 1];
    for penalty in [1e-4, 1e-2, 1.0] {
        let y = targets(Loss::CrossEntropy, &labels, 3, 0.0);
        fixed_point(&kernel, &y, Loss::CrossEntropy, penalty, |problem| {
            problem.solve(f_0.view()).expect("a minimum");
            compare("penalty, train", &f_0.values, problem.outputs().data());
            compare("penalty, test", &f_0_test.values, &predicted(&cross, &f_0_test, problem.dual()));
        });
    }
    soft_targets(&kernel, &targets(Loss::CrossEntropy, &labels, 3, 0.1), Loss::CrossEntropy, |problem| {
        problem.solve(f_0.view()).expect("a limit");
        compare("soft, train", &f_0.values, problem.outputs().data());
        compare("soft, test", &f_0_test.values, &predicted(&cross, &f_0_test, problem.dual()));
    });
    check.finish();
}

#[test]
fn a_small_penalty_is_none() {
    // f of LAMBDA differs from the limit by O(LAMBDA)
    let mut check = Check::named("penalty of 1e-9");
    let (kernel, row, f_0) = five();
    let y = targets(Loss::CrossEntropy, &[0, 1, 0, 1, 1], 1, 0.1);
    let mut limit = Vec::new();
    soft_targets(&kernel, &y, Loss::CrossEntropy, |problem| {
        problem.solve(f_0.view()).expect("a limit");
        limit.extend_from_slice(problem.outputs().data());
        limit.extend(predicted(&row, &column(&[0.15]), problem.dual()));
    });
    fixed_point(&kernel, &y, Loss::CrossEntropy, 1e-9, |problem| {
        problem.solve(f_0.view()).expect("a minimum");
        let test = predicted(&row, &column(&[0.15]), problem.dual());
        check.all_scaled(&"outputs", &limit, &[problem.outputs().data(), &test].concat());
    });
    check.finish();
}

#[test]
fn single_precision() {
    let mut check = Check::named("penalized minimum, f32");
    for (loss, c) in [(Loss::CrossEntropy, 1), (Loss::CrossEntropy, 3)] {
        let x: Samples<f64> = Samples::gaussian(6, 3, 70);
        let kernel = expanded(&analytic_kernel(&Portable, &named("bias1", 3, &[1, 1]), Ntk, &x, None), (6, 6), c);
        let (f_0, narrow) = (Samples::<f64>::gaussian(6, c, 71), kernel.iter().map(|k| *k as f32).collect::<Vec<_>>());
        for penalty in [1e-3, 0.1] {
            let y = targets(loss, &[0, 1, 1, 0, 1, 0], c, 0.0);
            let mut expected = Vec::new();
            fixed_point(&kernel, &y, loss, penalty, |problem| {
                problem.solve(f_0.view()).expect("a minimum");
                expected.extend_from_slice(problem.outputs().data());
            });
            fixed_point(&narrow, &y.map::<f32>(), loss, penalty, |problem| {
                problem.solve(f_0.map::<f32>().view()).expect("a minimum");
                let f: Vec<f64> = problem.outputs().data().iter().map(|f| f64::from(*f)).collect();
                check.all_scaled(&format!("{loss:?}, penalty {penalty}"), &expected, &f);
            });
        }
    }
    check.finish();
}
