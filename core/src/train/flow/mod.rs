//! Adaptive gradient flow: `d theta/d tau = -G(theta)`, where G is the objective's gradient divided by the
//! mismatch of [`crate::loss`], and `dt = d tau / mismatch`.
//!
//! The path is that of gradient flow `d theta/dt = -grad J`; only the clock along it differs. Under
//! cross-entropy with separable data every residual falls like 1/t, so in t a step of fixed relative
//! accuracy doubles t, while in tau it stays the same: time t costs about log t steps.
//!
//! Gradient flow is stiff (the kernel's eigenvalues span decades) with a real spectrum, so the integrator
//! is the second-order Runge-Kutta-Chebyshev method (Sommeijer, Shampine, Verwer 1998): s gradient
//! evaluations give a stable step of `0.65 s^2 / rho`, against `2/rho` for one evaluation of gradient descent.
//! The spectral radius rho comes from a nonlinear power iteration. The step adapts to the method's own
//! estimate of the local error, relative to the distance from theta_0, and to the change of ln mismatch that the
//! clock interpolates.

mod plan;
mod radius;

use super::attempt::{Attempt, next_stage};
use super::chebyshev::Stages;
use super::{Descend, End, Position, Run};
use crate::linalg::{distance, norm};
use crate::network::Network;
use crate::state::Bytes;
use crate::{Backend, Error, Real, loss::Objective};

/// Buffers of P numbers that the flow needs beside the parameters.
pub(super) const BUFFERS: usize = 5;
/// Share of the distance from theta_0 that counts as no movement over another nine times the time so far.
const REST: f64 = 1e-5;
/// Share of that distance that counts as near the end, and the steps there as a share of 1 + t.
const NEAR: f64 = 0.5;
const SLOW: f64 = 0.1;
/// Accepted steps after which the spectral radius is looked at again.
const RADIUS_AGE: u32 = 16;

/// The integrator: five buffers of P numbers and what the next step needs to know.
pub(super) struct Flow<'a, T> {
    /// gradient of the objective at theta, divided by the mismatch
    gradient: &'a mut [T],
    stages: [&'a mut [T]; 2],
    stage_gradient: &'a mut [T],
    /// the power iteration's vector
    direction: &'a mut [T],
    tolerance: T,
    /// size of the next step in tau
    step: T,
    /// |G|/rho at the start: the distance at which the stiffest direction comes to rest
    first_distance: T,
    radius: Option<T>,
    age: u32,
    attempt: Option<Attempt<T, Now<T>>>,
    /// the stages of its step, in one place: it is too large to be handed about on a small stack
    course: Option<Stages<T>>,
}

/// What is next in a step.
#[derive(Clone, Copy)]
enum Now<T> {
    Plan,
    /// an iteration for the spectral radius, after so many that have come to the estimate
    Radius {
        iteration: u32,
        estimate: T,
    },
    /// a stage of a step in tau, evaluations of the trainer before it
    Stage {
        step: T,
        evaluations: u64,
    },
    /// the end of one, which lies in that buffer
    Arrival {
        newest: usize,
        step: T,
        evaluations: u64,
    },
}

impl<'a, T: Real> Flow<'a, T> {
    /// `tolerance` bounds the estimated local error of a step by that share of the distance from theta_0 (at the
    /// start, of the distance at which the stiffest direction comes to rest).
    ///
    /// # Errors
    /// Those of [`super::tolerance_in`].
    pub(super) fn new(tolerance: f64, buffers: [&'a mut [T]; BUFFERS]) -> Result<Self, Error> {
        let tolerance = super::tolerance_in(tolerance)?;
        let [gradient, first, second, stage_gradient, direction] = buffers;
        Ok(Self {
            gradient,
            stages: [first, second],
            stage_gradient,
            direction,
            tolerance,
            step: T::ZERO,
            first_distance: T::ZERO,
            radius: None,
            age: 0,
            attempt: None,
            course: None,
        })
    }

    /// Whether nothing moves any more, however long the flow goes on. This is what lets a converged run reach any time in
    /// one step, and the same for every time.
    pub(super) fn at_rest<N: Network, B: ?Sized>(&self, run: &Run<'a, N, T, B>) -> bool {
        let share = T::from_f64(REST).max(T::EPSILON.sqrt());
        run.step > 0 && self.left(run).is_some_and(|left| left < share * distance(run.state.theta, run.theta_0))
            || self.gradient.iter().all(|g| *g == T::ZERO)
    }

    /// A bound of the path that is left to the minimum, where the objective has one and it is near: |grad J| falls there,
    /// under a penalty lambda at least like `e^(-lambda t)`, and the path over a time T is no longer than
    /// `min(T, 1/lambda) |grad J|`, with T another decade of the time so far.
    fn left<N: Network, B: ?Sized>(&self, run: &Run<'a, N, T, B>) -> Option<T> {
        if !run.problem.has_minimizer() {
            return None;
        }
        let (decade, penalty) = (T::from_f64(9.0) * run.state.log_time.exp(), run.problem.penalty());
        let time = if penalty > T::ZERO { decade.min(T::ONE / penalty) } else { decade };
        Some(time * norm(self.gradient) * run.state.objective.ln_mismatch.exp())
    }

    /// The longest step near a minimum: the method halves there, at best, what is left by each of its steps, of whatever
    /// length, and time must not outrun it.
    fn longest<N: Network, B: ?Sized>(&self, run: &Run<'a, N, T, B>) -> Option<T> {
        let near = T::from_f64(NEAR) * distance(run.state.theta, run.theta_0);
        self.left(run).filter(|left| *left < near).map(|_| T::from_f64(SLOW) * run.state.log_time.exp())
    }

    /// Begins a step, unless nothing moves any more.
    fn begin_step<N: Network, B: ?Sized>(
        &self,
        run: &mut Run<'a, N, T, B>,
        end: End<T>,
    ) -> Result<Result<Attempt<T, Now<T>>, bool>, Error> {
        let is_old = self.radius.is_none() || self.age >= RADIUS_AGE;
        let now = if is_old { Now::Radius { iteration: 0, estimate: T::ZERO } } else { Now::Plan };
        let attempt = Attempt::begin(&run.state, end, self.longest(run), now)?;
        if end.time().is_some() && self.at_rest(run) {
            return Ok(Err(run.rest_until(end)));
        }
        Ok(Ok(attempt))
    }
}

impl<'a, N: Network, T: Real, B: Backend<T> + ?Sized> Descend<'a, N, T, B> for Flow<'a, T> {
    fn begin(&mut self, run: &mut Run<'a, N, T, B>) -> Result<Objective<T>, Error> {
        let position = Position { theta: run.state.theta, theta_0: run.theta_0 };
        run.problem.evaluate(run.backend, position, true, self.gradient, run.work)
    }

    fn pass(&mut self, bytes: &mut Bytes<'_>) -> Result<(), Error> {
        bytes.numbers(self.direction)?;
        bytes.number(&mut self.step)?;
        bytes.number(&mut self.first_distance)?;
        bytes.optional(&mut self.radius, T::ZERO, Bytes::number)?;
        bytes.small(&mut self.age)
    }

    fn slice(&mut self, run: &mut Run<'a, N, T, B>, end: End<T>) -> Result<Option<bool>, Error> {
        let mut attempt = match self.attempt.take() {
            Some(attempt) => attempt,
            None => match self.begin_step(run, end)? {
                Ok(attempt) => attempt,
                Err(rested) => return Ok(Some(rested)),
            },
        };
        loop {
            match attempt.now {
                Now::Plan => match self.plan(&run.state, &attempt, run.evaluations) {
                    Some(next) => {
                        attempt.now = next;
                        continue;
                    }
                    None => return Ok(Some(false)),
                },
                Now::Radius { iteration, estimate } => {
                    let (next, evaluated) = self.refine_radius(run, (iteration, estimate))?;
                    attempt.now = next.unwrap_or(Now::Plan);
                    if !evaluated {
                        continue;
                    }
                }
                Now::Stage { step, evaluations } => {
                    let Some(course) = &mut self.course else { return Ok(Some(false)) };
                    let last = next_stage(run, course, self.gradient, &mut self.stages, self.stage_gradient)?;
                    if let Some(newest) = last {
                        attempt.now = Now::Arrival { newest, step, evaluations };
                    }
                }
                Now::Arrival { newest, step, evaluations } => {
                    let objective = run.evaluate(self.stages[newest], self.stage_gradient)?;
                    let judged = self.judge(run, &mut attempt, (newest, step, evaluations), objective)?;
                    if judged.is_some() {
                        return Ok(judged);
                    }
                }
            }
            self.attempt = Some(attempt);
            return Ok(None);
        }
    }

    fn abandon(&mut self) {
        self.attempt = None;
    }

    fn is_under_way(&self) -> bool {
        self.attempt.is_some()
    }

    fn renew(&mut self) {
        self.age = RADIUS_AGE;
    }
}
