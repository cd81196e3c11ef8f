//! Predictions of a fixed kernel in closed form, their dual form, the curvature, and what is refused.

use ntkscope_core::kernel::AnalyticKernel::Ntk;
use ntkscope_core::linalg::cholesky_solve;
use ntkscope_core::loss::Loss;
use ntkscope_core::predict::{
    KernelFlow, KernelRegression, expand, factor_curvature, kernel_flow_len, predict, regression_len,
};
use ntkscope_core::{Backend, Error, MatMut, MatRef, Portable};
use ntkscope_tests::cases::{Samples, Tiled, named};
use ntkscope_tests::golden::reference;
use ntkscope_tests::measure::{analytic_kernel, gram, kernel_flow, predicted, square};
use ntkscope_tests::tolerance::{Check, same_bits};

fn column(values: &[f64]) -> Samples<f64> {
    Samples::from_values(values, 1)
}

/// Calls `body` with a regression in a buffer of just the right length.
fn regression<R>(
    kernel: &[f64],
    f_0: &Samples<f64>,
    y: &Samples<f64>,
    body: impl FnOnce(KernelRegression<'_, f64>) -> R,
) -> R {
    let mut buffer = vec![f64::NAN; regression_len(y.n, y.d)];
    body(KernelRegression::new(&Portable, square(kernel), f_0.view(), y.view(), &mut buffer).expect("shapes"))
}

#[test]
fn squared_error_against_the_reference() {
    let golden = reference();
    let x = Samples::<f64>::from_rows(&golden.samples);
    let kernel = analytic_kernel(&Portable, &named("bias1", x.d, &[1, 1]), Ntk, &x, None);
    let (f_0, y) = (column(&[0.3, -0.2, 0.1, 0.5, -0.4]), column(&[-1.0, 1.0, -1.0, 1.0, 1.0]));
    let (expected, theory) = (&golden.theory.mse_flow_t3_meanloss, &golden.theory);
    let mut check = Check::named("regression against reference");
    regression(&kernel, &f_0, &y, |mut regression| {
        let g = regression.dual(&Portable, 3.0).expect("a time");
        for (i, (e, f)) in expected.train.iter().zip(predicted(&kernel, &f_0, g)).enumerate() {
            check.absolute(&"train", i, *e, f);
        }
        check.absolute(&"test", 0, expected.test, predicted(&theory.k_test_row_ntk, &column(&[0.15]), g)[0]);
        // at t = 0 nothing is learned, at t = infinity everything
        let g = regression.dual(&Portable, 0.0).expect("a time");
        same_bits(&"t = 0", &f_0.values, &predicted(&kernel, &f_0, g));
        let g = regression.dual(&Portable, f64::INFINITY).expect("a regular kernel");
        for (i, (e, f)) in y.values.iter().zip(predicted(&kernel, &f_0, g)).enumerate() {
            check.absolute(&"t = infinity", i, *e, f);
        }
    });
    check.finish();
}

#[test]
fn gradient_descent_by_its_steps() {
    let (n, steps) = (7, 41);
    let kernel = gram(n, 9, 0.1, 3);
    let (f_0, y) = (Samples::<f64>::gaussian(n, 1, 4), Samples::<f64>::gaussian(n, 1, 5));
    let mut check = Check::named("regression by steps");
    // below 1/w_max, between it and the stable 2/w_max, and above, where the outputs grow
    for rate in [0.3, 3.0, 4.5] {
        let mut f = f_0.values.clone();
        for _ in 0..steps {
            let r: Vec<f64> = f.iter().zip(&y.values).map(|(f, y)| rate / n as f64 * (f - y)).collect();
            (0..n).for_each(|i| f[i] -= (0..n).map(|j| kernel[i * n + j] * r[j]).sum::<f64>());
        }
        regression(&kernel, &f_0, &y, |mut regression| {
            let g = regression.dual_of_descent(&Portable, rate, steps).expect("finite");
            check.all_scaled(&rate, &f, &predicted(&kernel, &f_0, g));
            let g = regression.dual_of_descent(&Portable, rate, 0).expect("finite");
            assert!(g.data().iter().all(|g| *g == 0.0), "no step, nothing learned");
            assert!(matches!(regression.dual_of_descent(&Portable, 1e3, 100_000), Err(Error::Diverged { .. })));
        });
    }
    check.finish();
}

/// From random outputs, on training and test points, against the classical Runge-Kutta method on df/dt = -K (f - y)/n.
#[test]
fn gradient_flow_by_small_steps() {
    let (n, m, time, steps) = (6, 3, 4.0, 4000);
    let joint = gram(n + m, 12, 0.1, 21);
    let row = |i: usize| &joint[i * (n + m)..][..n];
    let kernel: Vec<f64> = (0..n).flat_map(row).copied().collect();
    let cross: Vec<f64> = (n..n + m).flat_map(row).copied().collect();
    let (f_0, y) = (Samples::<f64>::gaussian(n + m, 1, 22), Samples::<f64>::gaussian(n, 1, 23));
    let slope = |f: &[f64]| -> Vec<f64> {
        let of_row = |i: usize| (0..n).map(|j| row(i)[j] * (y.values[j] - f[j])).sum::<f64>() / n as f64;
        (0..n + m).map(of_row).collect()
    };
    let h = time / f64::from(steps);
    let mut f = f_0.values.clone();
    for _ in 0..steps {
        let moved = |by: f64, k: &[f64]| -> Vec<f64> { f.iter().zip(k).map(|(f, k)| f + by * k).collect() };
        let first = slope(&f);
        let second = slope(&moved(0.5 * h, &first));
        let third = slope(&moved(0.5 * h, &second));
        let fourth = slope(&moved(h, &third));
        for (i, f) in f.iter_mut().enumerate() {
            *f += h / 6.0 * (first[i] + 2.0 * (second[i] + third[i]) + fourth[i]);
        }
    }
    let (train, test) = (column(&f_0.values[..n]), column(&f_0.values[n..]));
    let mut check = Check::named("regression by Runge-Kutta");
    let from_0 = column(&[0.0; 6]);
    // decomposed for another start, and turned to this one
    regression(&kernel, &from_0, &y, |mut regression| {
        let zero = regression.dual(&Portable, time).expect("a time").data().to_vec();
        regression.restart(&Portable, train.view(), y.view()).expect("shapes");
        let g = regression.dual(&Portable, time).expect("a time");
        check.all_scaled(&"train", &f[..n], &predicted(&kernel, &train, g));
        check.all_scaled(&"test", &f[n..], &predicted(&cross, &test, g));
        regression.restart(&Portable, from_0.view(), y.view()).expect("shapes");
        same_bits(&"and back", &zero, regression.dual(&Portable, time).expect("a time").data());
        let wrong = column(&[0.0; 5]);
        assert!(matches!(regression.restart(&Portable, wrong.view(), y.view()), Err(Error::Shape { .. })));
        let wrong = column(&[f64::NAN; 6]);
        assert!(matches!(regression.restart(&Portable, wrong.view(), y.view()), Err(Error::NonFinite { .. })));
    });
    check.finish();
}

#[test]
fn expanded_kernels_and_the_dual_form() {
    let (kernel, mut out) = ([1.0, 2.0, 3.0], [f64::NAN; 12]);
    let view = MatRef::new(&kernel, 1, 3).expect("length");
    expand(view, 2, MatMut::new(&mut out, 2, 6).expect("length")).expect("shapes");
    assert_eq!(out, [1.0, 0.0, 2.0, 0.0, 3.0, 0.0, 0.0, 1.0, 0.0, 2.0, 0.0, 3.0]);
    let g = Samples::from_values(&[1.0, -1.0, 0.5, 0.0, 0.0, 2.0], 2);
    let f = predicted(&out, &Samples::from_values(&[10.0, 20.0], 2), g.view());
    assert_eq!(f, [12.0, 25.0]);
}

/// x with A x = b by elimination with row pivots.
fn eliminate(mut a: Vec<f64>, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    for k in 0..n {
        let pivot = (k..n).max_by(|i, j| a[i * n + k].abs().total_cmp(&a[j * n + k].abs())).expect("rows");
        (0..n).for_each(|j| a.swap(k * n + j, pivot * n + j));
        b.swap(k, pivot);
        for i in k + 1..n {
            let share = a[i * n + k] / a[k * n + k];
            (k..n).for_each(|j| a[i * n + j] -= share * a[k * n + j]);
            b[i] -= share * b[k];
        }
    }
    for k in (0..n).rev() {
        b[k] = (b[k] - (k + 1..n).map(|j| a[k * n + j] * b[j]).sum::<f64>()) / a[k * n + k];
    }
    b
}

#[test]
fn the_curvature_solves_the_dual_equations() {
    // Phi^T (c I + Phi H Phi^T)^-1 Phi b = K (c I + H K)^-1 b with K = Phi^T Phi
    let mut check = Check::named("curvature by elimination");
    for (loss, n, c) in [(Loss::SquaredError, 6, 2), (Loss::CrossEntropy, 11, 1), (Loss::CrossEntropy, 5, 3)] {
        let (size, modes) = (n * c, n * c - 2);
        let phi: Samples<f64> = Samples::gaussian(modes, size, 21);
        let (f, b) = (Samples::<f64>::gaussian(n, c, 22), Samples::<f64>::gaussian(size, 1, 23));
        let dot =
            |x: &dyn Fn(usize) -> f64, y: &dyn Fn(usize) -> f64, n: usize| (0..n).map(|k| x(k) * y(k)).sum::<f64>();
        let at = |k: usize, i: usize| phi.values[k * size + i];
        for damping in [1.0, 1e-2] {
            let mut blocks = vec![f64::NAN; size * c];
            let out = MatMut::new(&mut blocks, size, c).expect("length");
            // of neither loss the Hessian depends on the targets
            loss.hessian(f.view(), f.view(), -1.0, out).expect("one shape");
            let h = |i: usize, j: usize| if i / c == j / c { blocks[i * c + j % c] } else { 0.0 };
            let kernel: Vec<f64> =
                (0..size * size).map(|e| dot(&|k| at(k, e / size), &|k| at(k, e % size), modes)).collect();
            let system = (0..size * size).map(|e| {
                let (i, j) = (e / size, e % size);
                dot(&|k| h(i, k), &|k| kernel[k * size + j], size) + if i == j { damping } else { 0.0 }
            });
            let x = eliminate(system.collect(), b.values.clone());
            let expected: Vec<f64> = (0..size).map(|i| dot(&|j| kernel[i * size + j], &|j| x[j], size)).collect();
            let mut z: Vec<f64> = (0..modes).map(|k| dot(&|i| at(k, i), &|i| b.values[i], size)).collect();
            let (mut lower, mut work) = (vec![f64::NAN; modes * modes], vec![f64::NAN; modes * size]);
            let hessian = MatRef::new(&blocks, size, c).expect("length");
            let out = MatMut::new(&mut lower, modes, modes).expect("length");
            factor_curvature(&Portable, phi.view(), hessian, damping, out, &mut work).expect("positive definite");
            cholesky_solve(MatRef::new(&lower, modes, modes).expect("length"), &mut z).expect("length");
            let actual: Vec<f64> = (0..size).map(|i| dot(&|k| at(k, i), &|k| z[k], modes)).collect();
            check.all_scaled(&format!("{loss:?}, damping {damping}"), &expected, &actual);
        }
    }
    check.finish();
}

#[test]
fn bands_of_rows_leave_the_bits_alone() {
    let (kernel, f_0) = (gram(12, 15, 0.0, 30), Samples::<f64>::gaussian(4, 3, 31));
    let y = Samples::from_values(&[0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.2, 0.3, 0.5, 0.0, 0.0, 1.0], 3);
    let whole = kernel_flow(&Portable, &kernel, (&f_0, &y), Loss::CrossEntropy, 1e-5, |flow| {
        flow.advance_to(4.0).expect("a flow");
        [flow.outputs().data(), flow.dual().data()].concat()
    });
    let backend = Tiled { tile: 5, reversed: true };
    kernel_flow(&backend, &kernel, (&f_0, &y), Loss::CrossEntropy, 1e-5, |flow| {
        flow.advance_to(4.0).expect("a flow");
        same_bits(&"bands", &whole, &[flow.outputs().data(), flow.dual().data()].concat());
    });
}

#[test]
fn singular_and_indefinite_kernels() {
    let (f_0, y) = (column(&[0.0; 3]), column(&[1.0, -1.0, 1.0]));
    // samples 0 and 1 are equal: eigenvalues 0, 1, 2
    let twins = [1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    regression(&twins, &f_0, &y, |mut regression| {
        for time in [1e300, f64::INFINITY] {
            let f = predicted(&twins, &f_0, regression.dual(&Portable, time).expect("a limit"));
            assert!(f.iter().zip([0.0, 0.0, 1.0]).all(|(f, e)| (f - e).abs() < 1e-15), "the mean of the twins: {f:?}");
        }
        // of (1, -1, 1) the kernel does not reach (1, -1, 0)
        let fit = regression.fit();
        assert!(fit.unreached == 1 && (fit.unmet() - (2.0f64 / 3.0).sqrt()).abs() < 1e-15, "{fit:?}");
        assert!((fit.start - 3f64.sqrt()).abs() < 1e-15 && fit.unknown(3) < 1e-15, "{fit:?}");
    });
    regression(&[0.0; 9], &f_0, &y, |mut regression| {
        let g = regression.dual(&Portable, 5.0).expect("a finite time");
        assert!(g.data().iter().all(|g| *g == 0.0), "a kernel of zeros learns nothing");
    });
    let saddle = [1.0, 2.0, 2.0, 1.0];
    let two = column(&[0.0; 2]);
    let mut buffer = vec![0.0; kernel_flow_len(2, 1).max(regression_len(2, 1))];
    let refused = Error::IndefiniteKernel { eigenvalue: 0 };
    let result = KernelRegression::new(&Portable, square(&saddle), two.view(), two.view(), &mut buffer);
    assert_eq!(result.err(), Some(refused));
    let result =
        KernelFlow::new(&Portable, square(&saddle), two.view(), two.view(), Loss::SquaredError, 1e-3, &mut buffer);
    assert_eq!(result.err(), Some(refused));
}

#[test]
fn what_does_not_fit_is_refused() {
    let (kernel, f_0, y) = (gram(3, 5, 0.0, 1), column(&[0.0; 3]), column(&[0.0, 1.0, 1.0]));
    let mut buffer = vec![0.0; kernel_flow_len(3, 1)];
    let mut flow = |kernel: &[f64], f_0: &Samples<f64>, y: &Samples<f64>, loss, tolerance, len: usize| {
        KernelFlow::new(&Portable, square(kernel), f_0.view(), y.view(), loss, tolerance, &mut buffer[..len]).err()
    };
    let len = kernel_flow_len(3, 1);
    assert_eq!(flow(&kernel, &f_0, &y, Loss::CrossEntropy, 1e-3, len), None);
    assert!(matches!(flow(&kernel, &f_0, &y, Loss::CrossEntropy, 1e-3, len - 1), Some(Error::BufferLength { .. })));
    assert!(matches!(flow(&[1.0], &f_0, &y, Loss::CrossEntropy, 1e-3, len), Some(Error::Shape { .. })));
    assert!(matches!(flow(&kernel, &column(&[0.0]), &y, Loss::CrossEntropy, 1e-3, len), Some(Error::Shape { .. })));
    assert!(matches!(
        flow(&kernel, &f_0, &column(&[0.0; 2]), Loss::CrossEntropy, 1e-3, len),
        Some(Error::Shape { .. })
    ));
    assert!(matches!(
        flow(&kernel, &f_0, &column(&[2.0; 3]), Loss::CrossEntropy, 1e-3, len),
        Some(Error::OutOfRange { .. })
    ));
    assert!(matches!(
        flow(&[], &column(&[]), &column(&[]), Loss::CrossEntropy, 1e-3, len),
        Some(Error::OutOfRange { .. })
    ));
    assert!(matches!(flow(&[f64::NAN; 9], &f_0, &y, Loss::CrossEntropy, 1e-3, len), Some(Error::NonFinite { .. })));
    assert!(matches!(
        flow(&kernel, &column(&[f64::NAN; 3]), &y, Loss::CrossEntropy, 1e-3, len),
        Some(Error::NonFinite { .. })
    ));
    for tolerance in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(flow(&kernel, &f_0, &y, Loss::CrossEntropy, tolerance, len), Some(Error::OutOfRange { .. })));
    }
    kernel_flow(&Portable, &kernel, (&f_0, &y), Loss::CrossEntropy, 1e-3, |flow| {
        flow.advance_to(2.0).expect("a flow");
        flow.advance_to(2.0).expect("no time at all");
        for behind in [1.9, f64::NAN, f64::INFINITY] {
            assert!(matches!(flow.advance_to(behind), Err(Error::OutOfRange { .. })), "{behind}");
        }
    });
    regression(&kernel, &f_0, &y, |mut regression| {
        for time in [-1.0, f64::NAN] {
            assert!(matches!(regression.dual(&Portable, time), Err(Error::OutOfRange { .. })), "{time}");
        }
        assert!(matches!(regression.dual_of_descent(&Portable, 0.0, 1), Err(Error::OutOfRange { .. })));
    });
    let mut short = vec![0.0; regression_len(3, 1) - 1];
    let result = KernelRegression::new(&Portable, square(&kernel), f_0.view(), y.view(), &mut short);
    assert!(matches!(result, Err(Error::BufferLength { .. })));
    let mut out = [0.0; 3];
    for (f_0, g) in [(column(&[0.0; 2]), f_0.clone()), (f_0.clone(), column(&[0.0; 2]))] {
        let out = MatMut::new(&mut out, 3, 1).expect("length");
        let result = predict(&Portable, square(&kernel), f_0.view(), g.view(), out);
        assert!(matches!(result, Err(Error::Shape { .. })));
    }
    let out = MatMut::new(&mut out, 3, 1).expect("length");
    assert!(expand(square(&kernel), 0, out).is_err());
    let (mut a, mut values, mut vectors, mut scratch) = ([1.0; 9], [0.0; 3], [0.0; 6], [0.0; 3]);
    let (a, out) = (MatMut::new(&mut a, 3, 3).expect("length"), MatMut::new(&mut vectors, 3, 2).expect("length"));
    assert!(matches!(Portable.symmetric_eigen(a, &mut values, out, &mut scratch), Err(Error::Shape { .. })));
}

/// One sample with K = 1: f + e^f = 1 + t, so that f is ln t, which never comes to rest and of which the rounding grows.
#[test]
fn a_flow_ends_where_rounding_hides_time() {
    let one = |x| MatRef::new(x, 1, 1).expect("a number");
    let mut buffer = [0.0; kernel_flow_len(1, 1)];
    let flow = KernelFlow::new(&Portable, one(&[1.0]), one(&[0.0]), one(&[1.0]), Loss::CrossEntropy, 1e-6, &mut buffer);
    let mut flow = flow.expect("a kernel");
    flow.advance_to(1e12).expect("rounded to 1e-4");
    let off: f64 = flow.outputs().at(0, 0) - 1e12;
    assert!(off.abs() < 0.01, "{off}");
    let error = flow.advance_to(1e300).expect_err("rounded to 1e284");
    assert!(matches!(error, Error::StepUnderflow { step } if step < 10_000), "{error}");
}
