//! The network that checkpoints are of, and what is measured of it at each.

use std::path::Path;

use anyhow::Result;
use ntkscope_core::Error as CoreError;
use ntkscope_core::network::{self, Fcn};
use ntkscope_core::record::{Snapshot, Value};
use toml::Table;

use super::{COLUMNS, DriftArgs, multi_output};
use crate::analysis::watch::{Goal, Moment, Watch};
use crate::backend::HostReal;
use crate::checkpoint::{Checkpoint, ParameterFile, is_torch};
use crate::cli::UsageError;
use crate::cli::kernel::{multi_output as parsed_outputs, stored};
use crate::cli::terminal::phase;
use crate::cli::unused::{Takes, refuse};
use crate::data::Samples;
use crate::experiment::{AnyNetwork, Model, Settings, Shape, overlay};
use crate::files::Dtype;
use crate::kernel::{convert, rows_per_sample};
use crate::machine::memory::{bytes_of, process_bytes};
use crate::machine::{Budget, Ended, Stop};
use crate::run::params::read_parameters;
use crate::run::{targets, write_arrays};
use crate::words::count;

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
                    read_parameters(file, &network, model, &mut theta)?;
                    thetas.push(theta);
                }
                Ok(Network::Own { model: Box::new(model.clone()), shape, thetas })
            }
            Self::Stored(model) => {
                let reading = stored::reading(given, model, args.order.as_ref(), samples.d);
                let mut all: Vec<Checkpoint> = Vec::new();
                for file in &args.files {
                    let read = Checkpoint::read(file, &reading)?;
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
pub(super) struct Moved {
    pub(super) rows: Vec<Snapshot<f64>>,
    /// kernels, row-major
    pub(super) kernels: Vec<Vec<f64>>,
    /// eigenvalues of each, ascending
    pub(super) spectra: Vec<Vec<f64>>,
    /// rows of a kernel
    pub(super) side: usize,
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
    ) -> Result<Ended<Moved>> {
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
) -> Result<Ended<Moved>> {
    let (sizes, n) = (network.sizes(), samples.n);
    let outputs = parsed_outputs(multi_output(args), sizes.outputs)?;
    let side = n * rows_per_sample(outputs, sizes.outputs);
    let what = format!("kernels of {} on {}", count(thetas.len(), "checkpoint"), count(n, "sample"));
    budget.check(&format!("a comparison of {what}"), need::<T>(sizes, thetas.len(), samples, side))?;
    let _bar = phase(&what, args.common.quiet);
    let mut x = Vec::new();
    convert(&samples.x, samples.d, &mut x)?;
    let targets: Option<Vec<T>> = (!samples.y.is_empty() || !samples.labels.is_empty())
        .then(|| targets(samples, loss, 0.0, sizes.outputs))
        .transpose()?;
    let goal = targets.map(|targets| Goal { targets, loss, classes: !samples.are_values(), rate: None });
    let mut watch = Watch::new(x, n, outputs, goal)?;
    let mut moved_all = Moved { rows: Vec::new(), kernels: Vec::new(), spectra: Vec::new(), side };
    for (step, theta) in thetas.enumerate() {
        if stop.requested() {
            return Ok(Ended::Stopped);
        }
        let theta: Vec<T> = theta.iter().map(|number| T::from_f64(*number)).collect();
        let row = watch.observe(network, &theta, Moment { step: step as u64, time: step as f64 })?;
        if !row.finite {
            return Err(CoreError::NonFinite { what: "the kernel", step: step as u64 }.into());
        }
        moved_all.rows.push(row.to_f64());
        moved_all.kernels.push(watch.kernel().iter().map(|k| k.to_f64()).collect());
        moved_all.spectra.push(watch.spectrum().iter().map(|k| k.to_f64()).collect());
    }
    Ok(Ended::Done(moved_all))
}

/// Bytes of all: the kernels that are kept, those at work, the passes and the parameters.
fn need<T: HostReal>(sizes: network::Sizes, checkpoints: usize, samples: &Samples, side: usize) -> u64 {
    let [n, k, side, d] = [samples.n, checkpoints, side, samples.d].map(|size| size as u128);
    let tangent = ntkscope_core::kernel::tangent_len(sizes, samples.n) as u128;
    let own = bytes_of(6 * side * side + tangent + n * sizes.activations as u128 + n * d, size_of::<T>());
    let kept = bytes_of(k * (side * side + side + sizes.parameters as u128), 8);
    process_bytes(crate::backend::threads()).saturating_add(own).saturating_add(kept)
}

impl Moved {
    /// Some numbers of a row.
    pub(super) fn columns(&self, row: &Snapshot<f64>, names: &[&str]) -> Vec<f64> {
        let value = |name: &&str| match Snapshot::column(name).map(|column| column.get(row)) {
            Some(Value::Number(value)) => value,
            _ => f64::NAN,
        };
        names.iter().map(value).collect()
    }

    /// The table as arrays of one number a checkpoint, `kernels` `(k, N, N)` and `eigenvalues` `(k, N)`.
    pub(super) fn write_npz(&self, path: &Path, dtype: Dtype) -> Result<()> {
        let (k, side) = (self.rows.len(), self.side);
        let column = |name: &'static str| {
            let values: Vec<f64> = self.rows.iter().map(|row| self.columns(row, &[name])[0]).collect();
            (name, vec![k], values)
        };
        let mut arrays: Vec<(&str, Vec<usize>, Vec<f64>)> = COLUMNS.into_iter().map(column).collect();
        arrays.push(("kernels", vec![k, side, side], self.kernels.concat()));
        arrays.push(("eigenvalues", vec![k, side], self.spectra.concat()));
        let arrays: Vec<_> = arrays.iter().map(|(name, shape, values)| (*name, shape, values)).collect();
        Ok(write_arrays(path, &arrays, dtype)?)
    }
}
