//! The network that checkpoints are of, and what is measured of it at each.

use std::path::Path;

use anyhow::Result;
use ntkscope_core::network::{self, Fcn};
use ntkscope_core::record::{Snapshot, Value};
use ntkscope_core::{MatMut, MatRef};
use rayon::prelude::*;
use toml::Table;

use super::large::Large;
use super::{COLUMNS, DriftArgs};
use crate::analysis::watch::{Goal, Moment, Watch};
use crate::backend::HostReal;
use crate::checkpoint::{self, Checkpoint, ParameterFault, ParameterFile, is_torch};
use crate::cli::UsageError;
use crate::cli::kernel::stored;
use crate::cli::terminal::phase;
use crate::cli::unused::{NOT_ORDERED, Takes, refuse, unused_setting};
use crate::data::{Classes, Samples, Targets};
use crate::experiment::{AnyNetwork, Model, Settings, Shape, overlay};
use crate::files::{Dtype, InputFault};
use crate::kernel::{Apart, Awaited, Ritz, Search, convert, outermost, rows_per_sample};
use crate::machine::memory::{bytes_of, process_bytes};
use crate::machine::{Budget, Ended, Stop};
use crate::run::params::read_parameters;
use crate::run::{self, targets, targets_of, write_arrays};
use crate::words::{count, listed};

/// What the first file says of the network.
pub(super) enum Described {
    /// one of our own names, of these settings
    Own(Model),
    /// another program has stored it
    Stored(Model),
}

/// The settings of the network and the data.
pub(super) fn describe(args: &DriftArgs, given: &Table) -> Result<Described> {
    let first = &args.files[0];
    // what cannot be read is told by whoever reads it
    let ours = if is_torch(first) { None } else { ParameterFile::open(first).ok().filter(|file| file.is_ours()) };
    let Some(mut file) = ours else {
        return Ok(Described::Stored(stored::settings_beside("drift", given)?.model));
    };
    if args.order.names.is_some() {
        return Err(unused_setting("drift", given, "order", NOT_ORDERED).into());
    }
    let mut table = Table::new();
    let saved = file.settings().ok().flatten();
    if let Some(saved) = saved.and_then(|text| text.parse::<Table>().ok()) {
        overlay(&mut table, saved, &format!("in {}", first.display()))?;
    }
    let given = stored::without_own(given);
    refuse("drift", &given, &Takes::Only(&[]))?;
    table.extend(given);
    let model = Settings::from_table(table)?.model;
    model.check()?;
    Ok(Described::Own(model))
}

impl Described {
    pub(super) fn model(&self) -> &Model {
        match self {
            Self::Own(model) | Self::Stored(model) => model,
        }
    }

    /// The network, with the parameters of every file.
    pub(super) fn read(&self, args: &DriftArgs, given: &Table, samples: &Samples) -> Result<Network> {
        match self {
            Self::Own(model) => {
                let shape = model.shape(samples)?;
                let network = model.network(&shape)?;
                let mut thetas = Vec::new();
                for file in &args.files {
                    let mut theta = vec![0.0; network::Network::sizes(&network).parameters];
                    read_parameters(file, &network, model, &mut theta).map_err(as_checkpoint)?;
                    thetas.push(theta);
                }
                Ok(Network::Own { model: Box::new(model.clone()), shape, thetas })
            }
            Self::Stored(model) => {
                let reading = stored::reading(given, model, args.order.names.as_ref(), samples.d);
                let mut all: Vec<Checkpoint> = Vec::new();
                for file in &args.files {
                    let read = Checkpoint::read(file, &reading)?.at_one_rate();
                    if let Some(first) = all.first().filter(|first| first.layers != read.layers) {
                        return Err(other_network(file, &args.files[0], &read, first));
                    }
                    all.push(read);
                }
                Ok(Network::Stored(all))
            }
        }
    }
}

/// The same of a file that is no setting here.
fn as_checkpoint(error: run::Error) -> anyhow::Error {
    match error {
        run::Error::NoParameters { path } => {
            let fault = checkpoint::Fault::File(ParameterFault::Input(InputFault::Missing));
            checkpoint::Error { path, fault }.into()
        }
        other => other.into(),
    }
}

fn other_network(file: &Path, first: &Path, read: &Checkpoint, of_first: &Checkpoint) -> anyhow::Error {
    let what = format!(
        "holds another network than {}: {}, there {}; give checkpoints of one network",
        first.display(),
        read.describe(),
        of_first.describe()
    );
    UsageError::Mismatch { path: file.into(), what }.into()
}

/// A network with several sets of parameters.
pub(super) enum Network {
    Own { model: Box<Model>, shape: Shape, thetas: Vec<Vec<f64>> },
    Stored(Vec<Checkpoint>),
}

/// What is known of every checkpoint.
pub(super) struct Comparison {
    pub(super) rows: Vec<Row>,
    /// kernels, row-major; none where they are not formed
    pub(super) kernels: Vec<Vec<f64>>,
    /// eigenvalues of each, ascending; none where the kernels are not formed
    pub(super) spectra: Vec<Vec<f64>>,
    /// rows of a kernel
    pub(super) side: usize,
}

/// What is known of a checkpoint.
pub(super) struct Row {
    /// columns of a trace
    pub(super) snapshot: Snapshot<f64>,
    pub(super) beside: Beside,
}

/// Columns that a trace has not; NaN where they are not known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Beside {
    /// |K - K_1| / |K_1|, operator norms
    pub(super) drift_operator: f64,
    /// an eigenvalue of K - K_1 lies within this of it, in units of |K_1|
    pub(super) drift_operator_residual: f64,
    /// an eigenvalue of K lies within this of lambda_max
    pub(super) lambda_max_residual: f64,
    /// standard error of drift_fro, where it is estimated
    pub(super) drift_fro_se: f64,
    /// of alignment
    pub(super) alignment_se: f64,
    /// of target_alignment
    pub(super) target_alignment_se: f64,
}

impl Beside {
    pub(super) const UNKNOWN: Self = Self {
        drift_operator: f64::NAN,
        drift_operator_residual: f64::NAN,
        lambda_max_residual: f64::NAN,
        drift_fro_se: f64::NAN,
        alignment_se: f64::NAN,
        target_alignment_se: f64::NAN,
    };

    fn column(&self, name: &str) -> Option<f64> {
        Some(match name {
            "drift_operator" => self.drift_operator,
            "drift_operator_residual" => self.drift_operator_residual,
            "lambda_max_residual" => self.lambda_max_residual,
            "drift_fro_se" => self.drift_fro_se,
            "alignment_se" => self.alignment_se,
            "target_alignment_se" => self.target_alignment_se,
            _ => return None,
        })
    }
}

impl Row {
    /// Its largest eigenvalue, where the others are not known.
    pub(super) fn largest(&mut self, ritz: &Ritz) {
        (self.snapshot.lambda_max, self.beside.lambda_max_residual) = (ritz.value, ritz.residual);
    }

    /// The eigenvalue of K - K_1 that is farthest from 0, beside lambda, the largest of K_1.
    pub(super) fn set_operator_drift(&mut self, ritz: &Ritz, lambda: f64) {
        self.beside.drift_operator = ritz.value.abs() / lambda;
        self.beside.drift_operator_residual = ritz.residual / lambda;
    }

    /// What random vectors say of K_1 and itself: nothing has moved, but what is undefined of a constant kernel stays so.
    pub(super) fn of_itself(&mut self, Apart { frobenius, alignment }: &Apart) {
        let unless_undefined = |value: f64, exact: f64| if value.is_nan() { f64::NAN } else { exact };
        self.snapshot.drift_fro = unless_undefined(frobenius.value, 0.0);
        self.snapshot.alignment = unless_undefined(alignment.value, 1.0);
        self.beside.drift_fro_se = unless_undefined(frobenius.value, 0.0);
        self.beside.alignment_se = unless_undefined(alignment.value, 0.0);
    }

    /// What random vectors say of K and K_1.
    pub(super) fn estimated(&mut self, Apart { frobenius, alignment }: Apart) {
        (self.snapshot.drift_fro, self.beside.drift_fro_se) = (frobenius.value, frobenius.error);
        (self.snapshot.alignment, self.beside.alignment_se) = (alignment.value, alignment.error);
    }
}

impl Network {
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Own { model, .. } => model.describe(),
            Self::Stored(all) => all.first().map_or(String::new(), Checkpoint::describe),
        }
    }

    /// Kernel and outputs of every set of parameters, compared with the first.
    pub(super) fn measure<T: HostReal>(
        &self,
        args: &DriftArgs,
        samples: &Samples,
        loss: ntkscope_core::loss::Loss,
        budget: &Budget,
        stop: &Stop,
    ) -> Result<Ended<Comparison>> {
        match self {
            Self::Own { model, shape, thetas } => {
                let network: AnyNetwork<'_> = model.network(shape)?;
                measure::<T, _>(&network, thetas.iter().map(Vec::as_slice), args, samples, loss, budget, stop)
            }
            Self::Stored(all) => {
                let network: Fcn<'_> = all[0].network()?;
                measure::<T, _>(&network, all.iter().map(|read| &read.theta[..]), args, samples, loss, budget, stop)
            }
        }
    }
}

fn measure<'a, T: HostReal, N: network::Network>(
    network: &N,
    thetas: impl ExactSizeIterator<Item = &'a [f64]>,
    args: &DriftArgs,
    samples: &Samples,
    loss: ntkscope_core::loss::Loss,
    budget: &Budget,
    stop: &Stop,
) -> Result<Ended<Comparison>> {
    let (sizes, n) = (network.sizes(), samples.n);
    let outputs = args.outputs.of(sizes.outputs)?;
    let side = n * rows_per_sample(outputs, sizes.outputs);
    let targets: Option<Vec<T>> = match samples.targets {
        None => None,
        Some(Targets::Values) if samples.y_columns != sizes.outputs => {
            let [y, f] = [(samples.y_columns, "number"), (sizes.outputs, "output")].map(|(n, what)| count(n, what));
            let what = format!("has y of {y} a sample, but the network has {f}; give as many, or labels");
            return Err(UsageError::Mismatch { path: samples.place.clone().into(), what }.into());
        }
        Some(Targets::Values) => Some(targets(samples, loss, 0.0, sizes.outputs)?),
        Some(Targets::Classes) => Some(targets_of(&classes_of(samples, sizes.outputs)?, loss, 0.0, sizes.outputs)?),
    };
    let goal = targets.map(|targets| Goal { targets, loss, classes: !samples.are_values(), rate: None });
    let need = need::<T>(sizes, thetas.len(), samples, side);
    if args.probes.is_some() || budget.limit().is_some_and(|limit| need > limit.bytes) {
        let thetas = thetas.map(|theta| theta.iter().map(|number| T::from_f64(*number)).collect()).collect();
        return Large { network, thetas, samples, outputs, goal, args, limit: budget.limit(), stop }.measure();
    }
    let what = format!("kernels of {} on {}", count(thetas.len(), "checkpoint"), count(n, "sample"));
    let _bar = phase(&what, args.common.quiet);
    let mut x = Vec::new();
    convert(&samples.x, samples.d, &mut x)?;
    let mut watch = Watch::new(x, n, outputs, goal)?;
    let mut comparison = Comparison { rows: Vec::new(), kernels: Vec::new(), spectra: Vec::new(), side };
    let until = stop.until();
    for (step, theta) in thetas.enumerate() {
        let theta: Vec<T> = theta.iter().map(|number| T::from_f64(*number)).collect();
        let at = Moment { step: step as u64, time: step as f64 };
        let Ended::Done(row) = watch.observe(network, &theta, at, &until)? else {
            return Ok(Ended::Stopped);
        };
        if !row.finite {
            return Err(beyond::<T>(&args.files[step]));
        }
        let snapshot = row.to_f64();
        comparison.rows.push(Row { snapshot, beside: Beside::UNKNOWN });
        comparison.kernels.push(watch.kernel().iter().map(|k| k.to_f64()).collect());
        comparison.spectra.push(watch.spectrum().iter().map(|k| k.to_f64()).collect());
        if comparison.of_operators(stop)? == Ended::Stopped {
            return Ok(Ended::Stopped);
        }
    }
    Ok(Ended::Done(comparison))
}

/// A checkpoint whose parameters, outputs or kernel the scalar does not hold.
pub(super) fn beyond<T: HostReal>(file: &Path) -> anyhow::Error {
    let what = match size_of::<T>() {
        4 => "its outputs or its kernel leave the range of `dtype = f32`; give `dtype = f64`, or rescale the samples",
        _ => "its outputs or its kernel leave the range of a double; rescale the samples",
    };
    UsageError::Mismatch { path: file.into(), what: what.into() }.into()
}

/// Which of a network's outputs, of which one stands for two classes, every sample is to choose: that of its class, where there are as many
/// classes; else that of its label, which is then a number of an output, as of samples that lack a class.
fn classes_of(samples: &Samples, outputs: usize) -> Result<Vec<usize>> {
    let (classes, numbers) = (outputs.max(2), samples.map.as_ref().map_or_else(Vec::new, Classes::numbers));
    let is_output = |label: &f64| label.fract() == 0.0 && (0.0..classes as f64).contains(label);
    let own = matches!(samples.map, Some(Classes::Labels(_))) && numbers.iter().all(is_output);
    if numbers.len() == classes {
        return Ok(samples.labels.clone());
    }
    if own {
        return Ok(samples.labels.iter().map(|class| numbers[*class] as usize).collect());
    }
    let what = format!(
        "has {} ({}), but the network has {}; give samples whose labels are its outputs, 0 to {}",
        count(numbers.len(), "class"),
        listed(&samples.class_names()),
        count(outputs, "output"),
        classes - 1
    );
    Err(UsageError::Mismatch { path: samples.place.clone().into(), what }.into())
}

/// Bytes of all: the kernels that are kept, those at work, the passes and the parameters.
fn need<T: HostReal>(sizes: network::Sizes, checkpoints: usize, samples: &Samples, rows: usize) -> u64 {
    let [n, k, side, d] = [samples.n, checkpoints, rows, samples.d].map(|size| size as u128);
    let tangent = ntkscope_core::kernel::tangent_len(sizes, samples.n) as u128;
    let own = bytes_of(6 * side * side + tangent + n * sizes.activations as u128 + n * d, size_of::<T>());
    let kept = bytes_of(k * (side * side + side + sizes.parameters as u128), 8);
    let lanczos = Search::of::<f64>(1).bytes(rows);
    process_bytes(crate::backend::threads()).saturating_add(own).saturating_add(kept).saturating_add(lanczos)
}

impl Comparison {
    /// Whether the kernels were formed.
    pub(super) fn has_kernels(&self) -> bool {
        !self.kernels.is_empty()
    }

    /// Sets how far the last kernel is from the first, as operators.
    fn of_operators(&mut self, stop: &Stop) -> Result<Ended> {
        let (n, Some(first), Some(now)) = (self.side, self.kernels.first(), self.kernels.last()) else {
            return Ok(Ended::Done(()));
        };
        let mut product = |v: MatRef<'_, f64>, mut w: MatMut<'_, f64>| {
            let rows = now.par_chunks_exact(n).zip(first.par_chunks_exact(n)).zip(w.row_mut(0));
            rows.for_each(|((now, first), w)| {
                let entries = now.iter().zip(first).zip(v.row(0));
                *w = entries.fold(0.0, |sum, ((now, first), v)| sum + (now - first) * v);
            });
            Ok(Ended::Done(()))
        };
        let search = Search { awaited: Awaited::Farthest, ..Search::of::<f64>(1) };
        let Ended::Done(ends) = outermost(n, search, &mut product, stop)? else { return Ok(Ended::Stopped) };
        let lambda = self.rows[0].snapshot.lambda_max;
        if let (Some(row), Some(farthest)) = (self.rows.last_mut(), ends.farthest()) {
            row.set_operator_drift(&farthest, lambda);
        }
        Ok(Ended::Done(()))
    }

    /// Some numbers of a row.
    pub(super) fn columns(&self, row: &Row, names: &[&str]) -> Vec<f64> {
        let of_trace = |name: &str| match Snapshot::column(name).map(|column| column.get(&row.snapshot)) {
            Some(Value::Number(value)) => value,
            _ => f64::NAN,
        };
        names.iter().map(|name| row.beside.column(name).unwrap_or_else(|| of_trace(name))).collect()
    }

    /// The table as arrays of one number a checkpoint, and of kernels that were formed `kernels` `(k, N, N)` and `eigenvalues`
    /// `(k, N)`.
    pub(super) fn write_npz(&self, path: &Path, dtype: Dtype) -> Result<()> {
        let (k, side) = (self.rows.len(), self.side);
        let column = |name: &'static str| {
            let values: Vec<f64> = self.rows.iter().map(|row| self.columns(row, &[name])[0]).collect();
            (name, vec![k], values)
        };
        let mut arrays: Vec<(&str, Vec<usize>, Vec<f64>)> = COLUMNS.into_iter().map(column).collect();
        if self.has_kernels() {
            arrays.push(("kernels", vec![k, side, side], self.kernels.concat()));
            arrays.push(("eigenvalues", vec![k, side], self.spectra.concat()));
        }
        let arrays: Vec<_> = arrays.iter().map(|(name, shape, values)| (*name, shape, values)).collect();
        Ok(write_arrays(path, &arrays, dtype)?)
    }
}
