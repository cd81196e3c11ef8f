//! Linear predictors, `f(x) = f_0(x) + A (y - f_0(X))` for each output, from the modes of a kernel that all outputs share:
//!
//! ```text
//! A = K(x, X) sum_k s(w_k) u_k u_k^T,     K(X, X) = sum_k w_k u_k u_k^T
//! ```
//!
//! with s(w) = (1 - e^(-t w/n))/w for the flow, 1/w in its limit, and 1/(w + n LAMBDA) with a penalty. Modes that vanish
//! to rounding are left out, as they are never learned: at t = infinity `A = K(x, X) K^+`, with the pseudo-inverse.

use super::fit::Fit;
use super::modes::{modes, modes_work_len};
use super::regression::learned;
use crate::buffer::{buffer_len, take_front};
use crate::linalg::norm;
use crate::{Backend, Error, MatMut, MatRef, Real};

/// What leads to a linear predictor.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Training<T> {
    /// gradient flow of squared error for this time of the mean loss, infinite as well; soft targets at infinity
    Flow(T),
    /// the least mean squared error with the penalty LAMBDA
    Ridge(T),
}

/// The modes of the kernel of n training samples, and their shares in A.
///
/// ```
/// use ntkscope_core::predict::{Smoother, Training, smoother_len};
/// use ntkscope_core::{MatMut, MatRef, Portable};
///
/// // equal samples, whose mean target is learned
/// let kernel = MatRef::new(&[2.0, 2.0, 2.0, 2.0], 2, 2)?;
/// let (mut buffer, mut a, mut work) = ([0.0f64; smoother_len(2)], [0.0; 2], [0.0; 4]);
/// let smoother = Smoother::new(&Portable, kernel, Training::Flow(f64::INFINITY), &mut buffer)?;
/// smoother.of(&Portable, MatRef::new(&[2.0, 2.0], 1, 2)?, MatMut::new(&mut a, 1, 2)?, &mut work)?;
/// assert!(a.iter().all(|a| (a - 0.5).abs() < 1e-15));
/// let fit = smoother.fit(&Portable, MatRef::new(&[1.0, -1.0], 2, 1)?, &mut work)?;
/// assert!(fit.unreached == 1 && (fit.unmet() - 1.0).abs() < 1e-15);
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Smoother<'a, T> {
    values: &'a [T],
    /// u_k in row k
    modes: MatRef<'a, T>,
    /// s(w_k), 0 where w_k vanishes
    shares: &'a [T],
    vanishing: usize,
}

/// Elements of the buffer of a [`Smoother`] for n training samples.
pub const fn smoother_len(train: usize) -> usize {
    buffer_len(&[&[train, train], &[2, train], &[modes_work_len(train)]])
}

impl<'a, T: Real> Smoother<'a, T> {
    /// Decomposes `kernel` = K(X, X) `(n, n)` of one output.
    ///
    /// `buffer` holds [`smoother_len`] numbers.
    ///
    /// # Errors
    /// Shapes, a short buffer, a negative time, a penalty that is not positive and finite; a kernel that is not finite or
    /// not positive semidefinite.
    pub fn new<B: Backend<T> + ?Sized>(
        backend: &B,
        kernel: MatRef<'_, T>,
        training: Training<T>,
        buffer: &'a mut [T],
    ) -> Result<Self, Error> {
        let n = kernel.rows();
        Error::shape("kernel of the training samples: columns", n, kernel.cols())?;
        Error::at_least("smoother", smoother_len(n), buffer.len())?;
        match training {
            Training::Flow(time) if time < T::ZERO || time.is_nan() => {
                return Err(Error::OutOfRange { what: "time", needs: ">= 0", got: time.to_f64() });
            }
            Training::Ridge(penalty) if !(penalty > T::ZERO && penalty.is_finite()) => {
                return Err(Error::OutOfRange { what: "penalty", needs: "finite and > 0", got: penalty.to_f64() });
            }
            _ => {}
        }
        let mut rest = buffer;
        let mut take = |len: usize| take_front(&mut rest, len);
        let (values, rows, shares) = (take(n), take(n * n), take(n));
        let vanishing = modes(backend, kernel, values, rows, take(modes_work_len(n)))?;
        let count = T::from_count(n);
        for (k, (share, w)) in shares.iter_mut().zip(values.iter()).enumerate() {
            *share = match training {
                _ if k < vanishing => T::ZERO,
                Training::Flow(time) => learned(time / count, *w) / *w,
                Training::Ridge(penalty) => T::ONE / (*w + count * penalty),
            };
        }
        Ok(Self { values, modes: MatRef::dense(rows, n, n), shares, vanishing })
    }

    /// How many modes of one output vanish to rounding.
    pub fn unreached(&self) -> usize {
        self.vanishing
    }

    /// `out <- A` `(m, n)` for m samples x; `cross` = K(x, X) is `(m, n)`, `work` holds `m n` numbers.
    ///
    /// # Errors
    /// [`Error::Shape`]; [`Error::BufferLength`]: `work`.
    pub fn of<B: Backend<T> + ?Sized>(
        &self,
        backend: &B,
        cross: MatRef<'_, T>,
        out: MatMut<'_, T>,
        work: &mut [T],
    ) -> Result<(), Error> {
        let (m, n) = (cross.rows(), self.values.len());
        Error::shape("kernel of test and training samples: columns", n, cross.cols())?;
        Error::shape("smoother: rows", m, out.rows())?;
        Error::shape("smoother: columns", n, out.cols())?;
        Error::at_least("smoother: work", m * n, work.len())?;
        // A = sum_k [K(x, X) u_k] s(w_k) u_k^T
        let in_modes = &mut work[..m * n];
        backend.gemm(T::ONE, cross, self.modes.t(), T::ZERO, MatMut::dense(in_modes, m, n));
        for row in in_modes.chunks_exact_mut(n.max(1)) {
            row.iter_mut().zip(self.shares).for_each(|(x, share)| *x *= *share);
        }
        backend.gemm(T::ONE, MatRef::dense(in_modes, m, n), self.modes, T::ZERO, out);
        Ok(())
    }

    /// How far the targets y - f_0 `(n, C)` can be met, and are known to be; `work` holds `n C` numbers.
    ///
    /// # Errors
    /// [`Error::Shape`]; [`Error::BufferLength`]: `work`.
    pub fn fit<B: Backend<T> + ?Sized>(
        &self,
        backend: &B,
        targets: MatRef<'_, T>,
        work: &mut [T],
    ) -> Result<Fit<T>, Error> {
        let (n, c) = (self.values.len(), targets.cols());
        Error::shape("targets: rows", n, targets.rows())?;
        Error::at_least("smoother: work", n * c, work.len())?;
        let in_modes = &mut work[..n * c];
        backend.gemm(T::ONE, self.modes, targets, T::ZERO, MatMut::dense(in_modes, n, c));
        let (start, residual) = (norm(in_modes), norm(&in_modes[..self.vanishing * c]));
        for (row, share) in in_modes.chunks_exact_mut(c.max(1)).zip(self.shares) {
            row.iter_mut().for_each(|e| *e *= *share);
        }
        let w_max = self.values.last().map_or(T::ZERO, |w| *w);
        Ok(Fit::new(self.vanishing * c, residual, start, w_max, norm(in_modes)))
    }
}
