//! One training run: from samples and settings to trace, kernels and parameters in memory, and their directory.

mod archives;
mod arrays;
mod course;
mod dead;
mod described;
mod device;
mod directory;
mod edge;
mod ended;
mod error;
mod fixed_flow;
mod forecast;
mod judgement;
mod kept_kernels;
mod layout;
mod limit;
mod motion;
mod outcome;
mod outputs;
pub mod params;
mod position;
mod prediction;
mod prediction_table;
mod profile;
mod profile_table;
mod rate;
mod results;
mod saved;
mod targets;
mod tensor;
#[cfg(test)]
mod tests;
mod trace;
mod training_loop;

pub use archives::{write_archive, write_arrays, write_layers, write_parameters};
pub use course::{Course, FAR};
pub use described::described;
pub use device::Device;
pub use directory::{RunDirectory, backend_name};
pub use edge::Edge;
pub use ended::check_ends;
pub use error::Error;
pub use fixed_flow::FixedFlow;
pub use forecast::{forecast, kept_bytes, sizes_of};
pub use judgement::{Failure, Judgement};
pub use layout::{part_directories, result_paths};
pub use limit::{Limit, LimitRow};
pub use motion::Motion;
pub use outcome::{Comparison, Kernels, Outcome, SnapshotKernels, Stopped};
pub use outputs::{Outputs, Seen, all_inputs, outputs_of};
pub use prediction::{Measured, Predictions, Task, linearized_bytes};
pub use prediction_table::{PredictionRow, PredictionTable};
pub use profile_table::{ProfileRow, ProfileTable};
pub use rate::{Rate, StableRate};
pub use targets::{check, targets, targets_of};
pub use tensor::{Tensor, tensors};
pub use trace::{Trace, TraceRow};

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use ntkscope_core::forward::Params;
use ntkscope_core::network::Network;
use ntkscope_core::record::{Recorder, recorder_len};
use ntkscope_core::state::Bytes;
use ntkscope_core::train::{Trainer, trainer_len};
use ntkscope_core::{Backend, MatRef, Portable, Real};

use crate::backend::{HostReal, Until};
use crate::data::Samples;
use crate::experiment::{BackendKind, Init, LossKind, Model, OptimizerKind, Training};
use crate::files::Dtype;
use crate::kernel::Suspects;
use crate::machine::{Ended, Stop};
use crate::words::number;
use arrays::Arrays;
use dead::is_dead;
use judgement::Evidence;
use kept_kernels::{of_snapshots, smallest_eigenvalue};
use profile::Profile;
use saved::Walk;
use training_loop::{Recording, Walked, train};

/// The backend of this kind for this scalar.
pub fn backend_of<T: HostReal>(kind: BackendKind) -> &'static dyn Backend<T> {
    match kind {
        BackendKind::Portable => &Portable,
        BackendKind::Fast => T::fast(),
    }
}

/// The same for work that may be asked to end.
fn backend_until<T: HostReal>(kind: BackendKind, until: Option<&Until>) -> &(dyn Backend<T> + 'static) {
    match (kind, until) {
        (BackendKind::Fast, Some(until)) => T::until(until),
        (kind, _) => backend_of(kind),
    }
}

/// Follows a run while it goes on.
pub trait Observer {
    /// Before the first step of a descent: its rate, beside the one up to which it is stable.
    fn rate(&mut self, _rate: &Rate) {}
    /// After every step: how far along it is, from 0 to 1, and where it stands.
    fn step(&mut self, _done: f64, _at: &dyn Fn() -> String) {}
    /// After every snapshot: the record so far.
    fn snapshot(&mut self, _trace: &Trace) {}
    /// After every step, and for the `last` time where the run leaves one with a later end: how to write the state from
    /// which it can be resumed, see [`resume`].
    fn state(&mut self, _last: bool, _write: &mut dyn FnMut(&mut dyn Write) -> std::io::Result<()>) {}
}

/// Nobody follows.
impl Observer for () {}

/// Trains and records.
///
/// A run that cannot go on is not an error: its outcome says why it stopped, and keeps the record.
///
/// # Errors
/// Settings that do not go together or not with the samples; several runs, see [`Training::resolve`]; what core refuses;
/// a snapshot that cannot be taken.
pub fn run(
    model: &Model,
    training: &Training,
    samples: &Samples,
    observer: &mut (dyn Observer + Send),
    stop: &Stop,
) -> Result<Outcome, Error> {
    run_from(None, (model, training, samples), None, observer, stop)
}

/// Trains and records all of it, or, where it is asked to end, nothing, and soon.
///
/// # Errors
/// Those of [`run`].
pub fn run_whole(
    model: &Model,
    training: &Training,
    samples: &Samples,
    observer: &mut (dyn Observer + Send),
    stop: &Stop,
) -> Result<Ended<Outcome>, Error> {
    let outcome = run_from(None, (model, training, samples), Some(&stop.until()), observer, stop);
    // whatever came of it then is not what was to come
    if stop.requested() { Ok(Ended::Stopped) } else { outcome.map(Ended::Done) }
}

/// Goes on from the state in a file, of the same network, samples and settings but for where the run ends, with the bits of
/// a run that was not cut off. Snapshots keep the distance that they had.
///
/// # Errors
/// Those of [`run`]; a state that cannot be read or is of another run, an end in time that has passed.
pub fn resume(
    state: &Path,
    model: &Model,
    training: &Training,
    samples: &Samples,
    observer: &mut (dyn Observer + Send),
    stop: &Stop,
) -> Result<Outcome, Error> {
    run_from(Some(state), (model, training, samples), None, observer, stop)
}

/// What a run is of.
type Subject<'a> = (&'a Model, &'a Training, &'a Samples);

fn run_from(
    state: Option<&Path>,
    (model, training, samples): Subject<'_>,
    until: Option<&Until>,
    observer: &mut (dyn Observer + Send),
    stop: &Stop,
) -> Result<Outcome, Error> {
    if training.loss == LossKind::Both || training.optimizer == OptimizerKind::Both {
        return Err(Error::Several);
    }
    check(model, training, samples)?;
    match model.dtype {
        Dtype::F64 => run_as::<f64>(state, (model, training, samples), until, observer, stop),
        Dtype::F32 => run_as::<f32>(state, (model, training, samples), until, observer, stop),
    }
}

fn run_as<T: HostReal>(
    state: Option<&Path>,
    (model, training, samples): Subject<'_>,
    until: Option<&Until>,
    observer: &mut (dyn Observer + Send),
    stop: &Stop,
) -> Result<Outcome, Error> {
    let start = Instant::now();
    let (backend, in_double) = (backend_until::<T>(training.backend, until), backend_until(training.backend, until));
    let shape = model.shape(samples)?;
    let network = &model.network(&shape)?;
    let (sizes, shifted) = (network.sizes(), model.init == Init::Shifted);
    let optimizer = training.core_optimizer()?;
    let arrays = Arrays::new(backend, network, model, training, samples)?;
    let problem = arrays.problem(network, training, samples)?;
    let mut buffer = vec![T::ZERO; trainer_len(sizes, samples.n, &optimizer)];
    let mut space = vec![T::ZERO; recorder_len(sizes, samples.n, backend.tile(), &optimizer, training.core_burst())];
    let spaces = (&mut buffer[..], &mut space[..]);
    let begin = move |mut saved: Option<&mut Bytes<'_>>| -> Result<_, Error> {
        let (buffer, space) = spaces;
        let mut trainer = match saved.as_deref_mut() {
            Some(bytes) => Trainer::restore(backend, problem, optimizer, buffer, bytes)?,
            None => Trainer::new(backend, problem, optimizer, model.seed, buffer)?,
        };
        let recorder = Recorder::new(&mut trainer, training.core_burst(), space)?;
        let predicted = training.predicts(sizes.outputs, samples.n) && model.parametrization.has_kernel_regime();
        let outputs = predicted.then(|| no_outputs(&trainer, samples, shifted)).transpose()?;
        let curve = samples.curve.as_ref().filter(|_| training.profile.is_some());
        let profile = curve.map(|curve| Profile::new(backend, network, curve)).transpose()?;
        let mut recording = Recording::new(recorder, training, samples, (outputs, profile), sizes.outputs)?;
        let mut walk = saved.is_some().then(Walk::default);
        if let (Some(bytes), Some(walk)) = (saved, &mut walk) {
            recording.pass(bytes)?;
            walk.pass(bytes)?;
        }
        Ok((trainer, recording, walk))
    };
    let (mut trainer, mut recording, walk) = match state {
        Some(path) => saved::read(path, |bytes| begin(Some(bytes)))?,
        None => begin(None)?,
    };
    if walk.is_some() {
        check_end(&trainer, training)?;
    }

    let way = (training, optimizer);
    let Walked { stopped, course, rate, seconds } = train(&mut trainer, &mut recording, way, walk, observer, stop)?;

    let trace = recording.trace();
    let Recording { mut recorder, record, outputs, kernels, profile, .. } = recording;
    let point = double(recorder.point_kernel(&mut trainer)?.data());
    let (end, predictions) = match outputs {
        Some(outputs) => {
            let end = outputs.last().to_vec();
            let seen = outputs.seen(record.snapshots());
            let of_double = (training.backend, in_double);
            let made = predictions(&trainer, of_double, &arrays.targets, (training, samples, shifted), seen);
            (end, made.map_or_else(Comparison::Failed, |made| Comparison::Made(Box::new(made))))
        }
        None => {
            let mut last = no_outputs(&trainer, samples, shifted)?;
            last.keep(backend, Params::new(network, trainer.theta())?, trainer.log_time(), record.snapshots())?;
            (last.last().to_vec(), Comparison::NotAsked)
        }
    };
    let suspects = Suspects {
        x: &samples.x,
        d: samples.d,
        dtype: model.dtype,
        biased: Suspects::biased(network),
        empirical: true,
    };
    let dead = is_dead(&trainer, recorder.current(), trace.rows.last())?.then(|| suspects.of_zero());
    let resting_from = trainer.resting_from().map(|log_time| log_time.to_f64());
    let epsilon = T::EPSILON.to_f64();
    let evidence = Evidence { rows: &trace.rows, course, stopped: &stopped, rate, resting_from, dead, epsilon };
    let judgement = Judgement::new(evidence);
    Ok(Outcome {
        trace,
        judgement,
        kernels: Kernels {
            analytic: double(recorder.analytic().data()),
            initial: double(recorder.initial().data()),
            last: double(recorder.current().data()),
            point,
            snapshots: kernels.map(|kept| of_snapshots(backend, kept, samples.n)).transpose()?,
        },
        profile: profile.map(Profile::table),
        targets: double(&arrays.targets),
        parameters: tensors(network, trainer.theta()),
        predictions,
        end,
        outputs: sizes.outputs,
        analytic_lambda_min: smallest_eigenvalue(backend, recorder.analytic()).unwrap_or(f64::NAN),
        stopped,
        evaluations: trainer.evaluations(),
        seconds: seconds + start.elapsed().as_secs_f64(),
    })
}

/// # Errors
/// An end in time that a run that goes on has passed, by more than a step ends after it.
fn check_end<N: Network, T: Real>(
    trainer: &Trainer<'_, N, T, dyn Backend<T>>,
    training: &Training,
) -> Result<(), Error> {
    let (at, until) = (trainer.time().to_f64(), training.until_time);
    let slack = trainer.rate().map_or(1e-3 * until, |rate| rate.to_f64());
    if at <= until + slack {
        return Ok(());
    }
    let reached = format!("t = {}", number(at));
    Err(Error::Past { setting: "until-time", until, reached, instead: "a later time" })
}

/// A place for the outputs on all samples, of which none are kept yet.
fn no_outputs<N: Network, T: Real>(
    trainer: &Trainer<'_, N, T, dyn Backend<T>>,
    samples: &Samples,
    shifted: bool,
) -> Result<Outputs<T>, ntkscope_core::Error> {
    let network = trainer.problem().network();
    if shifted {
        return Outputs::shifted(trainer.backend(), Params::new(network, trainer.theta_0())?, samples);
    }
    Ok(Outputs::new(samples))
}

/// What fixed kernels predict at the moments of `seen`, in double precision whatever the run's scalar.
fn predictions<N: Network, T: Real>(
    trainer: &Trainer<'_, N, T, dyn Backend<T>>,
    backend: (BackendKind, &dyn Backend<f64>),
    targets: &[T],
    (training, samples, shifted): (&Training, &Samples, bool),
    seen: Vec<Seen>,
) -> Result<Predictions, ntkscope_core::Error> {
    let network = trainer.problem().network();
    let outputs = network.sizes().outputs;
    let (theta_0, targets) = (double(trainer.theta_0()), double(targets));
    let (x, all) = all_inputs::<f64>(samples);
    let pace = training.pace(samples.n);
    let task = Task {
        network,
        theta_0: &theta_0,
        x: MatRef::new(&x, all, samples.d)?,
        targets: MatRef::new(&targets, samples.n, outputs)?,
        loss: training.core_loss(),
        penalty: training.penalty / pace,
        pace,
        shifted,
        values: samples.are_values(),
    };
    task.predictions(backend, seen)
}

fn double<T: Real>(values: &[T]) -> Vec<f64> {
    values.iter().map(|v| v.to_f64()).collect()
}
