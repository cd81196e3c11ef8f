//! One training run: from samples and settings to trace, kernels and parameters in memory.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use ntkscope_core::forward::Params;
use ntkscope_core::kernel::tangent_len;
use ntkscope_core::network::{Network, Sizes};
use ntkscope_core::predict::kernel_flow_len;
use ntkscope_core::record::{Record, Recorder, Snapshot, recorder_len};
use ntkscope_core::train::{Problem, Trainer, trainer_len};
use ntkscope_core::{Backend, Error, MatMut, MatRef, Portable, Real};

use crate::backend::HostReal;
use crate::data::Samples;
use crate::experiment::{MAX_SNAPSHOTS, Model, Training};
use crate::prediction::{Outputs, Predictions, Task, all_inputs};
use crate::report::{Trace, TraceRow};
use crate::settings::{BackendKind, Dtype};

/// Set by Ctrl-C: the run stops after its present step and keeps what it has.
pub static INTERRUPTED: AtomicBool = AtomicBool::new(false);

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
    /// Ctrl-C
    Interrupted,
    /// could not go on
    Failed(Error),
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

/// A named tensor of the network's parameters.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// `W0`, `second.b0`, …
    pub name: String,
    /// shape
    pub shape: Vec<usize>,
    /// numbers, row-major
    pub data: Vec<f64>,
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
    pub predictions: Option<Result<Predictions, Error>>,
    /// C
    pub outputs: usize,
    /// smallest eigenvalue of the analytic kernel
    pub analytic_lambda_min: f64,
    /// why it ended
    pub stopped: Stopped,
    /// gradient evaluations
    pub evaluations: u64,
    /// wall-clock seconds
    pub seconds: f64,
}

/// Bytes that [`run`] will take, beside the program itself.
pub fn forecast(model: &Model, training: &Training, samples: &Samples) -> Result<u64, Error> {
    let sizes = sizes_of(model)?;
    let bytes = match model.dtype {
        Dtype::F32 => 4,
        Dtype::F64 => 8,
    };
    let tile = tile_of(training.backend, model.dtype);
    let (n, d, c) = (samples.n as u64, samples.d as u64, sizes.outputs as u64);
    let buffers = trainer_len(sizes, samples.n, &training.optimizer) + recorder_len(samples.n, tile);
    // the eigenvalue solver's copy and workspace; kernels and parameters as they are written
    let own = bytes * (buffers as u64 + n * (d + c) + 2 * n * n);
    let held = (samples.held_out.len() / samples.d.max(1)) as u64;
    let predictions = if training.predictions { prediction_bytes(sizes, n, held) } else { 0 };
    Ok(own + 8 * (n * d + 3 * n * n + sizes.parameters as u64) + predictions)
}

/// Bytes of the predictions: theta_0 again, the pairs (A, D) of all samples and the training samples, the kernel, and
/// the kernel flow's space.
fn prediction_bytes(sizes: Sizes, n: u64, held: u64) -> u64 {
    let (n_, all) = (n as usize, (n + held) as usize);
    let size = sizes.outputs * n_;
    let kernels = 2 * size * sizes.outputs * all + kernel_flow_len(n_, sizes.outputs);
    8 * (sizes.parameters + tangent_len(sizes, all) + tangent_len(sizes, n_) + kernels) as u64
}

fn tile_of(backend: BackendKind, dtype: Dtype) -> usize {
    match (backend, dtype) {
        (BackendKind::Portable, _) => Portable::TILE,
        (BackendKind::Fast, Dtype::F32) => f32::fast().tile(),
        (BackendKind::Fast, Dtype::F64) => f64::fast().tile(),
    }
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

/// Trains and records.
///
/// A run that cannot go on is not an error: its outcome says why it stopped, and keeps the record.
/// Errors: those of the first evaluation.
pub fn run(
    model: &Model,
    training: &Training,
    samples: &Samples,
    observer: &mut (dyn Observer + Send),
) -> Result<Outcome, Error> {
    match model.dtype {
        Dtype::F64 => run_as::<f64>(model, training, samples, observer),
        Dtype::F32 => run_as::<f32>(model, training, samples, observer),
    }
}

fn run_as<T: HostReal>(
    model: &Model,
    training: &Training,
    samples: &Samples,
    observer: &mut (dyn Observer + Send),
) -> Result<Outcome, Error> {
    let start = Instant::now();
    let backend = backend_of::<T>(training.backend);
    let network = &model.network()?;
    let sizes = network.sizes();
    let x: Vec<T> = samples.x.iter().map(|v| T::from_f64(*v)).collect();
    let outputs = training.predictions.then(|| Outputs::new(sizes, samples));
    let mut targets = vec![T::ZERO; samples.n * sizes.outputs];
    for (target, label) in targets.chunks_exact_mut(sizes.outputs).zip(&samples.labels) {
        training.loss.target(*label, training.smoothing, target)?;
    }
    let problem = Problem::new(
        network,
        MatRef::new(&x, samples.n, samples.d)?,
        MatRef::new(&targets, samples.n, sizes.outputs)?,
        training.loss,
        training.penalty,
    )?;
    let mut buffer = vec![T::ZERO; trainer_len(sizes, samples.n, &training.optimizer)];
    let mut trainer = Trainer::new(backend, problem, training.optimizer, model.seed, &mut buffer)?;
    let mut kernels = vec![T::ZERO; recorder_len(samples.n, backend.tile())];
    let recorder = Recorder::new(&mut trainer, &mut kernels)?;

    let until = training.stop.time.is_finite().then(|| T::from_f64(training.stop.time));
    let open_ended = training.stop.margin.is_some() || training.stop.loss.is_some();
    let record: Box<Record<T, MAX_SNAPSHOTS>> =
        Box::new(Record::new(training.snapshots, until.filter(|_| !open_ended))?);
    let label = training.label();
    let mut recording = Recording { label, recorder, record, outputs };
    recording.observe(&mut trainer, observer)?;
    let stopped = loop {
        if let Some(stopped) = reached(&trainer, training) {
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
    let predictions = outputs.map(|outputs| {
        let theta_0: Vec<f64> = trainer.theta_0().iter().map(|v| v.to_f64()).collect();
        let targets: Vec<f64> = targets.iter().map(|v| v.to_f64()).collect();
        let (x, all) = all_inputs::<f64>(samples);
        let task = Task {
            network,
            theta_0: &theta_0,
            x: MatRef::new(&x, all, samples.d)?,
            targets: MatRef::new(&targets, samples.n, sizes.outputs)?,
            loss: training.loss,
        };
        task.predictions(backend_of::<f64>(training.backend), &outputs.seen(record.snapshots()))
    });
    let double = |m: MatRef<'_, T>| m.data().iter().map(|v| v.to_f64()).collect::<Vec<f64>>();
    Ok(Outcome {
        trace: trace_of(label, record.snapshots()),
        kernels: [double(recorder.analytic()), double(recorder.initial()), double(recorder.current())],
        parameters: tensors(network, trainer.theta()),
        predictions,
        outputs: sizes.outputs,
        analytic_lambda_min: smallest_eigenvalue(backend, recorder.analytic())?,
        stopped,
        evaluations: trainer.evaluations(),
        seconds: start.elapsed().as_secs_f64(),
    })
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

fn reached<N: Network, T: Real>(trainer: &Trainer<'_, N, T, dyn Backend<T>>, training: &Training) -> Option<Stopped> {
    let (stop, objective) = (&training.stop, trainer.objective());
    if INTERRUPTED.load(Ordering::Relaxed) {
        Some(Stopped::Interrupted)
    } else if stop.margin.is_some_and(|u| objective.margin_min.to_f64() >= u) {
        Some(Stopped::Margin)
    } else if stop.loss.is_some_and(|e| objective.loss.to_f64() <= e) {
        Some(Stopped::Loss)
    } else if stop.time.is_finite() && trainer.reached(T::from_f64(stop.time)) {
        Some(Stopped::Time)
    } else if trainer.step() >= stop.steps {
        Some(Stopped::Steps)
    } else {
        None
    }
}

/// The share of the way to the criterion that is nearest.
fn share_done<N: Network, T: Real>(trainer: &Trainer<'_, N, T, dyn Backend<T>>, training: &Training) -> f64 {
    let (stop, objective) = (&training.stop, trainer.objective());
    // 0 for a run without an end in time
    let time = trainer.log_time().to_f64() / stop.time.ln_1p();
    let margin = stop.margin.map_or(0.0, |u| objective.margin_min.to_f64() / u);
    let steps = trainer.step() as f64 / stop.steps.max(1) as f64;
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

fn trace_of<T: Real>(label: &str, snapshots: &[Snapshot<T>]) -> Trace {
    Trace { label: label.into(), rows: snapshots.iter().map(row_of).collect() }
}

fn row_of<T: Real>(s: &Snapshot<T>) -> TraceRow {
    TraceRow {
        step: s.step,
        time: s.time.to_f64(),
        loss: s.loss.to_f64(),
        accuracy: s.accuracy.to_f64(),
        margin_min: s.margin_min.to_f64(),
        margin_mean: s.margin_mean.to_f64(),
        logit_max: s.logit_max.to_f64(),
        param_norm: s.param_norm.to_f64(),
        param_distance: s.param_distance.to_f64(),
        drift_max: s.drift_max.to_f64(),
        drift_fro: s.drift_fro.to_f64(),
        error_max: s.error_max.to_f64(),
        error_fro: s.error_fro.to_f64(),
        alignment: s.alignment.to_f64(),
        lambda_min: s.lambda_min.to_f64(),
        lambda_max: s.lambda_max.to_f64(),
        condition: s.condition.to_f64(),
        effective_rank: s.effective_rank.to_f64(),
        finite: s.finite,
        log_time: s.log_time.to_f64(),
    }
}

/// The parameters as named tensors, W as (out, in).
pub fn tensors<N: Network, T: Real>(network: &N, theta: &[T]) -> Vec<Tensor> {
    let double = |from: usize, len: usize| theta[from..from + len].iter().map(|v| v.to_f64()).collect();
    let mut out = Vec::new();
    for index in 0..network.sizes().layers {
        let layer = network.layer(index);
        out.push(Tensor {
            name: layer.name.of_weights().to_string(),
            shape: vec![layer.outputs, layer.inputs],
            data: double(layer.weights, layer.outputs * layer.inputs),
        });
        if let Some(at) = layer.bias {
            let name = layer.name.of_bias().to_string();
            out.push(Tensor { name, shape: vec![layer.outputs], data: double(at, layer.outputs) });
        }
    }
    out
}

/// Sizes of the network as it will be trained.
pub fn sizes_of(model: &Model) -> Result<Sizes, Error> {
    Ok(model.network()?.sizes())
}
