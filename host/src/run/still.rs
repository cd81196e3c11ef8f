//! The end of a flow with a penalty that its own test of rest does not see.
//!
//! A minimum may lie on kinks of ReLU. There the gradient keeps its length while the path goes to and fro across the kinks
//! in short steps, so that `|grad J|` says nothing of what is left of the path. The distance over a long time does: a
//! penalty LAMBDA gives the objective at least that curvature in every direction in which the loss has none, so what is
//! still to relax is `a e^(-LAMBDA t)` or shorter. From a t of 1/LAMBDA on to 10 t, all but e^-9 of it happens; a state
//! that has moved by no more than the tolerance meanwhile has less than e^-9 of that before it.

use ntkscope_core::linalg::squared_distance;
use ntkscope_core::network::Network;
use ntkscope_core::train::{Optimizer, Trainer};
use ntkscope_core::{Backend, Real};

/// How many times longer a run must have lasted to be compared with itself.
const DECADE: f64 = 10.0;

/// Watches a flow with a penalty.
pub(super) struct Still<T> {
    penalty: f64,
    tolerance: T,
    /// theta at this time
    mark: Option<(f64, Vec<T>)>,
}

/// Numbers that are kept: P for a flow with a penalty.
pub(super) fn still_len(optimizer: Optimizer, penalty: f64, parameters: usize) -> usize {
    if matches!(optimizer, Optimizer::Flow { .. }) && penalty > 0.0 { parameters } else { 0 }
}

impl<T: Real> Still<T> {
    /// `None` for descent, and without a penalty.
    pub(super) fn new(optimizer: Optimizer, penalty: f64) -> Option<Self> {
        let Optimizer::Flow { tolerance } = optimizer else { return None };
        (penalty > 0.0).then(|| Self { penalty, tolerance: T::from_f64(tolerance), mark: None })
    }

    /// Whether nothing moves any more, by as much as the tolerance can tell.
    pub(super) fn is_over<N: Network>(&mut self, trainer: &Trainer<'_, N, T, dyn Backend<T>>) -> bool {
        let (time, theta) = (trainer.time().to_f64(), trainer.theta());
        if !time.is_finite() || time < 1.0 / self.penalty {
            return false;
        }
        match &mut self.mark {
            None => self.mark = Some((time, theta.to_vec())),
            Some((marked, at)) if time >= DECADE * *marked => {
                let distance = squared_distance(theta, trainer.theta_0()).sqrt();
                if squared_distance(theta, at).sqrt() <= self.tolerance * distance {
                    return true;
                }
                *marked = time;
                at.copy_from_slice(theta);
            }
            Some(_) => {}
        }
        false
    }
}
