//! Gradient flow of a network whose activation has kinks: steps of the kernel's own length.
//!
//! Pre-activations that the flow drives back to their kink from both sides chatter across it, with an amplitude in
//! proportion to the step ([`crate::kernel::MeanTangent`]). A test of the local error takes every crossing for an error and
//! shrinks the step where nothing moves any more. So the step is given, in the clock `d tau = mismatch dt`, by
//!
//! ```text
//! d tau = c n / lambda_max(K),      c = min(1, tolerance/0.01) min(1.5, 0.12 + 0.006 sum of c so far)
//! ```
//!
//! the share c of the time in which the stiffest direction of the outputs comes to its end while residuals are as large as
//! the mismatch: small at first, where the outputs are as large as a step and the side that a unit falls to is decided,
//! larger as the path becomes straight. A step is stable in one stage (Euler's method) while `rho d tau` is below 2, where
//!
//! ```text
//! rho = lambda_max(K) max_i l''(f_i) / (n mismatch) + lambda / mismatch
//! ```
//!
//! bounds the curvature of the objective along the path. Where one sample's l'' is far above the others', as that of a
//! sample which no unit sees and which is never learnt, the eigenvalue of `L^1/2 K L^1/2`, with l'' on the diagonal of L,
//! stands for that product. None of this bounds how the kernel itself changes. So a step moves the parameters by 2 % of their
//! norm at most, which matters where a network is narrow. No flow raises the objective: a step after which it is larger by a
//! tenth of itself or of its fall so far, or at the start larger at all, is taken again at half its length. What still rises
//! at a small part of that length is chatter, which no shorter step mends. At the start, while the stiffest direction moves,
//! two stages of the Runge-Kutta-Chebyshev method are taken, which are of second order. Where residuals have become small
//! beside the loss's curvature, as under squared error near its end, as many are taken as make the step stable.
//!
//! `plan` has the length of a step and what is asked of it, `radius` the eigenvalues; a step is made in slices of one gradient
//! evaluation, which the [`Descend`] here puts one after another.

mod plan;
mod radius;

use super::attempt::{Attempt, next_stage};
use super::chebyshev::Stages;
use super::clock::{ROUNDING, rounding_of_outputs};
use super::rest::{self, Rest};
use super::trainer::Place;
use super::{Chattering, Descend, End, Position, Run};
use crate::buffer::buffer_len;
use crate::kernel::{Power, any_direction, jacobian_scratch};
use crate::linalg::norm;
use crate::network::{Network, Sizes};
use crate::state::Bytes;
use crate::{Backend, Error, Real, loss::Objective};
use plan::{ln_residual, longest};
use radius::Sought;

/// Buffers of P numbers beside the parameters.
pub(super) const BUFFERS: usize = 4 + rest::BUFFERS;
/// The tolerance of these shares; smaller ones make them smaller.
const TOLERANCE: f64 = 0.01;
/// The sum of c up to which two stages are taken, which are of second order: the stiffest direction is on its way.
const YOUNG: f64 = 2.0;
/// Steps after which lambda_max is looked at again.
const AGE: u32 = 32;

/// The integrator.
pub(super) struct Kinked<'a, T> {
    /// gradient of the objective at theta, divided by the mismatch
    gradient: &'a mut [T],
    stages: [&'a mut [T]; 2],
    stage_gradient: &'a mut [T],
    /// the eigenvector of lambda_max `(n C)`
    vector: &'a mut [T],
    scratch: &'a mut [T],
    rest: Rest<'a, T>,
    /// what the tolerance leaves of c, at most 1
    share: f64,
    /// largest d tau after a step that was rejected
    cap: Option<T>,
    lambda_max: T,
    age: u32,
    /// the vector of the same for `L^1/2 K L^1/2` `(n C)`, and the eigenvalue over `lambda_max max_i l''`, once it is known
    uneven: &'a mut [T],
    ease: Option<T>,
    /// the sum of c over the steps so far
    gone: f64,
    /// max_i l''(f_i) / (n mismatch) at theta
    curvature: T,
    /// the objective with its penalty at the start and at theta, and its rounding
    first: T,
    total: T,
    rounding: T,
    attempt: Option<Attempt<T, Now<T>>>,
    /// the stages of its step, in one place: it is too large to be handed about on a small stack
    course: Option<Stages<T>>,
}

/// What is next in a step.
#[derive(Clone, Copy)]
enum Now<T> {
    Plan,
    /// the kernel, of which an eigenvalue is looked for
    Kernel(Sought),
    /// an iteration for it
    Power(Sought, Power<T>),
    /// a stage of a step
    Stage(Step<T>),
    /// the end of one, which lies in that buffer
    Arrival(usize, Step<T>),
}

/// A step in tau, whether it is short for the kernel, and the trainer's evaluations before it.
#[derive(Clone, Copy)]
struct Step<T> {
    length: T,
    is_short: bool,
    evaluations: u64,
}

/// Elements of the buffer of a [`Kinked`] for n samples.
pub(super) const fn kinked_len(sizes: Sizes, batch: usize) -> usize {
    buffer_len(&[&[BUFFERS, sizes.parameters], &[2, batch, sizes.outputs], &[jacobian_scratch(sizes, batch)]])
}

impl<'a, T: Real> Kinked<'a, T> {
    /// # Errors
    /// Those of [`super::tolerance_in`].
    pub(super) fn new(
        tolerance: f64,
        sizes: Sizes,
        batch: usize,
        mut take: impl FnMut(usize) -> &'a mut [T],
    ) -> Result<Self, Error> {
        super::tolerance_in::<T>(tolerance)?;
        let p = sizes.parameters;
        let [vector, uneven] = [take(batch * sizes.outputs), take(batch * sizes.outputs)];
        any_direction(vector);
        any_direction(uneven);
        Ok(Self {
            gradient: take(p),
            stages: [take(p), take(p)],
            stage_gradient: take(p),
            vector,
            scratch: take(jacobian_scratch(sizes, batch)),
            rest: Rest::new([take(p), take(p)]),
            share: f64::min(tolerance / TOLERANCE, 1.0),
            cap: None,
            lambda_max: T::ZERO,
            age: AGE,
            uneven,
            ease: None,
            gone: 0.0,
            curvature: T::ZERO,
            first: T::ZERO,
            total: T::ZERO,
            rounding: T::ZERO,
            attempt: None,
            course: None,
        })
    }

    /// The state of the flow, and its buffers that are free between steps.
    pub(super) fn chattering<'r>(&'r mut self, place: Place<'r, T>) -> Chattering<'r, T> {
        let Place { theta, theta_0, log_time, work } = place;
        let longest = longest(theta, norm(self.gradient));
        let [copy, start] = &mut self.stages;
        Chattering {
            theta,
            theta_0,
            log_time,
            gone: self.gone,
            lambda_max: self.lambda_max,
            longest,
            copy,
            start,
            gradient: self.stage_gradient,
            scratch: self.scratch,
            work,
        }
    }

    /// The gradient at `at` of the stages, and what is known there.
    fn arrive<N: Network, B: Backend<T> + ?Sized>(
        &mut self,
        run: &mut Run<'a, N, T, B>,
        at: usize,
    ) -> Result<(Objective<T>, T), Error> {
        let objective = run.evaluate(self.stages[at], self.stage_gradient)?;
        Ok((objective, run.problem.curvature(&objective, run.work)))
    }

    /// Begins a step, unless nothing moves any more.
    fn begin_step<N: Network, B: Backend<T> + ?Sized>(
        &self,
        run: &mut Run<'a, N, T, B>,
        end: End<T>,
    ) -> Result<Result<Attempt<T, Now<T>>, bool>, Error> {
        let attempt = Attempt::begin(&run.state, end, None, Now::Plan)?;
        if end.time().is_some() && self.at_rest(run) {
            return Ok(Err(run.rest_until(end)));
        }
        Ok(Ok(attempt))
    }

    /// Whether the parameters stay where they are.
    pub(super) fn at_rest<N: Network, B: ?Sized>(&self, run: &Run<'a, N, T, B>) -> bool {
        let objective = &run.state.objective;
        let rounding = rounding_of_outputs(objective);
        run.problem.loss().properties(1).quadratic && ln_residual(&run.problem, objective).exp() <= rounding
            || run.problem.has_minimizer() && self.rest.reached()
            // beside a residual that stays, the others' pull may fall below every number
            || self.gradient.iter().all(|g| g.abs() < T::SMALLEST)
    }
}

impl<'a, N: Network, T: Real, B: Backend<T> + ?Sized> Descend<'a, N, T, B> for Kinked<'a, T> {
    fn begin(&mut self, run: &mut Run<'a, N, T, B>) -> Result<Objective<T>, Error> {
        let position = Position { theta: run.state.theta, theta_0: run.theta_0 };
        let objective = run.problem.evaluate(run.backend, position, true, self.gradient, run.work)?;
        self.curvature = run.problem.curvature(&objective, run.work);
        self.total = run.problem.with_penalty(&objective, run.state.theta, run.theta_0);
        self.first = self.total;
        // Far above 0 the loss is e^-f, which an error of f changes by as much of itself, until it has no more bits.
        let relative = rounding_of_outputs(&objective).max(T::from_f64(ROUNDING) * T::EPSILON);
        self.rounding = relative * self.total.max(T::SMALLEST);
        Ok(objective)
    }

    fn pass(&mut self, bytes: &mut Bytes<'_>) -> Result<(), Error> {
        bytes.numbers(self.vector)?;
        bytes.numbers(self.uneven)?;
        bytes.optional(&mut self.ease, T::ONE, Bytes::number)?;
        self.rest.pass(bytes)?;
        bytes.optional(&mut self.cap, T::ZERO, Bytes::number)?;
        bytes.number(&mut self.lambda_max)?;
        bytes.small(&mut self.age)?;
        bytes.number(&mut self.gone)?;
        bytes.number(&mut self.first)?;
        bytes.number(&mut self.rounding)
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
                Now::Plan if self.age >= AGE => {
                    attempt.now = Now::Kernel(Sought::LambdaMax);
                    continue;
                }
                Now::Plan => match self.set_out(run, &attempt) {
                    Some(next) => {
                        attempt.now = next;
                        continue;
                    }
                    None => return Ok(Some(false)),
                },
                Now::Kernel(sought) => {
                    self.lay_kernel(run)?;
                    attempt.now = Now::Power(sought, Power::default());
                    if matches!(sought, Sought::Ease) && !self.is_uneven(run) {
                        (self.ease, attempt.now) = (Some(T::ONE), Now::Plan);
                    }
                }
                Now::Power(sought, mut power) => {
                    let is_last = self.look(run, sought, &mut power)?;
                    attempt.now = if is_last { Now::Plan } else { Now::Power(sought, power) };
                }
                Now::Stage(step) => {
                    let Some(course) = &mut self.course else { return Ok(Some(false)) };
                    let last = next_stage(run, course, self.gradient, &mut self.stages, self.stage_gradient)?;
                    if let Some(newest) = last {
                        attempt.now = Now::Arrival(newest, step);
                    }
                }
                Now::Arrival(newest, step) => {
                    let arrived = self.arrive(run, newest)?;
                    let judged = self.judge(run, &mut attempt, (newest, step), arrived)?;
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
        self.age = AGE;
        self.rest.begin_again();
    }
}
