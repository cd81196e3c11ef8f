//! Eigenvalues, eigenvectors and Cholesky factors of the fast backend.

use ntkscope_backend::{Fast, HostReal};
use ntkscope_core::{Backend, Error, MatMut, MatRef, Portable};

use crate::{bits, epsilon, normals, on};

fn check_eigenvalues<T: HostReal>() {
    for n in [1, 2, 3, 10, 33, 90] {
        let entries: Vec<T> = normals(n as u64, n * n);
        let spectrum = |backend: &dyn Backend<T>| {
            let mut matrix = entries.clone();
            for i in 0..n {
                // what lies above the diagonal must not be read
                matrix[i * n..][i + 1..n].fill(T::from_f64(f64::NAN));
            }
            let (mut values, mut scratch) = (vec![T::ZERO; n], vec![T::ZERO; n]);
            backend.symmetric_eigenvalues(MatMut::new(&mut matrix, n, n).unwrap(), &mut values, &mut scratch).unwrap();
            values.iter().map(|v| v.to_f64()).collect::<Vec<f64>>()
        };
        let (fast, portable) = (spectrum(T::fast()), spectrum(&Portable));
        assert!(fast.is_sorted(), "n {n}: {fast:?}");
        let largest = portable.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        for (f, p) in fast.iter().zip(&portable) {
            assert!((f - p).abs() <= 4.0 * n as f64 * epsilon::<T>() * largest, "n {n}: {f:e} and {p:e}");
        }
    }
}

#[test]
fn eigenvalues() {
    check_eigenvalues::<f32>();
    check_eigenvalues::<f64>();
}

#[test]
fn eigenvalues_of_what_is_not_finite_are_an_error() {
    for bad in [f64::NAN, f64::INFINITY] {
        let (mut matrix, mut values, mut scratch) = (vec![1.0, 0.0, bad, 1.0], [0.0; 2], [0.0; 2]);
        let found = Fast.symmetric_eigenvalues(MatMut::new(&mut matrix, 2, 2).unwrap(), &mut values, &mut scratch);
        assert!(matches!(found, Err(Error::NonFinite { .. })), "{found:?}");
    }
}

/// Eigenvalues of `factor` min(i, j), counted from 1, in a view of a wider matrix with NaN everywhere else.
fn of_minima<T: HostReal>(n: usize, factor: f64, threads: usize) -> Result<Vec<T>, Error> {
    let width = n + 3;
    let mut space = vec![T::from_f64(f64::NAN); n * width];
    for i in 0..n {
        (0..=i).for_each(|j| space[i * width + j] = T::from_f64(factor * (j + 1) as f64));
    }
    let (mut values, mut scratch) = (vec![T::ZERO; n], vec![T::ZERO; n + 5]);
    let a = MatMut::dense(&mut space, n, width).block(0..n, 0..n);
    on(threads, || T::fast().symmetric_eigenvalues(a, &mut values, &mut scratch)).map(|()| values)
}

fn check_two_stages<T: HostReal>(factors: &[f64]) {
    // a size from which they are used
    let n = 723;
    let angle = |k: usize| (2 * k - 1) as f64 * std::f64::consts::PI / (4 * n + 2) as f64;
    let expected: Vec<f64> = (1..=n).rev().map(|k| 0.25 / angle(k).sin().powi(2)).collect();
    let norm = expected[n - 1];
    for &factor in factors {
        let found = of_minima::<T>(n, factor, 2).unwrap();
        assert!(found.is_sorted(), "factor {factor:e}");
        for (k, (value, expected)) in found.iter().zip(&expected).enumerate() {
            let off = (value.to_f64() / factor - expected).abs();
            assert!(off <= n as f64 * epsilon::<T>() * norm, "eigenvalue {k}, factor {factor:e}");
        }
        for threads in [1, 3] {
            assert!(bits(&of_minima::<T>(n, factor, threads).unwrap()) == bits(&found), "{threads} threads");
        }
    }
}

#[test]
fn eigenvalues_of_large_matrices() {
    check_two_stages::<f64>(&[1.0, 1e150, 1e-150]);
    check_two_stages::<f32>(&[1.0, 1e30, 1e-30]);
    // as small matrices: not finite is an error, and so is an eigenvalue that no number is large enough for
    for factor in [f64::INFINITY, f64::NAN, 1e303] {
        let found = of_minima::<f64>(723, factor, 1);
        assert!(matches!(found, Err(Error::NonFinite { .. })), "factor {factor:e}");
    }
}

/// A A^T of Gaussian A `(n, rank)`.
fn gram<T: HostReal>(n: usize, rank: usize, seed: u64) -> Vec<T> {
    let (factor, mut gram) = (normals::<T>(seed, n * rank), vec![T::ZERO; n * n]);
    let a = MatRef::new(&factor, n, rank).unwrap();
    Portable.gemm(T::ONE, a, a.t(), T::ZERO, MatMut::new(&mut gram, n, n).unwrap());
    gram
}

fn check_eigenvectors<T: HostReal>() {
    // the second and the third have repeated eigenvalues 0
    for (n, rank) in [(1, 1), (7, 3), (40, 39), (65, 65)] {
        let a = gram::<T>(n, rank, n as u64);
        let mut copy = a.clone();
        // only the lower triangle may be read
        (0..n).for_each(|i| copy[i * n + i + 1..(i + 1) * n].fill(T::from_f64(f64::NAN)));
        let (mut values, mut vectors, mut scratch) = (vec![T::ZERO; n], vec![T::ZERO; n * n], vec![T::ZERO; n]);
        let view = MatMut::new(&mut vectors, n, n).unwrap();
        T::fast().symmetric_eigen(MatMut::new(&mut copy, n, n).unwrap(), &mut values, view, &mut scratch).unwrap();
        assert!(values.windows(2).all(|w| w[0] <= w[1]), "ascending");
        let allowed = 30.0 * n as f64 * epsilon::<T>();
        let largest = values[n - 1].to_f64();
        let v = |i: usize, k: usize| vectors[i * n + k].to_f64();
        for (k, w) in values.iter().enumerate() {
            for j in 0..n {
                let product: f64 = (0..n).map(|i| v(i, k) * v(i, j)).sum();
                assert!((product - f64::from(u8::from(j == k))).abs() <= allowed, "orthonormal {j} {k}, n {n}");
                let image: f64 = (0..n).map(|i| a[j * n + i].to_f64() * v(i, k)).sum();
                assert!((image - w.to_f64() * v(j, k)).abs() <= allowed * largest, "A v = w v, {j} {k}, n {n}");
            }
        }
    }
}

#[test]
fn eigenvectors() {
    check_eigenvectors::<f64>();
    check_eigenvectors::<f32>();
}

fn check_cholesky<T: HostReal>() {
    for n in [1, 5, 64, 131] {
        let a = gram::<T>(n, 2 * n, 3 * n as u64);
        let (mut fast, mut plain) = (a.clone(), a.clone());
        T::fast().cholesky(MatMut::new(&mut fast, n, n).unwrap()).unwrap();
        Portable.cholesky(MatMut::new(&mut plain, n, n).unwrap()).unwrap();
        let largest = a.iter().fold(0.0, |m: f64, v| m.max(v.to_f64().abs()));
        for i in 0..n {
            for j in 0..n {
                let (f, p) = (fast[i * n + j].to_f64(), plain[i * n + j].to_f64());
                let allowed = if j <= i { 100.0 * n as f64 * epsilon::<T>() * largest.sqrt() } else { 0.0 };
                assert!((f - p).abs() <= allowed, "L_{i},{j}: {f} against {p}, n {n}; above the diagonal untouched");
            }
        }
    }
}

#[test]
fn cholesky_factors() {
    check_cholesky::<f64>();
    check_cholesky::<f32>();
    let mut indefinite = [1.0, 0.0, 2.0, 1.0];
    let error = Fast.cholesky(MatMut::new(&mut indefinite, 2, 2).unwrap()).unwrap_err();
    assert_eq!(error, Error::NotPositiveDefinite { pivot: 1 });
    let mut wrong = [f64::NAN; 4];
    assert!(matches!(Fast.cholesky(MatMut::new(&mut wrong, 2, 2).unwrap()), Err(Error::NonFinite { .. })));
}
