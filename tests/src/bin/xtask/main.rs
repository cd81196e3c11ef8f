//! `cargo xtask`: what a developer and the continuous integration do beyond `cargo build`.
//!
//! - [`steps`]: everything that is checked, in order
//! - [`workspace`]: the steps on the host: format, clippy, documentation, tests
//! - [`declared`]: the oldest compiler, the opt-levels of the arithmetic
//! - [`floors`]: the order of the host's modules, as ARCHITECTURE.md has it
//! - [`fuzz`]: every reader of files on hostile input
//! - [`mutants`]: deliberate errors in the physics, [`errors`], and which claim of a study notices each
//! - [`audit`]: unsafe code sanitized, licences
//! - [`dist`]: programs that run without anything installed, packed with their licences and pages
//! - [`python`]: the tests of the Python package, its wheel
//! - [`toolchain`]: a Rust that builds for a Cortex-M, installed where it is missing
//! - [`board`]: what the first line of `firmware/boards/NAME.x` says
//! - [`image`]: the firmware's binaries, built; how much flash and RAM they take
//! - [`qemu`]: one image run in QEMU, its frames decoded
//! - [`experiment`]: what the images compute, compiled for this machine; [`experiments`]: their list, from the folder
//! - [`board_tasks`]: `qemu`, `flash` and `compare`: an image started, its frames shown, recorded, compared
//! - [`terminal`]: what is shown of them
//! - [`standalone`]: boards without a debugger; [`one_bit`]: a flipped bit is named by every way to this machine
//! - [`ends`]: what goes wrong on a board ends with a sentence
//! - [`own`]: a new experiment on one's own samples
//! - [`mod@reference`]: the same experiment on this machine, and the comparison bit for bit
//! - [`sizes`]: the table of flash, RAM and stack; [`budgets`] of them, [`panics`] in machine code
//! - `clock`, `clocks`: the firmware's set-up of clocks, and the test on models of the `registers`
//! - `keep`, `kept`: the firmware's way into a board's flash, and the test on a model of one
//! - `soft`, `soft_floats`: the firmware's sums and products of floats, and the test that holds them against this machine's
//! - [`mod@bench`]: the table of what the passes of a network cost on a core
//! - [`web`]: the page, built, served, and compared with the command line
//! - [`process`]: other programs, each under a time limit

mod audit;
mod bench;
mod board;
mod board_tasks;
mod budgets;
// How a board's clock is set up, and its flash written: the same files, on models of the registers.
#[cfg(test)]
#[path = "../../../../firmware/src/clock/mod.rs"]
mod clock;
#[cfg(test)]
mod clocks;
// What `bench` measures: the same file, whose multiply-adds a test counts.
#[cfg(test)]
#[allow(unreachable_pub, reason = "public in the firmware, whose binaries are crates of their own")]
#[path = "../../../../firmware/src/cost.rs"]
mod cost;
mod declared;
mod dist;
mod ends;
mod errors;
#[cfg(test)]
#[path = "../../../../firmware/src/keep.rs"]
mod keep;
#[cfg(test)]
mod kept;
#[cfg(test)]
#[path = "../../../../firmware/src/registers.rs"]
mod registers;
// The firmware's experiments themselves: the same files, compiled for this machine.
#[allow(dead_code, unreachable_pub, reason = "public in the firmware, whose binaries are crates of their own")]
#[path = "../../../../firmware/src/experiment/mod.rs"]
mod experiment;
mod experiments;
mod floors;
mod fuzz;
mod image;
mod mutants;
mod one_bit;
mod own;
mod panics;
mod process;
mod python;
mod qemu;
mod reference;
mod sizes;
mod standalone;
// The floats of a core without an FPU: the same file, held against the processor's.
#[cfg(test)]
#[path = "../../../../firmware/src/soft.rs"]
mod soft;
#[cfg(test)]
mod soft_floats;
mod steps;
mod terminal;
mod toolchain;
mod web;
mod workspace;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Args, Parser, Subcommand, builder::PossibleValuesParser};

use crate::{board::Board, toolchain::Kind};

// the firmware's binaries are modules here, which name what they use by the firmware's own name
extern crate self as ntkscope_firmware;

/// The developer's task runner.
#[derive(Parser)]
#[command(name = "cargo xtask", after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    task: Task,
    /// Which Rust builds for the Cortex-M; `debian` can be asked for to try what a machine without rustup's targets does
    #[arg(long, global = true, value_enum, default_value_t = Kind::Auto)]
    toolchain: Kind,
}

const EXAMPLES: &str = "Examples:
  cargo xtask test                                  everything that is checked
  cargo xtask test --only format --only clippy      two steps of it
  cargo xtask qemu --board microbit-v1 divergence   an experiment on an emulated micro:bit
  cargo xtask flash --board nrf52840dk divergence   the same on a real board, through a debug probe
  cargo xtask qemu divergence --compare --save dir  compared with this machine bit for bit, and recorded
  cargo xtask new mine --data samples.csv           an experiment on one's own samples
  cargo xtask fuzz npy csv --seconds 600            two readers of files on hostile input
  cargo xtask mutants 5 6                           which claims notice two deliberate errors
  cargo xtask web                                   the page, on http://127.0.0.1:8000/
  cargo xtask dist                                  programs to be handed on, in target/dist
  cargo xtask parity                                boards and experiments, compared bit for bit
  cargo xtask sizes                                 flash, RAM and stack of every image
  cargo xtask bench-device                          instructions per multiply-add of every pass";

#[derive(Subcommand)]
enum Task {
    /// Runs every check, or the steps named by --only, and ends in a table
    Test {
        /// Run this step alone (may be given several times)
        #[arg(long, value_name = "STEP", value_parser = PossibleValuesParser::new(steps::names()))]
        only: Vec<String>,
        /// List the steps and run none
        #[arg(long)]
        list: bool,
    },
    /// Builds a firmware binary, runs it in QEMU and prints its frames
    Qemu {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        frames: Frames,
        /// Let the board be without a debugger: its frames come by its serial port, a pseudo-terminal, and it sleeps at the end
        #[arg(long)]
        serial: bool,
        /// Further arguments for QEMU, after `--`
        #[arg(last = true)]
        qemu_args: Vec<String>,
    },
    /// Builds a firmware binary, writes it to a real board and prints its frames (needs probe-rs)
    Flash {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        frames: Frames,
    },
    /// Compares what a board has sent or sends, or has kept, with this machine's numbers, bit for bit
    Compare {
        #[command(flatten)]
        target: Target,
        /// Frames that were recorded: a directory of --save, or a file of lines
        #[arg(long, value_name = "PATH")]
        file: Option<PathBuf>,
        /// Frames that come by a serial port, from an image with the transport `serial` that is started now
        #[arg(long, value_name = "PORT")]
        serial: Option<PathBuf>,
        /// The region NTKSCOPE_RESULTS of the board's RAM, read by a debugger into a file
        #[arg(long, value_name = "DUMP")]
        region: Option<PathBuf>,
        /// Record the frames of --serial in this directory
        #[arg(long, value_name = "DIR")]
        save: Option<PathBuf>,
    },
    /// Writes an experiment that trains on one's own samples: firmware/src/bin/NAME.rs
    New {
        /// Of the experiment: a word of small letters, digits and underscores
        name: String,
        /// A csv file: a row for each sample, its class or value in the last column; a header may stand above
        #[arg(long, value_name = "FILE.csv")]
        data: PathBuf,
    },
    /// Fuzzes every reader of files, or those named, from the inputs in tests/fuzz/corpus
    Fuzz {
        /// The readers
        #[arg(value_name = "TARGET", value_parser = fuzz::target)]
        targets: Vec<String>,
        /// Seconds for each
        #[arg(long, value_name = "S", default_value_t = 60)]
        seconds: u64,
    },
    /// Plants deliberate errors in a copy of the sources and says which claim or check of the quick studies notices each;
    /// takes an hour
    Mutants {
        /// Only the errors of these numbers
        #[arg(value_name = "NUMBER")]
        numbers: Vec<usize>,
    },
    /// Builds the page into target/web/page and serves it on this machine
    Web {
        /// The port of localhost
        #[arg(long, value_name = "PORT", default_value_t = 8000)]
        port: u16,
        /// Build it and serve nothing
        #[arg(long)]
        build_only: bool,
        /// Print the digest of a run's trace.csv, which the page shows of the same run, and build nothing
        #[arg(long, value_name = "TRACE")]
        digest: Option<PathBuf>,
    },
    /// Runs the tests of the unsafe code under AddressSanitizer
    Sanitize,
    /// Builds the Python package as a wheel for every Python from 3.10 on
    Wheel,
    /// Builds a static program for each architecture that this machine can build for, and packs it with its licences, manual
    /// pages and completions; with checksums, in target/dist
    Dist,
    /// Runs every experiment on the boards that QEMU has and prints how many numbers of each are this machine's, bit for bit
    Parity,
    /// Prints the flash, the calls that panic, the static RAM and the measured stack of every firmware binary, and holds each to its
    /// budget, firmware/budgets.csv
    Sizes,
    /// Prints what the passes of a network cost on a core, in instructions per multiply-add, in QEMU
    BenchDevice {
        /// The board: a file firmware/boards/BOARD.x
        #[arg(long, default_value = "an386")]
        board: String,
    },
}

#[derive(Args)]
struct Target {
    /// The firmware binary
    #[arg(value_name = "BIN", value_parser = PossibleValuesParser::new(image::all()))]
    binary: String,
    /// The board: a file firmware/boards/BOARD.x
    #[arg(long, default_value = "an386")]
    board: String,
}

/// What becomes of the frames.
#[derive(Args)]
struct Frames {
    /// Compare the numbers with this machine's, bit for bit
    #[arg(long)]
    compare: bool,
    /// Record the frames in this directory, from which `ntkscope device DIR` makes tables, figures and a report
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
    /// Seconds after which the run is stopped
    #[arg(long, value_name = "S", default_value_t = qemu::LIMIT.as_secs())]
    limit: u64,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<u8> {
    let mut session = steps::Session::new(cli.toolchain);
    match cli.task {
        Task::Test { list: true, .. } => steps::list(),
        Task::Test { only, .. } => return Ok(u8::from(!steps::test(&mut session, &only))),
        Task::Qemu { target, frames, serial, qemu_args } => {
            return board_tasks::qemu(&mut session, &target, &frames, serial, &qemu_args);
        }
        Task::Flash { target, frames } => return board_tasks::flash(&mut session, &target, &frames),
        Task::Compare { target, file, serial, region, save } => {
            board_tasks::compare(&mut session, &target, (file, serial, region), save)?;
        }
        Task::New { name, data } => own::new(&name, &data)?,
        Task::Fuzz { targets, seconds } => fuzz::fuzz(&targets, seconds, None)?,
        Task::Mutants { numbers } => mutants::mutants(&numbers)?,
        Task::Web { digest: Some(trace), .. } => println!("{:016x}", web::trace_digest(&trace)?.value()),
        Task::Web { port, build_only, digest: None } => {
            let page = web::build()?;
            if !build_only {
                web::serve(&page, port)?;
            }
        }
        Task::Sanitize => audit::sanitize(&mut session)?,
        Task::Wheel => python::wheel()?,
        Task::Dist => dist::dist()?,
        Task::Parity => steps::compare(&mut session)?,
        Task::Sizes => sizes::step(&mut session)?,
        Task::BenchDevice { board } => bench::measure(&mut session.toolchains, &Board::load(&board)?)?,
    }
    Ok(0)
}
