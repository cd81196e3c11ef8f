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
