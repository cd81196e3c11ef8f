//! The law of predictors over random initializations: f_0 ~ GP(0, S) for each output (S the NNGP, T the NTK).
//!
//! ```text
//! f(x) = f_0(x) + A (y - f_0(X)):     mean A y,     cov(x, x') = S(x, x') + A S(X, X) A'^T - A S(X, x') - S(x, X) A'^T
//! ```
//!
//! Gaussian, with mean and covariance exact for every output c, where f depends on f_0 in this way:
//!
//! | training | A | y |
//! | --- | --- | --- |
//! | squared error, time t of the mean loss | `T(x, X) T^-1 (I - e^(-t T/n))` | targets |
//! | squared error, penalty LAMBDA on the mean loss | `T(x, X) (T + n LAMBDA I)^-1` | targets |
//! | soft targets, t = infinity | `T(x, X) T^-1` | [`crate::loss::Loss::met`] |
//!
//! Under softmax the last is the law of the centred logits P F, P = I - 11^T/C: mean `A y_c`, covariance
//! `cov (x) P` over samples and classes; the mean over the classes is that of F_0, and changes no probability.
//!
//! Cross-entropy with a penalty depends on f_0 nonlinearly. The delta method takes the A of [`FixedPoint::smoother`] at
//! the solution for f_0 = 0, and that solution for the mean; [`super::draw_fixed_point`] draws from the law itself.
//! Networks whose f_0 is 0 (mirrored, or less f_0) have the mean, and no covariance.

use super::fixed_point::FixedPoint;
use super::modes::{modes, modes_work_len};
use super::regression::learned;
use crate::buffer::{buffer_len, take_front};
use crate::{Backend, Error, MatMut, MatRef, Real};

/// A kernel on n training samples X and m test samples x, for one output, or stacked for all of them.
#[derive(Clone, Copy, Debug)]
pub struct Joint<'a, T> {
    train: MatRef<'a, T>,
    cross: MatRef<'a, T>,
    test: MatRef<'a, T>,
}

impl<'a, T: Real> Joint<'a, T> {
    /// Of `kernel` `(n + m, n + m)`, symmetric, with the n = `train` training samples first.
    ///
    /// # Errors
    /// Shapes.
    pub fn new(kernel: MatRef<'a, T>, train: usize) -> Result<Self, Error> {
        let all = kernel.rows();
        Error::shape("kernel of training and test samples: columns", all, kernel.cols())?;
        Error::at_least("kernel of training and test samples", train, all)?;
        Ok(Self {
            train: kernel.block(0..train, 0..train),
            cross: kernel.block(train..all, 0..train),
            test: kernel.block(train..all, train..all),
        })
    }
    /// K(X, X) `(n, n)`
    pub fn train(&self) -> MatRef<'a, T> {
        self.train
    }
    /// K(x, X) `(m, n)`
    pub fn cross(&self) -> MatRef<'a, T> {
        self.cross
    }
    /// K(x, x) `(m, m)`
    pub fn test(&self) -> MatRef<'a, T> {
        self.test
    }
}

/// What leads to a linear predictor.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Training<T> {
    /// gradient flow of squared error for this time of the mean loss, infinite as well; soft targets at infinity
    Flow(T),
    /// the least mean squared error with the penalty LAMBDA
    Ridge(T),
}

/// Elements of the buffer of [`smoother`] for n training and m test samples.
pub const fn smoother_len(train: usize, test: usize) -> usize {
    buffer_len(&[&[train, train], &[train], &[modes_work_len(train)], &[test, train]])
}

/// `out <- A` `(m, n)`, the smoother of one output: `f(x) = f_0(x) + A (y - f_0(X))`.
///
/// `ntk` is T of one output; `buffer` holds [`smoother_len`] numbers.
///
/// # Errors
/// Shapes, a short buffer, a negative time, a penalty that is not positive and finite; a kernel that is not positive
/// semidefinite; at t = infinity [`Error::SingularKernel`].
pub fn smoother<T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    ntk: Joint<'_, T>,
    training: Training<T>,
    out: MatMut<'_, T>,
    buffer: &mut [T],
) -> Result<(), Error> {
    let (n, m) = (ntk.train.rows(), ntk.test.rows());
    Error::shape("smoother: rows", m, out.rows())?;
    Error::shape("smoother: columns", n, out.cols())?;
    Error::at_least("smoother", smoother_len(n, m), buffer.len())?;
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
    let (values, rows, in_modes) = (take(n), take(n * n), take(m * n));
    let vanishing = modes(backend, ntk.train, values, rows, take(modes_work_len(n)))?;
    let count = T::from_count(n);
    let share = |w: T| match training {
        Training::Flow(time) => learned(time / count, w) / w,
        Training::Ridge(penalty) => T::ONE / (w + count * penalty),
    };
    if matches!(training, Training::Flow(time) if !time.is_finite()) && vanishing > 0 {
        return Err(Error::SingularKernel { eigenvalue: vanishing - 1 });
    }
    // A = sum_k [T(x, X) u_k] share(w_k) u_k^T
    let modes = MatRef::dense(rows, n, n);
    backend.gemm(T::ONE, ntk.cross, modes.t(), T::ZERO, MatMut::dense(in_modes, m, n));
    for row in in_modes.chunks_exact_mut(n.max(1)) {
        row[..vanishing].fill(T::ZERO);
        row[vanishing..].iter_mut().zip(&values[vanishing..]).for_each(|(x, w)| *x *= share(*w));
    }
    backend.gemm(T::ONE, MatRef::dense(in_modes, m, n), modes, T::ZERO, out);
    Ok(())
}

/// `out <- A y`: the mean `(m, C)` of the predictors for the targets y `(n, C)`.
///
/// # Errors
/// Shapes.
pub fn mean<T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    smoother: MatRef<'_, T>,
    targets: MatRef<'_, T>,
    out: MatMut<'_, T>,
) -> Result<(), Error> {
    Error::shape("targets: rows", smoother.cols(), targets.rows())?;
    Error::shape("mean: rows", smoother.rows(), out.rows())?;
    Error::shape("mean: columns", targets.cols(), out.cols())?;
    backend.gemm(T::ONE, smoother, targets, T::ZERO, out);
    Ok(())
}

/// `out <- cov` `(m, m)` over initializations of the predictors with the smoother A `(m, n)`; `nngp` is S.
///
/// For the delta method of several outputs all are stacked: m stands for mC, n for nC, and S is `S (x) I_C` (see
/// [`super::expand`]). `work` holds `m n` numbers.
///
/// # Errors
/// Shapes, a short work.
pub fn covariance<T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    nngp: Joint<'_, T>,
    smoother: MatRef<'_, T>,
    mut out: MatMut<'_, T>,
    work: &mut [T],
) -> Result<(), Error> {
    check_covariance(nngp, smoother, &out)?;
    let (m, n) = (smoother.rows(), smoother.cols());
    Error::at_least("covariance: work", m * n, work.len())?;
    // E = [A S(X, X)/2 - S(x, X)] A^T, then S(x, x) + E + E^T
    let half = MatMut::dense(&mut work[..m * n], m, n);
    backend.gemm(T::from_f64(0.5), smoother, nngp.train, T::ZERO, half);
    for (i, row) in work[..m * n].chunks_exact_mut(n.max(1)).enumerate() {
        row.iter_mut().enumerate().for_each(|(j, x)| *x -= nngp.cross.at(i, j));
    }
    backend.gemm(T::ONE, MatRef::dense(&work[..m * n], m, n), smoother.t(), T::ZERO, out.reborrow());
    symmetric(nngp.test, T::ONE, T::ONE, &mut out);
    Ok(())
}

/// `out <- (1/(n LAMBDA)) [T(x, x') - A T(X, x')]`: the covariance `(mC, mC)` of the Laplace approximation of Gaussian
/// process classification with prior covariance `T/(n LAMBDA)`, at the solution of `problem`.
///
/// Not that of initializations: theirs is this one less `A W^-1 A^T` if S were `T/(n LAMBDA)`, which it is not. `ntk` is
/// T, `T (x) I_C` for several outputs, and `smoother` `(mC, nC)` is A of [`FixedPoint::smoother`].
///
/// # Errors
/// Shapes.
pub fn laplace_covariance<T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    problem: &FixedPoint<'_, T, B>,
    ntk: Joint<'_, T>,
    smoother: MatRef<'_, T>,
    mut out: MatMut<'_, T>,
) -> Result<(), Error> {
    check_covariance(ntk, smoother, &out)?;
    backend.gemm(T::ONE, smoother, ntk.cross.t(), T::ZERO, out.reborrow());
    let scale = T::ONE / (T::from_count(problem.outputs().rows()) * problem.penalty());
    symmetric(ntk.test, scale, -scale * T::from_f64(0.5), &mut out);
    Ok(())
}

fn check_covariance<T: Real>(kernel: Joint<'_, T>, smoother: MatRef<'_, T>, out: &MatMut<'_, T>) -> Result<(), Error> {
    Error::shape("smoother: rows", kernel.test.rows(), smoother.rows())?;
    Error::shape("smoother: columns", kernel.train.rows(), smoother.cols())?;
    Error::shape("covariance: rows", smoother.rows(), out.rows())?;
    Error::shape("covariance: columns", smoother.rows(), out.cols())
}

/// `E <- a K + b (E + E^T)`, symmetric to the bit.
fn symmetric<T: Real>(kernel: MatRef<'_, T>, a: T, b: T, e: &mut MatMut<'_, T>) {
    for i in 0..e.rows() {
        for j in 0..=i {
            let value = a * kernel.at(i, j) + b * (e.at(i, j) + e.at(j, i));
            *e.at_mut(i, j) = value;
            *e.at_mut(j, i) = value;
        }
    }
}
