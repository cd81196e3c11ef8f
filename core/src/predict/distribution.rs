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
//! | squared error, time t of the mean loss | `T(x, X) T^+ (I - e^(-t T/n))` | targets |
//! | squared error, penalty LAMBDA on the mean loss | `T(x, X) (T + n LAMBDA I)^-1` | targets |
//! | soft targets, t = infinity | `T(x, X) T^+` | [`crate::loss::Loss::met`], or [`super::SoftTargets::outputs`] |
//!
//! with the pseudo-inverse `T^+`: A is a [`super::Smoother`]. Of soft targets that a singular T cannot meet, y are the
//! outputs of least loss among those that it reaches; they do not depend on f_0, which lies among them, because S
//! vanishes where T does.
//!
//! Under softmax the last is the law of the centred logits P F, P = I - 11^T/C: mean `A y_c`, covariance
//! `cov (x) P` over samples and classes; the mean over the classes is that of F_0, and changes no probability.
//!
//! Cross-entropy with a penalty depends on f_0 nonlinearly. The delta method takes the A of [`FixedPoint::smoother`] at
//! the solution for f_0 = 0, and that solution for the mean; [`super::draw_fixed_point`] draws from the law itself.
//! Networks whose f_0 is 0 (mirrored, or less f_0) have the mean, and no covariance.

use super::fixed_point::FixedPoint;
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
    /// [`Error::Shape`].
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
    /// Of its blocks: `train` K(X, X) `(n, n)`, `cross` K(x, X) `(m, n)`, `test` K(x, x) `(m, m)`. So test points can
    /// come block by block.
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub fn of_blocks(train: MatRef<'a, T>, cross: MatRef<'a, T>, test: MatRef<'a, T>) -> Result<Self, Error> {
        Error::shape("kernel of training samples: columns", train.rows(), train.cols())?;
        Error::shape("kernel of test and training samples: columns", train.rows(), cross.cols())?;
        Error::shape("kernel of test samples: rows", cross.rows(), test.rows())?;
        Error::shape("kernel of test samples: columns", cross.rows(), test.cols())?;
        Ok(Self { train, cross, test })
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

/// `out <- A y`: the mean `(m, C)` of the predictors for the targets y `(n, C)`.
///
/// # Errors
/// [`Error::Shape`].
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
/// [`Error::Shape`]; [`Error::BufferLength`]: `work`.
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
/// [`Error::Shape`].
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
