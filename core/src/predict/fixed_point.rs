//! The least penalized mean loss under a fixed kernel, which gradient flow of a network with a penalty tends to:
//!
//! ```text
//! J = (1/n) sum_i l(f_i, y_i) + (LAMBDA/2)|theta - theta_0|^2
//! f*(X) = f_0(X) - (1/(n LAMBDA)) K r(f*(X)),     f*(x) = f_0(x) + K(x, X) g,     g = -r(f*(X))/(n LAMBDA)
//! ```
//!
//! The minimum is unique, because J is strictly convex in the parameters: also where K is singular, samples are
//! equal, or labels certain. (A penalty `lam` added to the *sum* of the losses is `n LAMBDA`.) Squared error is ridge
//! regression, `f* = f_0 + K (K + n LAMBDA I)^-1 (y - f_0)`. Under cross-entropy f* is the mode of Gaussian process
//! classification with prior mean f_0 and prior covariance `K/(n LAMBDA)`.

use super::newton::{Newton, newton_len};
use crate::loss::Loss;
use crate::{Backend, Error, MatMut, MatRef, Real};

/// One kernel, loss and penalty, to be solved for any f_0.
///
/// ```
/// use ntkscope_core::loss::{Loss, sigmoid};
/// use ntkscope_core::predict::{FixedPoint, fixed_point_len};
/// use ntkscope_core::{MatRef, Portable};
///
/// // one sample with K = 1 of class 1, from 0: f = -(1/LAMBDA) (sigma(f) - 1)
/// let (one, penalty) = (|x| MatRef::new(x, 1, 1), 0.5f64);
/// let mut buffer = [0.0; fixed_point_len(1, 1)];
/// let mut end = FixedPoint::new(&Portable, one(&[1.0])?, one(&[1.0])?, Loss::CrossEntropy, penalty, &mut buffer)?;
/// end.solve(one(&[0.0])?)?;
/// let f = end.outputs().at(0, 0);
/// assert!((f - (1.0 - sigmoid(f)) / penalty).abs() < 1e-14);
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
#[derive(Debug)]
pub struct FixedPoint<'a, T, B: ?Sized> {
    newton: Newton<'a, T, B>,
    penalty: T,
    steps: u64,
}

/// Elements of the buffer of a [`FixedPoint`] on n samples of C outputs.
pub const fn fixed_point_len(samples: usize, outputs: usize) -> usize {
    newton_len(samples, outputs)
}

impl<'a, T: Real, B: Backend<T> + ?Sized> FixedPoint<'a, T, B> {
    /// Decomposes `kernel` `(nC, nC)`; `targets` are `(n, C)` as [`Loss::target`] writes them, hard or soft; `penalty`
    /// is LAMBDA of `(LAMBDA/2)|theta - theta_0|^2`, added to the mean loss.
    ///
    /// `buffer` holds [`fixed_point_len`] numbers.
    ///
    /// # Errors
    /// Shapes, a short buffer, targets outside the loss's range, a loss without curvature ([`Error::NotSmooth`]), a
    /// kernel that is not finite or not positive semidefinite; a penalty that is negative or not finite, and without
    /// one [`Error::NoFiniteSolution`] where a target is certain (else see [`super::SoftTargets`]).
    pub fn new(
        backend: &'a B,
        kernel: MatRef<'a, T>,
        targets: MatRef<'a, T>,
        loss: Loss,
        penalty: T,
        buffer: &'a mut [T],
    ) -> Result<Self, Error> {
        loss.check(targets)?;
        if penalty == T::ZERO
            && let Some(sample) = (0..targets.rows()).find(|i| loss.certain(targets.row(*i)))
        {
            return Err(Error::NoFiniteSolution { sample });
        }
        if !(penalty > T::ZERO && penalty.is_finite()) {
            return Err(Error::OutOfRange { what: "penalty", needs: "finite and > 0", got: penalty.to_f64() });
        }
        let newton = Newton::new(backend, kernel, targets, loss, buffer)?;
        Ok(Self { newton, penalty, steps: 0 })
    }

    /// Solves for `f_0` `(n, C)`, from theta = theta_0.
    ///
    /// # Errors
    /// Shapes; f_0 is not finite; [`Error::NoMinimum`], where the penalty is below the rounding of the loss's
    /// curvature, `n epsilon w_max`.
    pub fn solve(&mut self, f_0: MatRef<'_, T>) -> Result<(), Error> {
        self.newton.z.fill(T::ZERO);
        self.minimize(f_0)
    }

    /// The same from any start: [`Self::rank`] coordinates z, with `f(X) = f_0(X) + Phi^T z` and `|theta - theta_0| =
    /// |z|`. The solution does not depend on it, but for rounding.
    ///
    /// # Errors
    /// Also the length and non-finite numbers of z.
    pub fn solve_from(&mut self, f_0: MatRef<'_, T>, start: &[T]) -> Result<(), Error> {
        Error::shape("start: coordinates", self.rank(), start.len())?;
        if !start.iter().all(|z| z.is_finite()) {
            return Err(Error::NonFinite { what: "start" });
        }
        self.newton.z.copy_from_slice(start);
        self.minimize(f_0)
    }

    fn minimize(&mut self, f_0: MatRef<'_, T>) -> Result<(), Error> {
        self.newton.system.set(f_0)?;
        self.steps = self.newton.minimize(self.penalty)?;
        Ok(())
    }

    /// `A` `(mC, nC)` of test samples: what `f*(x)` takes from f_0(X), `d f*(x) = d f_0(x) - A d f_0(X)`, at the solution.
    ///
    /// `A = K(x, X) (K + n LAMBDA W^-1)^-1` with W the Hessian of the *sum* of the losses; W is not inverted. For
    /// squared error A is the same for every f_0. `k_cross` = K(x, X) is `(mC, nC)`; `work` holds `mC nC` numbers.
    ///
    /// # Errors
    /// [`Error::Shape`]; [`Error::BufferLength`]: `work`.
    pub fn smoother(&mut self, k_cross: MatRef<'_, T>, out: MatMut<'_, T>, work: &mut [T]) -> Result<(), Error> {
        self.newton.smoother(self.penalty, k_cross, out, work)
    }

    /// f* `(n, C)` of the training samples
    pub fn outputs(&self) -> MatRef<'_, T> {
        self.newton.view(self.newton.outputs)
    }
    /// g `(n, C)`, for [`super::predict`]
    pub fn dual(&self) -> MatRef<'_, T> {
        self.newton.view(self.newton.dual)
    }
    /// |theta* - theta_0|
    pub fn distance(&self) -> T {
        self.newton.distance()
    }
    /// Largest element of `f* - f_0 + (1/(n LAMBDA)) K r(f*)`; rounding of r alone makes `epsilon K r/(n LAMBDA)`.
    pub fn residual(&mut self) -> T {
        self.newton.residual(self.penalty)
    }
    /// Newton steps of the last solution
    pub fn steps(&self) -> u64 {
        self.steps
    }
    /// number of coordinates of [`Self::solve_from`]
    pub fn rank(&self) -> usize {
        self.newton.z.len()
    }
    /// LAMBDA
    pub fn penalty(&self) -> T {
        self.penalty
    }
}
