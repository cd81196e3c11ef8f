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
//! stands for that product. None of this bounds how the kernel itself changes. So a step moves
//! the parameters by 2 % of their norm at most, which matters where a network is narrow, and one after which the objective is
//! larger by a tenth, or at the start larger at all, which no flow does, is taken again at half its length; what still rises
//! at a small part of its length chatters, which no shorter step mends. At the start, while the stiffest direction moves, two stages of the Runge-Kutta-Chebyshev method are taken, which are of second order.
//! Where residuals have become small beside the loss's curvature, as under squared error near its end, as many are taken as
//! make the step stable.

use super::chebyshev::{Stages, stages_for};
use super::clock::{
    LIMIT_SLACK, MAX_LN_CHANGE, MAX_REJECTIONS, ROUNDING, add_time, ln_elapsed, rounding_of_outputs, step_to,
    time_limit,
};
use super::rest::{self, Rest};
use super::trainer::Place;
use super::{Chattering, Descend, End, Position, Problem, Run};
use crate::buffer::buffer_len;
use crate::kernel::{Accuracy, Power, Weight, any_direction, jacobian_scratch};
use crate::linalg::norm;
use crate::network::{Network, Sizes};
use crate::state::Bytes;
use crate::{Backend, Error, Real, loss::Objective};

/// Buffers of P numbers beside the parameters.
pub(super) const BUFFERS: usize = 4 + rest::BUFFERS;
/// c of the first step, its growth with the sum of c so far, and its largest value.
const FIRST_SHARE: f64 = 0.12;
const GROWTH: f64 = 0.006;
const LARGEST_SHARE: f64 = 1.5;
/// The tolerance of these shares; smaller ones make them smaller.
const TOLERANCE: f64 = 0.01;
/// The sum of c up to which two stages are taken, which are of second order: the stiffest direction is on its way.
const YOUNG: f64 = 2.0;
/// `rho d tau` up to which one stage is taken later.
const ONE_STAGE: f64 = 1.8;
/// By how much rho may have grown since lambda_max was looked at.
const SAFETY: f64 = 1.2;
/// Steps after which lambda_max is looked at again.
const AGE: u32 = 32;
/// Pull below which it is a balance of larger ones.
const WEAK_PULL: f64 = 0.1;
/// Largest |change of theta| in a step, over |theta|.
const MOVE: f64 = 0.02;
/// Rise of the objective in a step that is chatter at most, as a share of it and of its fall so far; at the start none is.
const RISE: f64 = 0.1;
/// The part of the length at which a rise at the start is chatter.
const CHATTER: f64 = 1.0 / 32.0;
/// Stages from which it pays to look for a smaller rho, and by how much the largest l'' must exceed their mean.
const MANY_STAGES: usize = 8;
const UNEVEN: f64 = 2.0;
/// lambda_max to about a percent.
const LOOK: Accuracy = Accuracy { iterations: 30, settled: 0.01 };

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
    attempt: Option<Attempt<T>>,
    /// the stages of its step, in one place: it is too large to be handed about on a small stack
    course: Option<Stages<T>>,
}

/// A step under way.
struct Attempt<T> {
    /// longest step in time t, and that from which on none is made
    limit: Option<T>,
    before: Option<T>,
    rejections: u32,
    now: Now<T>,
}

/// What is next in it.
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

/// What is looked for.
#[derive(Clone, Copy)]
enum Sought {
    LambdaMax,
    /// By how much rho is smaller than its bound.
    Ease,
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
    /// A tolerance outside (0, 1).
    pub(super) fn new(
        tolerance: f64,
        sizes: Sizes,
        batch: usize,
        mut take: impl FnMut(usize) -> &'a mut [T],
    ) -> Result<Self, Error> {
        super::check_tolerance(tolerance)?;
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

    /// By how much longer steps may be where samples that no parameters tell apart pull to different sides for ever: the
    /// mismatch stays, and with it the clock, though what is left of the pull falls like 1/t. The pull is that of
    /// residuals as large as the mismatch where `|G| = sqrt(lambda_max/n)`. With a minimum ahead steps keep their length,
    /// so that chatter dies out. `slope` is |G|.
    fn stretch<N: Network, B: ?Sized>(&self, run: &Run<'a, N, T, B>, calm: T, slope: T) -> T {
        if run.problem.has_minimiser() {
            return T::ONE;
        }
        let pull = slope / calm.sqrt();
        let weak = T::from_f64(WEAK_PULL);
        if pull < weak && pull > T::ZERO { weak / pull } else { T::ONE }
    }

    fn is_young(&self) -> bool {
        self.gone < YOUNG
    }

    /// The kernel at the present parameters is left in the work space.
    #[inline(never)]
    fn lay_kernel<N: Network, B: Backend<T> + ?Sized>(&mut self, run: &mut Run<'a, N, T, B>) -> Result<(), Error> {
        run.problem.tangent(run.backend, run.state.theta, run.work)?;
        run.evaluations += 1;
        Ok(())
    }

    /// An iteration for what is sought; whether it was the last.
    #[inline(never)]
    fn look<N: Network, B: Backend<T> + ?Sized>(
        &mut self,
        run: &mut Run<'a, N, T, B>,
        sought: Sought,
        power: &mut Power<T>,
    ) -> Result<bool, Error> {
        let tangent = run.problem.left_tangent(run.work);
        let curvature = |sample| run.problem.curvature_of(&run.state.objective, run.work, sample);
        let (vector, mut weight) = match sought {
            Sought::LambdaMax => (&mut *self.vector, Weight::One),
            Sought::Ease => (&mut *self.uneven, Weight::Samples(&curvature)),
        };
        let space = (vector, &mut *self.stages[0], &mut *self.scratch);
        let is_last = power.iterate(run.backend, &tangent, &mut weight, space, LOOK)?;
        run.evaluations += 1;
        match (is_last, sought) {
            (true, Sought::LambdaMax) => (self.lambda_max, self.age, self.ease) = (power.found, 0, None),
            (true, Sought::Ease) => {
                self.ease = Some((power.found / (self.lambda_max * self.curvature)).min(T::ONE));
            }
            (false, _) => {}
        }
        Ok(is_last)
    }

    /// Whether one sample's l'' is far above the others', from the outputs in the work space.
    fn is_uneven<N: Network, B: ?Sized>(&self, run: &Run<'a, N, T, B>) -> bool {
        let n = run.problem.targets().rows();
        let curvature = |sample| run.problem.curvature_of(&run.state.objective, run.work, sample);
        let sum = (0..n).map(curvature).fold(T::ZERO, |sum, c| sum + c);
        self.curvature * T::from_count(n) > T::from_f64(UNEVEN) * sum
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

    /// The first stage of the next step, `None` where it would be too long to be made.
    #[inline(never)]
    fn set_out<N: Network, B: ?Sized>(&mut self, run: &Run<'a, N, T, B>, attempt: &Attempt<T>) -> Option<Now<T>> {
        let ln_mismatch = run.state.objective.ln_mismatch;
        let (length, stages, whole) = self.plan(run, attempt.limit.map(|limit| step_to(limit, ln_mismatch)));
        if stages >= MANY_STAGES && !self.is_young() && self.ease.is_none() {
            return Some(Now::Kernel(Sought::Ease));
        }
        if attempt.before.is_some_and(|before| before * ln_mismatch.exp() < length) {
            return None;
        }
        let is_short = length <= T::from_f64(CHATTER) * whole;
        let step = Step { length, is_short, evaluations: run.evaluations };
        if stages == 1 {
            let moved = self.stages[0].iter_mut().zip(run.state.theta.iter().zip(self.gradient.iter()));
            moved.for_each(|(new, (theta, g))| *new = *theta - length * *g);
            return Some(Now::Arrival(0, step));
        }
        let from = (&*run.state.theta, &*self.gradient);
        self.course = Some(Stages::begin(from, (length, stages), &mut self.stages));
        Some(Now::Stage(step))
    }

    /// d tau, not above `most`, its stages, and the length that it would have without a limit.
    fn plan<N: Network, B: ?Sized>(&self, run: &Run<'a, N, T, B>, most: Option<T>) -> (T, usize, T) {
        let weight = run.problem.pull(run.state.objective.ln_mismatch);
        let radius = self.ease.unwrap_or(T::ONE) * self.lambda_max * self.curvature + weight;
        let calm = self.lambda_max / run.problem.divisor();
        // without a kernel nothing moves but what the penalty pulls
        let calm = if calm > T::ZERO { calm } else { weight };
        let c = T::from_f64(self.share * f64::min(FIRST_SHARE + GROWTH * self.gone, LARGEST_SHARE));
        let slope = norm(self.gradient);
        let whole = if calm > T::ZERO { self.stretch(run, calm, slope) * c / calm } else { T::ONE };
        let step = [self.cap, most, Some(longest(run.state.theta, slope))]
            .into_iter()
            .flatten()
            .fold(whole, |step, most| step.min(most));
        if step * radius <= T::from_f64(ONE_STAGE) && !self.is_young() {
            return (step, 1, whole);
        }
        let (stages, step) = stages_for(step, T::from_f64(SAFETY) * radius);
        (step, stages, whole)
    }

    /// Begins a step, unless nothing moves any more.
    fn begin_step<N: Network, B: Backend<T> + ?Sized>(
        &self,
        run: &mut Run<'a, N, T, B>,
        end: End<T>,
    ) -> Result<Result<Attempt<T>, bool>, Error> {
        let left = time_limit(&run.state, end)?;
        if end.time().is_some() && self.at_rest(run) {
            return Ok(Err(run.rest_until(end)));
        }
        let (limit, before) = if let End::Before(_) = end { (None, left) } else { (left, None) };
        Ok(Ok(Attempt { limit, before, rejections: 0, now: Now::Plan }))
    }

    /// Judges the step that ends in buffer `newest` with this objective and curvature, and makes it. `None` where it is
    /// rejected.
    ///
    /// # Errors
    /// [`Error::StepUnderflow`] and [`Error::NonFinite`] when no step is acceptable.
    #[inline(never)]
    fn judge<N: Network, B: Backend<T> + ?Sized>(
        &mut self,
        run: &mut Run<'a, N, T, B>,
        attempt: &mut Attempt<T>,
        (newest, step): (usize, Step<T>),
        (objective, curvature): (Objective<T>, T),
    ) -> Result<Option<bool>, Error> {
        let slack = T::from_f64(LIMIT_SLACK);
        let (length, ln_mismatch) = (step.length, run.state.objective.ln_mismatch);
        let change = ln_mismatch - objective.ln_mismatch;
        let ln_dt = ln_elapsed(length, ln_mismatch, change, attempt.limit);
        let past_limit = attempt.limit.map_or(T::ZERO, |limit| ln_dt - limit.ln());
        let finite = objective.loss.is_finite() && change.is_finite();
        let total = run.problem.with_penalty(&objective, self.stages[newest], run.theta_0);
        let smooth = self.is_young() && !step.is_short;
        let fallen = (self.first - self.total).max(T::ZERO);
        let rise = if smooth { T::ZERO } else { T::from_f64(RISE) * fallen.min(self.total) };
        let falls = total <= self.total + rise + self.rounding;
        let ratio = change.abs() / T::from_f64(MAX_LN_CHANGE);
        if finite && falls && ratio <= T::ONE && past_limit <= slack {
            if attempt.before.is_some_and(|before| ln_dt - before.ln() > slack) {
                // what was made will be made again
                run.evaluations = step.evaluations;
                return Ok(Some(false));
            }
            run.step += 1;
            run.resting_from = None;
            add_time(&mut run.state.log_time, ln_dt);
            core::mem::swap(&mut run.state.theta, &mut self.stages[newest]);
            core::mem::swap(&mut self.gradient, &mut self.stage_gradient);
            (run.state.objective, self.curvature, self.total) = (objective, curvature, total);
            self.cap = self.cap.map(|cap| cap + cap).filter(|cap| cap.is_finite());
            self.age += 1;
            self.gone += (length * self.lambda_max / run.problem.divisor()).to_f64();
            let size = ln_residual(&run.problem, &objective);
            self.rest.add(run.state.theta, run.theta_0, run.state.log_time, size);
            return Ok(Some(true));
        }
        let tenth = T::from_f64(0.1);
        let shrink = if !finite {
            tenth
        } else if !falls {
            T::from_f64(0.5)
        } else if ratio <= T::ONE {
            (-past_limit).exp()
        } else {
            (T::from_f64(0.8) / ratio).max(tenth)
        };
        self.cap = Some(length * shrink);
        if ratio > T::ONE || !falls || !finite {
            self.age = AGE;
        }
        attempt.rejections += 1;
        if attempt.rejections == MAX_REJECTIONS {
            run.step += 1;
            let step = run.step;
            return Err(if finite { Error::StepUnderflow { step } } else { Error::NonFinite { what: "loss", step } });
        }
        attempt.now = Now::Plan;
        Ok(None)
    }

    /// Whether the parameters stay where they are.
    pub(super) fn at_rest<N: Network, B: ?Sized>(&self, run: &Run<'a, N, T, B>) -> bool {
        let objective = &run.state.objective;
        let rounding = rounding_of_outputs(objective);
        run.problem.loss().properties(1).quadratic && ln_residual(&run.problem, objective).exp() <= rounding
            || run.problem.has_minimiser() && self.rest.reached()
            || self.gradient.iter().all(|g| *g == T::ZERO)
    }
}

/// d tau of a step that moves the parameters as far as one may, where the gradient has the norm `slope`.
fn longest<T: Real>(theta: &[T], slope: T) -> T {
    if slope > T::ZERO { T::from_f64(MOVE) * norm(theta) / slope } else { T::LARGEST }
}

/// ln of the size of the residuals: their root mean square under squared error, the mismatch of others.
fn ln_residual<N: Network, T: Real>(problem: &Problem<'_, N, T>, objective: &Objective<T>) -> T {
    if problem.loss().properties(problem.targets().cols()).quadratic {
        let mean = objective.loss / problem.weight();
        return T::from_f64(0.5) * (mean + mean).ln();
    }
    objective.ln_mismatch
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
                    run.evaluate(self.stages[course.newest()], self.stage_gradient)?;
                    let from = (&*run.state.theta, &*self.gradient);
                    if course.advance(from, &mut self.stages, self.stage_gradient) {
                        attempt.now = Now::Arrival(course.newest(), step);
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
