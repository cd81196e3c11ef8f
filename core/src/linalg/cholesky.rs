//! Cholesky: A = L L^T for a symmetric positive definite matrix, in place.

use super::check_symmetric;
use crate::{Error, MatMut, MatRef, Real};

/// `A <- L` with `A = L L^T`: the lower triangle is read and overwritten, the upper one is not touched.
///
/// # Errors
/// [`Error::Shape`] where A is not square, [`Error::NonFinite`] where its lower triangle is not finite,
/// [`Error::NotPositiveDefinite`] with the index of the pivot that is not positive.
pub fn cholesky<T: Real>(mut a: MatMut<'_, T>) -> Result<(), Error> {
    check_symmetric(a.as_ref())?;
    for j in 0..a.rows() {
        let (mut above, mut below) = a.reborrow().split_at_row(j + 1);
        let pivot_row = &mut above.row_mut(j)[..=j];
        let (known, pivot) = pivot_row.split_at_mut(j);
        let s = less_products(pivot[0], known, known);
        if s <= T::ZERO || s.is_nan() {
            return Err(Error::NotPositiveDefinite { pivot: j });
        }
        pivot[0] = s.sqrt();
        for i in 0..below.rows() {
            let row = below.row_mut(i);
            row[j] = less_products(row[j], &row[..j], known) / pivot[0];
        }
    }
    Ok(())
}

/// start - x_0 y_0 - x_1 y_1 - ..., from left to right
fn less_products<T: Real>(start: T, x: &[T], y: &[T]) -> T {
    x.iter().zip(y).fold(start, |s, (x, y)| s - *x * *y)
}

/// `b <- A^-1 b` from the factor L of [`cholesky`].
///
/// # Errors
/// [`Error::Shape`] where L is not square or b has another length.
pub fn cholesky_solve<T: Real>(l: MatRef<'_, T>, b: &mut [T]) -> Result<(), Error> {
    Error::shape("Cholesky: columns", l.rows(), l.cols())?;
    Error::shape("Cholesky: right-hand side", l.rows(), b.len())?;
    for i in 0..b.len() {
        let s = b[..i].iter().enumerate().fold(b[i], |s, (k, x)| s - l.entry(i, k) * *x);
        b[i] = s / l.entry(i, i);
    }
    for i in (0..b.len()).rev() {
        let s = b.iter().enumerate().skip(i + 1).fold(b[i], |s, (k, x)| s - l.entry(k, i) * *x);
        b[i] = s / l.entry(i, i);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_of_whole_numbers() {
        // L = [[2, 0, 0], [-1, 3, 0], [4, 1, 5]]; what lies above the diagonal is not read
        let mut a = [4.0, f64::NAN, f64::NAN, -2.0, 10.0, f64::NAN, 8.0, -1.0, 42.0];
        assert_eq!(cholesky(MatMut::new(&mut a, 3, 3).unwrap()), Ok(()));
        assert_eq!([a[0], a[3], a[4], a[6], a[7], a[8]], [2.0, -1.0, 3.0, 4.0, 1.0, 5.0]);
        assert!(a[1].is_nan() && a[2].is_nan() && a[5].is_nan());
        let l = MatRef::new(&a, 3, 3).unwrap();
        let mut b = [18.0, 6.0, 91.0]; // A (1, 1, 2)
        assert_eq!(cholesky_solve(l, &mut b), Ok(()));
        assert_eq!(b, [1.0, 1.0, 2.0]);
        assert!(matches!(cholesky_solve(l, &mut b[..2]), Err(Error::Shape { need: 3, got: 2, .. })));
    }

    #[test]
    fn the_first_pivot_that_is_not_positive_is_named() {
        for (pivot, value) in [(0, 0.0), (1, -1.0), (2, -0.5)] {
            let mut a = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
            a[4 * pivot] = value;
            let done = cholesky(MatMut::new(&mut a, 3, 3).unwrap());
            assert_eq!(done, Err(Error::NotPositiveDefinite { pivot }));
        }
    }
}
