//! What can be typed: the commands, and the options that they share. Those of one command stand beside it.

use std::path::Path;

use bytesize::ByteSize;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::commands::bench::BenchArgs;
use crate::commands::compare::CompareArgs;
use crate::commands::data::DataArgs;
use crate::commands::kernel::KernelArgs;
use crate::commands::predict::PredictArgs;
use crate::commands::reproduce::ReproduceArgs;
use crate::commands::run::RunArgs;
use crate::commands::smoothness::SmoothnessArgs;
use crate::error::UsageError;
use crate::settings::{ModelSettings, Settings, TrainingSettings};

const EXAMPLES: &str = "\
Examples:
  ntkscope run
      six points on the circle, cross-entropy beside squared error, in seconds
  ntkscope run --data mnist --data-dir DIR --classes parity --n 256 --width 512 --loss cross-entropy
      odd against even digits
  ntkscope reproduce divergence
      a paper's study: figures and a table of claims
  ntkscope run runs/circle-both/cross-entropy/run.toml
      the same run again, with the same bits
  ntkscope kernel analytic --data circle --depth 3 --out K.npz
      one kernel matrix
  ntkscope compare A.npz B.npz
      every distance between two kernels";

/// Shows when a neural network leaves the kernel regime, and by how much.
///
/// Trains fully connected and residual networks, measures their empirical neural tangent kernel along training, and
/// compares it with the analytic kernel of the infinitely wide network.
#[derive(Parser, Debug)]
#[command(name = "ntkscope", version, before_help = EXAMPLES, propagate_version = true)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Train one network and record its kernel along the way
    Run(RunArgs),
    /// Carry out a paper's study: a grid of runs, figures, a table of claims
    Reproduce(ReproduceArgs),
    /// Predict trained networks on test points from kernels alone: mean, deviation, class probabilities
    Predict(PredictArgs),
    /// How smooth the labels of a data set are for the NTK, and what random initialization costs there
    Smoothness(SmoothnessArgs),
    /// Compute one kernel matrix, save it, print its summary
    Kernel(KernelArgs),
    /// Every distance between two kernels
    Compare(CompareArgs),
    /// The data sets: list, show, fetch
    Data(DataArgs),
    /// How fast kernels and training are on this machine, and how near its limit
    Bench(BenchArgs),
    /// Completions for a shell, on standard output
    Completions {
        /// the shell
        shell: Shell,
    },
    /// The manual page, on standard output
    Man,
}

/// Options of every command that works.
#[derive(Args, Debug, Clone)]
pub struct Common {
    /// One machine-readable summary on standard output
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// No messages and no progress bar
    #[arg(long, short, help_heading = "Output")]
    pub quiet: bool,
    /// Threads; results do not depend on it [default: all cores]
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Machine")]
    pub threads: Option<u16>,
    /// Take no more memory than this, e.g. 4GiB: work in blocks, or refuse [default: what is free]
    #[arg(long, value_name = "SIZE", help_heading = "Machine")]
    pub memory: Option<ByteSize>,
}

/// Network and data of every command that builds a network.
#[derive(Args, Debug)]
pub struct ModelArgs {
    /// One setting, e.g. width=512; below flags, above a file of settings
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// The flags
    #[command(flatten)]
    pub settings: ModelSettings,
}

impl ModelArgs {
    /// With the flags of training, over `file`. Errors: those of [`Settings::layered`].
    pub fn layered(&self, training: TrainingSettings, file: Option<&Path>) -> Result<Settings, UsageError> {
        Settings::layered(&Settings { model: self.settings.clone(), training }, &self.set, file)
    }
}
