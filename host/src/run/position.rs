//! Where a run stands, and whether it ends there.

use ntkscope_core::network::Network;
use ntkscope_core::train::Trainer;
use ntkscope_core::{Backend, Real};

use super::Stopped;
use crate::experiment::{OptimizerKind, Training};
use crate::words::number;

/// The end in time, where there is one.
pub(super) fn until<T: Real>(training: &Training) -> Option<T> {
    training.until_time.is_finite().then(|| T::from_f64(training.until_time))
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Position {
    step: u64,
    time: f64,
    log_time: f64,
    /// whether the end in time is reached, in the run's own scalar
    end_of_time: bool,
    loss: f64,
    margin: f64,
}

impl Position {
    pub(super) fn new<N: Network, T: Real>(
        trainer: &Trainer<'_, N, T, dyn Backend<T>>,
        training: &Training,
        values: bool,
    ) -> Self {
        let objective = trainer.objective();
        Self {
            step: trainer.step(),
            time: trainer.time().to_f64(),
            log_time: trainer.log_time().to_f64(),
            end_of_time: until(training).is_some_and(|until| trainer.reached(until)),
            loss: objective.loss.to_f64(),
            margin: if values { f64::NAN } else { objective.margin_min.to_f64() },
        }
    }

    /// The criterion that is met here, if any: of several the first in the order margin, loss, time, steps.
    pub(super) fn end(&self, training: &Training) -> Option<Stopped> {
        let criteria = [
            (training.until_margin.is_some_and(|margin| self.margin >= margin), Stopped::Margin),
            (training.until_loss.is_some_and(|loss| self.loss <= loss), Stopped::Loss),
            (self.end_of_time, Stopped::Time),
            (self.step >= training.max_steps, Stopped::Steps),
        ];
        criteria.into_iter().find_map(|(met, stopped)| met.then_some(stopped))
    }

    /// The share of the steps to the criterion that is nearest, from 0 to 1. The loss has none: its way has no length.
    pub(super) fn share(&self, training: &Training) -> f64 {
        // every step of descent is as long in time, a step of the flow in its logarithm, along which margins grow; 0 for a
        // run without an end in time
        let (time, margin) = match training.optimizer {
            OptimizerKind::Gd => {
                (self.time / training.until_time, training.until_margin.map(|end| (self.margin - end).exp()))
            }
            OptimizerKind::Flow | OptimizerKind::Both => {
                (self.log_time / training.until_time.ln_1p(), training.until_margin.map(|end| self.margin / end))
            }
        };
        let margin = margin.unwrap_or(0.0);
        let steps = self.step as f64 / training.max_steps.max(1) as f64;
        time.max(margin).max(steps).clamp(0.0, 1.0)
    }

    /// Where the run stands, and where it is to end.
    pub(super) fn words(&self, training: &Training) -> String {
        let Self { step, time, loss, margin, .. } = self;
        let of = |end: Option<f64>| end.map_or(String::new(), |end| format!(" of {}", number(end)));
        let until = Some(training.until_time).filter(|until| until.is_finite());
        let (time, loss) = (number(*time), number(*loss));
        // NaN where y is numbers, which have none
        let margin = Some(*margin)
            .filter(|margin| !margin.is_nan())
            .map_or(String::new(), |margin| format!(", margin {}{}", number(margin), of(training.until_margin)));
        format!("t {time}{}, step {step}, loss {loss}{}{margin}", of(until), of(training.until_loss))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_at_whichever_criterion_comes_first() {
        let training =
            Training { until_margin: Some(2.0), until_loss: Some(0.1), max_steps: 10, ..Training::default() };
        let going = Position { step: 9, loss: 0.2, margin: 1.9, ..Position::default() };
        assert_eq!(going.end(&training), None);
        let all = Position { step: 10, loss: 0.1, margin: 2.0, end_of_time: true, ..going };
        assert_eq!(all.end(&training), Some(Stopped::Margin));
        for (position, expected) in [
            (Position { margin: 2.0, ..going }, Stopped::Margin),
            (Position { loss: 0.1, ..going }, Stopped::Loss),
            (Position { end_of_time: true, ..going }, Stopped::Time),
            (Position { step: 10, ..going }, Stopped::Steps),
        ] {
            assert_eq!(position.end(&training), Some(expected));
        }
        // criteria that were not asked for are never met, not even by numbers that are none
        let lost = Position { loss: f64::NAN, margin: f64::NAN, ..going };
        assert_eq!((lost.end(&training), all.end(&Training::default())), (None, Some(Stopped::Time)));
    }

    #[test]
    fn progress_is_that_of_the_nearest_criterion() {
        let training = Training { until_time: 99.0, until_margin: Some(4.0), max_steps: 100, ..Training::default() };
        let position = Position { step: 10, log_time: 0.5 * 100f64.ln(), margin: -1.0, ..Position::default() };
        assert!((position.share(&training) - 0.5).abs() < 1e-12, "time");
        assert_eq!(Position { margin: 3.0, ..position }.share(&training), 0.75);
        assert_eq!(Position { step: 90, ..position }.share(&training), 0.9);
        assert_eq!(Position { step: 200, ..position }.share(&training), 1.0, "no more than all of it");
        let endless = Training { until_time: f64::INFINITY, ..training.clone() };
        assert_eq!(position.share(&endless), 0.1, "steps, as time has no end");
        let descent = Training { optimizer: OptimizerKind::Gd, rate: Some(0.1), max_steps: 1000, ..training };
        let position = Position { time: 49.5, margin: 3.0, ..position };
        assert_eq!(position.share(&descent), 0.5, "of descent every step is as long");
        let position = Position { margin: 3.9, ..position };
        assert!(
            (position.share(&descent) - (-0.1f64).exp()).abs() < 1e-12,
            "margins grow with the logarithm of its steps"
        );
    }
}
