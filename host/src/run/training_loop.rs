//! The loop of a run: steps until one of its criteria is met, and what is recorded on the way.

use std::time::Instant;

use ntkscope_core::forward::Params;
use ntkscope_core::linalg::squared_distance;
use ntkscope_core::network::Network;
use ntkscope_core::record::{Record, Recorder};
use ntkscope_core::state::Bytes;
use ntkscope_core::train::{Optimizer, Trainer};
use ntkscope_core::{Backend, Error, Real};

use super::course::Course;
use super::position::{Position, until};
use super::profile::Profile;
use super::rate::Rate;
use super::saved::{self, Walk, list};
use super::{Observer, Outputs, Stopped, Trace};
use crate::data::Samples;
use crate::experiment::{KeptKernels, MAX_SNAPSHOTS, Training};
use crate::machine::Stop;

/// The kernels `(n, n)` of a snapshot.
pub(super) struct KeptKernel<T> {
    step: u64,
    /// the one that moves the network
    pub(super) effective: Vec<T>,
    /// that of the parameters alone
    pub(super) point: Vec<T>,
}

/// What is kept along a run.
pub(super) struct Recording<'a, T> {
    pub(super) label: &'a str,
    pub(super) recorder: Recorder<'a, T>,
    pub(super) record: Box<Record<T, MAX_SNAPSHOTS>>,
    pub(super) outputs: Option<Outputs<T>>,
    /// the kernels of every snapshot, where all are kept
    pub(super) kernels: Option<Vec<KeptKernel<T>>>,
    /// the kernel along a curve, where one is followed
    pub(super) profile: Option<Profile<T>>,
    /// y is numbers, which have neither margins nor an accuracy
    pub(super) values: bool,
    /// outputs of the network
    width: usize,
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
        (outputs, profile): (Option<Outputs<T>>, Option<Profile<T>>),
        width: usize,
    ) -> Result<Self, Error> {
        let open_ended = training.until_margin.is_some() || training.until_loss.is_some();
        // times that are given are all kept: there are fewer than a record can hold
        let capacity = if training.times.is_some() { MAX_SNAPSHOTS } else { training.snapshots };
        let record = Record::new(capacity, until(training).filter(|_| !open_ended))?;
        let (label, kernels) = (training.loss.label(), (training.kernels == KeptKernels::All).then(Vec::new));
        let (record, values) = (Box::new(record), samples.are_values());
        Ok(Self { label, recorder, record, outputs, kernels, profile, values, width })
    }

    /// The record so far.
    pub(super) fn trace(&self) -> Trace {
        let trace = Trace::new(self.label, self.record.snapshots());
        if self.values { trace.without_classes() } else { trace }
    }

    /// All that was recorded, as bytes.
    ///
    /// # Errors
    /// Those of `bytes`.
    pub(super) fn pass(&mut self, bytes: &mut Bytes<'_>) -> Result<(), Error> {
        self.record.pass(bytes)?;
        if let Some(outputs) = &mut self.outputs {
            outputs.pass(bytes, self.width)?;
        }
        if let Some(profile) = &mut self.profile {
            profile.pass(bytes)?;
        }
        if let Some(kernels) = &mut self.kernels {
            let n = self.recorder.initial().rows();
            let empty = || KeptKernel { step: 0, effective: vec![T::ZERO; n * n], point: vec![T::ZERO; n * n] };
            list(bytes, kernels, empty, |bytes, kept| {
                bytes.count(&mut kept.step)?;
                bytes.numbers(&mut kept.effective)?;
                bytes.numbers(&mut kept.point)
            })?;
        }
        if let Some(last) = self.record.snapshots().last() {
            self.recorder.resume_from(last);
        }
        Ok(())
    }

    fn observe<N: Network>(
        &mut self,
        trainer: &mut Trainer<'_, N, T, dyn Backend<T>>,
        observer: &mut (dyn Observer + Send),
    ) -> Result<(), Error> {
        self.record.push(match &mut self.profile {
            Some(profile) => profile.observe(&mut self.recorder, trainer)?,
            None => self.recorder.observe(trainer)?,
        });
        let snapshots = self.record.snapshots();
        if let Some(profile) = &mut self.profile {
            profile.retain(snapshots);
        }
        if let Some(outputs) = &mut self.outputs {
            let params = Params::new(trainer.problem().network(), trainer.theta())?;
            outputs.keep(trainer.backend(), params, trainer.log_time(), snapshots)?;
        }
        if let Some(kernels) = &mut self.kernels {
            // the record drops snapshots when it is full
            kernels.retain(|kept| snapshots.iter().any(|s| s.step == kept.step));
            let effective = self.recorder.current().data().to_vec();
            let point = self.recorder.point_kernel(trainer)?.data().to_vec();
            kernels.push(KeptKernel { step: trainer.step(), effective, point });
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
    /// that it has taken before it was gone on from
    pub(super) seconds: f64,
}

/// Trains until a criterion is met, and records; from the start, or on from where a `saved` run was.
///
/// # Errors
/// A snapshot that cannot be taken. A step that cannot is no error: training is [`Stopped::Failed`].
pub(super) fn train<N: Network, T: Real>(
    trainer: &mut Trainer<'_, N, T, dyn Backend<T>>,
    recording: &mut Recording<'_, T>,
    (training, optimizer): (&Training, Optimizer),
    saved: Option<Walk>,
    observer: &mut (dyn Observer + Send),
    stop: &Stop,
) -> Result<Walked, Error> {
    let began = Instant::now();
    let last = recording.record.snapshots().last().map(|snapshot| snapshot.step);
    match saved {
        None => recording.observe(trainer, observer)?,
        // its kernel is not in the state
        Some(_) if last == Some(trainer.step()) => drop(recording.recorder.observe(trainer)?),
        Some(_) => {}
    }
    let start = recording.record.snapshots().first();
    let start = start.map_or((f64::NAN, f64::NAN), |s| (s.lambda_max.to_f64(), s.stability.to_f64()));
    let rate = Rate::of(trainer, optimizer, training.penalty, start)?;
    rate.iter().for_each(|rate| observer.rate(rate));
    let n = trainer.problem().x().rows();
    let course = || Course::new(objective(trainer, training.penalty), n, T::EPSILON.to_f64());
    let mut walk = saved.unwrap_or_else(|| Walk { course: course(), seconds: 0.0 });
    let before = walk.seconds;
    let mut position = Position::new(trainer, training, recording.values);
    // whether the end has cut a step short, after which the path is not that of a run with a later one
    let mut cut = false;
    let stopped = loop {
        if stop.requested() {
            break Stopped::Interrupted;
        }
        if let Some(stopped) = position.end(training) {
            break stopped;
        }
        let (end, next) = (until(training), due(training, recording));
        if end.is_none() && trainer.at_rest() {
            break Stopped::Rest;
        }
        let advanced = match end.filter(|_| !cut) {
            // as a device trains: each of the times cuts its step short
            _ if next.is_some() && next != end => trainer.advance(next),
            Some(until) => trainer.advance_within(until).and_then(|made| {
                if made {
                    return Ok(());
                }
                cut = true;
                observer.state(true, &mut |out| saved::write(out, trainer, recording, walk));
                trainer.advance(end)
            }),
            None => trainer.advance(end),
        };
        walk.course.add(trainer.step(), objective(trainer, training.penalty));
        walk.seconds = before + began.elapsed().as_secs_f64();
        if let Err(e) = advanced {
            break Stopped::Failed(e);
        }
        position = Position::new(trainer, training, recording.values);
        observer.step(position.share(training), &|| position.words(training));
        if training.times.is_some() {
            // several, where a step has passed more than one
            while due(training, recording).is_some_and(|time| trainer.reached(time)) {
                recording.observe(trainer, observer)?;
            }
        } else if recording.record.due(trainer.log_time()) {
            recording.observe(trainer, observer)?;
        }
        if !cut {
            observer.state(false, &mut |out| saved::write(out, trainer, recording, walk));
        }
    };
    if !cut && !matches!(stopped, Stopped::Failed(_)) {
        observer.state(true, &mut |out| saved::write(out, trainer, recording, walk));
    }
    // the end of the run is always recorded, also where it is not finite any more
    if recording.record.snapshots().last().is_none_or(|s| s.step != trainer.step()) {
        recording.observe(trainer, observer)?;
    }
    Ok(Walked { stopped, course: walk.course, rate, seconds: before })
}

/// The next of the times that are given, if one is left.
fn due<T: Real>(training: &Training, recording: &Recording<'_, T>) -> Option<T> {
    // the first snapshot is the initialization's
    let taken = recording.record.snapshots().len().saturating_sub(1);
    training.times.as_ref()?.after_0().nth(taken).map(T::from_f64)
}

/// Loss, mean or sum, + (LAMBDA/2)|theta - theta_0|^2 at the present parameters.
fn objective<N: Network, T: Real>(trainer: &Trainer<'_, N, T, dyn Backend<T>>, penalty: f64) -> f64 {
    let loss = trainer.objective().loss.to_f64();
    // without a penalty the parameters need not be read
    if penalty == 0.0 {
        return loss;
    }
    loss + 0.5 * penalty * squared_distance(trainer.theta(), trainer.theta_0()).to_f64()
}
