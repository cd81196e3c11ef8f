//! Gradient descent: `theta <- theta - rate grad J`, at the gradient-flow time `rate` times the number of steps.
//!
//! No gradient is stored: a step takes it from the passes, which lie in the work space.

use super::{Descend, End, Run};
use crate::network::Network;
use crate::state::Bytes;
use crate::{Backend, Error, Real, loss::Objective};

pub(super) struct Descent<T> {
    rate: T,
}

impl<T: Real> Descent<T> {
    /// # Errors
    /// A rate that is not positive, or that T does not have to its full precision: 0 in T would never come to an end.
    pub(super) fn new(rate: f64) -> Result<Self, Error> {
        if !(rate > 0.0 && rate.is_finite()) {
            return Err(Error::OutOfRange { what: "rate", needs: "finite and > 0", got: rate });
        }
        Ok(Self { rate: Error::scalar("rate", rate)? })
    }
}

impl<T: Real> Descent<T> {
    pub(super) fn rate(&self) -> T {
        self.rate
    }
}

impl<'a, N: Network, T: Real, B: Backend<T> + ?Sized> Descend<'a, N, T, B> for Descent<T> {
    fn begin(&mut self, run: &mut Run<'a, N, T, B>) -> Result<Objective<T>, Error> {
        Ok(run.problem.passes(run.backend, run.state.theta, false, run.work)?.0)
    }

    fn pass(&mut self, _: &mut Bytes<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn slice(&mut self, run: &mut Run<'a, N, T, B>, _: End<T>) -> Result<Option<bool>, Error> {
        let Run { backend, problem, theta_0, state, work, .. } = run;
        if !run.passed {
            problem.passes(*backend, state.theta, false, work)?;
            run.passed = true;
            return Ok(None);
        }
        run.step += 1;
        problem.descend(*backend, self.rate, state.theta, theta_0, work)?;
        run.evaluations += 1;
        state.objective = problem.passes(*backend, state.theta, false, work)?.0;
        state.log_time = (self.rate * T::from_f64(run.step as f64)).ln_1p();
        if state.objective.loss.is_finite() {
            Ok(Some(true))
        } else {
            Err(Error::Diverged { what: "loss", step: run.step })
        }
    }

    fn abandon(&mut self) {}

    fn is_under_way(&self) -> bool {
        // a step is one evaluation
        false
    }

    fn renew(&mut self) {}
}
