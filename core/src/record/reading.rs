//! What is read of the states of a burst, or of one state.

use crate::linalg::{distance, max_distance, norm};
use crate::loss::Objective;
use crate::network::Network;
use crate::train::Trainer;
use crate::{Backend, Real};

/// Means over the states of a burst, and what the burst says of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Reading<T> {
    /// loss and margins
    pub objective: Objective<T>,
    /// ln(1 + t)
    pub log_time: T,
    /// |theta|
    pub param_norm: T,
    /// |theta - theta_0|
    pub param_distance: T,
    /// max_i |theta_i - theta_0i|
    pub param_max: T,
    /// states that were read
    pub states: usize,
    /// pairs of a unit and a sample that slide along their kink
    pub sliding: usize,
    /// the velocity error; NaN where the outputs move by no more than rounding, or one state alone was read
    pub velocity_error: T,
}

impl<T: Real> Reading<T> {
    /// The state of a trainer alone.
    pub(super) fn of_point<N: Network, B: Backend<T> + ?Sized>(trainer: &Trainer<'_, N, T, B>) -> Self {
        Self {
            objective: *trainer.objective(),
            log_time: trainer.log_time(),
            param_norm: norm(trainer.theta()),
            param_distance: distance(trainer.theta(), trainer.theta_0()),
            param_max: max_distance(trainer.theta(), trainer.theta_0()),
            states: 1,
            ..Self::nothing()
        }
    }

    /// Of no state yet.
    pub(super) fn nothing() -> Self {
        Self {
            objective: Objective::zero(),
            log_time: T::ZERO,
            param_norm: T::ZERO,
            param_distance: T::ZERO,
            param_max: T::ZERO,
            states: 0,
            sliding: 0,
            velocity_error: T::from_f64(f64::NAN),
        }
    }

    /// Takes one more state into the means.
    pub(super) fn add(&mut self, at: &Objective<T>, log_time: T, (theta, theta_0): (&[T], &[T])) {
        self.states += 1;
        let (own, share) = (&mut self.objective, T::ONE / T::from_count(self.states));
        for (mean, new) in [
            (&mut own.loss, at.loss),
            (&mut own.ln_mismatch, at.ln_mismatch),
            (&mut own.accuracy, at.accuracy),
            (&mut own.margin_min, at.margin_min),
            (&mut own.margin_mean, at.margin_mean),
            (&mut own.logit_max, at.logit_max),
            (&mut self.log_time, log_time),
            (&mut self.param_norm, norm(theta)),
            (&mut self.param_distance, distance(theta, theta_0)),
            (&mut self.param_max, max_distance(theta, theta_0)),
        ] {
            *mean = if share == T::ONE { new } else { *mean + share * (new - *mean) };
        }
    }
}
