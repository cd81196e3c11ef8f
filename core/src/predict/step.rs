//! One implicit step of the flow under a fixed kernel, in the coordinates z where `f = f_0 + Phi^T z`:
//!
//! ```text
//! F(s, z) = -(e^s/n) Phi r(f_0 + Phi^T z),     -dF/dz = (e^s/n) Phi H Phi^T,     dF/ds = F
//! ```
//!
//! A Rosenbrock step along the flow, and the Newton step that tells how far the minimum of the loss is.

use super::curvature::factor_curvature;
use super::rosenbrock::{ARGUMENT, CLOCK, CLOCK_SLOPE, COUPLING, GAMMA, STAGES};
use crate::linalg::cholesky_solve;
use crate::loss::Loss;
use crate::{Backend, Error, MatMut, MatRef, Real};

/// What flows.
#[derive(Debug)]
pub(super) struct System<'a, T, B: ?Sized> {
    pub(super) backend: &'a B,
    pub(super) loss: Loss,
    /// (n, C)
    pub(super) targets: MatRef<'a, T>,
    pub(super) f_0: &'a [T],
    /// w_k > 0, ascending
    pub(super) values: &'a [T],
    /// Phi: sqrt(w_k) u_k in row k
    pub(super) features: MatRef<'a, T>,
}

/// Result of a step that is being tried, and its work space.
#[derive(Debug)]
pub(super) struct Step<'a, T> {
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

/// Elements that [`Step::new`] takes, beside those of the factor.
pub(super) const fn step_len(size: usize, outputs: usize) -> usize {
    size * size + size * outputs + (4 + STAGES) * size
}

impl<'a, T: Real> Step<'a, T> {
    /// `size` = nC, `rank` of the kernel; `factor` holds at least rank^2 numbers, `take` hands out others.
    pub(super) fn new(
        size: usize,
        outputs: usize,
        rank: usize,
        factor: &'a mut [T],
        take: &mut impl FnMut(usize) -> &'a mut [T],
    ) -> Self {
        Self {
            z: take(rank),
            outputs: take(size),
            residuals: take(size),
            hessian: take(size * outputs),
            stages: core::array::from_fn(|_| take(rank)),
            slope: take(rank),
            factor: &mut factor[..rank * rank],
            weighted: take(rank * size),
        }
    }

    /// A step of size h in s from `(z, f)`; its error in the outputs is returned, `None` where rounding of the
    /// curvature exceeds 1/h or a number is not finite, so that a shorter step may do. Errors: those of the backend.
    pub(super) fn rosenbrock<B: Backend<T> + ?Sized>(
        &mut self,
        system: &System<'_, T, B>,
        (z, f): (&[T], &[T]),
        log_time: T,
        h: T,
    ) -> Result<Option<T>, Error> {
        let (backend, rank) = (system.backend, z.len());
        let damping = T::ONE / (T::from_f64(GAMMA) * h);
        system.hessian(f, -log_time, self.hessian);
        match self.factor(system, damping) {
            Err(Error::NotPositiveDefinite { .. }) => return Ok(None),
            other => other?,
        }
        for i in 0..STAGES {
            let (before, rest) = self.stages.split_at_mut(i);
            let u = &mut *rest[0];
            self.z.copy_from_slice(z);
            add_multiples(self.z, &ARGUMENT[i][..i], before, T::ONE);
            system.outputs_at(self.z, self.outputs);
            let ln_scale = -(log_time + T::from_f64(CLOCK[i]) * h);
            system.descent(self.outputs, ln_scale, self.residuals, u);
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
        let in_outputs = MatMut::dense(self.residuals, f.len(), 1);
        backend.gemm(T::ONE, system.features.t(), MatRef::dense(error, rank, 1), T::ZERO, in_outputs);
        Ok(Some(largest(self.residuals)))
    }

    /// At most how fast a mode comes to rest in s: `w_max` times the largest trace of a sample's Hessian at f.
    pub(super) fn fastest_rate<B: Backend<T> + ?Sized>(
        &mut self,
        system: &System<'_, T, B>,
        (f, log_time): (&[T], T),
    ) -> T {
        system.hessian(f, -log_time, self.hessian);
        let (_, most) = self.curvatures(system.targets.cols());
        most * system.values.last().map_or(T::ZERO, |w| *w)
    }

    /// Largest change of an output in a Newton step from f towards the minimum of the loss.
    ///
    /// `None` where the curvatures of the samples span more than the digits of T: the step then says nothing about the
    /// flattest of them.
    pub(super) fn newton<B: Backend<T> + ?Sized>(
        &mut self,
        system: &System<'_, T, B>,
        (f, log_time): (&[T], T),
    ) -> Option<T> {
        let (size, rank) = (f.len(), system.values.len());
        system.hessian(f, -log_time, self.hessian);
        let rounding = T::from_count(size) * T::EPSILON;
        let (least, most) = self.curvatures(system.targets.cols());
        if least <= rounding * most {
            return None;
        }
        // below the rounding of the curvature nothing is known
        self.factor(system, rounding * most * *system.values.last()?).ok()?;
        let u = &mut *self.stages[0];
        system.descent(f, -log_time, self.residuals, u);
        cholesky_solve(MatRef::dense(self.factor, rank, rank), u).ok()?;
        let change = MatMut::dense(self.residuals, size, 1);
        system.backend.gemm(T::ONE, system.features.t(), MatRef::dense(u, rank, 1), T::ZERO, change);
        Some(largest(self.residuals))
    }

    /// Smallest and largest trace of a sample's (C, C) block of the Hessian.
    fn curvatures(&self, classes: usize) -> (T, T) {
        let trace = |block: &[T]| block.iter().step_by(classes + 1).fold(T::ZERO, |s, h| s + *h);
        let mut traces = self.hessian.chunks_exact(classes * classes).map(trace);
        let first = traces.next().unwrap_or(T::ZERO);
        traces.fold((first, first), |(least, most), h| (least.min(h), most.max(h)))
    }

    /// Factor of `c I + Phi H Phi^T` from the Hessian H that lies in its buffer.
    fn factor<B: Backend<T> + ?Sized>(&mut self, system: &System<'_, T, B>, damping: T) -> Result<(), Error> {
        let (size, classes, rank) = (self.outputs.len(), system.targets.cols(), system.values.len());
        let (hessian, lower) = (MatRef::dense(self.hessian, size, classes), MatMut::dense(self.factor, rank, rank));
        factor_curvature(system.backend, system.features, hessian, damping, lower, self.weighted)
    }
}

impl<T: Real, B: Backend<T> + ?Sized> System<'_, T, B> {
    /// `f <- f_0 + Phi^T z`
    fn outputs_at(&self, z: &[T], f: &mut [T]) {
        f.copy_from_slice(self.f_0);
        let size = f.len();
        let f = MatMut::dense(f, size, 1);
        self.backend.gemm(T::ONE, self.features.t(), MatRef::dense(z, z.len(), 1), T::ONE, f);
    }

    /// H at f, in units of `e^ln_scale`.
    fn hessian(&self, f: &[T], ln_scale: T, out: &mut [T]) {
        let (samples, classes) = (self.targets.rows(), self.targets.cols());
        self.loss.hessian(MatRef::dense(f, samples, classes), ln_scale, MatMut::dense(out, f.len(), classes));
    }

    /// `out <- -(1/n) Phi r(f) / e^ln_scale`.
    ///
    /// Under softmax a sample's residuals add up to 0 but for rounding, which e^s would bring to light as a drift of
    /// the sum over the classes; so what remains is taken out.
    fn descent(&self, f: &[T], ln_scale: T, residuals: &mut [T], out: &mut [T]) {
        let (samples, classes) = (self.targets.rows(), self.targets.cols());
        let r = MatMut::dense(residuals, samples, classes);
        self.loss.residuals(MatRef::dense(f, samples, classes), self.targets, ln_scale, r);
        if self.loss == Loss::Softmax {
            for row in residuals.chunks_exact_mut(classes) {
                let mean = row.iter().fold(T::ZERO, |s, r| s + *r) / T::from_count(classes);
                row.iter_mut().for_each(|r| *r -= mean);
            }
        }
        let (r, rank) = (MatRef::dense(residuals, f.len(), 1), out.len());
        self.backend.gemm(-T::ONE, self.features, r, T::ZERO, MatMut::dense(out, rank, 1));
    }
}

/// max_i |x_i|; NaN if there is one
pub(super) fn largest<T: Real>(x: &[T]) -> T {
    x.iter().fold(T::ZERO, |m, x| m.max(x.abs()))
}

/// `to <- to + scale sum_j weights_j terms_j`
fn add_multiples<T: Real>(to: &mut [T], weights: &[f64], terms: &[&mut [T]], scale: T) {
    for (weight, term) in weights.iter().zip(terms) {
        let weight = T::from_f64(*weight) * scale;
        to.iter_mut().zip(term.iter()).for_each(|(t, x)| *t += weight * *x);
    }
}
