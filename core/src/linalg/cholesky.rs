//! Cholesky: A = L L^T for a symmetric positive definite matrix, in place.

use crate::{Error, MatMut, MatRef, Real};

/// `A <- L` with `A = L L^T`: the lower triangle is read and overwritten, the upper one is not touched.
/// Error: a pivot is not positive, by its index.
pub fn cholesky<T: Real>(mut a: MatMut<'_, T>) -> Result<(), Error> {
    Error::shape("Cholesky: columns", a.rows(), a.cols())?;
    for j in 0..a.rows() {
        for i in j..a.rows() {
            let mut s = a.at(i, j);
            for k in 0..j {
                s -= a.at(i, k) * a.at(j, k);
            }
            if i > j {
                *a.at_mut(i, j) = s / a.at(j, j);
            } else if s > T::ZERO {
                *a.at_mut(j, j) = s.sqrt();
            } else {
                return Err(Error::NotPositiveDefinite { pivot: j });
            }
        }
    }
    Ok(())
}

/// `b <- A^-1 b` from the factor of [`cholesky`]. Error: `b` has another length than `L`.
pub fn cholesky_solve<T: Real>(l: MatRef<'_, T>, b: &mut [T]) -> Result<(), Error> {
    Error::shape("Cholesky: right-hand side", l.rows(), b.len())?;
    for i in 0..b.len() {
        let mut s = b[i];
        for (k, x) in b[..i].iter().enumerate() {
            s -= l.at(i, k) * *x;
        }
        b[i] = s / l.at(i, i);
    }
    for i in (0..b.len()).rev() {
        let mut s = b[i];
        for (k, x) in b.iter().enumerate().skip(i + 1) {
            s -= l.at(k, i) * *x;
        }
        b[i] = s / l.at(i, i);
    }
    Ok(())
}
