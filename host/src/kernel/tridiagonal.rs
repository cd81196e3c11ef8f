//! Symmetric tridiagonal matrices of a few hundred rows, as Lanczos' recurrence leaves them.

use ntkscope_core::{self as core, MatMut};

use super::Error;
use crate::backend::HostReal;

/// Eigenvalues, ascending, and the first component of each unit eigenvector, of the matrix with this diagonal and the numbers
/// beside it.
///
/// # Errors
/// [`Error::Core`] for a number that is not finite; [`Error::Tridiagonal`].
pub(super) fn eigen(diagonal: &[f64], beside: &[f64]) -> Result<(Vec<f64>, Vec<f64>), Error> {
    if !diagonal.iter().chain(beside).all(|x| x.is_finite()) {
        return Err(core::Error::NonFinite { what: "a product with the kernel" }.into());
    }
    let k = diagonal.len();
    let (mut a, mut s, mut theta, mut scratch) = (vec![0.0; k * k], vec![0.0; k * k], vec![0.0; k], vec![0.0; k]);
    for i in 0..k {
        a[i * k + i] = diagonal[i];
        if i > 0 {
            a[i * k + i - 1] = beside[i - 1];
        }
    }
    f64::fast()
        .symmetric_eigen(MatMut::new(&mut a, k, k)?, &mut theta, MatMut::new(&mut s, k, k)?, &mut scratch)
        .map_err(Error::Tridiagonal)?;
    s.truncate(k);
    Ok((theta, s))
}
