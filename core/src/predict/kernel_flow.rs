//! Gradient flow of the mean loss under a fixed kernel, to any time (r = dl/df, one number per sample and output):
//!
//! ```text
//! df/dt = -(1/n) K r(f),     K = Phi^T Phi,     f = f_0 + Phi^T z,     dz/ds = -(e^s/n) Phi r(f_0 + Phi^T z)
//! ```
//!
//! with the clock `s = ln(1 + t)`: under cross-entropy with separable data the logits grow like ln t, so the path
//! becomes straight in s, and t = e^1000 is as near as s = 1000. Row k of Phi is `sqrt(w_k) u_k`; z is what a linear
//! model's parameters are, so |z| is their distance from the start, and `g = sum_k (z_k/w_k) Phi_k`.
//!
//! The equation is stiff (e^s w_k spans all decades), so steps are implicit: [`super::rosenbrock`]. Its error estimate
//! is held below the tolerance in the training outputs, absolutely.

use super::curvature::factor_curvature;
use super::modes::{modes, modes_work_len};
use super::rosenbrock::{ARGUMENT, CLOCK, CLOCK_SLOPE, COUPLING, GAMMA, STAGES};
use super::{check_shapes, stack};
use crate::linalg::{cholesky_solve, sum_of_squares};
use crate::loss::Loss;
use crate::mat::take_front;
use crate::{Backend, Error, MatMut, MatRef, Real};

/// First step in s; a step that is too long is rejected.
const FIRST_STEP: f64 = 0.1;
/// A step is at most this many times longer, or shorter, than the one before.
const STEP_CHANGE: f64 = 6.0;
/// Share of the step that the error estimate allows.
const SAFETY: f64 = 0.9;
/// Rejections in a row after which the flow gives up.
const MAX_REJECTIONS: u32 = 40;

/// Where the flow stands, and the space in which it steps.
#[derive(Debug)]
pub struct KernelFlow<'a, T, B: ?Sized> {
    backend: &'a B,
    loss: Loss,
    targets: MatRef<'a, T>,
    tolerance: T,
    f_0: &'a [T],
    /// w_k > 0, ascending
    values: &'a [T],
    /// Phi, one row for each of them
    features: MatRef<'a, T>,
    z: &'a mut [T],
    outputs: &'a mut [T],
    dual: &'a mut [T],
    next: Next<'a, T>,
    log_time: T,
    /// size of the next step in s
    step: T,
    steps: u64,
    /// the minimum of the loss is reached
    at_rest: bool,
}

/// Results of a step that is being tried, and its work space.
#[derive(Debug)]
struct Next<'a, T> {
    z: &'a mut [T],
    outputs: &'a mut [T],
    /// r, later the error estimate in the outputs
    residuals: &'a mut [T],
    hessian: &'a mut [T],
    stages: [&'a mut [T]; STAGES],
    /// dz/ds where the step begins
    slope: &'a mut [T],
    factor: &'a mut [T],
    weighted: &'a mut [T],
}

/// Elements of the buffer of a [`KernelFlow`] on n samples of C outputs.
pub const fn kernel_flow_len(samples: usize, outputs: usize) -> usize {
    let size = samples * outputs;
    2 * size * size + modes_work_len(size) + size * outputs + (9 + STAGES) * size
}

impl<'a, T: Real, B: Backend<T> + ?Sized> KernelFlow<'a, T, B> {
    /// At time 0, where the outputs are `f_0` `(n, C)`: `kernel` is `(nC, nC)`, `targets` `(n, C)` as
    /// [`Loss::target`] writes them; `tolerance` bounds the local error of a step in every training output.
    ///
    /// `buffer` holds [`kernel_flow_len`] numbers. Errors: shapes, a short buffer, targets outside the loss's range, a
    /// tolerance that is not positive, numbers that are not finite, a kernel that is not positive semidefinite.
    pub fn new(
        backend: &'a B,
        kernel: MatRef<'_, T>,
        f_0: MatRef<'_, T>,
        targets: MatRef<'a, T>,
        loss: Loss,
        tolerance: f64,
        buffer: &'a mut [T],
    ) -> Result<Self, Error> {
        let (samples, outputs) = (targets.rows(), targets.cols());
        let size = samples * outputs;
        check_shapes(kernel, f_0, targets)?;
        loss.check(targets)?;
        if !(tolerance > 0.0 && tolerance.is_finite()) {
            return Err(Error::OutOfRange { what: "tolerance: must be finite and > 0" });
        }
        Error::at_least("kernel flow", kernel_flow_len(samples, outputs), buffer.len())?;
        let mut rest = buffer;
        let mut take = |len: usize| take_front(&mut rest, len);
        let (values, rows, factor) = (take(size), take(size * size), take(modes_work_len(size)));
        let vanishing = modes(backend, kernel, values, rows, factor)?;
        let (values, rows) = (&values[vanishing..], &mut rows[vanishing * size..]);
        for (row, w) in rows.chunks_exact_mut(size).zip(values) {
            let length = w.sqrt();
            row.iter_mut().for_each(|u| *u *= length);
        }
        let rank = values.len();
        let (start, outputs_now) = (take(size), take(size));
        stack(f_0, start);
        outputs_now.copy_from_slice(start);
        if !start.iter().all(|f| f.is_finite()) {
            return Err(Error::NonFinite { what: "f_0", step: 0 });
        }
        let (z, dual) = (take(rank), take(size));
        z.fill(T::ZERO);
        dual.fill(T::ZERO);
        let next = Next {
            z: take(rank),
            outputs: take(size),
            residuals: take(size),
            hessian: take(size * outputs),
            stages: core::array::from_fn(|_| take(rank)),
            slope: take(rank),
            factor: &mut factor[..rank * rank],
            weighted: take(rank * size),
        };
        let features = MatRef::dense(rows, rank, size);
        Ok(Self {
            backend,
            loss,
            targets,
            tolerance: T::from_f64(tolerance),
            f_0: start,
            values,
            features,
            z,
            outputs: outputs_now,
            dual,
            next,
            log_time: T::ZERO,
            step: T::from_f64(FIRST_STEP),
            steps: 0,
            at_rest: false,
        })
    }

    /// Flows until ln(1 + t) is `log_time`, exactly.
    ///
    /// Errors: a time that has passed or is not finite; [`Error::StepUnderflow`] where no step meets the tolerance:
    /// it is finer than the rounding of the outputs, or e^s has left behind what is still being learned while other
    /// samples (equal ones with different labels) have come to rest; [`Error::NonFinite`].
    pub fn advance_to(&mut self, log_time: T) -> Result<(), Error> {
        if !(log_time >= self.log_time && log_time.is_finite()) {
            return Err(Error::OutOfRange { what: "log time: must be finite and not behind the present time" });
        }
        while self.log_time < log_time {
            self.at_rest = self.at_rest || self.comes_to_rest();
            if self.at_rest {
                self.log_time = log_time;
            } else {
                self.advance(log_time)?;
            }
        }
        let (rank, size) = (self.z.len(), self.outputs.len());
        for (c, (z, w)) in self.next.z.iter_mut().zip(self.z.iter().zip(self.values)) {
            *c = *z / *w;
        }
        let (coefficients, dual) = (MatRef::dense(self.next.z, rank, 1), MatMut::dense(self.dual, size, 1));
        self.backend.gemm(T::ONE, self.features.t(), coefficients, T::ZERO, dual);
        Ok(())
    }

    /// One accepted step, at the latest to `end`.
    fn advance(&mut self, end: T) -> Result<(), Error> {
        let mut finite = true;
        for _ in 0..MAX_REJECTIONS {
            let left = end - self.log_time;
            let step = self.step.min(left);
            let Some(error) = self.try_step(step)? else {
                self.step = step / T::from_f64(STEP_CHANGE);
                continue;
            };
            let largest = largest(self.next.outputs);
            finite = error.is_finite() && largest.is_finite();
            // rounding of the outputs is no error of the step
            let allowed = self.tolerance + T::from_f64(4.0) * T::EPSILON * largest;
            // the estimate is of fourth order in the step
            let ratio = (error / allowed).sqrt().sqrt();
            let (change, safety) = (T::from_f64(STEP_CHANGE), T::from_f64(SAFETY));
            let factor = if finite { safety / ratio.max(safety / change) } else { T::ONE / change };
            if finite && ratio <= T::ONE {
                self.log_time = if step < left { self.log_time + step } else { end };
                core::mem::swap(&mut self.z, &mut self.next.z);
                core::mem::swap(&mut self.outputs, &mut self.next.outputs);
                self.steps += 1;
                // a step cut short by the end says nothing against the one that was planned
                self.step = if step < left { step * factor } else { self.step.max(step * factor) };
                return Ok(());
            }
            self.step = step * factor.max(T::ONE / change);
            if self.log_time + self.step <= self.log_time {
                break;
            }
        }
        Err(if finite {
            Error::StepUnderflow { step: self.steps }
        } else {
            Error::NonFinite { what: "kernel flow", step: self.steps }
        })
    }

    /// A step of size h in s from the present state into `next`; its error in the outputs is returned,
    /// `None` where rounding of the curvature exceeds 1/h or a number is not finite, so that a shorter step may do.
    fn try_step(&mut self, h: T) -> Result<Option<T>, Error> {
        let (size, rank) = (self.outputs.len(), self.z.len());
        let (samples, outputs) = (self.targets.rows(), self.targets.cols());
        let Self { backend, loss, targets, f_0, features, z, next, log_time, .. } = self;
        let Next { z: z_next, outputs: f, residuals, hessian, stages, slope, factor, weighted } = next;
        loss.hessian(MatRef::dense(self.outputs, samples, outputs), -*log_time, MatMut::dense(hessian, size, outputs));
        let damping = T::ONE / (T::from_f64(GAMMA) * h);
        let blocks = MatRef::dense(hessian, size, outputs);
        let lower = MatMut::dense(factor, rank, rank);
        match factor_curvature(*backend, *features, blocks, damping, lower, weighted) {
            Err(Error::NotPositiveDefinite { .. }) => return Ok(None),
            other => other?,
        }
        for i in 0..STAGES {
            let (before, rest) = stages.split_at_mut(i);
            let u = &mut *rest[0];
            z_next.copy_from_slice(z);
            add_multiples(z_next, &ARGUMENT[i][..i], before, T::ONE);
            outputs_of(*backend, f_0, *features, z_next, f);
            let ln_scale = -(*log_time + T::from_f64(CLOCK[i]) * h);
            let r = MatMut::dense(residuals, samples, outputs);
            scaled_residuals(*loss, MatRef::dense(f, samples, outputs), *targets, ln_scale, r);
            let r = MatRef::dense(residuals, size, 1);
            backend.gemm(-T::ONE, *features, r, T::ZERO, MatMut::dense(u, rank, 1));
            if i == 0 {
                slope.copy_from_slice(u);
            }
            // dF/ds = F at the start, because the clock enters as e^s
            let clock = T::from_f64(CLOCK_SLOPE[i]) * h;
            u.iter_mut().zip(slope.iter()).for_each(|(u, f)| *u += clock * *f);
            add_multiples(u, &COUPLING[i][..i], before, T::ONE / h);
            cholesky_solve(MatRef::dense(factor, rank, rank), u)?;
        }
        // the last stage is the difference of the two solutions
        let error = &*stages[STAGES - 1];
        z_next.iter_mut().zip(error).for_each(|(z, e)| *z += *e);
        outputs_of(*backend, f_0, *features, z_next, f);
        backend.gemm(T::ONE, features.t(), MatRef::dense(error, rank, 1), T::ZERO, MatMut::dense(residuals, size, 1));
        Ok(Some(largest(residuals)))
    }

    /// Whether the minimum of the loss lies within the tolerance of the present outputs, by Newton's method.
    ///
    /// Only asked where `e^s` times the mismatch exceeds 1/epsilon: every mode that was ever to come to rest has.
    /// False where the samples' curvatures span more than the digits of T, for then some may still be moving.
    fn comes_to_rest(&mut self) -> bool {
        let (size, rank) = (self.outputs.len(), self.z.len());
        let (samples, outputs) = (self.targets.rows(), self.targets.cols());
        let now = MatRef::dense(self.outputs, samples, outputs);
        let ln_mismatch = self.loss.evaluate(now, self.targets).ln_mismatch;
        if self.log_time + ln_mismatch <= -T::EPSILON.ln() {
            return false;
        }
        let Next { residuals, hessian, stages: [u, ..], factor, weighted, .. } = &mut self.next;
        self.loss.hessian(now, ln_mismatch, MatMut::dense(hessian, size, outputs));
        let trace = |block: &[T]| block.iter().step_by(outputs + 1).fold(T::ZERO, |s, h| s + *h);
        let traces = || hessian.chunks_exact(outputs * outputs).map(trace);
        let (Some(least), Some(most)) = (traces().reduce(T::min), traces().reduce(T::max)) else { return false };
        let rounding = T::from_count(size) * T::EPSILON;
        if least <= rounding * most {
            return false;
        }
        let r = MatMut::dense(residuals, samples, outputs);
        scaled_residuals(self.loss, now, self.targets, ln_mismatch, r);
        let r = MatRef::dense(residuals, size, 1);
        self.backend.gemm(-T::ONE, self.features, r, T::ZERO, MatMut::dense(u, rank, 1));
        let damping = rounding * most * self.values.last().map_or(T::ZERO, |w| *w);
        let (blocks, lower) = (MatRef::dense(hessian, size, outputs), MatMut::dense(factor, rank, rank));
        let solved = factor_curvature(self.backend, self.features, blocks, damping, lower, weighted)
            .and_then(|()| cholesky_solve(MatRef::dense(factor, rank, rank), u));
        let (u, change) = (MatRef::dense(u, rank, 1), MatMut::dense(residuals, size, 1));
        self.backend.gemm(T::ONE, self.features.t(), u, T::ZERO, change);
        solved.is_ok() && largest(residuals) <= self.tolerance
    }

    /// f `(n, C)` of the training samples
    pub fn outputs(&self) -> MatRef<'_, T> {
        MatRef::dense(self.outputs, self.targets.rows(), self.targets.cols())
    }
    /// g `(n, C)`, for [`super::predict`]
    pub fn dual(&self) -> MatRef<'_, T> {
        MatRef::dense(self.dual, self.targets.rows(), self.targets.cols())
    }
    /// distance of a linear model's parameters from where they were at time 0: `|f - f_0|` in the kernel's norm
    pub fn distance(&self) -> T {
        sum_of_squares(self.z).sqrt()
    }
    /// ln(1 + t), t the time of the mean loss
    pub fn log_time(&self) -> T {
        self.log_time
    }
    /// accepted steps
    pub fn steps(&self) -> u64 {
        self.steps
    }
}

/// max_i |x_i|; NaN if there is one
fn largest<T: Real>(x: &[T]) -> T {
    x.iter().fold(T::ZERO, |m, x| m.max(x.abs()))
}

/// `to <- to + scale sum_j weights_j terms_j`
fn add_multiples<T: Real>(to: &mut [T], weights: &[f64], terms: &[&mut [T]], scale: T) {
    for (weight, term) in weights.iter().zip(terms) {
        let weight = T::from_f64(*weight) * scale;
        to.iter_mut().zip(term.iter()).for_each(|(t, x)| *t += weight * *x);
    }
}

/// `f <- f_0 + Phi^T z`
fn outputs_of<T: Real, B: Backend<T> + ?Sized>(backend: &B, f_0: &[T], features: MatRef<'_, T>, z: &[T], f: &mut [T]) {
    f.copy_from_slice(f_0);
    let size = f.len();
    backend.gemm(T::ONE, features.t(), MatRef::dense(z, z.len(), 1), T::ONE, MatMut::dense(f, size, 1));
}

/// (1/n) r / e^ln_scale; under softmax a sample's residuals add up to 0 but for rounding, which e^s would bring to
/// light as a drift of the classes' sum, so the rest is taken out.
fn scaled_residuals<T: Real>(
    loss: Loss,
    outputs: MatRef<'_, T>,
    targets: MatRef<'_, T>,
    ln_scale: T,
    mut out: MatMut<'_, T>,
) {
    loss.residuals(outputs, targets, ln_scale, out.reborrow());
    if loss == Loss::Softmax {
        for i in 0..outputs.rows() {
            let row = out.row_mut(i);
            let mean = row.iter().fold(T::ZERO, |s, r| s + *r) / T::from_count(row.len());
            row.iter_mut().for_each(|r| *r -= mean);
        }
    }
}
