//! The command line: what can be typed, exit codes, messages. The only floor that knows of flags.
//!
//! A command returns its exit code, or the error of the floor below that stopped it, whose code [`terminal`] knows.

mod allocator;
mod args;
pub mod bench;
pub mod columns;
pub mod compare;
pub mod data;
pub mod kernel;
mod plan;
pub mod predict;
pub mod prediction;
mod progress;
pub mod reproduce;
pub mod run;
mod signals;
pub mod smoothness;
mod streams;
pub mod terminal;
mod usage;

use anyhow::Result;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

pub use allocator::Allocator;
pub use args::{Common, ModelArgs, Typed};
use bench::BenchArgs;
use columns::ColumnsArgs;
use compare::CompareArgs;
use data::DataArgs;
use kernel::KernelArgs;
use predict::PredictArgs;
use reproduce::ReproduceArgs;
use run::RunArgs;
pub use signals::catch as catch_signals;
use smoothness::SmoothnessArgs;
use terminal::{DONE, print};
pub use usage::{Failure, UsageError};

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
      max, Frobenius, alignment, spectrum";

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
    /// Reproduce a paper's study: a grid of runs, figures, a table of claims
    Reproduce(ReproduceArgs),
    /// Predict what infinitely wide trained networks output on test points
    Predict(PredictArgs),
    /// How smooth the labels of a data set are for the NTK, and what random initialization costs there
    Smoothness(SmoothnessArgs),
    /// Compute one kernel matrix, save it, print its summary
    Kernel(KernelArgs),
    /// Compare two kernels: max, Frobenius, alignment, spectrum
    Compare(CompareArgs),
    /// The data sets: list, show, fetch
    Data(DataArgs),
    /// What every column and array of the files of results is
    Columns(ColumnsArgs),
    /// Benchmark kernels and training against the machine's peak
    Bench(BenchArgs),
    /// Completions for a shell, on standard output
    Completions {
        /// the shell
        shell: Shell,
    },
    /// The manual page, on standard output
    Man,
}

/// The manual page on standard output.
pub fn man() -> Result<u8> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(Failure::text("manual page"))?;
    print(String::from_utf8(page).map_err(Failure::text("manual page"))?.trim_end())?;
    Ok(DONE)
}

/// Completions for a shell on standard output.
pub fn completions(shell: Shell) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ntkscope", &mut script);
    print(String::from_utf8(script).map_err(Failure::text("completions"))?.trim_end())?;
    Ok(DONE)
}
