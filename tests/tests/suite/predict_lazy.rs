//! Minima of penalised losses, and soft targets, under a fixed kernel.

use ntkscope_core::init::Normals;
use ntkscope_core::kernel::AnalyticKernel::Ntk;
use ntkscope_core::loss::Loss;
use ntkscope_core::predict::{FixedPoint, SoftTargets, fixed_point_len, soft_targets_len};
use ntkscope_core::{Error, MatMut, MatRef, Portable};
use ntkscope_tests::cases::{SIX_LABELS, Samples, named, six_points};
use ntkscope_tests::golden::reference;
use ntkscope_tests::measure::{
    analytic_kernel, expanded, fixed_point, gram, kernel_flow, predicted, soft_targets, square, targets,
};
use ntkscope_tests::tolerance::Check;

fn column(values: &[f64]) -> Samples<f64> {
    Samples::from_values(values, 1)
}

/// The NTK of the five samples of the reference, its row of the test point and their f_0.
fn five() -> (Vec<f64>, Vec<f64>, Samples<f64>) {
    let golden = reference();
    let x = Samples::<f64>::from_rows(&golden.samples);
    let kernel = analytic_kernel(&Portable, &named("bias1", x.d, &[1, 1]), Ntk, &x, None);
    (kernel, golden.theory.k_test_row_ntk, column(&[0.3, -0.2, 0.1, 0.5, -0.4]))
}

/// r of the mean loss
fn residuals(loss: Loss, f: MatRef<'_, f64>, y: &Samples<f64>) -> Samples<f64> {
    let mut r = Samples::zeros(y.n, y.d);
    loss.residuals(f, y.view(), 0.0, MatMut::new(&mut r.values, y.n, y.d).expect("length"));
    r
}

#[test]
fn penalised_minima_against_the_reference() {
    let theory = reference().theory;
    let (kernel, row, f_0) = five();
    let mut check = Check::of("penalised minimum against reference");
    // lam = 0.5 beside the sum of five losses
    let y = targets(Loss::Logistic, &[0, 1, 0, 1, 1], 1, 0.0);
    fixed_point(&kernel, &y, Loss::Logistic, 0.1, |problem| {
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
    let y = targets(Loss::Softmax, &[0, 1, 2, 1, 0], 3, 0.0);
    fixed_point(&expanded(&kernel, (5, 5), 3), &y, Loss::Softmax, 0.1, |problem| {
        problem.solve(Samples::zeros(5, 3).view()).expect("a minimum");
        let expected = &theory.reg_ce_softmax;
        check.all_scaled(&"softmax", &expected.train.concat(), problem.outputs().data());
        let test = predicted(&expanded(&row, (1, 5), 3), &Samples::zeros(1, 3), problem.dual());
        check.all_scaled(&"test", &expected.test, &test);
    });
    check.finish();
}

#[test]
fn soft_targets_against_the_reference() {
    let expected = reference().theory.soft_label_binary;
    let (kernel, row, f_0) = five();
    let mut check = Check::of("soft targets against reference");
    let y = targets(Loss::Logistic, &[0, 1, 0, 1, 1], 1, 0.1);
    soft_targets(&kernel, &y, Loss::Logistic, |problem| {
        problem.solve(f_0.view()).expect("a limit");
        check.all_scaled(&"train", &expected.train, problem.outputs().data());
        check.absolute(&"test", 0, expected.test, predicted(&row, &column(&[0.15]), problem.dual())[0]);
        check.relative(&"|theta - theta_0|^2", 0, expected.dtheta2, problem.distance().powi(2));
        assert_eq!(problem.steps(), 0, "in closed form");
    });
    // ln(1 + C (1 - eps)/eps) between the logits of C = 4 classes
    let y = targets(Loss::Softmax, &[3, 1, 2, 1, 0], 4, 0.1);
    soft_targets(&expanded(&kernel, (5, 5), 4), &y, Loss::Softmax, |problem| {
        problem.solve(Samples::gaussian(5, 4, 9).view()).expect("a limit");
        let f = problem.outputs();
        check.absolute(&"gap", 0, 37f64.ln(), f.at(0, 3) - f.at(0, 0));
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
    for (loss, c) in [(Loss::Logistic, 1), (Loss::Softmax, 3), (Loss::SquaredError, 2)] {
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
    let mut check = Check::of("optimality of penalised minima");
    let (mut distance, mut stated) = (Check::of("distance by the kernel"), Check::of("stated residual"));
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
    let mut check = Check::of("minima from random starts");
    let mut normals = Normals::new(77);
    let mut uniform =
        |low: f64, high: f64| low + (high - low) * (0.5 * (1.0 + libm::erf(normals.draw() / 2f64.sqrt())));
    let (mut most, mut total, mut hardest) = (0, 0, String::new());
    for trial in 0..1000 {
        let (n, c) = (uniform(1.0, 11.0) as usize, if trial % 2 == 0 { 1 } else { 3 });
        let loss = if c == 1 { Loss::Logistic } else { Loss::Softmax };
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
fn the_flow_ends_in_the_limit() {
    let mut check = Check::of("limit of the kernel flow");
    let x: Samples<f64> = Samples::gaussian(6, 3, 40);
    let twins = x.select(&[0, 1, 1, 2, 3, 0]);
    for (loss, c) in [(Loss::Logistic, 1), (Loss::Softmax, 3)] {
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
    let mut check = Check::of("logit of the mean target");
    let x: Samples<f64> = Samples::gaussian(3, 3, 50);
    // three equal samples of labels 1, 0, 1; two of labels 0, 1; one of a soft label
    let x = x.select(&[0, 0, 0, 1, 1, 2]);
    let network = named("bias1", 3, &[1, 1]);
    let kernel = analytic_kernel(&Portable, &network, Ntk, &x, None);
    let logit = |q: f64| (q / (1.0 - q)).ln();
    let y = column(&[1.0, 0.0, 1.0, 0.0, 1.0, 0.8]);
    let expected = [2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 0.5, 0.5, 0.8].map(logit);
    soft_targets(&kernel, &y, Loss::Logistic, |problem| {
        for f_0 in [0.0, 3.0, -1e3, 1e6] {
            problem.solve(column(&[f_0; 6]).view()).expect("a limit");
            for (i, (e, f)) in expected.iter().zip(problem.outputs().data()).enumerate() {
                check.scaled(&f_0, i, *e, *f, 1.0 + f_0.abs());
            }
        }
    });
    let y = targets(Loss::Softmax, &[0, 1, 2, 2, 0, 1], 3, 0.0);
    let mut y = Samples { values: y.values, ..y };
    y.values[9..15].copy_from_slice(&[0.5, 0.5, 0.0, 0.0, 0.0, 1.0]);
    y.values[15..].copy_from_slice(&[0.2, 0.3, 0.5]);
    soft_targets(&expanded(&kernel, (6, 6), 3), &y, Loss::Softmax, |problem| {
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

#[test]
fn classes_keep_their_sum_at_the_minimum() {
    let x: Samples<f64> = Samples::gaussian(13, 3, 60);
    let (train, test) = (x.select(&[0, 1, 2, 3, 4, 5, 6, 7]), x.select(&[8, 9, 10, 11, 12]));
    let network = named("bias1", 3, &[1, 1]);
    let kernel = expanded(&analytic_kernel(&Portable, &network, Ntk, &train, None), (8, 8), 3);
    let cross = expanded(&analytic_kernel(&Portable, &network, Ntk, &test, Some(&train)), (5, 8), 3);
    let (f_0, f_0_test) = (Samples::<f64>::gaussian(8, 3, 61), Samples::<f64>::gaussian(5, 3, 62));
    let mut check = Check::of("sum over the classes at the minimum");
    let sum = |row: &[f64]| row.iter().sum::<f64>();
    let mut compare = |case: &str, before: &[f64], after: &[f64]| {
        for (i, (before, after)) in before.chunks(3).zip(after.chunks(3)).enumerate() {
            check.absolute(&case, i, sum(before), sum(after));
        }
    };
    let labels = [0, 1, 2, 1, 0, 2, 2, 1];
    for penalty in [1e-4, 1e-2, 1.0] {
        let y = targets(Loss::Softmax, &labels, 3, 0.0);
        fixed_point(&kernel, &y, Loss::Softmax, penalty, |problem| {
            problem.solve(f_0.view()).expect("a minimum");
            compare("penalty, train", &f_0.values, problem.outputs().data());
            compare("penalty, test", &f_0_test.values, &predicted(&cross, &f_0_test, problem.dual()));
        });
    }
    soft_targets(&kernel, &targets(Loss::Softmax, &labels, 3, 0.1), Loss::Softmax, |problem| {
        problem.solve(f_0.view()).expect("a limit");
        compare("soft, train", &f_0.values, problem.outputs().data());
        compare("soft, test", &f_0_test.values, &predicted(&cross, &f_0_test, problem.dual()));
    });
    check.finish();
}

#[test]
fn a_small_penalty_is_none() {
    // f of LAMBDA differs from the limit by O(LAMBDA)
    let mut check = Check::of("penalty of 1e-9");
    let (kernel, row, f_0) = five();
    let y = targets(Loss::Logistic, &[0, 1, 0, 1, 1], 1, 0.1);
    let mut limit = Vec::new();
    soft_targets(&kernel, &y, Loss::Logistic, |problem| {
        problem.solve(f_0.view()).expect("a limit");
        limit.extend_from_slice(problem.outputs().data());
        limit.extend(predicted(&row, &column(&[0.15]), problem.dual()));
    });
    fixed_point(&kernel, &y, Loss::Logistic, 1e-9, |problem| {
        problem.solve(f_0.view()).expect("a minimum");
        let test = predicted(&row, &column(&[0.15]), problem.dual());
        check.all_scaled(&"outputs", &limit, &[problem.outputs().data(), &test].concat());
    });
    check.finish();
}

#[test]
fn where_there_is_no_solution() {
    let hard = |kernel: &[f64], y: &Samples<f64>, loss| {
        let mut buffer = vec![0.0; soft_targets_len(y.n, y.d)];
        let limit = SoftTargets::new(&Portable, square(kernel), y.view(), loss, &mut buffer).err();
        let unpenalised = FixedPoint::new(&Portable, square(kernel), y.view(), loss, 0.0, &mut buffer).err();
        (limit, unpenalised)
    };
    let (kernel, ..) = five();
    let none = |sample| Some(Error::NoFiniteSolution { sample });
    let y = column(&[0.5, 0.5, 0.5, 1.0, 0.0]);
    assert_eq!(hard(&kernel, &y, Loss::Logistic), (none(3), none(3)));
    // one impossible class is enough
    let mut y = targets(Loss::Softmax, &[0, 1, 2, 1, 0], 3, 0.2);
    y.values[3..6].copy_from_slice(&[0.5, 0.5, 0.0]);
    assert_eq!(hard(&expanded(&kernel, (5, 5), 3), &y, Loss::Softmax), (none(1), none(1)));
    // equal samples 0 and 1 agree, 2 and 3 do not; the fourth eigenvalue is that of the last sample
    let x: Samples<f64> = Samples::gaussian(3, 3, 50);
    let twins = analytic_kernel(&Portable, &named("bias1", 3, &[1, 1]), Ntk, &x.select(&[0, 0, 1, 1, 2]), None);
    assert_eq!(hard(&twins, &column(&[1.0, 1.0, 0.0, 1.0, 0.5]), Loss::Logistic), (none(0), none(0)));
    // the kernel vanishes along the labels: of the six eigenvalues four are 0, and none belongs to equal samples
    let six = analytic_kernel(&Portable, &named("lin0", 2, &[1]), Ntk, &six_points(), None);
    let y = targets(Loss::Logistic, &SIX_LABELS, 1, 0.0);
    let (limit, _) = hard(&six, &y, Loss::Logistic);
    assert!(matches!(limit, Some(Error::SingularKernel { .. })), "{limit:?}");
    println!("six points: {}", limit.expect("an error"));
    // soft labels along it cannot be met, but have a least loss: f = 0
    let y = targets(Loss::Logistic, &SIX_LABELS, 1, 0.1);
    soft_targets(&six, &y, Loss::Logistic, |problem| {
        problem.solve(Samples::zeros(6, 1).view()).expect("a limit");
        assert!(problem.outputs().data().iter().all(|f| f.abs() < 1e-14), "{:?}", problem.outputs());
    });
    // a penalty far below the rounding of the kernel: an error, or the minimum
    let y = targets(Loss::Logistic, &[0, 1, 0, 1, 1], 1, 0.0);
    fixed_point(&kernel, &y, Loss::Logistic, 1e-300, |problem| {
        let result = problem.solve(Samples::zeros(5, 1).view());
        println!("penalty 1e-300: {result:?}, {} steps", problem.steps());
        assert!(result.is_err() || problem.residual() < 1e-8);
    });
}

#[test]
fn what_the_digits_do_not_hold_is_refused() {
    // outputs that cannot leave 1e3, whose curvature underflows, and a penalty that is nothing beside that of the others
    let (n, rank) = (20, 20);
    let phi: Samples<f64> = Samples::gaussian(3 * n, rank, 6);
    let scale = |k: usize| 10f64.powf(6.0 * k as f64 / rank as f64);
    let entry =
        |i: usize, j: usize| (0..rank).map(|k| phi.values[i * rank + k] * phi.values[j * rank + k] * scale(k)).sum();
    let kernel: Vec<f64> = (0..9 * n * n).map(|e| entry(e / (3 * n), e % (3 * n))).collect();
    let labels: Vec<usize> = (0..n).map(|i| (i * i + 6 * i) % 3).collect();
    let y = targets(Loss::Softmax, &labels, 3, 0.1);
    let mut f_0 = Samples::<f64>::gaussian(n, 3, 6);
    f_0.values.iter_mut().for_each(|f| *f *= 1e3);
    fixed_point(&kernel, &y, Loss::Softmax, 1e-20, |problem| {
        let result = problem.solve(f_0.view());
        assert!(matches!(result, Err(Error::NoMinimum { .. })), "{result:?}");
    });
    fixed_point(&kernel, &y, Loss::Softmax, 1e-6, |problem| problem.solve(f_0.view()).expect("a minimum"));
}

#[test]
fn problems_that_do_not_fit_are_refused() {
    let (kernel, f_0, y) = (gram(3, 5, 0.0, 1), column(&[0.0; 3]), column(&[0.0, 1.0, 0.5]));
    let len = fixed_point_len(3, 1);
    let mut buffer = vec![0.0; soft_targets_len(3, 1)];
    let mut fixed = |kernel: &[f64], y: &Samples<f64>, loss, penalty, len: usize| {
        FixedPoint::new(&Portable, square(kernel), y.view(), loss, penalty, &mut buffer[..len]).err()
    };
    assert_eq!(fixed(&kernel, &y, Loss::Logistic, 1.0, len), None);
    assert!(matches!(fixed(&kernel, &y, Loss::Logistic, 1.0, len - 1), Some(Error::BufferLength { .. })));
    assert!(matches!(fixed(&[1.0], &y, Loss::Logistic, 1.0, len), Some(Error::Shape { .. })));
    assert!(matches!(fixed(&kernel, &y, Loss::Softmax, 1.0, len), Some(Error::OutOfRange { .. })));
    assert!(matches!(fixed(&[f64::NAN; 9], &y, Loss::Logistic, 1.0, len), Some(Error::NonFinite { .. })));
    assert!(matches!(fixed(&kernel, &column(&[2.0; 3]), Loss::Logistic, 1.0, len), Some(Error::OutOfRange { .. })));
    let saddle = [1.0, 2.0, 0.0, 2.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    assert!(matches!(fixed(&saddle, &y, Loss::Logistic, 1.0, len), Some(Error::IndefiniteKernel { .. })));
    for penalty in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(
            matches!(fixed(&kernel, &y, Loss::Logistic, penalty, len), Some(Error::OutOfRange { .. })),
            "{penalty}"
        );
    }
    assert!(matches!(fixed(&kernel, &column(&[0.5; 3]), Loss::Logistic, 0.0, len), Some(Error::OutOfRange { .. })));
    fixed_point(&kernel, &y, Loss::Logistic, 1.0, |problem| {
        assert!(matches!(problem.solve(column(&[0.0; 2]).view()), Err(Error::Shape { .. })));
        assert!(matches!(problem.solve(column(&[f64::NAN; 3]).view()), Err(Error::NonFinite { .. })));
        assert!(matches!(problem.solve_from(f_0.view(), &[0.0; 2]), Err(Error::Shape { .. })));
        assert!(matches!(problem.solve_from(f_0.view(), &[f64::INFINITY; 3]), Err(Error::NonFinite { .. })));
        assert!(problem.solve_from(f_0.view(), &[0.0; 3]).is_ok());
    });
    let soft = column(&[0.5; 3]);
    let result = SoftTargets::new(&Portable, square(&kernel), soft.view(), Loss::Logistic, &mut buffer[1..]);
    assert!(matches!(result, Err(Error::BufferLength { .. })));
}

#[test]
fn single_precision() {
    let mut check = Check::of("penalised minimum, f32");
    for (loss, c) in [(Loss::Logistic, 1), (Loss::Softmax, 3)] {
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
