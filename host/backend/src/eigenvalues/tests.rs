//! Spectra that are known, in bands of several widths and at sizes around their multiples.

use ntkscope_core::MatMut;
use ntkscope_core::init::Normals;

use super::with_width;
use crate::vector::Vectorized;

/// Sizes: around multiples of the widths 4 and 8, and past [`super::band`]'s blocks of 256 rows.
const SIZES: [usize; 17] = [1, 2, 3, 4, 5, 6, 8, 9, 12, 13, 16, 17, 31, 64, 65, 100, 301];

/// Eigenvalues of the lower triangle of `entry`, on as many threads; what lies above is NaN.
fn found<T: Vectorized, const B: usize>(n: usize, threads: usize, entry: &dyn Fn(usize, usize) -> f64) -> Vec<T> {
    let mut a: Vec<T> = (0..n * n)
        .map(|at| (at / n, at % n))
        .map(|(i, j)| T::from_f64(if j <= i { entry(i, j) } else { f64::NAN }))
        .collect();
    let (mut values, mut scratch) = (vec![T::ZERO; n], vec![T::ZERO; n]);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let view = MatMut::dense(&mut a, n, n);
    pool.install(|| with_width::<T, B>(view, &mut values, &mut scratch, &|| false)).expect("eigenvalues");
    values
}

/// Asserts that the eigenvalues are `spectrum` to 2 (n + 8) epsilon |A|, in two widths, and have the same bits on 1 to 3 threads.
#[track_caller]
fn check<T: Vectorized>(what: &str, entry: &dyn Fn(usize, usize) -> f64, mut spectrum: Vec<f64>) {
    spectrum.sort_unstable_by(f64::total_cmp);
    let n = spectrum.len();
    let norm = spectrum.iter().fold(0.0, |norm: f64, value| norm.max(value.abs()));
    // twice: where entries are alike, so are their rounding errors; 8: the expected values are rounded as well
    let allowed = 2.0 * (n + 8) as f64 * T::EPSILON.to_f64() * norm;
    for (width, values) in [(4, found::<T, 4>(n, 1, entry)), (8, found::<T, 8>(n, 1, entry))] {
        for (k, (value, expected)) in values.iter().zip(&spectrum).enumerate() {
            let off = (value.to_f64() - expected).abs();
            assert!(
                off <= allowed,
                "{what}, n {n}, width {width}: eigenvalue {k} is {value} in place of {expected:e}, {:.1} times what is allowed",
                off / allowed
            );
        }
    }
    let bits = |threads| found::<T, 4>(n, threads, entry).iter().map(|v| v.to_f64().to_bits()).collect::<Vec<u64>>();
    let one = bits(1);
    assert!(one == bits(2) && one == bits(3), "{what}, n {n}: bits depend on the number of threads");
}

/// Eigenvalues of min(i, j), counted from 1: 1/(4 sin^2((2 k - 1) pi/(4 n + 2))), from 1/4 to 0.4 n^2.
fn of_minima(n: usize) -> Vec<f64> {
    let angle = |k: usize| (2 * k - 1) as f64 * std::f64::consts::PI / (4 * n + 2) as f64;
    (1..=n).map(|k| 0.25 / angle(k).sin().powi(2)).collect()
}

fn check_all<T: Vectorized>() {
    for n in SIZES {
        let minima = |i: usize, j: usize| (i.min(j) + 1) as f64;
        check::<T>("minima", &minima, of_minima(n));
        check::<T>("zero", &|_, _| 0.0, vec![0.0; n]);
        let rank_one = |k: usize| if k == 0 { n as f64 } else { 0.0 };
        check::<T>("ones, of rank 1", &|_, _| 1.0, (0..n).map(rank_one).collect());
        // entries of 20 bits
        let small = 2.0_f64.powi(-20);
        let cluster = |i: usize, j: usize| small + if i == j { 1.0 } else { 0.0 };
        check::<T>("a cluster", &cluster, (0..n).map(|k| 1.0 + small * rank_one(k)).collect());
        let graded = |i: usize| 0.5_f64.powi(i as i32) * if i.is_multiple_of(2) { 1.0 } else { -1.0 };
        check::<T>("diagonal", &|i, j| if i == j { graded(i) } else { 0.0 }, (0..n).map(graded).collect());
        check::<T>("graded upwards", &|i, j| if i == j { graded(n - i) } else { 0.0 }, (1..=n).map(graded).collect());
        // ((0, M), (M, 0)) has the eigenvalues of M and their opposites
        let pairs = of_minima(n).into_iter().flat_map(|value| [value, -value]).collect();
        let indefinite = |i: usize, j: usize| if (i < n) == (j < n) { 0.0 } else { minima(i % n, j % n) };
        check::<T>("indefinite", &indefinite, pairs);
    }
    // the signs (-1)^|i & j| of a Hadamard matrix H: H diag(w) H / n has the eigenvalues w, and entries without rounding
    for n in [2, 16, 64, 256] {
        let sign = |i: usize, j: usize| if (i & j).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 };
        for (what, w) in [
            ("three of many", &(|k: usize| (k % 3) as f64 - 1.0) as &dyn Fn(usize) -> f64),
            ("graded", &|k: usize| 0.5_f64.powi((k % 12) as i32)),
            ("few and zeros", &|k: usize| if k < 3 { 1.0 + k as f64 } else { 0.0 }),
        ] {
            let entry = |i: usize, j: usize| (0..n).map(|k| sign(i, k) * w(k) * sign(k, j)).sum::<f64>() / n as f64;
            check::<T>(what, &entry, (0..n).map(w).collect());
        }
    }
}

#[test]
fn known_spectra_in_f64() {
    check_all::<f64>();
}

#[test]
fn known_spectra_in_f32() {
    check_all::<f32>();
}

#[test]
fn scale_changes_no_bit() {
    fn bits<T: Vectorized>(n: usize, exponent: i32) -> Vec<f64> {
        let mut normals = Normals::new(3);
        let draws: Vec<f64> = (0..n * n).map(|_| normals.draw()).collect();
        let factor = 2.0_f64.powi(exponent);
        let rounded = |x: f64| T::from_f64(x).to_f64();
        found::<T, 8>(n, 1, &|i, j| factor * rounded(draws[i * n + j])).iter().map(|v| v.to_f64() / factor).collect()
    }
    // 10^150 and more; the entries themselves stay clear of the ends of the range
    for n in [2, 37] {
        for exponent in [-900, -500, 500, 1000] {
            assert_eq!(bits::<f64>(n, exponent), bits::<f64>(n, 0), "n {n}, 2^{exponent}");
        }
        for exponent in [-90, 110] {
            assert_eq!(bits::<f32>(n, exponent), bits::<f32>(n, 0), "n {n}, 2^{exponent}");
        }
    }
}

#[test]
fn an_eigenvalue_beyond_the_range_is_an_error() {
    let (mut a, mut values, mut scratch) = (vec![f64::MAX; 9], [0.0; 3], [0.0; 3]);
    let done = with_width::<f64, 4>(MatMut::dense(&mut a, 3, 3), &mut values, &mut scratch, &|| false);
    assert!(matches!(done, Err(ntkscope_core::Error::NonFinite { .. })), "{done:?}");
}
