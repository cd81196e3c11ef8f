//! The command line: what can be typed, exit codes, messages. The only floor that knows of flags.
//!
//! A command returns its exit code, or the error of the floor below that stopped it, whose code [`terminal`] knows.

mod allocator;
mod args;
pub mod bench;
mod call;
pub mod columns;
pub mod compare;
mod completions;
mod continued;
pub mod data;
pub mod device;
pub mod drift;
mod follow;
mod grid;
pub mod json;
pub mod kernel;
mod kernel_options;
pub mod large;
pub mod manual;
mod plan;
pub mod predict;
pub mod prediction;
mod progress;
mod ranked;
mod refusal;
pub mod regress;
pub mod report;
pub mod reproduce;
pub mod run;
mod signals;
pub mod smoothness;
pub mod spectrum;
mod streams;
pub mod sweep;
pub mod terminal;
pub mod unused;
mod usage;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

pub use allocator::Allocator;
pub use args::{Common, Drawing, Figures, ModelArgs, Page, Typed};
use bench::BenchArgs;
pub use call::Call;
use columns::ColumnsArgs;
use compare::CompareArgs;
pub use completions::completions;
use data::DataArgs;
use device::DeviceArgs;
use drift::DriftArgs;
pub use grid::GridArgs;
use kernel::KernelCommand;
use manual::ManArgs;
use predict::PredictArgs;
use regress::RegressArgs;
use report::ReportArgs;
use reproduce::ReproduceArgs;
use run::RunArgs;
use signals::catch as catch_signals;
use smoothness::SmoothnessArgs;
use spectrum::SpectrumArgs;
use sweep::SweepArgs;
pub use usage::{Failure, UsageError};

use crate::machine::begin_ranks;

const EXAMPLES: &str = "\
Examples:
  ntkscope run
      six points on the circle, cross-entropy next to squared error, in seconds
  ntkscope run --data mnist --data-dir DIR --classes parity --n 256 --width 512 --loss cross-entropy
      odd against even digits
  ntkscope reproduce divergence
      a paper's study: figures and a table of claims
  ntkscope run runs/circle-both/cross-entropy/run.toml
      the same run again, bit for bit
  ntkscope kernel analytic --data circle --depth 3 --out K.npz
      one kernel matrix
  ntkscope compare A.npz B.npz
      max, Frobenius, alignment, spectrum";

const COMPLETIONS: &str = "\
Examples:
  ntkscope completions bash > ~/.local/share/bash-completion/completions/ntkscope
  ntkscope completions fish > ~/.config/fish/completions/ntkscope.fish
  ntkscope completions zsh > ~/.zfunc/_ntkscope";

const MANUAL: &str = "\
Examples:
  ntkscope man kernel analytic | man -l -
  ntkscope man --out ~/.local/share/man/man1";

/// Shows when a neural network leaves the kernel regime, and by how much.
///
/// Trains fully connected and residual networks, measures their empirical neural tangent kernel along training, and
/// compares it with the analytic kernel of the infinitely wide network.
#[derive(Parser, Debug)]
#[command(name = "ntkscope", version = crate::report::VERSION, before_help = EXAMPLES, propagate_version = true)]
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
    /// Run a grid over any settings: figures and a table of every combination
    Sweep(SweepArgs),
    /// Lay finished runs over one another: one page of figures, and a table of what differs
    Report(ReportArgs),
    /// Make tables, figures and a report of what a board sends, or has sent
    Device(DeviceArgs),
    /// Predict what infinitely wide trained networks output on test points
    Predict(PredictArgs),
    /// Measure how smooth the labels are with respect to the NTK, and what random initialization costs
    Smoothness(SmoothnessArgs),
    /// Compute a kernel matrix, save it, print its summary
    #[command(before_help = kernel::EXAMPLES)]
    Kernel {
        /// Which kernel
        #[command(subcommand)]
        which: KernelCommand,
    },
    /// Ridge and logistic regression with a kernel that is never formed
    Regress(RegressArgs),
    /// Estimate the spectrum of a kernel that is never formed: both ends, density, effective rank
    Spectrum(SpectrumArgs),
    /// Compare two kernels: max, Frobenius, alignment, spectrum
    Compare(CompareArgs),
    /// Compare checkpoints of one network: drift of its kernel, spectra, margins
    Drift(DriftArgs),
    /// List, show and fetch data sets
    Data(DataArgs),
    /// Describe every column and array of the result files
    Columns(ColumnsArgs),
    /// Benchmark kernels and training against the machine's peak
    Bench(BenchArgs),
    /// Print completions for a shell
    #[command(before_help = COMPLETIONS)]
    Completions {
        /// Shell
        shell: Shell,
    },
    /// Print manual pages: of a command, of the files, of the JSON output
    #[command(before_help = MANUAL)]
    Man(ManArgs),
}

/// Does what was typed, and returns the exit code. Signals are caught from here on.
pub fn main(call: Call) -> u8 {
    call.remember();
    // dropped at the end, which all ranks reach
    let _ranks = begin_ranks();
    catch_signals();
    let cli = match terminal::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    if let Err(refused) = ranked::check(&cli.command) {
        return terminal::exit(Err(refused.into()));
    }
    let result = match cli.command {
        Command::Run(args) => run::run(args),
        Command::Reproduce(args) => reproduce::reproduce(args),
        Command::Sweep(args) => sweep::sweep(args),
        Command::Report(args) => report::report(&args),
        Command::Device(args) => device::device(&args),
        Command::Predict(args) => predict::predict(args),
        Command::Smoothness(args) => smoothness::run(args),
        Command::Kernel { which } => kernel::kernel(which.args()),
        Command::Regress(args) => regress::regress(args),
        Command::Spectrum(args) => spectrum::spectrum(args),
        Command::Compare(args) => compare::compare(args),
        Command::Drift(args) => drift::drift(args),
        Command::Data(args) => data::data(args),
        Command::Columns(args) => columns::columns(args),
        Command::Bench(args) => bench::bench(args),
        Command::Completions { shell } => completions(shell),
        Command::Man(args) => manual::man(&args),
    };
    ranked::end_if_failed(&result);
    terminal::exit(result)
}

/// The command line as people type it: help texts that fit the terminal, numbers that may be negative, and no word of what
/// a command has no use for.
pub fn command() -> clap::Command {
    let width = help_width();
    let command = unused::hidden(Cli::command()).term_width(width);
    fitted(command, width)
}

fn fitted(command: clap::Command, width: usize) -> clap::Command {
    let examples = command.get_before_help().map(|text| wrapped(&text.to_string(), width));
    let command = command
        .mut_args(|argument| match argument.get_action().takes_values() {
            true => argument.allow_negative_numbers(true),
            false => argument,
        })
        .mut_subcommands(|inner| fitted(inner, width));
    match examples {
        Some(examples) => command.before_help(examples),
        None => command,
    }
}

/// Columns that a help text may take: what `COLUMNS` says, else what the terminal has, at most 100.
fn help_width() -> usize {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let seen = || terminal_size::terminal_size().map(|(columns, _)| usize::from(columns.0));
    said.or_else(seen).unwrap_or(100).clamp(30, 100)
}

/// Examples in lines of at most this width where their words allow it; a command is continued as a shell wants it.
fn wrapped(examples: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in examples.lines() {
        let indent = line.len() - line.trim_start().len();
        let (end, more) = if line.trim_start().starts_with("ntkscope ") { (" \\", indent + 4) } else { ("", indent) };
        let mut now = " ".repeat(indent);
        for word in line.split_whitespace() {
            let begun = !now.trim().is_empty();
            if begun && now.chars().count() + 1 + word.chars().count() + end.len() > width {
                lines.push(format!("{now}{end}"));
                now = " ".repeat(more);
            }
            if !now.trim().is_empty() {
                now.push(' ');
            }
            now.push_str(word);
        }
        lines.push(now);
    }
    lines.join("\n")
}
