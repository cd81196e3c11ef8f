//! The loop of a run: steps until one of its criteria is met, and what is recorded on the way.

use ntkscope_core::forward::Params;
use ntkscope_core::linalg::squared_distance;
use ntkscope_core::network::Network;
use ntkscope_core::record::{Record, Recorder};
use ntkscope_core::train::{Optimizer, Trainer};
use ntkscope_core::{Backend, Error, Real};

use super::course::Course;
use super::rate::Rate;
use super::still::Still;
use super::{Observer, Outputs, Stopped, Trace};
use crate::data::Samples;
use crate::experiment::{KeptKernels, MAX_SNAPSHOTS, Training};
use crate::machine::Stop;
use crate::words::number;

/// What is kept along a run.
pub(super) struct Recording<'a, T> {
    pub(super) label: &'a str,
    pub(super) recorder: Recorder<'a, T>,
    pub(super) record: Box<Record<T, MAX_SNAPSHOTS>>,
    pub(super) outputs: Option<Outputs<T>>,
    /// K_t of every snapshot by its step, where all are kept
    pub(super) kernels: Option<Vec<(u64, Vec<T>)>>,
    /// y is numbers, which have neither margins nor an accuracy
    pub(super) values: bool,
}

impl<'a, T: Real> Recording<'a, T> {
    /// Nothing yet.
    ///
    /// # Errors
    /// A capacity that core refuses.
    pub(super) fn new(
        recorder: Recorder<'a, T>,
        training: &Training,
        samples: &Samples,
        outputs: Option<Outputs<T>>,
    ) -> Result<Self, Error> {
        let open_ended = training.until_margin.is_some() || training.until_loss.is_some();
        let record = Record::new(training.snapshots, until(training).filter(|_| !open_ended))?;
        let (label, kernels) = (training.loss.label(), (training.kernels == KeptKernels::All).then(Vec::new));
        let (record, values) = (Box::new(record), samples.are_values());
        Ok(Self { label, recorder, record, outputs, kernels, values })
    }

    /// The record so far.
    pub(super) fn trace(&self) -> Trace {
        let trace = Trace::new(self.label, self.record.snapshots());
        if self.values { trace.without_classes() } else { trace }
    }

    fn observe<N: Network>(
        &mut self,
        trainer: &mut Trainer<'_, N, T, dyn Backend<T>>,
        observer: &mut (dyn Observer + Send),
    ) -> Result<(), Error> {
        self.record.push(self.recorder.observe(trainer)?);
        let snapshots = self.record.snapshots();
        if let Some(outputs) = &mut self.outputs {
            outputs.keep(trainer.backend(), Params::new(trainer.problem().network(), trainer.theta())?, snapshots)?;
        }
        if let Some(kernels) = &mut self.kernels {
            // the record drops snapshots when it is full
            kernels.retain(|(step, _)| snapshots.iter().any(|s| s.step == *step));
            kernels.push((trainer.step(), self.recorder.current().data().to_vec()));
        }
        observer.snapshot(&self.trace());
        Ok(())
    }
}

/// What training was.
pub(super) struct Walked {
    pub(super) stopped: Stopped,
    pub(super) course: Course,
    pub(super) rate: Option<Rate>,
}

/// Trains until a criterion is met, and records.
///
/// # Errors
/// A snapshot that cannot be taken. A step that cannot is no error: training is [`Stopped::Failed`].
pub(super) fn train<N: Network, T: Real>(
    trainer: &mut Trainer<'_, N, T, dyn Backend<T>>,
    recording: &mut Recording<'_, T>,
    (training, optimizer): (&Training, Optimizer),
    observer: &mut (dyn Observer + Send),
    stop: &Stop,
) -> Result<Walked, Error> {
    recording.observe(trainer, observer)?;
    let lambda_max = recording.record.snapshots().first().map_or(f64::NAN, |first| first.lambda_max.to_f64());
    let rate = Rate::of(trainer, optimizer, training.penalty, lambda_max)?;
    rate.iter().for_each(|rate| observer.rate(rate));
    let n = trainer.problem().x().rows();
    let mut course = Course::new(objective(trainer, training.penalty), n, T::EPSILON.to_f64());
    let mut still = Still::new(optimizer, training.penalty);
    let mut position = Position::new(trainer, training, recording.values);
    let stopped = loop {
        if stop.requested() {
            break Stopped::Interrupted;
        }
        if let Some(stopped) = position.end(training) {
            break stopped;
        }
        let over = still.as_mut().is_some_and(|still| still.is_over(trainer));
        let advanced = match until(training) {
            Some(until) if over => {
                trainer.rest(until);
                Ok(())
            }
            None if over => break Stopped::Rest,
            until => trainer.advance(until),
        };
        course.add(trainer.step(), objective(trainer, training.penalty));
        if let Err(e) = advanced {
            break Stopped::Failed(e);
        }
        position = Position::new(trainer, training, recording.values);
        observer.step(position.share(training), &|| position.words(training));
        if recording.record.due(trainer.log_time()) {
            recording.observe(trainer, observer)?;
        }
    };
    // the end of the run is always recorded, also where it is not finite any more
    if recording.record.snapshots().last().is_none_or(|s| s.step != trainer.step()) {
        recording.observe(trainer, observer)?;
    }
    Ok(Walked { stopped, course, rate })
}

/// Mean loss + (LAMBDA/2)|theta - theta_0|^2 at the present parameters.
fn objective<N: Network, T: Real>(trainer: &Trainer<'_, N, T, dyn Backend<T>>, penalty: f64) -> f64 {
    let loss = trainer.objective().loss.to_f64();
    // without a penalty the parameters need not be read
    if penalty == 0.0 {
        return loss;
    }
    loss + 0.5 * penalty * squared_distance(trainer.theta(), trainer.theta_0()).to_f64()
}

/// The end in time, where there is one.
fn until<T: Real>(training: &Training) -> Option<T> {
    training.until_time.is_finite().then(|| T::from_f64(training.until_time))
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, Default)]
struct Position {
    step: u64,
    time: f64,
    log_time: f64,
    /// whether the end in time is reached, in the run's own scalar
    end_of_time: bool,
    loss: f64,
    margin: f64,
}

impl Position {
    fn new<N: Network, T: Real>(
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
    fn end(&self, training: &Training) -> Option<Stopped> {
        let criteria = [
            (training.until_margin.is_some_and(|margin| self.margin >= margin), Stopped::Margin),
            (training.until_loss.is_some_and(|loss| self.loss <= loss), Stopped::Loss),
            (self.end_of_time, Stopped::Time),
            (self.step >= training.max_steps, Stopped::Steps),
        ];
        criteria.into_iter().find_map(|(met, stopped)| met.then_some(stopped))
    }

    /// The share of the way to the criterion that is nearest, from 0 to 1. The loss has none: its way has no length.
    fn share(&self, training: &Training) -> f64 {
        // 0 for a run without an end in time
        let time = self.log_time / training.until_time.ln_1p();
        let margin = training.until_margin.map_or(0.0, |margin| self.margin / margin);
        let steps = self.step as f64 / training.max_steps.max(1) as f64;
        time.max(margin).max(steps).clamp(0.0, 1.0)
    }

    /// Where the run stands, and where it is to end.
    fn words(&self, training: &Training) -> String {
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
        let endless = Training { until_time: f64::INFINITY, ..training };
        assert_eq!(position.share(&endless), 0.1, "steps, as time has no end");
    }
}
