//! Gradient flow of the mean loss under a fixed kernel, to any time (r = dl/df, one number per sample and output; LAMBDA the
//! penalty on a linear model's parameters, 0 unless it is asked for):
//!
//! ```text
//! df/dt = -(1/n) K r(f) - LAMBDA (f - f_0),     K = Phi^T Phi,     f = f_0 + Phi^T z,
//! dz/ds = -e^s [(1/n) Phi r(f_0 + Phi^T z) + LAMBDA z]
//! ```
//!
//! with the clock `s = ln(1 + t)`: under cross-entropy with separable data the logits grow like ln t, so the path
//! becomes straight in s, and t = e^1000 is as near as s = 1000. Row k of Phi is `sqrt(w_k) u_k`; z is what a linear
//! model's parameters are, so |z| is their distance from the start, and `g = sum_k (z_k/w_k) Phi_k`. (Under softmax these
//! are the modes of `P K P`, P = I - 11^T/C, because residuals have sum 0.)
//!
//! The equation is stiff (e^s w_k spans all decades), so steps are implicit: the Rosenbrock method RODAS, whose error
//! estimate is held below the tolerance in the training outputs, absolutely. Targets that can be met (squared error,
//! soft labels) are met exponentially in t, and so is the end under a penalty, that of [`super::FixedPoint`]; then nothing moves
//! any more, and the rest of the time is free.

use super::modes::modes_work_len;
use super::step::{Step, step_len};
use super::system::{System, largest};
use crate::buffer::{buffer_len, take_front};
use crate::linalg::norm;
use crate::loss::Loss;
use crate::train::tells_time;
use crate::{Backend, Error, MatRef, Real};

/// First step in s; a step that is too long is rejected.
const FIRST_STEP: f64 = 0.1;
/// A step is at most this many times longer, or shorter, than the one before.
const STEP_CHANGE: f64 = 6.0;
/// Share of the step that the error estimate allows.
const SAFETY: f64 = 0.9;
/// Rejections in a row after which the flow gives up.
const MAX_REJECTIONS: u32 = 40;
/// Steps in which ln(1 + t) must grow by 1, times tolerance^(1/4): hundreds of times as many as a smooth path takes,
/// and enough for a start under a kernel of any scale.
const PATIENCE: f64 = 100.0;

/// Where the flow stands, and the space in which it steps.
///
/// ```
/// use ntkscope_core::loss::Loss;
/// use ntkscope_core::predict::{KernelFlow, kernel_flow_len};
/// use ntkscope_core::{MatRef, Portable};
///
/// // one sample with K = 1 of class 1, from 0: df/dt = 1/(1 + e^f), so that f + e^f = 1 + t
/// let one = |x| MatRef::new(x, 1, 1);
/// let mut buffer = [0.0; kernel_flow_len(1, 1)];
/// let (kernel, f_0, q) = (one(&[1.0])?, one(&[0.0])?, one(&[1.0])?);
/// let mut flow = KernelFlow::new(&Portable, kernel, f_0, q, Loss::CrossEntropy, 1e-8, &mut buffer)?;
/// flow.advance_to(1001f64.ln())?;
/// let f = flow.outputs().at(0, 0);
/// assert!((f + f.exp() - 1001.0).abs() < 1e-3);
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
#[derive(Debug)]
pub struct KernelFlow<'a, T, B: ?Sized> {
    system: System<'a, T, B>,
    tolerance: T,
    z: &'a mut [T],
    outputs: &'a mut [T],
    dual: &'a mut [T],
    next: Step<'a, T>,
    log_time: T,
    /// size of the next step in s
    step_size: T,
    steps: u64,
    /// `log_time` when it had last grown by 1, and the steps of full length since
    milestone: (T, u32),
    /// the minimum of the loss is reached
    at_rest: bool,
}

/// Elements of the buffer of a [`KernelFlow`] on n samples of C outputs.
pub const fn kernel_flow_len(samples: usize, outputs: usize) -> usize {
    let size = buffer_len(&[&[samples, outputs]]);
    buffer_len(&[&[2, size, size], &[5, size], &[modes_work_len(size)], &[step_len(size, outputs)]])
}

impl<'a, T: Real, B: Backend<T> + ?Sized> KernelFlow<'a, T, B> {
    /// At time 0, where the outputs are `f_0` `(n, C)`: `kernel` is `(nC, nC)`, `targets` `(n, C)` as
    /// [`Loss::target`] writes them; `tolerance` bounds the local error of a step in every training output.
    ///
    /// `buffer` holds [`kernel_flow_len`] numbers.
    ///
    /// # Errors
    /// Shapes, a short buffer, targets outside the loss's range, a loss without curvature ([`Error::NotSmooth`]), a
    /// tolerance that is not positive, numbers that are not finite, a kernel that is not positive semidefinite.
    pub fn new(
        backend: &'a B,
        kernel: MatRef<'a, T>,
        f_0: MatRef<'_, T>,
        targets: MatRef<'a, T>,
        loss: Loss,
        tolerance: f64,
        buffer: &'a mut [T],
    ) -> Result<Self, Error> {
        let (samples, outputs) = (targets.rows(), targets.cols());
        let size = samples * outputs;
        if !(tolerance > 0.0 && tolerance.is_finite()) {
            return Err(Error::OutOfRange { what: "tolerance", needs: "finite and > 0", got: tolerance });
        }
        Error::at_least("kernel flow", kernel_flow_len(samples, outputs), buffer.len())?;
        let mut rest = buffer;
        let mut take = |len: usize| take_front(&mut rest, len);
        let (weighted, factor) = (take(size * size), take(modes_work_len(size)));
        let mut system = System::new(backend, kernel, targets, loss, factor, weighted, &mut take)?;
        system.set(f_0)?;
        let rank = system.values.len();
        let (z, outputs_now, dual) = (take(rank), take(size), take(size));
        outputs_now.copy_from_slice(system.f_0);
        z.fill(T::ZERO);
        dual.fill(T::ZERO);
        let next = Step::new(size, outputs, rank, factor, weighted, &mut take);
        Ok(Self {
            system,
            tolerance: Error::scalar("tolerance", tolerance)?,
            z,
            outputs: outputs_now,
            dual,
            next,
            log_time: T::ZERO,
            step_size: T::from_f64(FIRST_STEP),
            steps: 0,
            milestone: (T::ZERO, 0),
            at_rest: false,
        })
    }

    /// From time 0 on, flows under a penalty (LAMBDA/2)|theta - theta_0|^2 on the parameters of the linear model too.
    ///
    /// # Errors
    /// [`Error::OutOfRange`]: a penalty that is negative or not finite; a flow that has moved.
    pub fn set_penalty(&mut self, penalty: T) -> Result<(), Error> {
        if !(penalty >= T::ZERO && penalty.is_finite()) {
            return Err(Error::OutOfRange { what: "penalty", needs: "finite and >= 0", got: penalty.to_f64() });
        }
        if self.log_time > T::ZERO {
            let got = self.log_time.to_f64();
            return Err(Error::OutOfRange { what: "log time at which a penalty begins", needs: "0", got });
        }
        self.next.penalty = penalty;
        Ok(())
    }

    /// Flows until ln(1 + t) is `log_time`, exactly.
    ///
    /// # Errors
    /// [`Error::OutOfRange`]: a time that has passed or is not finite; [`Error::StepUnderflow`] where no step meets the tolerance, where the
    /// rounding of ln(1 + t) exceeds 1e-3 before the flow has come to rest, or where from t = 1/epsilon on some samples
    /// have come to rest (equal ones with different labels, soft labels) while others are still being learned, which T
    /// does not hold together; [`Error::Diverged`].
    pub fn advance_to(&mut self, log_time: T) -> Result<(), Error> {
        if !(log_time >= self.log_time && log_time.is_finite()) {
            return Err(Error::OutOfRange {
                what: "log time",
                needs: "finite and not before the present time",
                got: log_time.to_f64(),
            });
        }
        while self.log_time < log_time {
            let rest = self.at_rest || self.minimum_is_reached();
            self.at_rest = rest;
            if rest {
                self.log_time = log_time;
            } else {
                self.advance(log_time)?;
            }
        }
        self.system.solution(self.z, self.outputs, self.dual, self.next.z, self.next.outputs);
        Ok(())
    }

    /// One accepted step, at the latest to `end`.
    fn advance(&mut self, end: T) -> Result<(), Error> {
        let taken = T::from_f64(f64::from(self.milestone.1));
        if taken * self.tolerance.sqrt().sqrt() > T::from_f64(PATIENCE) || !tells_time(self.log_time) {
            return Err(Error::StepUnderflow { step: self.steps });
        }
        let mut finite = true;
        for _ in 0..MAX_REJECTIONS {
            let left = end - self.log_time;
            let step = self.step_size.min(left);
            let Some(error) = self.next.rosenbrock(&self.system, self.z, self.outputs, self.log_time, step)? else {
                self.step_size = step / T::from_f64(STEP_CHANGE);
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
                core::mem::swap(&mut self.z, &mut self.next.z);
                core::mem::swap(&mut self.outputs, &mut self.next.outputs);
                self.steps += 1;
                if step < left {
                    self.log_time += step;
                    self.step_size = step * factor;
                    self.milestone.1 += 1;
                } else {
                    // cut short by the end, which says nothing against the step that was planned
                    self.log_time = end;
                    self.step_size = self.step_size.max(step * factor);
                }
                if self.log_time >= self.milestone.0 + T::ONE {
                    self.milestone = (self.log_time, 0);
                }
                return Ok(());
            }
            self.step_size = step * factor.max(T::ONE / change);
            if self.log_time + self.step_size <= self.log_time {
                break;
            }
        }
        Err(if finite {
            Error::StepUnderflow { step: self.steps }
        } else {
            Error::Diverged { what: "kernel flow", step: self.steps }
        })
    }

    /// Whether no output is further than the tolerance from the minimum of the loss; gradient flow comes only nearer.
    ///
    /// Only asked where the fastest mode's rate, `e^s` times the largest curvature, exceeds `1/sqrt(epsilon)`: before,
    /// there is always something left to learn.
    fn minimum_is_reached(&mut self) -> bool {
        let (f, log_time) = (&*self.outputs, self.log_time);
        self.next.fastest_rate(&self.system, f, log_time) * T::EPSILON.sqrt() > T::ONE
            && self.next.newton(&self.system, self.z, f, log_time).is_some_and(|change| change <= self.tolerance)
    }

    /// f `(n, C)` of the training samples
    pub fn outputs(&self) -> MatRef<'_, T> {
        MatRef::dense(self.outputs, self.system.targets.rows(), self.system.targets.cols())
    }
    /// g `(n, C)`, for [`super::predict`]
    pub fn dual(&self) -> MatRef<'_, T> {
        MatRef::dense(self.dual, self.system.targets.rows(), self.system.targets.cols())
    }
    /// distance of a linear model's parameters from where they were at time 0: `|f - f_0|` in the kernel's norm
    pub fn distance(&self) -> T {
        norm(self.z)
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
