//! One training run: from samples and settings to trace, kernels and parameters in memory.

mod directory;
mod error;
mod forecast;
mod limit;
pub mod params;
mod prediction;
mod prediction_table;
mod record;
#[cfg(test)]
mod tests;
mod trace;

pub use directory::{RunDirectory, check_file, write_archive, write_arrays, write_tensors};
pub use error::Error;
pub use forecast::{forecast, sizes_of};
pub use limit::{Limit, LimitRow};
pub use prediction::{Measured, Outputs, Predictions, Task, all_inputs};
pub use prediction_table::{PredictionRow, PredictionTable};
use record::trace_of;
pub use record::{Tensor, tensors};
pub use trace::{COLUMNS, Trace, TraceRow};

use std::time::Instant;

use ntkscope_core::forward::{Params, forward};
use ntkscope_core::init::initialize;
use ntkscope_core::network::Network;
use ntkscope_core::record::{Record, Recorder, recorder_len};
use ntkscope_core::train::{Problem, Trainer, trainer_len};
use ntkscope_core::{Backend, MatMut, MatRef, Portable, Real};

use crate::backend::HostReal;
use crate::data::Samples;
use crate::experiment::{BackendKind, Init, MAX_SNAPSHOTS, Model, Training};
use crate::files::Dtype;
use crate::machine::Stop;

/// Why a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Stopped {
    /// reached its time
    Time,
    /// reached its smallest margin
    Margin,
    /// reached its loss
    Loss,
    /// took all its steps
    Steps,
    /// was asked to by its [`Stop`]
    Interrupted,
    /// could not go on
    Failed(ntkscope_core::Error),
}

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Time => f.write_str("reached --until-time"),
            Self::Margin => f.write_str("reached --until-margin"),
            Self::Loss => f.write_str("reached --until-loss"),
            Self::Steps => f.write_str("took --max-steps steps"),
            Self::Interrupted => f.write_str("interrupted"),
            Self::Failed(e) => write!(f, "stopped: {e}"),
        }
    }
}

/// What a run leaves behind.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// a row per snapshot
    pub trace: Trace,
    /// analytic, initial and final kernel of the training samples, (n, n)
    pub kernels: [Vec<f64>; 3],
    /// parameters at the end
    pub parameters: Vec<Tensor>,
    /// what fixed kernels predict at the snapshots; `None` where that was not asked for
    pub predictions: Option<Result<Predictions, ntkscope_core::Error>>,
    /// C
    pub outputs: usize,
    /// smallest eigenvalue of the analytic kernel
    pub analytic_lambda_min: f64,
    /// outputs at the end on the training samples and those held out, (n + h, C); less f_0 where that is taken from them
    pub end: Vec<f64>,
    /// why it ended
    pub stopped: Stopped,
    /// gradient evaluations
    pub evaluations: u64,
    /// wall-clock seconds
    pub seconds: f64,
}

/// The backend of this kind for this scalar.
pub fn backend_of<T: HostReal>(kind: BackendKind) -> &'static dyn Backend<T> {
    match kind {
        BackendKind::Portable => &Portable,
        BackendKind::Fast => T::fast(),
    }
}

/// Follows a run while it goes on.
pub trait Observer {
    /// After every step: how far along it is, from 0 to 1, and where it stands.
    fn step(&mut self, _done: f64, _at: &dyn Fn() -> String) {}
    /// After every snapshot: the record so far.
    fn snapshot(&mut self, _trace: &Trace) {}
}

/// Nobody follows.
impl Observer for () {}

/// Trains and records.
///
/// A run that cannot go on is not an error: its outcome says why it stopped, and keeps the record.
/// Errors: those of the first evaluation.
pub fn run(
    model: &Model,
    training: &Training,
    samples: &Samples,
    observer: &mut (dyn Observer + Send),
    stop: &Stop,
) -> Result<Outcome, Error> {
    match model.dtype {
        Dtype::F64 => run_as::<f64>(model, training, samples, observer, stop),
        Dtype::F32 => run_as::<f32>(model, training, samples, observer, stop),
    }
}

fn run_as<T: HostReal>(
    model: &Model,
    training: &Training,
    samples: &Samples,
    observer: &mut (dyn Observer + Send),
    stop: &Stop,
) -> Result<Outcome, Error> {
    let start = Instant::now();
    let backend = backend_of::<T>(training.backend);
    let shape = model.shape(samples)?;
    let network = &model.network(&shape)?;
    let (loss, optimizer) = (training.core_loss(shape.outputs), training.core_optimizer()?);
    let sizes = network.sizes();
    let x: Vec<T> = samples.x.iter().map(|v| T::from_f64(*v)).collect();
    let inputs = MatRef::new(&x, samples.n, samples.d)?;
    let mut targets = vec![T::ZERO; samples.n * sizes.outputs];
    for (target, label) in targets.chunks_exact_mut(sizes.outputs).zip(&samples.labels) {
        loss.target(*label, training.smoothing, target)?;
    }
    let mut problem =
        Problem::new(network, inputs, MatRef::new(&targets, samples.n, sizes.outputs)?, loss, training.penalty)?;
    let mut buffer = vec![T::ZERO; trainer_len(sizes, samples.n, &optimizer)];
    let shifted = model.init == Init::Shifted;
    let f_0 = shifted.then(|| initial_outputs(backend, network, inputs, model.seed, &mut buffer)).transpose()?;
    if let Some(f_0) = &f_0 {
        problem = problem.with_offset(MatRef::new(f_0, samples.n, sizes.outputs)?)?;
    }
    let mut trainer = Trainer::new(backend, problem, optimizer, model.seed, &mut buffer)?;
    let mut kernels = vec![T::ZERO; recorder_len(samples.n, backend.tile())];
    let recorder = Recorder::new(&mut trainer, &mut kernels)?;

    let until = training.until_time.is_finite().then(|| T::from_f64(training.until_time));
    let open_ended = training.until_margin.is_some() || training.until_loss.is_some();
    let record: Box<Record<T, MAX_SNAPSHOTS>> =
        Box::new(Record::new(training.snapshots, until.filter(|_| !open_ended))?);
    let theta_0 = trainer.theta_0();
    let no_outputs = || {
        if shifted {
            return Outputs::shifted(backend, Params::new(network, theta_0)?, samples);
        }
        Ok(Outputs::new(sizes, samples))
    };
    let outputs = training.predicts(shape.outputs, samples.n).then(no_outputs).transpose()?;
    let label = training.loss.label();
    let mut recording = Recording { label, recorder, record, outputs };
    recording.observe(&mut trainer, observer)?;
    let stopped = loop {
        if let Some(stopped) = reached(&trainer, training, stop) {
            break stopped;
        }
        if let Err(e) = trainer.advance(until) {
            break Stopped::Failed(e);
        }
        observer.step(share_done(&trainer, training), &|| where_at(&trainer));
        if recording.record.due(trainer.log_time()) {
            recording.observe(&mut trainer, observer)?;
        }
    };
    // the end of the run is always recorded, also where it is not finite any more
    if recording.record.snapshots().last().is_none_or(|s| s.step != trainer.step()) {
        recording.observe(&mut trainer, observer)?;
    }
    let Recording { recorder, record, outputs, .. } = recording;
    let end = match &outputs {
        Some(outputs) => outputs.last().to_vec(),
        None => {
            let mut last = no_outputs()?;
            last.keep(backend, Params::new(network, trainer.theta())?, record.snapshots())?;
            last.last().to_vec()
        }
    };
    let predictions = outputs.map(|outputs| {
        let theta_0: Vec<f64> = theta_0.iter().map(|v| v.to_f64()).collect();
        let targets: Vec<f64> = targets.iter().map(|v| v.to_f64()).collect();
        let (x, all) = all_inputs::<f64>(samples);
        let task = Task {
            network,
            theta_0: &theta_0,
            x: MatRef::new(&x, all, samples.d)?,
            targets: MatRef::new(&targets, samples.n, sizes.outputs)?,
            loss,
            penalty: training.penalty,
            shifted,
        };
        task.predictions(backend_of::<f64>(training.backend), &outputs.seen(record.snapshots()))
    });
    let double = |m: MatRef<'_, T>| m.data().iter().map(|v| v.to_f64()).collect::<Vec<f64>>();
    Ok(Outcome {
        trace: trace_of(label, record.snapshots()),
        kernels: [double(recorder.analytic()), double(recorder.initial()), double(recorder.current())],
        parameters: tensors(network, trainer.theta()),
        predictions,
        end,
        outputs: sizes.outputs,
        // NaN where samples are so large that the kernel overflows
        analytic_lambda_min: smallest_eigenvalue(backend, recorder.analytic()).unwrap_or(f64::NAN),
        stopped,
        evaluations: trainer.evaluations(),
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// f(x; theta_0) `(n, C)` at the parameters that training begins with; `buffer` is the one it will have.
fn initial_outputs<N: Network, T: Real>(
    backend: &dyn Backend<T>,
    network: &N,
    x: MatRef<'_, T>,
    seed: u64,
    buffer: &mut [T],
) -> Result<Vec<T>, Error> {
    let (theta_0, work) = buffer.split_at_mut(network.sizes().parameters);
    initialize(network, seed, theta_0)?;
    Ok(forward(backend, Params::new(network, theta_0)?, x, work)?.outputs().data().to_vec())
}

fn smallest_eigenvalue<T: Real>(backend: &dyn Backend<T>, kernel: MatRef<'_, T>) -> Result<f64, Error> {
    let n = kernel.rows();
    let mut copy = kernel.data().to_vec();
    let (mut values, mut scratch) = (vec![T::ZERO; n], vec![T::ZERO; n]);
    backend.symmetric_eigenvalues(MatMut::new(&mut copy, n, n)?, &mut values, &mut scratch)?;
    Ok(values[0].to_f64())
}

/// What is kept along a run.
struct Recording<'a, T> {
    label: &'a str,
    recorder: Recorder<'a, T>,
    record: Box<Record<T, MAX_SNAPSHOTS>>,
    outputs: Option<Outputs<T>>,
}

impl<T: Real> Recording<'_, T> {
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
        observer.snapshot(&trace_of(self.label, snapshots));
        Ok(())
    }
}

fn reached<N: Network, T: Real>(
    trainer: &Trainer<'_, N, T, dyn Backend<T>>,
    training: &Training,
    stop: &Stop,
) -> Option<Stopped> {
    let objective = trainer.objective();
    if stop.requested() {
        Some(Stopped::Interrupted)
    } else if training.until_margin.is_some_and(|u| objective.margin_min.to_f64() >= u) {
        Some(Stopped::Margin)
    } else if training.until_loss.is_some_and(|e| objective.loss.to_f64() <= e) {
        Some(Stopped::Loss)
    } else if training.until_time.is_finite() && trainer.reached(T::from_f64(training.until_time)) {
        Some(Stopped::Time)
    } else if trainer.step() >= training.max_steps {
        Some(Stopped::Steps)
    } else {
        None
    }
}

/// The share of the way to the criterion that is nearest.
fn share_done<N: Network, T: Real>(trainer: &Trainer<'_, N, T, dyn Backend<T>>, training: &Training) -> f64 {
    let objective = trainer.objective();
    // 0 for a run without an end in time
    let time = trainer.log_time().to_f64() / training.until_time.ln_1p();
    let margin = training.until_margin.map_or(0.0, |u| objective.margin_min.to_f64() / u);
    let steps = trainer.step() as f64 / training.max_steps.max(1) as f64;
    time.max(margin).max(steps).clamp(0.0, 1.0)
}

fn where_at<N: Network, T: Real>(trainer: &Trainer<'_, N, T, dyn Backend<T>>) -> String {
    let objective = trainer.objective();
    format!(
        "t {:.3e}, loss {:.3e}, margin {:.2}",
        trainer.time().to_f64(),
        objective.loss.to_f64(),
        objective.margin_min.to_f64()
    )
}
