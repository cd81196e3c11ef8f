//! Both ends of a spectrum by Lanczos' recurrence against all of it.

use ntkscope::backend::HostReal;
use ntkscope::kernel::{self, Extremes, Outermost, Ritz, Search, extremes, outermost};
use ntkscope::machine::{Ended, Stop};
use ntkscope_core::init::Normals;
use ntkscope_core::{Error, MatMut, MatRef};

/// A v.
fn product_of(a: &[f64], n: usize) -> impl FnMut(&[f64], &mut [f64]) -> Result<(), kernel::Error> {
    let a = MatRef::new(a, n, n).unwrap();
    move |x, y| {
        let (x, y) = (MatRef::new(x, n, 1).unwrap(), MatMut::new(y, n, 1).unwrap());
        f64::fast().gemm(1.0, a, x, 0.0, y);
        Ok(())
    }
}

fn of(a: &[f64], n: usize) -> Extremes {
    extremes(n, &mut product_of(a, n), &Stop::new()).unwrap().done().unwrap()
}

/// All eigenvalues, ascending.
fn spectrum(a: &[f64], n: usize) -> Vec<f64> {
    let (mut a, mut values, mut scratch) = (a.to_vec(), vec![0.0; n], vec![0.0; n]);
    f64::fast().symmetric_eigenvalues(MatMut::new(&mut a, n, n).unwrap(), &mut values, &mut scratch).unwrap();
    values
}

/// sum over rank of w_k u_k u_k^T with normal u_k
fn made_of(n: usize, weights: impl Iterator<Item = f64>) -> Vec<f64> {
    let (mut normals, mut a) = (Normals::new(3), vec![0.0; n * n]);
    for weight in weights {
        let u: Vec<f64> = (0..n).map(|_| normals.draw()).collect();
        (0..n * n).for_each(|at| a[at] += weight * u[at / n] * u[at % n]);
    }
    a
}

#[track_caller]
fn check(found: &Extremes, values: &[f64], what: &str) {
    let rounding = 1e-13 * values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    let (first, last) = (values[0], values[values.len() - 1]);
    for (ritz, value) in [(found.min, first), (found.max, last)] {
        let apart = (ritz.value - value).abs();
        assert!(apart <= ritz.residual + rounding, "{what}: {ritz:?}, apart by {apart:e} from {value}");
    }
    assert!(found.min.value >= first - rounding && found.max.value <= last + rounding, "{what}: {found:?}");
}

#[test]
fn few_rows_are_spanned() {
    for n in [1, 2, 3, 17, 100, 128] {
        let a = made_of(n, (0..n + 2).map(|k| if k % 3 == 0 { -1.0 } else { 0.5 }));
        let found = of(&a, n);
        check(&found, &spectrum(&a, n), &format!("{n} rows"));
        assert!(found.min.converged && found.max.converged && found.steps <= n, "{n} rows: {found:?}");
        assert!(found.min.residual <= 1e-5 * found.max.value.abs().max(found.min.value.abs()), "{n} rows: {found:?}");
    }
}

#[test]
fn the_residual_bounds_the_error_of_large_ones() {
    // eigenvalues that fall off like those of a kernel
    let n = 600;
    let a = made_of(n, (1..=n).map(|k| (k as f64).powi(-2)));
    let (found, values) = (of(&a, n), spectrum(&a, n));
    check(&found, &values, "power law");
    assert!(found.max.converged && !found.min.converged && found.steps == 256, "{found:?}");
    assert!((found.max.value / values[n - 1] - 1.0).abs() < 1e-12, "{found:?}");
}

/// Several from each end, with restarts.
fn several(a: &[f64], n: usize, search: Search) -> Outermost {
    let a = MatRef::new(a, n, n).unwrap();
    let mut product = |v: MatRef<'_, f64>, w: MatMut<'_, f64>| {
        f64::fast().gemm(1.0, v, a, 0.0, w);
        Ok(Ended::Done(()))
    };
    outermost(n, search, &mut product, &Stop::new()).unwrap().done().unwrap()
}

/// One eigenvalue that stands several times in a matrix is found as often as a block has vectors; the others as by single ones.
#[test]
fn blocks_find_multiple_eigenvalues() {
    let (n, copies) = (300, 3);
    // Householder reflection of a diagonal: 5 three times, then 1/k
    let mut normals = Normals::new(5);
    let u: Vec<f64> = (0..n).map(|_| normals.draw()).collect();
    let square: f64 = u.iter().map(|u| u * u).sum();
    let d: Vec<f64> = (0..n).map(|k| if k < copies { 5.0 } else { 1.0 / k as f64 }).collect();
    let h = |i: usize, k: usize| f64::from(u8::from(i == k)) - 2.0 * u[i] * u[k] / square;
    let entry = |at: usize| (0..n).map(|k| h(at / n, k) * d[k] * h(at % n, k)).sum::<f64>();
    let a: Vec<f64> = (0..n * n).map(entry).collect();
    for block in [1, 2, 3, 4, 8] {
        let search = Search { block, basis: 120, most: 5000, ..Search::of::<f64>(4) };
        let found = several(&a, n, search);
        let of_5 = found.largest.iter().filter(|ritz| (ritz.value - 5.0).abs() < 1e-4).count();
        // rounding may bring more of them before the end, but never more than there are
        assert!((block.min(copies)..=copies).contains(&of_5), "blocks of {block}: {found:?}");
        assert!((found.largest[of_5].value - 1.0 / copies as f64).abs() < 1e-5, "blocks of {block}: {found:?}");
    }
}

#[test]
fn blocks_find_what_single_vectors_find() {
    for n in [1, 2, 7, 40, 400] {
        let a = made_of(n, (1..=2 * n).map(|k| (k as f64).powi(-1)));
        let values = spectrum(&a, n);
        for block in [2, 5, 16] {
            let found = several(&a, n, Search { block, most: 20_000, ..Search::of::<f64>(3) });
            assert_eq!(found.largest.len(), n.min(3));
            let pairs = found.smallest.iter().zip(&values).chain(found.largest.iter().zip(values.iter().rev()));
            for (ritz, value) in pairs {
                let apart = (ritz.value - value).abs();
                assert!(ritz.converged && apart <= ritz.residual + 1e-12 * values[n - 1], "{n}, {block}: {found:?}");
            }
        }
    }
}

#[test]
fn several_from_each_end_are_those_of_the_whole_spectrum() {
    let n = 400;
    let power = made_of(n, (1..=2 * n).map(|k| (k as f64).powi(-1)));
    let indefinite = made_of(n, (0..n).map(|k| (k as f64 - 150.0) / 100.0));
    for (what, a) in [("power law", power), ("indefinite", indefinite)] {
        let values = spectrum(&a, n);
        let size = values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        for (count, basis) in [(1, 24), (3, 40), (6, 64), (6, 152), (20, 400)] {
            let found = several(&a, n, Search { count, basis, most: 20_000, ..Search::of::<f64>(count) });
            assert_eq!((found.smallest.len(), found.largest.len()), (count, count));
            let pairs = found.smallest.iter().zip(&values).chain(found.largest.iter().zip(values.iter().rev()));
            for (ritz, value) in pairs {
                let apart = (ritz.value - value).abs();
                assert!(ritz.converged, "{what}, {count} by {basis}: {found:?}");
                assert!(apart <= ritz.residual + 1e-12 * size, "{what}, {count} by {basis}: {ritz:?}, {value}");
            }
        }
    }
}

/// A restart loses nothing: with fewer vectors there are more products, to the same values.
#[test]
fn restarts_cost_products_alone() {
    let n = 400;
    let a = made_of(n, (1..=2 * n).map(|k| (k as f64).powi(-1)));
    let found = [400, 60, 24].map(|basis| several(&a, n, Search { basis, most: 20_000, ..Search::of::<f64>(2) }));
    assert!(found[0].steps <= found[1].steps && found[1].steps <= found[2].steps, "{found:?}");
    let values = |found: &Outermost| found.smallest.iter().chain(&found.largest).map(|r| r.value).collect::<Vec<_>>();
    for (value, other) in values(&found[0]).into_iter().zip(values(&found[2])) {
        assert!((value - other).abs() <= 1e-5 * value.abs(), "{found:?}");
    }
}

#[test]
fn small_matrices_have_no_more_eigenvalues_than_rows() {
    for n in [1, 2, 5] {
        let a = made_of(n, (0..n).map(|k| k as f64 + 1.0));
        let (found, values) = (several(&a, n, Search::of::<f64>(6)), spectrum(&a, n));
        assert_eq!((found.smallest.len(), found.largest.len()), (n, n));
        for (ritz, value) in found.smallest.iter().zip(&values) {
            assert!((ritz.value - value).abs() <= 1e-12 * values[n - 1] && ritz.converged, "{found:?}");
        }
    }
}

#[test]
fn matrices_of_low_rank_end_early() {
    let (n, exactly) = (300, |value| Ritz { value, residual: 0.0, converged: true });
    assert_eq!(of(&vec![0.0; n * n], n), Extremes { steps: 1, min: exactly(0.0), max: exactly(0.0) });
    for rank in [1, 3, 20] {
        let a = made_of(n, (0..rank).map(|_| 1.0));
        let found = of(&a, n);
        check(&found, &spectrum(&a, n), &format!("rank {rank}"));
        assert!(found.min.converged && found.max.converged && found.steps <= rank + 2, "rank {rank}: {found:?}");
    }
}

/// Where the vectors close a space, an eigenvalue is found as often as it stands, at both ends and with any block.
#[test]
fn copies_are_found_beside_a_space_that_is_closed() {
    let n = 300;
    let project = |rank: usize| made_of(n, (0..rank).map(|_| 1.0));
    // a few beside many zeros; the same less the identity, so that the many are the smallest and negative
    for (rank, shift) in [(5, 0.0), (5, -1.0), (2, 3.0), (40, 0.0)] {
        let mut a = project(rank);
        a.iter_mut().step_by(n + 1).for_each(|entry| *entry += shift);
        let values = spectrum(&a, n);
        for (block, count) in [(1, 1), (1, 6), (3, 6), (8, 4), (8, 10)] {
            let found = several(&a, n, Search { block, ..Search::of::<f64>(count) });
            let largest = values[n - 1].abs();
            let ends = found.smallest.iter().zip(&values).chain(found.largest.iter().zip(values.iter().rev()));
            for (ritz, value) in ends {
                assert!(
                    ritz.converged && (ritz.value - value).abs() <= 1e-12 * largest,
                    "{rank}, {block}: {ritz:?} is {value}"
                );
            }
            assert_eq!(found.largest.len(), count);
        }
    }
}

#[test]
fn products_that_overflow_are_refused() {
    let mut product = |_: &[f64], y: &mut [f64]| {
        y.fill(f64::INFINITY);
        Ok(())
    };
    let error = extremes(50, &mut product, &Stop::new());
    assert!(matches!(error.unwrap_err(), kernel::Error::Core(Error::NonFinite { .. })));
}
