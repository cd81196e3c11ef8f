//! What the commands share whose kernels are never formed: which kernel, of which network, and the memory of its products.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use ntkscope_core::forward::Params;
use ntkscope_core::init::initialize;
use ntkscope_core::kernel::{AnalyticKernel, MultiOutput};
use ntkscope_core::network::Network;
use toml::{Table, Value};

use super::ModelArgs;
use super::kernel::stored;
use super::unused::{NOT_ORDERED, refuse_seed, scales_with_width, unused_setting};
use crate::backend::{HostReal, threads};
use crate::checkpoint::{Checkpoint, ParameterFile, is_torch};
use crate::cli::args::{OF_KERNEL, OF_NETWORK};
use crate::cli::kernel_options::OrderArgs;
use crate::data::Samples;
use crate::experiment::{Model, Settings};
use crate::files::Dtype;
use crate::kernel::{Analytic, Empirical, Gradients, KernelSource, Operator, Panels, ProductPlan, ProductWork, Space};
use crate::machine::{Ended, Stop, ranks};
use crate::run::params::{read_parameters, reading_bytes};

/// Which kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LargeKernel {
    /// analytic NTK of the infinitely wide network
    #[default]
    Ntk,
    /// analytic NNGP kernel, the covariance of its outputs at initialization
    Nngp,
    /// NTK of one network, at initialization or at --params
    Empirical,
}

/// Which kernel, of which parameters.
#[derive(Args, Debug)]
pub struct LargeArgs {
    /// Kernel
    #[arg(long, value_enum, default_value_t, help_heading = "Kernel")]
    pub kernel: LargeKernel,
    /// With --kernel empirical: read the network's parameters instead of initializing them (npz or safetensors, names W0, b0, …), or
    /// a network of PyTorch or Flax, whose layers are told from names and shapes; give its --activation
    #[arg(long, value_name = "FILE", help_heading = "Kernel")]
    pub params: Option<PathBuf>,
    /// Which order of layers
    #[command(flatten)]
    pub order: OrderArgs,
}

/// Everything that a kernel comes from.
#[derive(Clone)]
pub(super) struct Asked {
    /// settings of data and network
    pub(super) settings: Settings,
    /// all that was given
    pub(super) given: Table,
}

/// What is to be done with a kernel.
pub(super) trait Task {
    /// What comes of it.
    type Found;
    /// Does it, in the scalar T.
    fn run<T: HostReal, N: Network>(self, large: Large<'_, N, T>) -> Result<Ended<Self::Found>>;
}

/// A kernel on samples.
pub(super) struct Large<'a, N, T> {
    pub(super) network: &'a N,
    /// of an empirical kernel
    pub(super) theta: &'a [T],
    pub(super) which: LargeKernel,
    pub(super) samples: &'a Samples,
    pub(super) model: &'a Model,
    /// of network and kernel, in words
    pub(super) described: String,
}

impl LargeArgs {
    /// The settings of a command that has these, before any data are read.
    pub(super) fn ask(&self, command: &'static str, model: &ModelArgs, others: Table) -> Result<Asked> {
        let params = self.params.as_ref().map(|path| ("params".to_owned(), Value::String(path.display().to_string())));
        let given = model.given(&params.into_iter().chain(self.order.given()).chain(others).collect(), None)?;
        let empirical = self.kernel == LargeKernel::Empirical;
        let infinite = "the kernel is that of the infinitely wide network; leave it out, or give --kernel empirical";
        for key in ["params", "order", "multi-output", "against", "init", "outputs"] {
            if !empirical && given.contains_key(key) {
                return Err(unused_setting(command, &given, key, infinite).into());
            }
        }
        if !empirical && command == "spectrum" && given.contains_key("targets") {
            return Err(
                unused_setting(command, &given, "targets", "the kernel does not depend on y; leave it out").into()
            );
        }
        if !empirical && given.contains_key("width") && !scales_with_width(&given) {
            return Err(unused_setting(command, &given, "width", infinite).into());
        }
        refuse_seed(command, &given, empirical && self.params.is_none())?;
        let settings = if self.by_another_program() {
            stored::settings_beside(command, &given)?
        } else {
            if self.order.names.is_some() {
                return Err(unused_setting(command, &given, "order", NOT_ORDERED).into());
            }
            Settings::from_table(stored::without_own(&given))?
        };
        settings.model.check()?;
        Ok(Asked { settings, given })
    }

    /// What makes the work smaller.
    pub(super) fn smaller(&self) -> &'static str {
        let drawn = self.kernel == LargeKernel::Empirical && self.params.is_none();
        if drawn { OF_NETWORK } else { OF_KERNEL }
    }

    fn by_another_program(&self) -> bool {
        let stored = |path: &PathBuf| is_torch(path) || ParameterFile::open(path).is_ok_and(|file| !file.is_ours());
        self.params.as_ref().is_some_and(stored)
    }

    /// Does the task with the kernel on these samples.
    pub(super) fn with<Q: Task>(&self, asked: &Asked, samples: &Samples, task: Q) -> Result<Ended<Q::Found>> {
        let model = &asked.settings.model;
        if let Some(path) = self.params.as_deref().filter(|_| self.by_another_program()) {
            let reading = stored::reading(&asked.given, model, self.order.names.as_ref(), samples.d);
            let checkpoint = Checkpoint::read(path, &reading)?.at_one_rate();
            let theta = From::Stored(&checkpoint.theta);
            return self.in_scalar(model, &checkpoint.network()?, (theta, checkpoint.describe()), samples, task);
        }
        let shape = model.shape(samples)?;
        let (model, network) = (model.resolve(samples)?, model.network(&shape)?);
        let (from, described) = match self.kernel {
            LargeKernel::Empirical => (self.params.as_ref().map_or(From::Seed, From::OwnFile), model.describe()),
            _ => (From::Nowhere, model.describe_limit()),
        };
        self.in_scalar(&model, &network, (from, described), samples, task)
    }

    fn in_scalar<N: Network, Q: Task>(
        &self,
        model: &Model,
        network: &N,
        (from, described): (From<'_>, String),
        samples: &Samples,
        task: Q,
    ) -> Result<Ended<Q::Found>> {
        match model.dtype {
            Dtype::F64 => self.run::<f64, N, Q>(model, network, (from, described), samples, task),
            Dtype::F32 => self.run::<f32, N, Q>(model, network, (from, described), samples, task),
        }
    }

    fn run<T: HostReal, N: Network, Q: Task>(
        &self,
        model: &Model,
        network: &N,
        (from, described): (From<'_>, String),
        samples: &Samples,
        task: Q,
    ) -> Result<Ended<Q::Found>> {
        let theta = from.parameters::<T, N>(network, model)?;
        task.run(Large { network, theta: &theta, which: self.kernel, samples, model, described })
    }
}

/// Where parameters come from.
enum From<'a> {
    /// there are none
    Nowhere,
    Seed,
    OwnFile(&'a PathBuf),
    /// they are read
    Stored(&'a [f64]),
}

impl From<'_> {
    fn parameters<T: HostReal, N: Network>(&self, network: &N, model: &Model) -> Result<Vec<T>> {
        let mut theta = vec![T::ZERO; if matches!(self, Self::Nowhere) { 0 } else { network.sizes().parameters }];
        match self {
            Self::Nowhere => {}
            Self::Seed => initialize(network, model.seed, &mut theta)?,
            Self::OwnFile(path) => read_parameters(path, network, model, &mut theta)?,
            Self::Stored(numbers) => {
                theta.iter_mut().zip(*numbers).for_each(|(theta, number)| *theta = T::from_f64(*number));
            }
        }
        Ok(theta)
    }
}

impl<N: Network, T: HostReal> Large<'_, N, T> {
    /// What its products take, with `beside` bytes of whatever else is held.
    pub(super) fn work(&self, outputs: MultiOutput, beside: u64) -> ProductWork {
        let sizes = self.network.sizes();
        let parameters = size_of_val(self.theta) as u64;
        // they were read before anything else is held
        let reading = if self.theta.is_empty() { 0 } else { reading_bytes(self.network) };
        ProductWork {
            samples: self.samples.n,
            inputs: self.samples.d,
            sizes,
            empirical: (self.which == LargeKernel::Empirical).then_some(outputs),
            scalar: size_of::<T>(),
            tile: T::fast().tile(),
            threads: threads(),
            ranks: ranks().size(),
            beside: beside.max(reading).saturating_add(parameters),
        }
    }

    /// C: what the targets have, or the network's own.
    pub(super) fn outputs(&self) -> Result<usize> {
        Ok(self.model.shape(self.samples)?.outputs)
    }

    /// The analytic kernel that was asked for.
    pub(super) fn analytic(&self) -> Analytic<'_, N, T> {
        let which = if self.which == LargeKernel::Nngp { AnalyticKernel::Nngp } else { AnalyticKernel::Ntk };
        Analytic { backend: T::fast(), network: self.network, samples: self.samples, which }
    }

    /// The empirical one, at these parameters.
    pub(super) fn empirical<'s>(&'s self, theta: &'s [T], outputs: MultiOutput) -> Result<Empirical<'s, N, T>> {
        Ok(Empirical { backend: T::fast(), params: Params::new(self.network, theta)?, samples: self.samples, outputs })
    }
}

/// Products with an analytic kernel.
pub(super) fn by_panels<'a, T: HostReal, S: KernelSource<T>>(source: &'a S) -> Box<dyn Operator + 'a> {
    Box::new(Panels::new(source).among(ranks()))
}

/// Products with an empirical kernel, as they were planned.
pub(super) fn by_gradients<'a, N: Network, T: HostReal>(
    source: &'a Empirical<'a, N, T>,
    plan: ProductPlan,
    spaces: &'a mut Vec<Space<T>>,
    stop: &Stop,
) -> Result<Ended<Box<dyn Operator + 'a>>> {
    let made_anew = Gradients::new(source, plan.at_once).among(ranks());
    if !plan.keep {
        return Ok(Ended::Done(Box::new(made_anew)));
    }
    Ok(match made_anew.keeping(spaces, stop)? {
        Ended::Done(operator) => Ended::Done(Box::new(operator)),
        Ended::Stopped => Ended::Stopped,
    })
}
