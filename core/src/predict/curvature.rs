//! The linear system of implicit steps and of Newton's method under a fixed kernel `K = Phi^T Phi`:
//!
//! ```text
//! M z = b,        M = c I + Phi H Phi^T
//! ```
//!
//! with H the Hessian of the loss in the outputs, one (C, C) block a sample. M is the Jacobian `c I + W K` of the dual
//! equations, seen from the coordinates z in which `f = f_0 + Phi^T z`: symmetric, with no eigenvalue below c, and
//! never a difference of large numbers, not even where H is 0 (a confident sample) or K is singular.

use crate::{Backend, Error, MatMut, MatRef, Real};

/// `out <- L` with `L L^T = M = c I + Phi H Phi^T`, for [`crate::linalg::cholesky_solve`].
///
/// `features` = Phi is `(r, nC)`, `hessian` the blocks of [`crate::loss::Loss::hessian`] `(nC, C)`, `damping` = c.
/// `out` is `(r, r)`, of which the lower triangle is written; `work` holds `r nC` numbers, where
/// `Phi H` `(r, nC)` is left.
///
/// # Errors
/// [`Error::Shape`]; [`Error::BufferLength`]: `work`; [`Error::NotPositiveDefinite`]: c is too small; [`Error::NonFinite`].
pub fn factor_curvature<T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    features: MatRef<'_, T>,
    hessian: MatRef<'_, T>,
    damping: T,
    mut out: MatMut<'_, T>,
    work: &mut [T],
) -> Result<(), Error> {
    let (modes, size, outputs) = (features.rows(), features.cols(), hessian.cols());
    Error::shape("Hessian of the loss: rows", size, hessian.rows())?;
    Error::shape("curvature: rows", modes, out.rows())?;
    Error::shape("curvature: columns", modes, out.cols())?;
    Error::at_least("curvature: work", modes * size, work.len())?;
    // Phi H: row k of Phi, sample by sample, times that sample's block
    let mut weighted = MatMut::dense(&mut work[..modes * size], modes, size);
    for k in 0..modes {
        let row = weighted.row_mut(k);
        for (j, x) in row.iter_mut().enumerate() {
            let first = j / outputs * outputs;
            *x = (first..first + outputs).fold(T::ZERO, |s, i| s + features.at(k, i) * hessian.at(i, j - first));
        }
    }
    // the lower triangle of (Phi H) Phi^T, in bands of rows
    let weighted = weighted.as_ref();
    backend.for_each_band(out.reborrow(), backend.tile().band(modes), &mut [], &|first, band, _| {
        let rows = first..first + band.rows();
        let below = band.block(0..rows.len(), 0..rows.end);
        let columns = features.block(0..rows.end, 0..size).t();
        backend.gemm(T::ONE, weighted.block(rows, 0..size), columns, T::ZERO, below);
    });
    for k in 0..modes {
        *out.at_mut(k, k) += damping;
    }
    backend.cholesky(out)
}
