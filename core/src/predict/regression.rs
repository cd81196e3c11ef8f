//! Squared error under a fixed kernel, in closed form (mean loss, time t):
//!
//! ```text
//! f(X, t) = y + e^(-t K/n) (f_0(X) - y)
//! g(t) = sum_k (1 - e^(-t w_k/n)) / w_k  u_k u_k^T (y - f_0(X)),        K = sum_k w_k u_k u_k^T
//! ```
//!
//! Gradient descent at learning rate eta has `(1 - eta w_k/n)^s` after s steps where the flow has `e^(-t w_k/n)`.

use super::fit::Fit;
use super::modes::{modes, modes_work_len};
use super::{check_shapes, stack};
use crate::buffer::{buffer_len, take_front};
use crate::linalg::norm;
use crate::{Backend, Error, MatMut, MatRef, Real};

/// The kernel's modes, and what they have to learn.
///
/// ```
/// use ntkscope_core::predict::{KernelRegression, regression_len};
/// use ntkscope_core::{MatRef, Portable};
///
/// // one sample with K = 1, from 0 to y = 1: f(t) = K g(t) = 1 - e^-t
/// let one = |x| MatRef::new(x, 1, 1);
/// let mut buffer = [0.0; regression_len(1, 1)];
/// let mut regression = KernelRegression::new(&Portable, one(&[1.0])?, one(&[0.0])?, one(&[1.0])?, &mut buffer)?;
/// let g = regression.dual(&Portable, 2f64.ln())?.at(0, 0);
/// assert!((g - 0.5).abs() < 1e-15);
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
#[derive(Debug)]
pub struct KernelRegression<'a, T> {
    samples: usize,
    outputs: usize,
    values: &'a [T],
    /// u_k in row k
    modes: MatRef<'a, T>,
    /// how many of `values` are zero to rounding
    vanishing: usize,
    /// u_k . (y - f_0)
    to_learn: &'a mut [T],
    /// coefficients of the modes in g
    coefficients: &'a mut [T],
    /// g
    dual: &'a mut [T],
}

/// Elements of the buffer of a [`KernelRegression`] on n samples of C outputs.
pub const fn regression_len(samples: usize, outputs: usize) -> usize {
    let size = buffer_len(&[&[samples, outputs]]);
    buffer_len(&[&[size, size], &[4, size], &[modes_work_len(size)]])
}

impl<'a, T: Real> KernelRegression<'a, T> {
    /// Decomposes `kernel` `(nC, nC)`; `f_0` and the targets y are `(n, C)`.
    ///
    /// `buffer` holds [`regression_len`] numbers.
    ///
    /// # Errors
    /// [`Error::Shape`]; [`Error::BufferLength`]; [`Error::NonFinite`]; [`Error::IndefiniteKernel`].
    pub fn new<B: Backend<T> + ?Sized>(
        backend: &B,
        kernel: MatRef<'_, T>,
        f_0: MatRef<'_, T>,
        targets: MatRef<'_, T>,
        buffer: &'a mut [T],
    ) -> Result<Self, Error> {
        let (samples, outputs) = (targets.rows(), targets.cols());
        let size = samples * outputs;
        check_shapes(kernel, f_0, targets)?;
        Error::at_least("kernel regression", regression_len(samples, outputs), buffer.len())?;
        let mut rest = buffer;
        let mut take = |len: usize| take_front(&mut rest, len);
        let (values, rows, to_learn, coefficients) = (take(size), take(size * size), take(size), take(size));
        let (dual, work) = (take(size), take(modes_work_len(size)));
        let vanishing = modes(backend, kernel, values, rows, work)?;
        let modes = MatRef::dense(rows, size, size);
        let mut regression = Self { samples, outputs, values, modes, vanishing, to_learn, coefficients, dual };
        regression.restart(backend, f_0, targets)?;
        Ok(regression)
    }

    /// Turns to another f_0 and other targets `(n, C)` under the same kernel, without decomposing it again.
    ///
    /// # Errors
    /// [`Error::Shape`]; [`Error::NonFinite`], after which nothing can be predicted but by another restart.
    pub fn restart<B: Backend<T> + ?Sized>(
        &mut self,
        backend: &B,
        f_0: MatRef<'_, T>,
        targets: MatRef<'_, T>,
    ) -> Result<(), Error> {
        for (what, rows) in [("f_0: rows", f_0.rows()), ("targets: rows", targets.rows())] {
            Error::shape(what, self.samples, rows)?;
        }
        for (what, columns) in [("f_0: columns", f_0.cols()), ("targets: columns", targets.cols())] {
            Error::shape(what, self.outputs, columns)?;
        }
        stack(f_0, self.dual);
        stack(targets, self.coefficients);
        for (e, y) in self.dual.iter_mut().zip(self.coefficients.iter()) {
            *e = *y - *e;
        }
        if !self.dual.iter().all(|e| e.is_finite()) {
            return Err(Error::NonFinite { what: "target less f_0" });
        }
        let size = self.dual.len();
        let (e, learn) = (MatRef::dense(self.dual, size, 1), MatMut::dense(self.to_learn, size, 1));
        backend.gemm(T::ONE, self.modes, e, T::ZERO, learn);
        Ok(())
    }

    /// g `(n, C)` after time t >= 0 of gradient flow on the mean loss; t may be infinite. Modes that vanish to rounding have
    /// no share in it: the outputs tend to those nearest to the targets among all that the kernel reaches from f_0.
    ///
    /// # Errors
    /// [`Error::OutOfRange`]: a negative time or NaN.
    pub fn dual<B: Backend<T> + ?Sized>(&mut self, backend: &B, time: T) -> Result<MatRef<'_, T>, Error> {
        if time < T::ZERO || time.is_nan() {
            return Err(Error::OutOfRange { what: "time", needs: ">= 0", got: time.to_f64() });
        }
        let rate = time / T::from_count(self.samples);
        Ok(self.combine(backend, |w| learned(rate, w)))
    }

    /// g `(n, C)` after `steps` steps of gradient descent on the mean loss at learning rate `rate`.
    ///
    /// Converges below `rate = 2 n / w_max`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`]: a rate that is not finite and positive; [`Error::Diverged`]: g.
    pub fn dual_of_descent<B: Backend<T> + ?Sized>(
        &mut self,
        backend: &B,
        rate: T,
        steps: u64,
    ) -> Result<MatRef<'_, T>, Error> {
        if !(rate > T::ZERO && rate.is_finite()) {
            return Err(Error::OutOfRange { what: "rate", needs: "finite and > 0", got: rate.to_f64() });
        }
        let (share, count) = (rate / T::from_count(self.samples), T::from_f64(steps as f64));
        let half = T::from_f64(0.5);
        let g = self.combine(backend, |w| match share * w {
            _ if steps == 0 => T::ZERO,
            // 1 - (1 - x)^s without cancellation where x is small
            x if x < half => -(count * (-x).ln_1p()).exp_m1(),
            x => {
                let size = (count * (T::ONE - x).abs().ln()).exp();
                if x > T::ONE && steps % 2 == 1 { T::ONE + size } else { T::ONE - size }
            }
        });
        if !g.data().iter().all(|g| g.is_finite()) {
            return Err(Error::Diverged { what: "dual coefficient of gradient descent", step: steps });
        }
        Ok(g)
    }

    /// How far the targets can be met, and how well the last g determines the outputs.
    pub fn fit(&self) -> Fit<T> {
        let (left, w_max) = (norm(&self.to_learn[..self.vanishing]), self.values.last().map_or(T::ZERO, |w| *w));
        Fit::new(self.vanishing, left, norm(self.to_learn), w_max, norm(self.coefficients))
    }

    /// g = sum_k learned(w_k) / w_k  u_k u_k^T (y - f_0)
    fn combine<B: Backend<T> + ?Sized>(&mut self, backend: &B, learned: impl Fn(T) -> T) -> MatRef<'_, T> {
        let modes = self.values.iter().zip(self.to_learn.iter());
        for (k, (c, (w, e))) in self.coefficients.iter_mut().zip(modes).enumerate() {
            *c = if k < self.vanishing { T::ZERO } else { learned(*w) / *w * *e };
        }
        let size = self.dual.len();
        let (coefficients, g) = (MatRef::dense(self.coefficients, size, 1), MatMut::dense(self.dual, size, 1));
        backend.gemm(T::ONE, self.modes.t(), coefficients, T::ZERO, g);
        MatRef::dense(self.dual, self.samples, self.outputs)
    }
}

/// `1 - e^(-rate w)`: the share that gradient flow on the mean loss has learned at time t of a mode with the eigenvalue w of K,
/// `rate` = t/n; of K/n, `rate` = t.
pub fn learned<T: Real>(rate: T, w: T) -> T {
    -(-(rate * w)).exp_m1()
}
