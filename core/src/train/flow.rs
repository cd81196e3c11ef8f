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

use super::chebyshev::{Stages, stages_for};
use super::clock::{
    LIMIT_SLACK, MAX_LN_CHANGE, MAX_REJECTIONS, add_time, ln_elapsed, rounding_of_outputs, step_to, time_limit,
};
use super::{Descend, End, Position, Run, State};
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
/// Power iterations from nothing, and to refresh.
const RADIUS_ITERATIONS: [u32; 2] = [12, 2];

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
    /// A tolerance outside (0, 1).
    pub(super) fn new(tolerance: f64, buffers: [&'a mut [T]; BUFFERS]) -> Result<Self, Error> {
        super::check_tolerance(tolerance)?;
        let [gradient, first, second, stage_gradient, direction] = buffers;
        Ok(Self {
            gradient,
            stages: [first, second],
            stage_gradient,
            direction,
            tolerance: T::from_f64(tolerance),
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
        if !run.problem.has_minimiser() {
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
    ) -> Result<Result<Attempt<T>, bool>, Error> {
        let left = time_limit(&run.state, end)?;
        if end.time().is_some() && self.at_rest(run) {
            return Ok(Err(run.rest_until(end)));
        }
        let longest = self.longest(run);
        let (limit, before) = match end {
            End::Before(_) => (longest, left),
            End::Open | End::At(_) => ([left, longest].into_iter().flatten().reduce(T::min), None),
        };
        let is_old = self.radius.is_none() || self.age >= RADIUS_AGE;
        let now = if is_old { Now::Radius { iteration: 0, estimate: T::ZERO } } else { Now::Plan };
        Ok(Ok(Attempt { limit, before, rejections: 0, now }))
    }

    /// The first stage of the next step, `None` where it would be too long to be made.
    #[inline(never)]
    fn plan(&mut self, state: &State<'a, T>, attempt: &Attempt<T>, evaluations: u64) -> Option<Now<T>> {
        let mismatch = state.objective.ln_mismatch.exp();
        let step = self.cut(state, attempt);
        if attempt.before.is_some_and(|before| before * mismatch < step) {
            return None;
        }
        let (stages, step) = stages_for(step, self.radius.unwrap_or(T::ZERO));
        self.course = Some(Stages::begin((state.theta, self.gradient), (step, stages), &mut self.stages));
        Some(Now::Stage { step, evaluations })
    }

    /// The next step in tau, cut short by the limit.
    fn cut(&self, state: &State<'a, T>, attempt: &Attempt<T>) -> T {
        attempt.limit.map_or(self.step, |limit| self.step.min(step_to(limit, state.objective.ln_mismatch)))
    }

    /// Judges the step that ends in buffer `newest` with this objective, and makes it. `None` where it is rejected.
    ///
    /// # Errors
    /// [`Error::StepUnderflow`] and [`Error::NonFinite`] when no step is acceptable.
    #[inline(never)]
    fn judge<N: Network, B: ?Sized>(
        &mut self,
        run: &mut Run<'a, N, T, B>,
        attempt: &mut Attempt<T>,
        (newest, step, evaluations): (usize, T, u64),
        objective: Objective<T>,
    ) -> Result<Option<bool>, Error> {
        let cut = self.cut(&run.state, attempt) < self.step;
        let state = &mut run.state;
        let change = state.objective.ln_mismatch - objective.ln_mismatch;
        let error = self.error_ratio(state, run.theta_0, newest, step);
        // the local error is of third order in the step, the change of ln mismatch of first
        let total = |objective: &Objective<T>, theta: &[T]| run.problem.with_penalty(objective, theta, run.theta_0);
        let (from, to) = (total(&state.objective, state.theta), total(&objective, self.stages[newest]));
        // no flow rises: where the mismatch is 1 and says nothing, this alone tells a step that goes too far
        let rise = (to / (from + noise(&state.objective, from))).ln().max(T::ZERO);
        let ratio = cube_root(error).max(change.abs().max(rise) / T::from_f64(MAX_LN_CHANGE));
        let finite = ratio.is_finite() && objective.loss.is_finite();
        let ln_dt = ln_elapsed(step, state.objective.ln_mismatch, change, attempt.limit);
        let past_limit = attempt.limit.map_or(T::ZERO, |limit| ln_dt - limit.ln());
        let slack = T::from_f64(LIMIT_SLACK);
        if finite && ratio <= T::ONE && past_limit <= slack {
            if attempt.before.is_some_and(|before| ln_dt - before.ln() > slack) {
                // it will be made again
                run.evaluations = evaluations;
                return Ok(Some(false));
            }
            add_time(&mut state.log_time, ln_dt);
            core::mem::swap(&mut state.theta, &mut self.stages[newest]);
            core::mem::swap(&mut self.gradient, &mut self.stage_gradient);
            state.objective = objective;
            self.age += 1;
            // a step cut short by the limit says nothing about the next one
            if !cut {
                self.step = step * (T::from_f64(0.8) / ratio.max(T::from_f64(0.2)));
            }
            run.step += 1;
            run.resting_from = None;
            return Ok(Some(true));
        }
        let tenth = T::from_f64(0.1);
        self.step = step
            * if !finite {
                tenth
            } else if ratio <= T::ONE {
                (-past_limit).exp()
            } else {
                (T::from_f64(0.8) / ratio).max(tenth)
            };
        attempt.rejections += 1;
        if attempt.rejections == MAX_REJECTIONS {
            run.step += 1;
            let step = run.step;
            return Err(if finite { Error::StepUnderflow { step } } else { Error::NonFinite { what: "loss", step } });
        }
        // an error far above the tolerance is often an instability: the radius has grown
        let look = self.age > 0 && ratio > T::ONE;
        attempt.now = if look { Now::Radius { iteration: 0, estimate: T::ZERO } } else { Now::Plan };
        Ok(None)
    }

    /// Estimated local error over what the tolerance allows.
    /// Estimate (third order): 0.8 (theta_n - theta_n+1) - 0.4 h (G_n + G_n+1).
    fn error_ratio(&self, state: &State<'_, T>, theta_0: &[T], newest: usize, step: T) -> T {
        let (new, share) = (&*self.stages[newest], T::from_f64(0.8));
        let half = T::from_f64(0.4) * step;
        let gradients = self.gradient.iter().zip(self.stage_gradient.iter());
        let mut sum = T::ZERO;
        for ((old, new), (g_old, g_new)) in state.theta.iter().zip(new).zip(gradients) {
            let e = share * (*old - *new) - half * (*g_old + *g_new);
            sum += e * e;
        }
        let distance = distance(new, theta_0);
        // rounding of theta itself is no error of the step
        let floor = T::from_f64(4.0) * T::EPSILON * norm(new);
        let allowed = self.tolerance * (distance + self.first_distance) + floor;
        if sum == T::ZERO { T::ZERO } else { sum.sqrt() / allowed }
    }

    /// An iteration of `rho <- 1.2 |G(theta + e v) - G(theta)| / e`, a power iteration on v; `None` after the last. Whether
    /// there was an evaluation, which a direction without a length ends.
    #[inline(never)]
    fn refine_radius<N: Network, B: Backend<T> + ?Sized>(
        &mut self,
        run: &mut Run<'a, N, T, B>,
        (iteration, mut estimate): (u32, T),
    ) -> Result<(Option<Now<T>>, bool), Error> {
        let fresh = self.radius.is_none();
        if fresh && iteration == 0 {
            self.direction.copy_from_slice(self.gradient);
        }
        let length = norm(self.direction);
        let size = T::EPSILON.sqrt() * norm(run.state.theta).max(T::ONE);
        let scale = size / length;
        // where nothing is curved a difference of gradients is no direction
        let is_direction = length.is_finite() && scale.is_finite();
        let mut settled = true;
        if is_direction {
            for (y, (theta, v)) in self.stages[0].iter_mut().zip(run.state.theta.iter().zip(self.direction.iter())) {
                *y = *theta + scale * *v;
            }
            run.evaluate(self.stages[0], self.stage_gradient)?;
            for (v, (g, g_0)) in self.direction.iter_mut().zip(self.stage_gradient.iter().zip(self.gradient.iter())) {
                *v = *g - *g_0;
            }
            let next = norm(self.direction) / size;
            settled = (next - estimate).abs() <= T::from_f64(0.05) * next;
            estimate = next;
        }
        if !settled && iteration + 1 < RADIUS_ITERATIONS[usize::from(!fresh)] {
            return Ok((Some(Now::Radius { iteration: iteration + 1, estimate }), true));
        }
        let radius = T::from_f64(1.2) * estimate;
        (self.radius, self.age) = (Some(radius), 0);
        if fresh {
            self.step = T::ONE;
            if radius > T::ZERO {
                // a tenth of the time in which the stiffest direction moves
                self.step = T::from_f64(0.1) / radius;
                self.first_distance = norm(self.gradient) / radius;
            }
        }
        Ok((None, is_direction))
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
                    run.evaluate(self.stages[course.newest()], self.stage_gradient)?;
                    let from = (&*run.state.theta, &*self.gradient);
                    if course.advance(from, &mut self.stages, self.stage_gradient) {
                        attempt.now = Now::Arrival { newest: course.newest(), step, evaluations };
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

/// By how much J = `total` may rise by rounding: of a loss r^2/2 an error delta of f changes `r delta + delta^2/2`, of the others
/// less.
fn noise<T: Real>(objective: &Objective<T>, total: T) -> T {
    let delta = rounding_of_outputs(objective);
    delta * ((total + total).sqrt() + delta) + T::SMALLEST
}

/// x^(1/3) for x >= 0; NaN stays.
fn cube_root<T: Real>(x: T) -> T {
    if x == T::ZERO { x } else { (x.ln() / T::from_f64(3.0)).exp() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cube_roots() {
        for x in [0.0f64, 1e-30, 1.0, 8.0, 1e12] {
            assert!((cube_root(x) - libm::cbrt(x)).abs() <= 1e-14 * libm::cbrt(x), "{x}");
        }
        assert!(cube_root(f64::NAN).is_nan());
    }
}
