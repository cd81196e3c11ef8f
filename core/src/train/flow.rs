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

use super::chebyshev::{Chebyshev, stages_for};
use super::{Descend, Position, Run, State};
use crate::linalg::{distance, norm};
use crate::network::Network;
use crate::{Backend, Error, Real, loss::Objective};

/// Buffers of P numbers that the flow needs beside the parameters.
pub(super) const BUFFERS: usize = 5;
/// Share of the distance from theta_0 that counts as no movement.
const REST: f64 = 1e-4;
/// Largest |change of ln mismatch| in one step: the clock interpolates it linearly within the step.
const MAX_LN_MISMATCH_CHANGE: f64 = 0.5;
/// Accepted steps after which the spectral radius is looked at again.
const RADIUS_AGE: u32 = 16;
/// Power iterations from nothing, and to refresh.
const RADIUS_ITERATIONS: [u32; 2] = [12, 2];
/// Rejections in a row after which the flow gives up: the step has shrunk by more than 1e10.
const MAX_REJECTIONS: u32 = 40;
/// A step may end this share of itself behind the time limit.
const LIMIT_SLACK: f64 = 1e-4;

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
}

/// Gradient divided by the mismatch, and objective, at `theta`.
type Evaluate<'e, T> = dyn FnMut(&[T], &mut [T]) -> Result<Objective<T>, Error> + 'e;

impl<'a, T: Real> Flow<'a, T> {
    /// `tolerance` bounds the estimated local error of a step by that share of the distance from theta_0 (at the
    /// start, of the distance at which the stiffest direction comes to rest).
    ///
    /// # Errors
    /// A tolerance outside (0, 1).
    pub(super) fn new(tolerance: f64, buffers: [&'a mut [T]; BUFFERS]) -> Result<Self, Error> {
        if !(tolerance > 0.0 && tolerance < 1.0) {
            return Err(Error::OutOfRange { what: "tolerance", needs: "in (0, 1)", got: tolerance });
        }
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
        })
    }

    /// Whether the flow stays where it is for `time`: near a minimum |grad J| only falls, so the path that is left is
    /// no longer than `time |grad J|`. This is what lets a converged run reach any time in one step.
    fn at_rest(&self, state: &State<'_, T>, theta_0: &[T], time: T) -> bool {
        let speed = norm(self.gradient) * state.objective.ln_mismatch.exp();
        time * speed < T::from_f64(REST) * distance(state.theta, theta_0)
    }

    /// One accepted step, not longer than `limit` in time t where that is given.
    ///
    /// # Errors
    /// Those of `evaluate`; [`Error::StepUnderflow`] and [`Error::NonFinite`] when no step is acceptable.
    fn integrate(
        &mut self,
        state: &mut State<'a, T>,
        theta_0: &[T],
        limit: Option<T>,
        at_step: u64,
        evaluate: &mut Evaluate<'_, T>,
    ) -> Result<(), Error> {
        let fresh = self.radius.is_none();
        if fresh || self.age >= RADIUS_AGE {
            self.estimate_radius(state, evaluate)?;
        }
        if fresh {
            let radius = self.radius.unwrap_or(T::ZERO);
            if radius > T::ZERO {
                // a tenth of the time in which the stiffest direction moves
                self.step = T::from_f64(0.1) / radius;
                self.first_distance = norm(self.gradient) / radius;
            } else {
                self.step = T::ONE;
            }
        }
        let mut finite = true;
        for _ in 0..MAX_REJECTIONS {
            let to_limit = limit.map_or(self.step, |limit| limit * state.objective.ln_mismatch.exp());
            let (stages, step) = stages_for(self.step.min(to_limit), self.radius.unwrap_or(T::ZERO));
            let newest = self.chebyshev(state, step, stages, evaluate)?;
            let objective = evaluate(self.stages[newest], self.stage_gradient)?;
            let change = state.objective.ln_mismatch - objective.ln_mismatch;
            let error = self.error_ratio(state, theta_0, newest, step);
            // the local error is of third order in the step, the change of ln mismatch of first
            let ratio = cube_root(error).max(change.abs() / T::from_f64(MAX_LN_MISMATCH_CHANGE));
            finite = ratio.is_finite() && objective.loss.is_finite();
            let ln_dt = ln_elapsed(step, state.objective.ln_mismatch, change);
            let past_limit = limit.map_or(T::ZERO, |limit| ln_dt - limit.ln());
            if finite && ratio <= T::ONE && past_limit <= T::from_f64(LIMIT_SLACK) {
                state.log_time += (ln_dt - state.log_time).exp().ln_1p();
                core::mem::swap(&mut state.theta, &mut self.stages[newest]);
                core::mem::swap(&mut self.gradient, &mut self.stage_gradient);
                state.objective = objective;
                self.age += 1;
                // a step cut short by the limit says nothing about the next one
                if self.step <= to_limit {
                    self.step = step * (T::from_f64(0.8) / ratio.max(T::from_f64(0.2)));
                }
                return Ok(());
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
            // an error far above the tolerance is often an instability: the radius has grown
            if self.age > 0 && ratio > T::ONE {
                self.estimate_radius(state, evaluate)?;
            }
        }
        Err(if finite {
            Error::StepUnderflow { step: at_step }
        } else {
            Error::NonFinite { what: "loss", step: at_step }
        })
    }

    /// Runge-Kutta-Chebyshev step from `state`; the result lies in `self.stages[returned index]`.
    fn chebyshev(
        &mut self,
        state: &State<'_, T>,
        step: T,
        stages: usize,
        evaluate: &mut Evaluate<'_, T>,
    ) -> Result<usize, Error> {
        let coefficients = Chebyshev::new(stages);
        let [older, newer] = &mut self.stages;
        let first = step * T::from_f64(coefficients.first());
        older.copy_from_slice(state.theta);
        for (y, (theta, g)) in newer.iter_mut().zip(state.theta.iter().zip(self.gradient.iter())) {
            *y = *theta - first * *g;
        }
        let mut newest = 1;
        for stage in coefficients {
            let [even, odd] = &mut self.stages;
            let (newer, older) = if newest == 1 { (odd, even) } else { (even, odd) };
            evaluate(newer, self.stage_gradient)?;
            let [mu, nu, mu_tilde, gamma_tilde] = stage.map(T::from_f64);
            let (rest, mu_tilde, gamma_tilde) = (T::ONE - mu - nu, step * mu_tilde, step * gamma_tilde);
            let bases = state.theta.iter().zip(self.gradient.iter());
            for (((old, new), g), (theta, g_0)) in
                older.iter_mut().zip(newer.iter()).zip(self.stage_gradient.iter()).zip(bases)
            {
                *old = rest * *theta + mu * *new + nu * *old - mu_tilde * *g - gamma_tilde * *g_0;
            }
            newest = 1 - newest;
        }
        Ok(newest)
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

    /// rho <- 1.2 |G(theta + e v) - G(theta)| / e by power iteration on v.
    fn estimate_radius(&mut self, state: &State<'_, T>, evaluate: &mut Evaluate<'_, T>) -> Result<(), Error> {
        let fresh = self.radius.is_none();
        if fresh {
            self.direction.copy_from_slice(self.gradient);
        }
        let mut estimate = T::ZERO;
        for _ in 0..RADIUS_ITERATIONS[usize::from(!fresh)] {
            let length = norm(self.direction);
            if length == T::ZERO || !length.is_finite() {
                break;
            }
            let size = T::EPSILON.sqrt() * norm(state.theta).max(T::ONE);
            let scale = size / length;
            for (y, (theta, v)) in self.stages[0].iter_mut().zip(state.theta.iter().zip(self.direction.iter())) {
                *y = *theta + scale * *v;
            }
            evaluate(self.stages[0], self.stage_gradient)?;
            for (v, (g, g_0)) in self.direction.iter_mut().zip(self.stage_gradient.iter().zip(self.gradient.iter())) {
                *v = *g - *g_0;
            }
            let next = norm(self.direction) / size;
            let settled = (next - estimate).abs() <= T::from_f64(0.05) * next;
            estimate = next;
            if settled {
                break;
            }
        }
        self.radius = Some(T::from_f64(1.2) * estimate);
        self.age = 0;
        Ok(())
    }
}

impl<'a, N: Network, T: Real, B: Backend<T> + ?Sized> Descend<'a, N, T, B> for Flow<'a, T> {
    fn begin(&mut self, run: &mut Run<'a, N, T, B>) -> Result<Objective<T>, Error> {
        let position = Position { theta: run.theta_0, theta_0: run.theta_0 };
        run.problem.evaluate(run.backend, position, true, self.gradient, run.work)
    }

    fn advance(&mut self, run: &mut Run<'a, N, T, B>, until: Option<T>) -> Result<(), Error> {
        let limit = until.map(|until| until - run.state.time());
        if let (Some(until), Some(limit)) = (until, limit) {
            if limit <= T::ZERO || limit.is_nan() {
                return Err(Error::OutOfRange { what: "until", needs: "after the present time", got: until.to_f64() });
            }
            if self.at_rest(&run.state, run.theta_0, limit) {
                run.resting_from = run.resting_from.or(Some(run.state.log_time));
                run.state.log_time = until.ln_1p();
                run.step += 1;
                return Ok(());
            }
        }
        run.step += 1;
        run.resting_from = None;
        let Run { backend, problem, theta_0, state, work, step, evaluations, .. } = run;
        let mut evaluate = |theta: &[T], out: &mut [T]| {
            *evaluations += 1;
            problem.evaluate(*backend, Position { theta, theta_0 }, true, out, work)
        };
        self.integrate(state, theta_0, limit, *step, &mut evaluate)
    }
}

/// ln dt, where dt = int d tau / mismatch over a step in which its logarithm falls linearly by `change`:
/// dt = (step / mismatch) (e^change - 1)/change.
fn ln_elapsed<T: Real>(step: T, ln_mismatch: T, change: T) -> T {
    let growth = if change == T::ZERO { T::ONE } else { change.exp_m1() / change };
    (step * growth).ln() - ln_mismatch
}

/// x^(1/3) for x >= 0; NaN stays.
fn cube_root<T: Real>(x: T) -> T {
    if x == T::ZERO { x } else { (x.ln() / T::from_f64(3.0)).exp() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_of_a_step_is_the_integral_of_the_reciprocal_mismatch() {
        for (step, ln_mismatch, change) in
            [(0.3f64, -2.0f64, 0.4), (1e-3, -700.0, 0.5), (2.0, 0.1, -1e-9), (1.0, 0.0, 0.0)]
        {
            // Simpson's rule on d tau / mismatch, mismatch = e^(ln_mismatch - change tau/step), in units of 1/mismatch
            let (intervals, mut sum) = (1000, 0.0);
            for k in 0..=intervals {
                let weight = if k == 0 || k == intervals {
                    1.0
                } else if k % 2 == 1 {
                    4.0
                } else {
                    2.0
                };
                sum += weight * libm::exp(change * f64::from(k) / f64::from(intervals));
            }
            let expected = libm::log(sum * step / f64::from(3 * intervals)) - ln_mismatch;
            let error = ln_elapsed(step, ln_mismatch, change) - expected;
            assert!(error.abs() < 1e-12 * expected.abs().max(1.0), "{step} {ln_mismatch} {change}: {error}");
        }
    }

    #[test]
    fn cube_roots() {
        for x in [0.0f64, 1e-30, 1.0, 8.0, 1e12] {
            assert!((cube_root(x) - libm::cbrt(x)).abs() <= 1e-14 * libm::cbrt(x), "{x}");
        }
        assert!(cube_root(f64::NAN).is_nan());
    }
}
