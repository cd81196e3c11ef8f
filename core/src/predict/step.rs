//! One implicit step of the flow under a fixed kernel, in the coordinates z where `f = f_0 + Phi^T z`:
//!
//! ```text
//! F(s, z) = -(e^s/n) Phi r(f_0 + Phi^T z),     -dF/dz = (e^s/n) Phi H Phi^T,     dF/ds = F
//! ```
//!
//! A Rosenbrock step along the flow, and the Newton step that tells how far the minimum of the loss is.

use super::centre;
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
    pub(super) f_0: &'a mut [T],
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
        let rank = z.len();
        let damping = T::ONE / (T::from_f64(GAMMA) * h);
        system.hessian(f, -log_time, self.hessian);
        match system.factor(self.hessian, damping, self.factor, self.weighted) {
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
        system.in_outputs(error, self.residuals);
        Ok(Some(largest(self.residuals)))
    }

    /// At most how fast a mode comes to rest in s: `w_max` times the largest trace of a sample's Hessian at f.
    pub(super) fn fastest_rate<B: Backend<T> + ?Sized>(
        &mut self,
        system: &System<'_, T, B>,
        (f, log_time): (&[T], T),
    ) -> T {
        system.hessian(f, -log_time, self.hessian);
        let (_, most) = curvatures(self.hessian, system.targets.cols());
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
        let (least, most) = curvatures(self.hessian, system.targets.cols());
        if least <= rounding * most {
            return None;
        }
        // below the rounding of the curvature nothing is known
        let damping = rounding * most * *system.values.last()?;
        system.factor(self.hessian, damping, self.factor, self.weighted).ok()?;
        let u = &mut *self.stages[0];
        system.descent(f, -log_time, self.residuals, u);
        cholesky_solve(MatRef::dense(self.factor, rank, rank), u).ok()?;
        system.in_outputs(u, self.residuals);
        Some(largest(self.residuals))
    }
}

impl<T: Real, B: Backend<T> + ?Sized> System<'_, T, B> {
    /// `f <- f_0 + Phi^T z`
    pub(super) fn outputs_at(&self, z: &[T], f: &mut [T]) {
        f.copy_from_slice(self.f_0);
        let size = f.len();
        let f = MatMut::dense(f, size, 1);
        self.backend.gemm(T::ONE, self.features.t(), MatRef::dense(z, z.len(), 1), T::ONE, f);
    }

    /// H at f, in units of `e^ln_scale`.
    pub(super) fn hessian(&self, f: &[T], ln_scale: T, out: &mut [T]) {
        let (samples, classes) = (self.targets.rows(), self.targets.cols());
        self.loss.hessian(MatRef::dense(f, samples, classes), ln_scale, MatMut::dense(out, f.len(), classes));
    }

    /// `out <- -(1/n) Phi r(f) / e^ln_scale`.
    ///
    /// Under softmax a sample's residuals add up to 0 but for rounding, which e^s would bring to light as a drift of
    /// the sum over the classes; so what remains is taken out.
    pub(super) fn descent(&self, f: &[T], ln_scale: T, residuals: &mut [T], out: &mut [T]) {
        let (samples, classes) = (self.targets.rows(), self.targets.cols());
        let r = MatMut::dense(residuals, samples, classes);
        self.loss.residuals(MatRef::dense(f, samples, classes), self.targets, ln_scale, r);
        if self.loss == Loss::Softmax {
            centre(residuals, classes);
        }
        let (r, rank) = (MatRef::dense(residuals, f.len(), 1), out.len());
        self.backend.gemm(-T::ONE, self.features, r, T::ZERO, MatMut::dense(out, rank, 1));
    }

    /// Factor of `c I + Phi H Phi^T` into the first rank^2 elements of `factor`; Phi H is left in `weighted`.
    pub(super) fn factor(&self, hessian: &[T], damping: T, factor: &mut [T], weighted: &mut [T]) -> Result<(), Error> {
        let (classes, rank) = (self.targets.cols(), self.values.len());
        let hessian = MatRef::dense(hessian, self.f_0.len(), classes);
        let lower = MatMut::dense(&mut factor[..rank * rank], rank, rank);
        factor_curvature(self.backend, self.features, hessian, damping, lower, weighted)
    }

    /// `out <- Phi^T x`: what a step x of the coordinates changes in the outputs.
    pub(super) fn in_outputs(&self, x: &[T], out: &mut [T]) {
        let out = MatMut::dense(&mut out[..self.f_0.len()], self.f_0.len(), 1);
        self.backend.gemm(T::ONE, self.features.t(), MatRef::dense(x, x.len(), 1), T::ZERO, out);
    }

    /// `out <- g = sum_k (z_k/w_k) Phi_k`, for which `K g = Phi^T z`.
    pub(super) fn dual(&self, z: &[T], coefficients: &mut [T], out: &mut [T]) {
        for (c, (z, w)) in coefficients.iter_mut().zip(z.iter().zip(self.values)) {
            *c = *z / *w;
        }
        self.in_outputs(coefficients, out);
    }
}

/// Smallest and largest trace of a sample's (C, C) block of the Hessian.
pub(super) fn curvatures<T: Real>(hessian: &[T], classes: usize) -> (T, T) {
    let trace = |block: &[T]| block.iter().step_by(classes + 1).fold(T::ZERO, |s, h| s + *h);
    let mut traces = hessian.chunks_exact(classes * classes).map(trace);
    let first = traces.next().unwrap_or(T::ZERO);
    traces.fold((first, first), |(least, most), h| (least.min(h), most.max(h)))
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
