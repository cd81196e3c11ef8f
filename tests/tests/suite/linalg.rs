//! Eigenvalues, eigenvectors and Cholesky on matrices whose answers are known.

use ntkscope_core::linalg::{cholesky, cholesky_solve, dot, squared_distance, sum_of_squares};
use ntkscope_core::{Backend, Error, MatMut, MatRef, Portable, Real};
use ntkscope_tests::cases::Samples;
use ntkscope_tests::golden::extreme;
use ntkscope_tests::measure::eigenvalues;
use ntkscope_tests::tolerance::{Check, same_bits};

/// Q diag(values) Q^T with Q a product of three random reflections.
fn with_spectrum(values: &[f64], seed: u64) -> Vec<f64> {
    let n = values.len();
    let mut a = vec![0.0; n * n];
    values.iter().enumerate().for_each(|(i, v)| a[i * n + i] = *v);
    for round in 0..3 {
        let v: Samples<f64> = Samples::gaussian(n, 1, seed + round);
        let beta = 2.0 / v.values.iter().map(|x| x * x).sum::<f64>();
        // A <- A - beta (A v) v^T, then the same from the left
        for transposed in [false, true] {
            let at = |i: usize, j: usize| if transposed { j * n + i } else { i * n + j };
            for i in 0..n {
                let s: f64 = (0..n).map(|j| a[at(i, j)] * v.values[j]).sum();
                (0..n).for_each(|j| a[at(i, j)] -= beta * s * v.values[j]);
            }
        }
    }
    a
}

/// Spectra of every awkward kind, ascending.
fn spectra() -> Vec<(&'static str, Vec<f64>)> {
    let range = |n: usize, f: &dyn Fn(usize) -> f64| (0..n).map(f).collect::<Vec<_>>();
    vec![
        ("one", vec![-3.25]),
        ("two", vec![-1.0, 2.0]),
        ("two equal", vec![4.0, 4.0]),
        ("graded", range(40, &|i| 10f64.powf(-12.0 + 0.3 * i as f64))),
        ("clustered", range(30, &|i| if i < 20 { 1.0 + 1e-13 * i as f64 } else { 5.0 })),
        ("rank 3", range(25, &|i| if i < 22 { 0.0 } else { i as f64 })),
        ("of both signs", range(33, &|i| i as f64 - 16.0)),
        ("all zero", vec![0.0; 7]),
        ("kernel-like", range(60, &|i| ((i + 1) as f64 / 60.0).powi(8) * 1e3)),
        ("tiny", range(12, &|i| 1e-290 * (i + 1) as f64)),
        ("huge", range(12, &|i| 1e150 * (i + 1) as f64)),
    ]
}

#[test]
fn eigenvalues_of_known_spectra() {
    let (mut double, mut single) = (Check::named("eigenvalues"), Check::named("eigenvalues, f32"));
    for (name, expected) in spectra() {
        let (n, a) = (expected.len(), with_spectrum(&expected, 40));
        double.all_scaled(&name, &expected, &eigenvalues(&a, n));
        if name != "tiny" && name != "huge" {
            let low: Vec<f32> = a.iter().map(|v| *v as f32).collect();
            single.all_scaled(&name, &expected, &eigenvalues(&low, n));
        }
        // a diagonal matrix, in another order
        let mut diagonal = vec![0.0; n * n];
        (0..n).for_each(|i| diagonal[i * n + i] = expected[(7 * i + 3) % n]);
        let mut sorted: Vec<f64> = (0..n).map(|i| diagonal[i * n + i]).collect();
        sorted.sort_by(f64::total_cmp);
        same_bits(&format!("diagonal, {name}"), &sorted, &eigenvalues(&diagonal, n));
    }
    // min(i, j): the inverse of a second difference, 1 / (2 - 2 cos((2k - 1) pi / (2n + 1)))
    let n = 200;
    let a: Vec<f64> = (0..n * n).map(|e| (e / n).min(e % n) as f64 + 1.0).collect();
    let angle = |k: usize| (2 * k - 1) as f64 * std::f64::consts::PI / (2 * n + 1) as f64;
    let expected: Vec<f64> = (1..=n).rev().map(|k| 0.25 / (0.5 * angle(k)).sin().powi(2)).collect();
    double.all_scaled(&"min(i, j), n = 200", &expected, &eigenvalues(&a, n));
    let hilbert: Vec<f64> = (0..64).map(|e| 1.0 / ((e / 8 + e % 8) as f64 + 1.0)).collect();
    double.all_scaled(&"Hilbert 8", &extreme().hilbert, &eigenvalues(&hilbert, 8));
    let ones = vec![1.0; 50 * 50];
    let expected: Vec<f64> = (0..50).map(|i| if i < 49 { 0.0 } else { 50.0 }).collect();
    double.all_scaled(&"ones", &expected, &eigenvalues(&ones, 50));
    double.finish();
    single.finish();
}

/// Eigenvalues and eigenvectors (columns), from the lower triangle alone.
fn eigen<T: Real>(matrix: &[T], n: usize) -> (Vec<T>, Vec<T>) {
    let nan = T::from_f64(f64::NAN);
    let (mut a, mut values, mut vectors, mut scratch) = (matrix.to_vec(), vec![nan; n], vec![nan; n * n], vec![nan; n]);
    (0..n).for_each(|i| (i + 1..n).for_each(|j| a[i * n + j] = nan));
    let view = MatMut::new(&mut a, n, n).expect("length");
    let out = MatMut::new(&mut vectors, n, n).expect("length");
    Portable.symmetric_eigen(view, &mut values, out, &mut scratch).expect("convergence");
    (values, vectors)
}

/// A v_k - w_k v_k in units of |A|, and V^T V - I.
fn compare_eigen<T: Real>(name: &str, a: &[T], n: usize, residual: &mut Check, orthogonality: &mut Check) {
    let (values, vectors) = eigen(a, n);
    same_bits(&name, &eigenvalues(a, n), &values);
    let v = |i: usize, k: usize| vectors[i * n + k].to_f64();
    let norm = values.iter().fold(0.0, |m: f64, w| m.max(w.to_f64().abs()));
    for (k, w) in values.iter().enumerate() {
        for i in 0..n {
            let image: f64 = (0..n).map(|j| a[i * n + j].to_f64() * v(j, k)).sum();
            let scale = if norm == 0.0 { 1.0 } else { norm };
            residual.scaled(&name, (i, k), w.to_f64() * v(i, k), image, scale);
            let product: f64 = (0..n).map(|j| v(j, i) * v(j, k)).sum();
            orthogonality.absolute(&name, (i, k), if i == k { 1.0 } else { 0.0 }, product);
        }
    }
}

#[test]
fn eigenvectors_of_known_spectra() {
    let (mut residual, mut orthogonality) = (Check::named("eigenvectors"), Check::named("orthogonality"));
    let (mut single, mut single_orthogonality) =
        (Check::named("eigenvectors, f32"), Check::named("orthogonality, f32"));
    for (name, spectrum) in spectra() {
        let (n, a) = (spectrum.len(), with_spectrum(&spectrum, 40));
        // exactly symmetric
        let a: Vec<f64> = (0..n * n).map(|e| a[(e / n).max(e % n) * n + (e / n).min(e % n)]).collect();
        compare_eigen(name, &a, n, &mut residual, &mut orthogonality);
        if name != "tiny" && name != "huge" {
            let low: Vec<f32> = a.iter().map(|v| *v as f32).collect();
            compare_eigen(name, &low, n, &mut single, &mut single_orthogonality);
        }
        let mut diagonal = vec![0.0; n * n];
        (0..n).for_each(|i| diagonal[i * n + i] = spectrum[(7 * i + 3) % n]);
        compare_eigen(&format!("diagonal, {name}"), &diagonal, n, &mut residual, &mut orthogonality);
    }
    compare_eigen("ones", &[1.0; 50 * 50], 50, &mut residual, &mut orthogonality);
    let blocks: Vec<f64> = (0..144).map(|e| if e / 12 % 4 == e % 12 % 4 { 1.0 } else { 0.0 }).collect();
    compare_eigen("repeated", &blocks, 12, &mut residual, &mut orthogonality);
    assert_eq!(eigen(&[3.0f64], 1), (vec![3.0], vec![1.0]));
    assert_eq!(eigen::<f64>(&[], 0), (vec![], vec![]));
    [residual, orthogonality, single, single_orthogonality].into_iter().for_each(Check::finish);
}

#[test]
fn only_the_lower_triangle_is_read() {
    let expected: Vec<f64> = (0..9).map(f64::from).collect();
    let mut a = with_spectrum(&expected, 2);
    let before = eigenvalues(&a, 9);
    (0..9).for_each(|i| (i + 1..9).for_each(|j| a[i * 9 + j] = f64::NAN));
    same_bits(&"upper triangle of NaN", &before, &eigenvalues(&a, 9));
}

#[test]
fn a_matrix_that_is_not_finite_is_an_error() {
    for at in [0, 3, 8] {
        let mut a = vec![1.0; 9];
        a[at] = f64::NAN;
        let (mut values, mut scratch) = ([0.0; 3], [0.0; 3]);
        let a = MatMut::new(&mut a, 3, 3).expect("length");
        let result = ntkscope_core::linalg::symmetric_eigenvalues(a, &mut values, &mut scratch);
        assert!(matches!(result, Err(Error::NonFinite { .. })), "{at}: {result:?}");
        let (mut a, mut vectors) = ([1.0; 9], [0.0; 9]);
        a[at] = f64::NAN;
        let (a, out) = (MatMut::new(&mut a, 3, 3).expect("length"), MatMut::new(&mut vectors, 3, 3).expect("length"));
        let result = Portable.symmetric_eigen(a, &mut values, out, &mut scratch);
        assert!(matches!(result, Err(Error::NonFinite { .. })), "{at}: {result:?}");
    }
}

fn solve<T: Real>(a: &[T], n: usize, b: &[T]) -> Result<(Vec<T>, Vec<T>), Error> {
    let (mut l, mut x) = (a.to_vec(), b.to_vec());
    cholesky(MatMut::new(&mut l, n, n)?)?;
    cholesky_solve(MatRef::new(&l, n, n)?, &mut x)?;
    Ok((l, x))
}

#[test]
fn cholesky_factor_and_solution() {
    let (mut factor, mut solution, mut single) =
        (Check::named("Cholesky factor"), Check::named("Cholesky solution"), Check::named("Cholesky, f32"));
    for n in [1, 2, 17, 80] {
        let spectrum: Vec<f64> = (0..n).map(|i| 1.0 + 99.0 * i as f64 / n as f64).collect();
        let a = with_spectrum(&spectrum, 5);
        let x: Samples<f64> = Samples::gaussian(n, 1, 6);
        let b: Vec<f64> = (0..n).map(|i| (0..n).map(|j| a[i * n + j] * x.values[j]).sum()).collect();
        let (l, solved) = solve(&a, n, &b).expect("positive definite");
        let product: Vec<f64> =
            (0..n * n).map(|e| (0..=(e / n).min(e % n)).map(|k| l[e / n * n + k] * l[e % n * n + k]).sum()).collect();
        factor.all_scaled(&n, &a, &product);
        solution.all_scaled(&n, &x.values, &solved);
        let low = |v: &[f64]| v.iter().map(|v| *v as f32).collect::<Vec<_>>();
        single.all_scaled(&n, &x.values, &solve(&low(&a), n, &low(&b)).expect("positive definite").1);
    }
    factor.finish();
    solution.finish();
    single.finish();
}

#[test]
fn cholesky_names_the_pivot_that_is_not_positive() {
    let a = [4.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0];
    assert_eq!(solve(&a, 3, &[1.0; 3]).err(), Some(Error::NotPositiveDefinite { pivot: 1 }));
    let singular = [1.0, 1.0, 1.0, 1.0];
    assert_eq!(solve(&singular, 2, &[1.0; 2]).err(), Some(Error::NotPositiveDefinite { pivot: 1 }));
    let nan = [f64::NAN, 0.0, 0.0, 1.0];
    assert!(matches!(solve(&nan, 2, &[1.0; 2]).err(), Some(Error::NonFinite { .. })));
}

#[test]
fn sums_run_in_the_stated_order() {
    let (x, y): (Samples<f32>, Samples<f32>) = (Samples::gaussian(77, 1, 1), Samples::gaussian(77, 1, 2));
    for n in [0, 1, 7, 8, 9, 64, 77] {
        let (x, y) = (&x.values[..n], &y.values[..n]);
        let by_lanes = |term: &dyn Fn(usize) -> f32| {
            let mut lanes = [0.0f32; 8];
            (0..n).for_each(|k| lanes[k % 8] += term(k));
            lanes.iter().fold(0.0, |total, s| total + s)
        };
        let case = format!("{n} numbers");
        same_bits(&case, &[by_lanes(&|k| x[k] * y[k])], &[dot(x, y)]);
        same_bits(&case, &[by_lanes(&|k| x[k] * x[k])], &[sum_of_squares(x)]);
        same_bits(&case, &[by_lanes(&|k| (x[k] - y[k]) * (x[k] - y[k]))], &[squared_distance(x, y)]);
    }
}
