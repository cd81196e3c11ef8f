//! The command line: a table of contents.

#![deny(clippy::print_stderr, clippy::print_stdout)]

use std::process::ExitCode;

use ntkscope::cli::{
    self, Allocator, Command, bench, columns, compare, data, kernel, predict, reproduce, run, smoothness, terminal,
};

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn main() -> ExitCode {
    cli::catch_signals();
    let cli = terminal::parse();
    let result = match cli.command {
        Command::Run(args) => run::run(args),
        Command::Reproduce(args) => reproduce::reproduce(args),
        Command::Predict(args) => predict::predict(args),
        Command::Smoothness(args) => smoothness::run(args),
        Command::Kernel(args) => kernel::kernel(args),
        Command::Compare(args) => compare::compare(args),
        Command::Data(args) => data::data(args),
        Command::Columns(args) => columns::columns(args),
        Command::Bench(args) => bench::bench(args),
        Command::Completions { shell } => cli::completions(shell),
        Command::Man => cli::man(),
    };
    terminal::exit(result)
}
