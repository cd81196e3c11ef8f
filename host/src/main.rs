//! The command line.

#![deny(clippy::print_stderr, clippy::print_stdout)]

use std::process::ExitCode;

use ntkscope::cli::{self, Allocator};

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn main() -> ExitCode {
    ExitCode::from(cli::main(cli::Call::of_process()))
}
