//! Draws from a Gaussian process on N samples with covariance S:
//!
//! ```text
//! f = Phi^T xi,     S = Phi^T Phi,     xi ~ N(0, I)     (row k of Phi is sqrt(w_k) u_k)
//! ```
//!
//! The square root by eigenvectors, unlike Cholesky's, does not need S to be regular: equal samples get equal values.
//! Deviates are those of [`Normals`]; one of them goes with every eigenvalue in ascending order, also with those that
//! vanish, so that a draw always takes N. The bits are the same on every machine with [`crate::Portable`]; another
//! backend may choose other signs of the eigenvectors, with the same law. A network's parameters come from the same
//! streams: a seed used there and here gives deviates that are not independent.

use super::fixed_point::FixedPoint;
use super::modes::{features, modes_work_len};
use super::predict;
use crate::buffer::{buffer_len, take_front};
use crate::init::Normals;
use crate::{Backend, Error, MatMut, MatRef, Real};

/// GP(0, S) on N samples.
///
/// ```
/// use ntkscope_core::init::Normals;
/// use ntkscope_core::predict::{GaussianProcess, gaussian_process_len};
/// use ntkscope_core::{MatMut, MatRef, Portable};
///
/// // equal samples get equal values
/// let covariance = MatRef::new(&[1.0f64, 1.0, 1.0, 1.0], 2, 2)?;
/// let (mut buffer, mut f) = ([0.0; gaussian_process_len(2)], [0.0; 2]);
/// let mut process = GaussianProcess::new(&Portable, covariance, &mut buffer)?;
/// process.draw(&Portable, &mut Normals::new(1), MatMut::new(&mut f, 2, 1)?)?;
/// assert!(f[0] != 0.0 && (f[0] - f[1]).abs() < 1e-15);
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
#[derive(Debug)]
pub struct GaussianProcess<'a, T> {
    features: MatRef<'a, T>,
    deviates: &'a mut [T],
}

/// Elements of the buffer of a [`GaussianProcess`] on N samples.
pub const fn gaussian_process_len(samples: usize) -> usize {
    buffer_len(&[&[samples, samples], &[2, samples], &[modes_work_len(samples)]])
}

impl<'a, T: Real> GaussianProcess<'a, T> {
    /// Decomposes `covariance` = S `(N, N)`, of which the lower triangle is read.
    ///
    /// `buffer` holds [`gaussian_process_len`] numbers.
    ///
    /// # Errors
    /// Shapes, a short buffer, a covariance that is not finite or not positive semidefinite.
    pub fn new<B: Backend<T> + ?Sized>(
        backend: &B,
        covariance: MatRef<'_, T>,
        buffer: &'a mut [T],
    ) -> Result<Self, Error> {
        let n = covariance.rows();
        Error::shape("covariance: columns", n, covariance.cols())?;
        Error::at_least("Gaussian process", gaussian_process_len(n), buffer.len())?;
        let mut rest = buffer;
        let mut take = |len: usize| take_front(&mut rest, len);
        let (rows, deviates) = (take(n * n), take(n));
        let vanishing = features(backend, covariance, take(n), rows, take(modes_work_len(n)))?;
        rows[..vanishing * n].fill(T::ZERO);
        Ok(Self { features: MatRef::dense(rows, n, n), deviates })
    }

    /// `out <- f` `(N, C)`: C independent draws, one a column, from the next C N deviates, column by column.
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub fn draw<B: Backend<T> + ?Sized>(
        &mut self,
        backend: &B,
        normals: &mut Normals,
        mut out: MatMut<'_, T>,
    ) -> Result<(), Error> {
        let n = self.deviates.len();
        Error::shape("draws: rows", n, out.rows())?;
        for c in 0..out.cols() {
            self.deviates.iter_mut().for_each(|x| *x = T::from_f64(normals.draw()));
            let column = out.reborrow().block(0..n, c..c + 1);
            backend.gemm(T::ONE, self.features.t(), MatRef::dense(self.deviates, n, 1), T::ZERO, column);
        }
        Ok(())
    }
}

/// Draws f_0 `(n + m, C)` and solves for it: `out <- f*(x)` `(m, C)`, a draw from the law of predictors.
///
/// `process` is GP(0, S) on n training samples, those of `problem`, and m test samples after them; `k_cross` = T(x, X)
/// is `(mC, nC)`. The training outputs, |theta* - theta_0| and all else are in `problem` afterwards.
///
/// # Errors
/// Shapes, those of [`FixedPoint::solve`].
pub fn draw_fixed_point<T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    process: &mut GaussianProcess<'_, T>,
    normals: &mut Normals,
    problem: &mut FixedPoint<'_, T, B>,
    k_cross: MatRef<'_, T>,
    mut f_0: MatMut<'_, T>,
    out: MatMut<'_, T>,
) -> Result<(), Error> {
    process.draw(backend, normals, f_0.reborrow())?;
    let (train, all, outputs) = (problem.outputs().rows(), f_0.rows(), f_0.cols());
    Error::at_least("draws: rows", train, all)?;
    problem.solve(f_0.as_ref().block(0..train, 0..outputs))?;
    predict(backend, k_cross, f_0.as_ref().block(train..all, 0..outputs), problem.dual(), out)
}
