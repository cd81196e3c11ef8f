//! The command line: a table of contents.

#![deny(clippy::print_stderr, clippy::print_stdout)]

use std::process::ExitCode;

use ntkscope::cli::{
    self, Allocator, Command, bench, columns, compare, data, drift, kernel, manual, predict, reproduce, run,
    smoothness, terminal,
};

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn main() -> ExitCode {
    cli::catch_signals();
    let cli = match terminal::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let result = match cli.command {
        Command::Run(args) => run::run(args),
        Command::Reproduce(args) => reproduce::reproduce(args),
        Command::Predict(args) => predict::predict(args),
        Command::Smoothness(args) => smoothness::run(args),
        Command::Kernel { which } => kernel::kernel(which.args()),
        Command::Compare(args) => compare::compare(args),
        Command::Drift(args) => drift::drift(args),
        Command::Data(args) => data::data(args),
        Command::Columns(args) => columns::columns(args),
        Command::Bench(args) => bench::bench(args),
        Command::Completions { shell } => cli::completions(shell),
        Command::Man(args) => manual::man(&args),
    };
    terminal::exit(result)
}
