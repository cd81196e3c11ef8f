//! How long a step is, and whether it is made.

use super::{AGE, Kinked, Now, Sought, Step, YOUNG};
use crate::linalg::norm;
use crate::loss::Objective;
use crate::network::Network;
use crate::train::attempt::Attempt;
use crate::train::chebyshev::{Stages, stages_for};
use crate::train::clock::{MAX_LN_CHANGE, add_time, ln_elapsed, step_to};
use crate::train::{Problem, Run};
use crate::{Backend, Error, Real};

/// c of the first step, its growth with the sum of c so far, and its largest value.
const FIRST_SHARE: f64 = 0.12;
const GROWTH: f64 = 0.006;
const LARGEST_SHARE: f64 = 1.5;
/// `rho d tau` up to which one stage is taken later.
const ONE_STAGE: f64 = 1.8;
/// By how much rho may have grown since lambda_max was looked at.
const SAFETY: f64 = 1.2;
/// Pull below which it is a balance of larger ones.
const WEAK_PULL: f64 = 0.1;
/// Largest |change of theta| in a step, over |theta|.
const MOVE: f64 = 0.02;
/// Rise of the objective in a step that is chatter at most, as a share of it and of its fall so far; at the start none is.
const RISE: f64 = 0.1;
/// The part of the length at which a rise at the start is chatter.
const CHATTER: f64 = 1.0 / 32.0;
/// Stages from which it pays to look for a smaller rho.
const MANY_STAGES: usize = 8;

impl<'a, T: Real> Kinked<'a, T> {
    /// By how much longer steps may be where samples that no parameters tell apart pull to different sides for ever: the
    /// mismatch stays, and with it the clock, though what is left of the pull falls like 1/t. The pull is that of
    /// residuals as large as the mismatch where `|G| = sqrt(lambda_max/n)`. With a minimum ahead steps keep their length,
    /// so that chatter dies out. `slope` is |G|.
    pub(super) fn stretch<N: Network, B: ?Sized>(&self, run: &Run<'a, N, T, B>, calm: T, slope: T) -> T {
        if run.problem.has_minimizer() {
            return T::ONE;
        }
        let pull = slope / calm.sqrt();
        let weak = T::from_f64(WEAK_PULL);
        if pull < weak && pull > T::ZERO { weak / pull } else { T::ONE }
    }

    pub(super) fn is_young(&self) -> bool {
        self.gone < YOUNG
    }

    /// The first stage of the next step, `None` where it would be too long to be made.
    #[inline(never)]
    pub(super) fn set_out<N: Network, B: ?Sized>(
        &mut self,
        run: &Run<'a, N, T, B>,
        attempt: &Attempt<T, Now<T>>,
    ) -> Option<Now<T>> {
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
    pub(super) fn plan<N: Network, B: ?Sized>(&self, run: &Run<'a, N, T, B>, most: Option<T>) -> (T, usize, T) {
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

    /// Judges the step that ends in buffer `newest` with this objective and curvature, and makes it. `None` where it is
    /// rejected.
    ///
    /// # Errors
    /// [`Error::StepUnderflow`] and [`Error::Diverged`] when no step is acceptable, [`Error::LostInRounding`].
    #[inline(never)]
    pub(super) fn judge<N: Network, B: Backend<T> + ?Sized>(
        &mut self,
        run: &mut Run<'a, N, T, B>,
        attempt: &mut Attempt<T, Now<T>>,
        (newest, step): (usize, Step<T>),
        (objective, curvature): (Objective<T>, T),
    ) -> Result<Option<bool>, Error> {
        let (length, ln_mismatch) = (step.length, run.state.objective.ln_mismatch);
        let change = ln_mismatch - objective.ln_mismatch;
        let ln_dt = ln_elapsed(length, ln_mismatch, change, attempt.limit);
        let (past_limit, is_past) = attempt.past_limit(ln_dt);
        let finite = objective.loss.is_finite() && change.is_finite();
        let total = run.problem.with_penalty(&objective, self.stages[newest], run.theta_0);
        let smooth = self.is_young() && !step.is_short;
        let fallen = (self.first - self.total).max(T::ZERO);
        let rise = if smooth { T::ZERO } else { T::from_f64(RISE) * fallen.min(self.total) };
        let falls = total <= self.total + rise + self.rounding;
        let ratio = change.abs() / T::from_f64(MAX_LN_CHANGE);
        if finite && falls && ratio <= T::ONE && !is_past {
            if attempt.is_too_late(ln_dt) {
                // what was made will be made again
                run.evaluations = step.evaluations;
                return Ok(Some(false));
            }
            if self.age == 0 {
                run.resolves(self.gradient, self.lambda_max / run.problem.divisor())?;
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
        attempt.reject(&mut run.step, finite, Now::Plan)?;
        Ok(None)
    }
}

/// d tau of a step that moves the parameters as far as one may, where the gradient has the norm `slope`.
pub(super) fn longest<T: Real>(theta: &[T], slope: T) -> T {
    if slope > T::ZERO { T::from_f64(MOVE) * norm(theta) / slope } else { T::LARGEST }
}

/// ln of the size of the residuals: their root mean square under squared error, the mismatch of others.
pub(super) fn ln_residual<N: Network, T: Real>(problem: &Problem<'_, N, T>, objective: &Objective<T>) -> T {
    if problem.loss().properties(problem.targets().cols()).quadratic {
        let mean = objective.loss / problem.weight();
        return T::from_f64(0.5) * (mean + mean).ln();
    }
    objective.ln_mismatch
}
