//! One training run: from samples and settings to trace, kernels and parameters in memory, and their directory.

mod course;
mod described;
mod directory;
mod error;
mod fixed_flow;
mod forecast;
mod judgement;
mod layout;
mod limit;
mod motion;
mod outcome;
mod outputs;
mod parameter_file;
pub mod params;
mod prediction;
mod prediction_table;
mod rate;
mod results;
mod still;
mod targets;
mod tensor;
#[cfg(test)]
mod tests;
mod trace;
mod training_loop;

pub use course::{Course, FAR};
pub use described::described;
pub use directory::{RunDirectory, write_archive, write_arrays, write_parameters};
pub use error::Error;
pub use fixed_flow::FixedFlow;
pub use forecast::{forecast, kept_bytes, sizes_of};
pub use judgement::{Failure, Judgement};
pub use layout::result_paths;
pub use limit::{Limit, LimitRow};
pub use motion::Motion;
pub use outcome::{Comparison, Kernels, Outcome, Stopped};
pub use outputs::{Outputs, Seen, all_inputs};
pub use prediction::{Measured, Predictions, Task, linearized_bytes};
pub use prediction_table::{PredictionRow, PredictionTable};
pub use rate::Rate;
pub use targets::{check, targets};
pub use tensor::{Tensor, tensors};
pub use trace::{Trace, TraceRow};

use std::time::Instant;

use ntkscope_core::forward::Params;
use ntkscope_core::init::initialize;
use ntkscope_core::kernel::{Spectrum, tangent, tangent_len};
use ntkscope_core::network::{Dense, Network};
use ntkscope_core::record::{Recorder, recorder_len};
use ntkscope_core::train::{Problem, Trainer, trainer_len};
use ntkscope_core::{Backend, MatMut, MatRef, Portable, Real};

use crate::backend::HostReal;
use crate::data::Samples;
use crate::experiment::{AnyNetwork, BackendKind, Init, LossKind, Model, Training};
use crate::files::Dtype;
use crate::kernel::{Suspects, convert};
use crate::machine::Stop;
use judgement::Evidence;
use outputs::outputs_of;
use training_loop::{Recording, Walked, train};

/// The backend of this kind for this scalar.
pub fn backend_of<T: HostReal>(kind: BackendKind) -> &'static dyn Backend<T> {
    match kind {
        BackendKind::Portable => &Portable,
        BackendKind::Fast => T::fast(),
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
}

/// Nobody follows.
impl Observer for () {}

/// Trains and records.
///
/// A run that cannot go on is not an error: its outcome says why it stopped, and keeps the record.
///
/// # Errors
/// Settings that do not go together or not with the samples; both losses, see [`Training::resolve`]; what core refuses;
/// a snapshot that cannot be taken.
pub fn run(
    model: &Model,
    training: &Training,
    samples: &Samples,
    observer: &mut (dyn Observer + Send),
    stop: &Stop,
) -> Result<Outcome, Error> {
    if training.loss == LossKind::Both {
        return Err(Error::BothLosses);
    }
    check(model, training, samples)?;
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
    let (sizes, shifted) = (network.sizes(), model.init == Init::Shifted);
    let optimizer = training.core_optimizer()?;
    let arrays = Arrays::new(backend, network, model, training, samples)?;
    let problem = arrays.problem(network, training, samples)?;
    let mut buffer = vec![T::ZERO; trainer_len(sizes, samples.n, &optimizer)];
    let mut trainer = Trainer::new(backend, problem, optimizer, model.seed, &mut buffer)?;
    let mut space = vec![T::ZERO; recorder_len(samples.n, backend.tile())];
    let recorder = Recorder::new(&mut trainer, &mut space)?;
    let predicted = training.predicts(sizes.outputs, samples.n);
    let outputs = predicted.then(|| no_outputs(&trainer, samples, shifted)).transpose()?;
    let mut recording = Recording::new(recorder, training, samples, outputs)?;

    let Walked { stopped, course, rate } = train(&mut trainer, &mut recording, (training, optimizer), observer, stop)?;

    let trace = recording.trace();
    let Recording { recorder, record, outputs, kernels, .. } = recording;
    let (end, predictions) = match outputs {
        Some(outputs) => {
            let end = outputs.last().to_vec();
            let seen = outputs.seen(record.snapshots());
            let made = predictions(&trainer, &arrays.targets, training, samples, shifted, seen);
            (end, made.map_or_else(Comparison::Failed, |made| Comparison::Made(Box::new(made))))
        }
        None => {
            let mut last = no_outputs(&trainer, samples, shifted)?;
            last.keep(backend, Params::new(network, trainer.theta())?, record.snapshots())?;
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
    let evidence = Evidence { rows: &trace.rows, course, stopped: &stopped, rate, resting_from, dead };
    let judgement = Judgement::new(evidence);
    Ok(Outcome {
        trace,
        judgement,
        kernels: Kernels {
            analytic: double(recorder.analytic().data()),
            initial: double(recorder.initial().data()),
            last: double(recorder.current().data()),
            snapshots: kernels.map(|kept| kept.into_iter().map(|(_, kernel)| double(&kernel)).collect()),
        },
        targets: double(&arrays.targets),
        parameters: tensors(network, trainer.theta()),
        predictions,
        end,
        outputs: sizes.outputs,
        analytic_lambda_min: smallest_eigenvalue(backend, recorder.analytic()).unwrap_or(f64::NAN),
        stopped,
        evaluations: trainer.evaluations(),
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// What the training problem is made of, in the run's scalar.
struct Arrays<T> {
    /// `(n, d)`
    x: Vec<T>,
    /// `(n, C)`
    targets: Vec<T>,
    /// f(x; theta_0) `(n, C)` of a shifted network
    f_0: Option<Vec<T>>,
}

impl<T: HostReal> Arrays<T> {
    fn new(
        backend: &dyn Backend<T>,
        network: &AnyNetwork<'_>,
        model: &Model,
        training: &Training,
        samples: &Samples,
    ) -> Result<Self, Error> {
        let outputs = network.sizes().outputs;
        let mut x = Vec::new();
        convert(&samples.x, samples.d, &mut x)?;
        let targets = targets(samples, training.core_loss(), training.smoothing, outputs)?;
        let f_0 = match model.init {
            Init::Shifted => {
                let x = MatRef::new(&x, samples.n, samples.d)?;
                Some(initial_outputs(backend, network, x, model.seed)?)
            }
            Init::Mirrored | Init::Standard => None,
        };
        Ok(Self { x, targets, f_0 })
    }

    fn problem<'a, N: Network>(
        &'a self,
        network: &'a N,
        training: &Training,
        samples: &Samples,
    ) -> Result<Problem<'a, N, T>, Error> {
        let (n, outputs) = (samples.n, network.sizes().outputs);
        let (x, targets) = (MatRef::new(&self.x, n, samples.d)?, MatRef::new(&self.targets, n, outputs)?);
        let problem = Problem::new(network, x, targets, training.core_loss(), training.penalty)?;
        match &self.f_0 {
            Some(f_0) => Ok(problem.with_offset(MatRef::new(f_0, n, outputs)?)?),
            None => Ok(problem),
        }
    }
}

/// f(x; theta_0) `(n, C)` at the parameters that training begins with.
fn initial_outputs<N: Network, T: Real>(
    backend: &dyn Backend<T>,
    network: &N,
    x: MatRef<'_, T>,
    seed: u64,
) -> Result<Vec<T>, Error> {
    let sizes = network.sizes();
    let mut theta_0 = vec![T::ZERO; sizes.parameters];
    initialize(network, seed, &mut theta_0)?;
    Ok(outputs_of(backend, Params::new(network, &theta_0)?, x, &mut Vec::new())?)
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
    targets: &[T],
    training: &Training,
    samples: &Samples,
    shifted: bool,
    seen: Vec<Seen>,
) -> Result<Predictions, ntkscope_core::Error> {
    let network = trainer.problem().network();
    let outputs = network.sizes().outputs;
    let (theta_0, targets) = (double(trainer.theta_0()), double(targets));
    let (x, all) = all_inputs::<f64>(samples);
    let task = Task {
        network,
        theta_0: &theta_0,
        x: MatRef::new(&x, all, samples.d)?,
        targets: MatRef::new(&targets, samples.n, outputs)?,
        loss: training.core_loss(),
        penalty: training.penalty,
        shifted,
        values: samples.are_values(),
    };
    task.predictions(training.backend, seen)
}

/// Whether the kernel is 0, or what there is of it comes from biases behind dead units, which add the same everywhere, and
/// no training sample moves any weight.
fn is_dead<N: Network, T: Real>(
    trainer: &Trainer<'_, N, T, dyn Backend<T>>,
    kernel: MatRef<'_, T>,
    last: Option<&TraceRow>,
) -> Result<bool, ntkscope_core::Error> {
    let first = kernel.at(0, 0);
    if !last.is_some_and(|row| row.finite) || kernel.data().iter().any(|k| *k != first) {
        return Ok(false);
    }
    if first == T::ZERO {
        return Ok(true);
    }
    let (network, x) = (trainer.problem().network(), trainer.problem().x());
    let sizes = network.sizes();
    let mut space = vec![T::ZERO; tangent_len(sizes, x.rows())];
    let tangent = tangent(trainer.backend(), Params::new(network, trainer.theta())?, x, &mut space)?;
    let moves = |layer: Dense| {
        let (inputs, derivatives) = (tangent.activations.layer_inputs(&layer), tangent.deltas.by_sample(&layer));
        let any = |m: MatRef<'_, T>, i: usize| m.entries(i).any(|v| v != T::ZERO);
        layer.trained && (0..x.rows()).any(|i| any(inputs, i) && any(derivatives, i))
    };
    Ok(!(0..sizes.layers).any(|index| moves(network.layer(index))))
}

fn double<T: Real>(values: &[T]) -> Vec<f64> {
    values.iter().map(|v| v.to_f64()).collect()
}

fn smallest_eigenvalue<T: Real>(backend: &dyn Backend<T>, kernel: MatRef<'_, T>) -> Result<f64, ntkscope_core::Error> {
    let n = kernel.rows();
    let mut copy = kernel.data().to_vec();
    let (mut values, mut scratch) = (vec![T::ZERO; n], vec![T::ZERO; n]);
    backend.symmetric_eigenvalues(MatMut::new(&mut copy, n, n)?, &mut values, &mut scratch)?;
    Ok(Spectrum::of_eigenvalues(&values, T::EPSILON).lambda_min.to_f64())
}
