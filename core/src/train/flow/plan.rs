//! How long a step is, and whether it is made.

use super::{Flow, Now};
use crate::linalg::{distance, norm};
use crate::loss::Objective;
use crate::network::Network;
use crate::train::attempt::Attempt;
use crate::train::chebyshev::{Stages, stages_for};
use crate::train::clock::{MAX_LN_CHANGE, add_time, ln_elapsed, rounding_of_outputs, step_to};
use crate::train::{Run, State};
use crate::{Error, Real};

impl<'a, T: Real> Flow<'a, T> {
    /// The first stage of the next step, `None` where it would be too long to be made.
    #[inline(never)]
    pub(super) fn plan(
        &mut self,
        state: &State<'a, T>,
        attempt: &Attempt<T, Now<T>>,
        evaluations: u64,
    ) -> Option<Now<T>> {
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
    fn cut(&self, state: &State<'a, T>, attempt: &Attempt<T, Now<T>>) -> T {
        attempt.limit.map_or(self.step, |limit| self.step.min(step_to(limit, state.objective.ln_mismatch)))
    }

    /// Judges the step that ends in buffer `newest` with this objective, and makes it. `None` where it is rejected.
    ///
    /// # Errors
    /// [`Error::StepUnderflow`] and [`Error::Diverged`] when no step is acceptable, [`Error::LostInRounding`].
    #[inline(never)]
    pub(super) fn judge<N: Network, B: ?Sized>(
        &mut self,
        run: &mut Run<'a, N, T, B>,
        attempt: &mut Attempt<T, Now<T>>,
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
        let (past_limit, is_past) = attempt.past_limit(ln_dt);
        if finite && ratio <= T::ONE && !is_past {
            if attempt.is_too_late(ln_dt) {
                // it will be made again
                run.evaluations = evaluations;
                return Ok(Some(false));
            }
            if let Some(radius) = self.radius.filter(|_| self.age == 0) {
                run.resolves(self.gradient, radius)?;
            }
            let state = &mut run.state;
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
        // an error far above the tolerance is often an instability: the radius has grown
        let look = self.age > 0 && ratio > T::ONE;
        let now = if look { Now::Radius { iteration: 0, estimate: T::ZERO } } else { Now::Plan };
        attempt.reject(&mut run.step, finite, now)?;
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
