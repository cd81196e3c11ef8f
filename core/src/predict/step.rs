//! One implicit step of the flow under a fixed kernel, in the coordinates z where `f = f_0 + Phi^T z`:
//!
//! ```text
//! F(s, z) = -e^s [(1/n) Phi r(f_0 + Phi^T z) + LAMBDA z],     -dF/dz = e^s [(1/n) Phi H Phi^T + LAMBDA I],     dF/ds = F
//! ```
//!
//! A Rosenbrock step along the flow, and the Newton step that tells how far the minimum of the loss is.

use super::rosenbrock::{ARGUMENT, CLOCK, CLOCK_SLOPE, COUPLING, GAMMA, STAGES};
use super::system::{System, curvatures, largest};
use crate::buffer::buffer_len;
use crate::linalg::cholesky_solve;
use crate::{Backend, Error, MatRef, Real};

/// Result of a step that is being tried, and its work space.
#[derive(Debug)]
pub(super) struct Step<'a, T> {
    /// LAMBDA of the mean loss
    pub(super) penalty: T,
    pub(super) z: &'a mut [T],
    pub(super) outputs: &'a mut [T],
    /// r, later the estimate of the error or the change, in the outputs
    residuals: &'a mut [T],
    hessian: &'a mut [T],
    stages: [&'a mut [T]; STAGES],
    /// F where the step begins
    slope: &'a mut [T],
    factor: &'a mut [T],
    weighted: &'a mut [T],
}

/// Elements that [`Step::new`] takes, beside those of its two matrices.
pub(super) const fn step_len(size: usize, outputs: usize) -> usize {
    buffer_len(&[&[size, outputs], &[4 + STAGES, size]])
}

impl<'a, T: Real> Step<'a, T> {
    /// `size` = nC, `rank` of the kernel; `factor` holds at least rank^2 numbers, `weighted` rank nC, `take` hands out others.
    pub(super) fn new(
        size: usize,
        outputs: usize,
        rank: usize,
        factor: &'a mut [T],
        weighted: &'a mut [T],
        take: &mut impl FnMut(usize) -> &'a mut [T],
    ) -> Self {
        Self {
            penalty: T::ZERO,
            z: take(rank),
            outputs: take(size),
            residuals: take(size),
            hessian: take(size * outputs),
            stages: core::array::from_fn(|_| take(rank)),
            slope: take(rank),
            factor: &mut factor[..rank * rank],
            weighted,
        }
    }

    /// `e^s LAMBDA`; 0 without a penalty, whatever s.
    fn pull(&self, log_time: T) -> T {
        if self.penalty > T::ZERO { self.penalty * log_time.exp() } else { T::ZERO }
    }

    /// A step of size h in s from `(z, f)`; its error in the outputs is returned, `None` where rounding of the
    /// curvature exceeds 1/h or a number is not finite, so that a shorter step may do.
    ///
    /// # Errors
    /// Those of the backend.
    pub(super) fn rosenbrock<B: Backend<T> + ?Sized>(
        &mut self,
        system: &System<'_, T, B>,
        z: &[T],
        f: &[T],
        log_time: T,
        h: T,
    ) -> Result<Option<T>, Error> {
        let rank = z.len();
        let damping = T::ONE / (T::from_f64(GAMMA) * h) + self.pull(log_time);
        system.hessian(f, -log_time, self.hessian);
        match system.factor(self.hessian, damping, self.factor, self.weighted) {
            Err(Error::NotPositiveDefinite { .. }) => return Ok(None),
            other => other?,
        }
        for i in 0..STAGES {
            let at = log_time + T::from_f64(CLOCK[i]) * h;
            let pull = self.pull(at);
            let (before, rest) = self.stages.split_at_mut(i);
            let u = &mut *rest[0];
            self.z.copy_from_slice(z);
            add_multiples(self.z, &ARGUMENT[i][..i], before, T::ONE);
            system.outputs_at(self.z, self.outputs);
            system.descent(self.outputs, -at, self.residuals, u);
            u.iter_mut().zip(self.z.iter()).for_each(|(u, z)| *u -= pull * *z);
            if i == 0 {
                self.slope.copy_from_slice(u);
            }
            let clock = T::from_f64(CLOCK_SLOPE[i]) * h;
            u.iter_mut().zip(self.slope.iter()).for_each(|(u, f)| *u += clock * *f);
            add_multiples(u, &COUPLING[i][..i], before, T::ONE / h);
            cholesky_solve(MatRef::dense(self.factor, rank, rank), u)?;
        }
        let error = &*self.stages[STAGES - 1];
        self.z.iter_mut().zip(error).for_each(|(z, e)| *z += *e);
        system.outputs_at(self.z, self.outputs);
        system.in_outputs(error, self.residuals);
        Ok(Some(largest(self.residuals)))
    }

    /// At most how fast a mode comes to rest in s: `w_max` times the largest trace of a sample's Hessian at f, and e^s LAMBDA.
    pub(super) fn fastest_rate<B: Backend<T> + ?Sized>(
        &mut self,
        system: &System<'_, T, B>,
        f: &[T],
        log_time: T,
    ) -> T {
        system.hessian(f, -log_time, self.hessian);
        let (_, most) = curvatures(self.hessian, system.targets.cols());
        most * system.values.last().map_or(T::ZERO, |w| *w) + self.pull(log_time)
    }

    /// Largest change of an output in a Newton step from (z, f) towards the minimum of the objective.
    ///
    /// `None` where the curvatures of the samples span more than the digits of T and no penalty bounds them: the step then says
    /// nothing about the flattest of them.
    pub(super) fn newton<B: Backend<T> + ?Sized>(
        &mut self,
        system: &System<'_, T, B>,
        z: &[T],
        f: &[T],
        log_time: T,
    ) -> Option<T> {
        let (size, rank) = (f.len(), system.values.len());
        system.hessian(f, -log_time, self.hessian);
        let rounding = T::from_count(size) * T::EPSILON;
        let (least, most) = curvatures(self.hessian, system.targets.cols());
        // below the rounding of the curvature nothing is known
        let (pull, unknown) = (self.pull(log_time), rounding * most * *system.values.last()?);
        if least <= rounding * most && pull <= unknown {
            return None;
        }
        let damping = pull.max(unknown);
        system.factor(self.hessian, damping, self.factor, self.weighted).ok()?;
        let u = &mut *self.stages[0];
        system.descent(f, -log_time, self.residuals, u);
        u.iter_mut().zip(z).for_each(|(u, z)| *u -= pull * *z);
        cholesky_solve(MatRef::dense(self.factor, rank, rank), u).ok()?;
        system.in_outputs(u, self.residuals);
        Some(largest(self.residuals))
    }
}

/// `to <- to + scale sum_j weights_j terms_j`
fn add_multiples<T: Real>(to: &mut [T], weights: &[f64], terms: &[&mut [T]], scale: T) {
    for (weight, term) in weights.iter().zip(terms) {
        let weight = T::from_f64(*weight) * scale;
        to.iter_mut().zip(term.iter()).for_each(|(t, x)| *t += weight * *x);
    }
}
