//! The least penalized mean loss in the linear model of a kernel:
//!
//! ```text
//! J(z) = R(f_0 + Phi^T z) + (LAMBDA/2)|z|^2,     (Phi H Phi^T + LAMBDA I) d = -(Phi r/n + LAMBDA z),     z <- z + s d
//! ```
//!
//! `|z|` is the distance of the parameters from theta_0. J is convex, and its slope along d is cheap, because the
//! change of the outputs, `Phi^T d`, is known: s is sought where the slope vanishes, beyond 1 as well. So the method
//! comes down from anywhere: logits of any size, flat losses, kernels of any scale.

use super::fit::Fit;
use super::modes::modes_work_len;
use super::system::{System, curvatures, largest};
use crate::buffer::{buffer_len, take_front};
use crate::linalg::{cholesky_solve, dot, norm, sum_of_squares};
use crate::loss::{Loss, Unit};
use crate::{Backend, Error, MatMut, MatRef, Real};

/// Newton steps after which the method gives up; ten are typical, 260 the most seen from logits of 1e5
/// under kernels of condition 1e6, and 700 where the penalty is lost beside rounding.
const MAX_STEPS: u64 = 1000;
/// Trial lengths of a step. Halving once and doubling once a factor of 2, they span all that a double holds.
const MAX_TRIALS: u32 = 200;
/// Share of the first slope along a step that may be left at its end.
const FLAT: f64 = 0.1;

/// Where the method stands, and its work space.
#[derive(Debug)]
pub(super) struct Newton<'a, T, B: ?Sized> {
    pub(super) system: System<'a, T, B>,
    pub(super) z: &'a mut [T],
    pub(super) outputs: &'a mut [T],
    /// g, with K g = f - f_0
    pub(super) dual: &'a mut [T],
    direction: &'a mut [T],
    /// Phi^T of the direction
    change: &'a mut [T],
    trial: &'a mut [T],
    residuals: &'a mut [T],
    hessian: &'a mut [T],
    factor: &'a mut [T],
    weighted: &'a mut [T],
}

/// Elements of the buffer of a [`Newton`] on n samples of C outputs.
pub(super) const fn newton_len(samples: usize, outputs: usize) -> usize {
    let size = buffer_len(&[&[samples, outputs]]);
    buffer_len(&[&[2, size, size], &[modes_work_len(size)], &[size, outputs], &[9, size]])
}

impl<'a, T: Real, B: Backend<T> + ?Sized> Newton<'a, T, B> {
    /// # Errors
    /// Shapes, a short buffer, targets outside the loss's range, a kernel that is not finite or not positive
    /// semidefinite.
    pub(super) fn new(
        backend: &'a B,
        kernel: MatRef<'a, T>,
        targets: MatRef<'a, T>,
        loss: Loss,
        buffer: &'a mut [T],
    ) -> Result<Self, Error> {
        let (samples, classes) = (targets.rows(), targets.cols());
        let size = samples * classes;
        Error::at_least("Newton's method", newton_len(samples, classes), buffer.len())?;
        let mut rest = buffer;
        let mut take = |len: usize| take_front(&mut rest, len);
        let (weighted, factor) = (take(size * size), take(modes_work_len(size)));
        let system = System::new(backend, kernel, targets, loss, factor, weighted, &mut take)?;
        let rank = system.values.len();
        let (z, outputs, dual) = (take(rank), take(size), take(size));
        [&mut *z, outputs, dual].into_iter().for_each(|x| x.fill(T::ZERO));
        Ok(Self {
            system,
            z,
            outputs,
            dual,
            direction: take(rank),
            change: take(size),
            trial: take(size),
            residuals: take(size),
            hessian: take(size * classes),
            factor,
            weighted,
        })
    }

    /// `(n, C)`, of outputs or of g
    pub(super) fn view<'b>(&self, values: &'b [T]) -> MatRef<'b, T> {
        MatRef::dense(values, self.system.targets.rows(), self.system.targets.cols())
    }

    /// z for the outputs nearest to `goal`, in the norm of the kernel's inverse where it has one.
    pub(super) fn approach(&mut self, goal: impl Fn(usize) -> T) {
        for (i, (e, f_0)) in self.trial.iter_mut().zip(self.system.f_0.iter()).enumerate() {
            *e = goal(i) - *f_0;
        }
        let (e, z) = (MatRef::dense(self.trial, self.trial.len(), 1), MatMut::dense(self.z, self.z.len(), 1));
        self.system.backend.gemm(T::ONE, self.system.features, e, T::ZERO, z);
        self.z.iter_mut().zip(self.system.values).for_each(|(z, w)| *z /= *w);
    }

    /// z <- the minimum of J, from where z is; penalty = LAMBDA >= 0. The steps taken are returned.
    ///
    /// Ends where a step is below half of the digits, and no longer less than half of the step before: at rounding.
    ///
    /// # Errors
    /// No minimum within the steps allowed; a step that is not finite.
    pub(super) fn minimize(&mut self, penalty: T) -> Result<u64, Error> {
        let mut last = None;
        self.system.outputs_at(self.z, self.outputs);
        for step in 1..=MAX_STEPS {
            let known = self.newton_direction(penalty)?;
            let size = largest(self.change);
            if !size.is_finite() {
                return Err(Error::Diverged { what: "step of Newton's method", step });
            }
            let scale = T::ONE.max(largest(self.outputs)).max(largest(self.system.f_0));
            let near = size <= T::EPSILON.sqrt() * scale * known;
            let length = if near { T::ONE } else { self.length(penalty) };
            self.z.iter_mut().zip(self.direction.iter()).for_each(|(z, d)| *z += length * *d);
            self.system.outputs_at(self.z, self.outputs);
            let settled = last.is_some_and(|last| size + size >= last);
            if size == T::ZERO || near && settled {
                self.finish();
                return Ok(step);
            }
            last = Some(size);
        }
        Err(Error::NoMinimum { steps: MAX_STEPS })
    }

    /// d and `Phi^T d`; `factor` and `weighted` are those of [`System::factor`].
    ///
    /// Below the rounding of the curvature nothing is known, so that it is the least damping. Where that exceeds the
    /// penalty, and samples are flat beside others, d may be too short by the factor that is returned.
    fn newton_direction(&mut self, penalty: T) -> Result<T, Error> {
        let (size, rank) = (self.outputs.len(), self.z.len());
        self.system.hessian(self.outputs, T::ZERO, self.hessian);
        let (least, most) = curvatures(self.hessian, self.system.targets.cols());
        let rounding = T::from_count(size) * T::EPSILON * most;
        let damping = penalty.max(rounding * self.system.values.last().map_or(T::ZERO, |w| *w));
        let known = if damping > penalty && least <= rounding { penalty / damping } else { T::ONE };
        // where J is flat the length is sought anyway
        let damping = if damping > T::ZERO { damping } else { T::ONE };
        self.system.factor(self.hessian, damping, self.factor, self.weighted)?;
        self.system.descent(self.outputs, T::ZERO, self.residuals, self.direction);
        self.direction.iter_mut().zip(self.z.iter()).for_each(|(d, z)| *d -= penalty * *z);
        cholesky_solve(MatRef::dense(&self.factor[..rank * rank], rank, rank), self.direction)?;
        self.system.in_outputs(self.direction, self.change);
        Ok(known)
    }

    /// s where the slope of J along d is at most [`FLAT`] of what it is at 0, by doubling and halving.
    fn length(&mut self, penalty: T) -> T {
        let (along, square) = (dot(self.z, self.direction), sum_of_squares(self.direction));
        let mut slope_at = |s: T| {
            for (t, (f, change)) in self.trial.iter_mut().zip(self.outputs.iter().zip(self.change.iter())) {
                *t = *f + s * *change;
            }
            let (samples, classes) = (self.system.targets.rows(), self.system.targets.cols());
            let (f, r) = (MatRef::dense(self.trial, samples, classes), MatMut::dense(self.residuals, samples, classes));
            self.system.loss.residuals_within(f, self.system.targets, Unit::of_mean(f, T::ZERO), r);
            dot(self.residuals, self.change) + penalty * (along + s * square)
        };
        let flat = T::from_f64(FLAT) * slope_at(T::ZERO).abs();
        let (mut low, mut high, mut s) = (T::ZERO, None, T::ONE);
        for _ in 0..MAX_TRIALS {
            let slope = slope_at(s);
            if slope.abs() <= flat {
                return s;
            }
            // NaN is outputs that are too large
            if slope < T::ZERO {
                low = s
            } else {
                high = Some(s)
            }
            s = high.map_or(s + s, |high| (low + high) / T::from_f64(2.0));
        }
        low
    }

    /// f and g from z.
    pub(super) fn finish(&mut self) {
        self.system.solution(self.z, self.outputs, self.dual, self.direction, self.trial);
    }

    /// |theta - theta_0|
    pub(super) fn distance(&self) -> T {
        norm(self.z)
    }

    /// How far the targets are met at the present outputs, of a kernel that reaches all but so many directions.
    pub(super) fn fit(&mut self, unreached: usize) -> Fit<T> {
        let (samples, classes) = (self.system.targets.rows(), self.system.targets.cols());
        let (loss, targets, residuals) = (self.system.loss, self.system.targets, &mut *self.residuals);
        let mut size = |f: &[T]| {
            let out = MatMut::dense(residuals, samples, classes);
            let f = MatRef::dense(f, samples, classes);
            loss.residuals_within(f, targets, Unit::of_mean(f, T::ZERO), out);
            // those of the mean loss
            T::from_count(samples) * norm(residuals)
        };
        // of targets that are met there is nothing left but rounding
        let left = if unreached > 0 { size(self.outputs) } else { T::ZERO };
        let w_max = self.system.values.last().map_or(T::ZERO, |w| *w);
        Fit::new(unreached, left, size(self.system.f_0), w_max, norm(self.dual))
    }

    /// Largest element of what is 0 at the minimum, in the outputs: `f - f_0 + K r/(n LAMBDA)`, or `K r/n` without a
    /// penalty.
    pub(super) fn residual(&mut self, penalty: T) -> T {
        self.system.descent(self.outputs, T::ZERO, self.residuals, self.direction);
        if penalty > T::ZERO {
            self.direction.iter_mut().zip(self.z.iter()).for_each(|(d, z)| *d = *z - *d / penalty);
        }
        self.system.in_outputs(self.direction, self.change);
        largest(self.change)
    }

    /// `A <- K(x, X) (K + LAMBDA H^-1)^-1 = psi^T (LAMBDA I + Phi H Phi^T)^-1 Phi H` with `psi = Phi^-T K(X, x)`, at
    /// the present outputs: H need not be invertible, nor K.
    ///
    /// `k_cross` and `out` are (M, nC); `work` holds M nC numbers.
    ///
    /// # Errors
    /// [`Error::Shape`]; [`Error::BufferLength`]: `work`.
    pub(super) fn smoother(
        &mut self,
        penalty: T,
        k_cross: MatRef<'_, T>,
        mut out: MatMut<'_, T>,
        work: &mut [T],
    ) -> Result<(), Error> {
        let (size, rank, backend) = (self.outputs.len(), self.z.len(), self.system.backend);
        Error::shape("kernel of test and training samples: columns", size, k_cross.cols())?;
        Error::shape("smoother: rows", k_cross.rows(), out.rows())?;
        Error::shape("smoother: columns", size, out.cols())?;
        Error::at_least("smoother: work", k_cross.rows() * size, work.len())?;
        self.newton_direction(penalty)?;
        // K Phi^T is of the size of K^(3/2), which has to have a number
        let unit = self.system.unit();
        for i in 0..k_cross.rows() {
            let row = k_cross.row(i).iter();
            out.row_mut(i).iter_mut().zip(row).for_each(|(scaled, k)| *scaled = *k / unit);
        }
        let psi = &mut work[..k_cross.rows() * rank];
        let psi_out = MatMut::dense(psi, k_cross.rows(), rank);
        backend.gemm(T::ONE, out.as_ref(), self.system.features.t(), T::ZERO, psi_out);
        for row in psi.chunks_exact_mut(rank.max(1)) {
            row.iter_mut().zip(self.system.values).for_each(|(x, w)| *x = *x / *w * unit);
            cholesky_solve(MatRef::dense(&self.factor[..rank * rank], rank, rank), row)?;
        }
        let (psi, weighted) = (MatRef::dense(psi, k_cross.rows(), rank), &self.weighted[..rank * size]);
        backend.gemm(T::ONE, psi, MatRef::dense(weighted, rank, size), T::ZERO, out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Portable;

    /// `f = K g`, and a smoother that is finite, where K^(3/2) and the coordinates over their eigenvalues have no number.
    #[test]
    fn kernels_of_any_scale_have_duals_and_smoothers() {
        for scale in [1e-220f64, 1.0, 1e103, 1e110, 1e220, 1e300] {
            let k = [0.4, -0.2, 0.1, -0.2, 1.9, -0.5, 0.1, -0.5, 0.9].map(|k| k * scale);
            let (k, y) = (MatRef::dense(&k, 3, 3), [0.0, 1.0, 0.0]);
            let mut buffer = [0.0; newton_len(3, 1)];
            let y = MatRef::dense(&y, 3, 1);
            let mut newton = Newton::new(&Portable, k, y, Loss::CrossEntropy, &mut buffer).unwrap();
            newton.minimize(0.01).unwrap();
            for i in 0..3 {
                let (f, of_dual) = (newton.outputs[i], dot(k.row(i), newton.dual));
                assert!(f != 0.0 && (of_dual / f - 1.0).abs() < 1e-9, "{scale:e}: {of_dual} for {f}");
            }
            let (mut smoother, mut work) = ([0.0; 9], [0.0; 9]);
            newton.smoother(0.01, k, MatMut::dense(&mut smoother, 3, 3), &mut work).unwrap();
            let trace = smoother[0] + smoother[4] + smoother[8];
            assert!(trace > 0.0 && trace < 3.0, "{scale:e}: {smoother:?}");
        }
    }
}
