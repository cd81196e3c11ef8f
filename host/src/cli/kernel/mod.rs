//! `ntkscope kernel analytic / empirical`: one kernel matrix.

mod computation;
pub(super) mod stored;

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, Subcommand};
use ntkscope_core::forward::Params;
use ntkscope_core::init::initialize;
use ntkscope_core::kernel::AnalyticKernel;
use ntkscope_core::network::Network;
use serde_json::json;
use toml::{Table, Value};

use computation::Computation;

use super::json;
use super::ranked::{check_alike, least};
use super::terminal::{DONE, INTERRUPTED, print, say, stop_on_interrupt, warn};
use crate::backend::HostReal;
use crate::cli::args::{OF_KERNEL, OF_NETWORK};
use crate::cli::kernel_options::{OrderArgs, OutputsArgs};
use crate::cli::unused::{Takes, refuse, refuse_seed, unused_setting, used};
use crate::cli::{Common, ModelArgs};
use crate::data;
use crate::data::Samples;
use crate::experiment::{BackendKind, Model, Settings};
use crate::files::{Dtype, Format, Roles, check_output};
use crate::kernel::{Analytic, Empirical, KernelWork, Suspects};
use crate::machine::{Ended, MemoryLimit, Stop, ranks, with_threads};
use crate::run::params::{read_parameters, reading_bytes};
use crate::run::{backend_of, tensors, write_parameters};

pub(super) const EXAMPLES: &str = "\
Examples:
  ntkscope kernel analytic --depth 3 --bias none
  ntkscope kernel empirical --width 4096 --out K.npz --params-out P.npz
  ntkscope kernel empirical --params P.npz --init standard --data samples.csv
  ntkscope kernel empirical --params model.safetensors --activation gelu --data x.npy --out K.npz
      a network trained in PyTorch or Flax, at its parameters as they are stored
  ntkscope kernel empirical --data mnist --data-dir DIR --dtype f32 --memory 1GiB --out K.npy
      larger than memory: read it with numpy.load('K.npy', mmap_mode='r')";

/// What is given beside the settings that a file can have.
const KERNEL_ONLY: [&str; 4] = ["multi-output", "params", "params-out", "order"];

/// Which kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelKind {
    /// of the infinitely wide network
    Analytic,
    /// of the network at its parameters
    Empirical,
}

/// `ntkscope kernel analytic / empirical`
#[derive(Subcommand, Debug)]
pub enum KernelCommand {
    /// Compute the kernels of the infinitely wide network: NTK and NNGP
    Analytic(KernelArgs),
    /// Compute the NTK of a finite network at its parameters
    Empirical(KernelArgs),
}

impl KernelCommand {
    /// What was asked for.
    pub fn args(self) -> KernelArgs {
        match self {
            Self::Analytic(args) => KernelArgs { kind: KernelKind::Analytic, ..args },
            Self::Empirical(args) => KernelArgs { kind: KernelKind::Empirical, ..args },
        }
    }
}

/// `ntkscope kernel`
#[derive(Args, Debug)]
#[command(before_help = EXAMPLES)]
pub struct KernelArgs {
    /// Which kernel
    #[arg(skip = KernelKind::Empirical)]
    pub kind: KernelKind,
    /// Network and data
    #[command(flatten)]
    pub model: ModelArgs,
    /// Which outputs
    #[command(flatten)]
    pub outputs: OutputsArgs,
    /// Read the network's parameters instead of initializing them (npz or safetensors, names W0, b0, …); a shifted network
    /// has the parameters and the kernel of a standard one. Or a network of another program: a state dict of PyTorch or Flax
    /// (safetensors, npz, .pt), whose layers are told from names and shapes; give its --activation
    #[arg(long, value_name = "FILE", help_heading = "Kernel")]
    pub params: Option<PathBuf>,
    /// Which order of layers
    #[command(flatten)]
    pub order: OrderArgs,
    /// Save the network's parameters; an existing file is replaced
    #[arg(long, value_name = "FILE.npz", help_heading = "Output")]
    pub params_out: Option<PathBuf>,
    /// Save the kernel: K.npz (arrays kernel, eigenvalues, x, and y if present; analytic: also ntk, nngp and
    /// nngp_eigenvalues), or K.npy (kernel only, of any size); an existing file is replaced
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Implementation of products and decompositions [default: fast]
    #[arg(long, value_enum, help_heading = "Machine")]
    pub backend: Option<BackendKind>,
    /// The rest
    #[command(flatten)]
    pub common: Common,
}

impl KernelArgs {
    /// The command, as it is typed after `ntkscope`.
    fn name(&self) -> &'static str {
        match self.kind {
            KernelKind::Analytic => "kernel analytic",
            KernelKind::Empirical => "kernel empirical",
        }
    }

    /// The network in a few words.
    fn describe(&self, model: &Model) -> String {
        match self.kind {
            KernelKind::Analytic => model.describe_limit(),
            KernelKind::Empirical => model.describe(),
        }
    }

    /// All settings that the kernel comes from.
    fn used(&self, model: &Model, backend: BackendKind) -> Result<Table> {
        let mut all = Table::try_from(model)?;
        all.insert("backend".into(), Value::String(backend.to_string()));
        all.insert("multi-output".into(), Value::String(self.outputs.text().into()));
        if let Some(path) = &self.params {
            all.insert("params".into(), Value::String(path.display().to_string()));
        }
        Ok(used(self.name(), all))
    }

    /// All that was given, with what is no setting of a network.
    fn given(&self) -> Result<Table> {
        let text = |text: String| Value::String(text);
        let path = |path: &PathBuf| text(path.display().to_string());
        let given = [
            ("backend", self.backend.map(|backend| text(backend.to_string()))),
            ("params", self.params.as_ref().map(path)),
            ("params-out", self.params_out.as_ref().map(path)),
        ];
        let own = given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        self.model.given(&own.chain(self.outputs.given()).chain(self.order.given()).collect(), None)
    }
}

/// Computes, saves, prints; returns the exit code.
pub fn kernel(args: KernelArgs) -> Result<u8> {
    with_threads(args.common.threads, || kernel_here(args))?
}

/// Computes on this pool's threads.
fn kernel_here(args: KernelArgs) -> Result<u8> {
    let given = args.given()?;
    if let Some(path) = stored::by_another_program(&args)? {
        return stored::kernel(&args, path, &given);
    }
    if args.order.names.is_some() {
        let why = match args.params {
            Some(_) => "the file has our own names, whose order is known; leave it out",
            None => "no file of parameters is read whose layers it would order; give --params, or leave it out",
        };
        return Err(unused_setting(args.name(), &given, "order", why).into());
    }
    let settings = without_own(&given);
    let Settings { model, training } = Settings::from_table(settings)?;
    let format = check(&args, &given, &model)?;
    let drawn = args.kind == KernelKind::Empirical && args.params.is_none();
    let budget = args.common.budget(if drawn { OF_NETWORK } else { OF_KERNEL });
    let samples = data::load(&model.data_spec(), &budget)?;
    warn(&samples, args.common.quiet);
    check_alike(&samples)?;
    let shape = model.shape(&samples)?;
    let (model, network) = (model.resolve(&samples)?, model.network(&shape)?);
    let (backend, description) = (training.backend, args.describe(&model));
    let from = args.params.as_deref().map_or(From::Seed, From::OwnFile);
    let job = Job { args: &args, format, backend, model: &model, samples: &samples, description, from };
    job.run(&network, least(budget.limit()))
}

/// The settings without what is given beside them.
pub(super) fn without_own(given: &Table) -> Table {
    given.clone().into_iter().filter(|(key, _)| !KERNEL_ONLY.contains(&key.as_str())).collect()
}

/// Where parameters come from.
enum From<'a> {
    Seed,
    /// a file under our own names
    OwnFile(&'a Path),
    /// they are read
    Stored(&'a [f64]),
}

/// What one kernel is computed from.
struct Job<'a> {
    args: &'a KernelArgs,
    format: Option<Format>,
    backend: BackendKind,
    model: &'a Model,
    samples: &'a Samples,
    description: String,
    from: From<'a>,
}

impl Job<'_> {
    /// Computes the kernel of this network in the model's scalar; returns the exit code.
    fn run<N: Network>(&self, network: &N, limit: Option<MemoryLimit>) -> Result<u8> {
        let done = match self.model.dtype {
            Dtype::F64 => self.run_as::<f64, _>(network, limit),
            Dtype::F32 => self.run_as::<f32, _>(network, limit),
        };
        match done? {
            Ended::Stopped => {
                say("interrupted");
                Ok(INTERRUPTED)
            }
            Ended::Done(()) => Ok(DONE),
        }
    }

    fn run_as<T: HostReal, N: Network>(&self, network: &N, limit: Option<MemoryLimit>) -> Result<Ended> {
        let Self { args, format, backend: kind, model, samples, description, from } = self;
        let (format, kind) = (*format, *kind);
        let (sizes, backend) = (network.sizes(), backend_of::<T>(kind));
        let outputs = args.outputs.of(sizes.outputs)?;
        let empirical = args.kind == KernelKind::Empirical;
        let reading = match from {
            From::Seed => 0,
            From::OwnFile(_) => reading_bytes(network),
            // as they were read
            From::Stored(numbers) => 8 * numbers.len() as u64,
        };
        let writing = args.params_out.as_ref().map_or(0, |_| 8u64.saturating_mul(sizes.parameters as u64));
        let mut job = KernelWork::new::<T>(network, samples.n, empirical.then_some(outputs));
        (job.summary, job.tile, job.files) = (true, backend.tile(), reading.max(writing));
        // only the fast backend packs
        job.widest = job.widest.filter(|_| kind == BackendKind::Fast);
        let plan = job.plan(limit)?;
        let suspects =
            Suspects { x: &samples.x, d: samples.d, dtype: model.dtype, biased: Suspects::biased(network), empirical };
        let computation = Computation { args, backend, dtype: model.dtype, rows: job.rows(), suspects, plan, format };
        computation.check_out(limit)?;
        let stop = if plan.cut.is_some() { stop_on_interrupt() } else { Stop::new() };
        if !args.common.quiet {
            if !args.common.json {
                say(&format!("{description}; {}", samples.description));
            }
            say(&computation.describe(samples.n, limit));
        }
        let mut computed = Vec::new();
        if empirical {
            let mut theta = vec![T::ZERO; sizes.parameters];
            match from {
                From::Seed => initialize(network, model.seed, &mut theta)?,
                From::OwnFile(path) => read_parameters(path, network, model, &mut theta)?,
                From::Stored(numbers) => {
                    theta.iter_mut().zip(*numbers).for_each(|(theta, number)| *theta = T::from_f64(*number));
                }
            }
            let params = Params::new(network, &theta)?;
            let source = Empirical { backend, params, samples: *samples, outputs };
            let Ended::Done(kernel) = computation.compute("kernel", &source, args.out.as_deref(), &stop)? else {
                return Ok(Ended::Stopped);
            };
            computed.push(kernel);
            if let Some(path) = args.params_out.as_ref().filter(|_| ranks().is_first()) {
                write_parameters(path, &tensors(network, &theta), model)?;
            }
        } else {
            for (name, which) in [("ntk", AnalyticKernel::Ntk), ("nngp", AnalyticKernel::Nngp)] {
                let out = args.out.as_deref().filter(|_| which == AnalyticKernel::Ntk);
                let source = Analytic { backend, network, samples: *samples, which };
                let Ended::Done(kernel) = computation.compute(name, &source, out, &stop)? else {
                    return Ok(Ended::Stopped);
                };
                computed.push(kernel);
            }
        }
        computation.save(&computed, samples)?;
        if !args.common.json {
            computed.iter().try_for_each(|computed| print(&computed.describe()))?;
            return Ok(Ended::Done(()));
        }
        let kernels: serde_json::Map<String, serde_json::Value> =
            computed.iter().map(|computed| (computed.name.to_owned(), computed.json())).collect();
        let blocks = plan.cut.map_or(1, |cut| cut.parts(samples.n).count());
        let limit = limit.map(|limit| limit.bytes);
        let memory =
            json!({ "forecast": plan.forecast, "limit": limit, "blocks": blocks, "whole": plan.cut.is_none() });
        let mut all = json::document(
            args.name(),
            &args.used(model, kind)?,
            json!({ "kernels": kernels, "network": description, "data": samples.description, "targets": samples.targets,
                "class_labels": samples.class_names(), "memory": memory }),
        );
        // each under its name too, as the first version had them
        all.extend(kernels);
        json::print_document(&all)?;
        Ok(Ended::Done(()))
    }
}

/// Checks what needs no data, before any is read; returns the format of `--out`.
fn check(args: &KernelArgs, given: &Table, model: &Model) -> Result<Option<Format>> {
    model.check()?;
    let command = args.name();
    refuse(command, given, &Takes::Only(&["backend"]))?;
    refuse_seed(command, given, args.kind == KernelKind::Empirical && args.params.is_none())?;
    let read = Roles::new().reads("data", data::inputs(&model.data_spec())).reads("params", &args.params);
    read.writes("out", &args.out)?.writes("params-out", &args.params_out)?;
    args.params_out.as_deref().map_or(Ok(()), |path| check_output("params-out", path, &[Format::Npz]).map(drop))?;
    let out = args.out.as_deref();
    Ok(out.map(|path| check_output("out", path, &[Format::Npz, Format::Npy])).transpose()?)
}
