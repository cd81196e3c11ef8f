//! The kernel of a network that another program has stored.

use std::path::Path;

use anyhow::Result;
use toml::Table;

pub(in crate::cli) use super::without_own;
use super::{From, Job, KernelArgs, KernelKind};
use crate::checkpoint::{Checkpoint, ParameterFile, Reading, is_torch};
use crate::cli::args::OF_KERNEL;
use crate::cli::ranked::{check_alike, least};
use crate::cli::terminal::warn;
use crate::cli::unused::{Takes, refuse, unused_setting};
use crate::data;
use crate::experiment::{Model, Settings};
use crate::files::{Format, Roles, check_output};

/// The file of parameters, if another program has written it.
pub(super) fn by_another_program(args: &KernelArgs) -> Result<Option<&Path>> {
    let Some(path) = args.params.as_deref().filter(|_| args.kind == KernelKind::Empirical) else { return Ok(None) };
    if is_torch(path) {
        return Ok(Some(path));
    }
    // what cannot be read is told by whoever reads it
    Ok(ParameterFile::open(path).ok().filter(|file| !file.is_ours()).map(|_| path))
}

/// Settings of the network that such a file says by itself.
const SAID: [&str; 11] = [
    "network",
    "depth",
    "width",
    "widths",
    "parametrization",
    "outputs",
    "bias",
    "bias-scale",
    "alpha",
    "trained",
    "init",
];

/// The settings of data and of the computation; every other one is refused.
pub(in crate::cli) fn settings_beside(command: &'static str, given: &Table) -> Result<Settings, anyhow::Error> {
    refuse(command, given, &Takes::Only(&["backend"]))?;
    if let Some(key) = SAID.iter().find(|key| given.contains_key(**key)) {
        let why = "the file says it; leave it out";
        return Err(unused_setting(command, given, key, why).into());
    }
    Ok(Settings::from_table(without_own(given))?)
}

/// How a file is to be read, from the settings.
pub(in crate::cli) fn reading(given: &Table, model: &Model, order: Option<&Vec<String>>, inputs: usize) -> Reading {
    let activation = given.contains_key("activation").then(|| model.activation.clone());
    Reading { activation, order: order.cloned(), inputs: Some(inputs) }
}

/// Computes the kernel; returns the exit code.
pub(super) fn kernel(args: &KernelArgs, path: &Path, given: &Table) -> Result<u8> {
    let Settings { model, training } = settings_beside(args.name(), given)?;
    if args.params_out.is_some() {
        let why = "the parameters are in the file already; leave it out";
        return Err(unused_setting(args.name(), given, "params-out", why).into());
    }
    let roles = Roles::new().reads("data", data::inputs(&model.data_spec())).reads("params", &args.params);
    roles.writes("out", &args.out)?;
    let format = args.out.as_deref().map(|out| check_output("out", out, &[Format::Npz, Format::Npy])).transpose()?;
    let budget = args.common.budget(OF_KERNEL);
    let samples = data::load(&model.data_spec(), &budget)?;
    warn(&samples, args.common.quiet);
    check_alike(&samples)?;
    let checkpoint =
        Checkpoint::read(path, &reading(given, &model, args.order.names.as_ref(), samples.d))?.at_one_rate();
    let network = checkpoint.network()?;
    args.outputs.of(network.sizes().outputs)?;
    let job = Job {
        args,
        format,
        backend: training.backend,
        model: &model,
        samples: &samples,
        description: checkpoint.describe(),
        from: From::Stored(&checkpoint.theta),
    };
    job.run(&network, least(budget.limit()))
}
