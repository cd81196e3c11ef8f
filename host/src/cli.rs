//! What can be typed.

use std::path::PathBuf;

use bytesize::ByteSize;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::data::Source;
use crate::settings::{LossKind, ModelSettings, NetworkKind, TrainingSettings};
use crate::studies::initialization::smoothness::Coding;
use crate::studies::plan::Part;

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
    #[command(before_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Carry out a paper's study: a grid of runs, figures, a table of claims
    #[command(before_help = REPRODUCE_EXAMPLES)]
    Reproduce(ReproduceArgs),
    /// Predict trained networks on test points from kernels alone: mean, deviation, class probabilities
    #[command(before_help = PREDICT_EXAMPLES)]
    Predict(PredictArgs),
    /// How smooth the labels of a data set are for the NTK, and what random initialization costs there
    #[command(before_help = SMOOTHNESS_EXAMPLES)]
    Smoothness(SmoothnessArgs),
    /// Compute one kernel matrix, save it, print its summary
    #[command(before_help = KERNEL_EXAMPLES)]
    Kernel(KernelArgs),
    /// Every distance between two kernels
    Compare(CompareArgs),
    /// The data sets: list, show, fetch
    Data(DataArgs),
    /// How fast kernels and training are on this machine, and how near its limit
    #[command(before_help = BENCH_EXAMPLES)]
    Bench(BenchArgs),
    /// Completions for a shell, on standard output
    Completions {
        /// the shell
        shell: Shell,
    },
    /// The manual page, on standard output
    Man,
}

const RUN_EXAMPLES: &str = "\
Examples:
  ntkscope run
  ntkscope run --width 1024 --init standard --until-margin 16
  ntkscope run --loss cross-entropy --penalty 0.03
  ntkscope run settings.toml --set width=512 --out results";

const REPRODUCE_EXAMPLES: &str = "\
Examples:
  ntkscope reproduce divergence
      six points on the circle, in minutes
  ntkscope reproduce divergence --only mnist --data-dir DIR --widths 128,512
      odd against even digits
  ntkscope reproduce initialization
      what random initialization costs, from kernels alone
  ntkscope reproduce divergence --full --data-dir DIR --out results
      everything; call it again to go on where it was interrupted";

const PREDICT_EXAMPLES: &str = "\
Examples:
  ntkscope predict --penalty 0.01 --held-out 6
      where cross-entropy with a penalty ends, and how that is spread over initializations
  ntkscope predict --loss mse --time 100 --data train.csv --test test.csv --out P.csv
  ntkscope predict --smoothing 0.1 --kernel initial --width 512 --seed 3 --held-out 6
      the linearization of one network";

const SMOOTHNESS_EXAMPLES: &str = "\
Examples:
  ntkscope smoothness --data samples.csv --depth 1
  ntkscope smoothness --data mnist --data-dir DIR --classes all --n 3000 --depth 1 --coding value
  ntkscope smoothness --data sphere --n 800 --dimension 4 --json";

const KERNEL_EXAMPLES: &str = "\
Examples:
  ntkscope kernel analytic --depth 3 --bias none
  ntkscope kernel empirical --width 4096 --out K.npz --params-out P.npz
  ntkscope kernel empirical --params P.npz --init standard --data samples.csv
  ntkscope kernel empirical --data mnist --data-dir DIR --dtype f32 --memory 1GiB --out K.npy
      larger than the memory: numpy.load('K.npy', mmap_mode='r') reads it";

const BENCH_EXAMPLES: &str = "\
Examples:
  ntkscope bench
      every case, in a few minutes
  ntkscope bench --quick --json
  ntkscope bench --only analytic,step-6 --repeat 15 --threads 4";

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

/// `ntkscope run`
#[derive(Args, Debug)]
pub struct RunArgs {
    /// Settings, as a run.toml has them
    pub file: Option<PathBuf>,
    /// One setting, e.g. width=512; below flags, above the file
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Network and data
    #[command(flatten)]
    pub model: ModelSettings,
    /// Training
    #[command(flatten)]
    pub training: TrainingSettings,
    /// Directory of the results [default: the first unused runs/NAME]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Replace results that are already in --out
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    /// The rest
    #[command(flatten)]
    pub common: Common,
}

/// Which study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StudyKind {
    /// under cross-entropy the kernel leaves the NTK, under squared error it stays
    Divergence,
    /// with a penalty, or with soft targets, it stays, and ends where a formula says
    Lazy,
    /// random initialization costs learning rate, mirrored initialization does not
    Initialization,
    /// every study, each in a directory of its name
    All,
}

/// `ntkscope reproduce`
#[derive(Args, Debug)]
pub struct ReproduceArgs {
    /// Which study
    pub study: StudyKind,
    /// The small grid, minutes on two cores; this is the default
    #[arg(long, conflicts_with = "full", help_heading = "Grid")]
    pub quick: bool,
    /// All parts, more widths and seeds: hours to days; finished runs are kept
    #[arg(long, help_heading = "Grid")]
    pub full: bool,
    /// Only these parts of the study
    #[arg(long, value_enum, value_delimiter = ',', help_heading = "Grid")]
    pub only: Vec<Part>,
    /// Only these families of networks
    #[arg(long, value_enum, value_delimiter = ',', help_heading = "Grid")]
    pub network: Vec<NetworkKind>,
    /// These widths instead of the grid's
    #[arg(long, value_name = "M,M,…", value_delimiter = ',', help_heading = "Grid")]
    pub widths: Vec<usize>,
    /// This many seeds, draws or trials instead of the grid's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Grid")]
    pub seeds: Option<u64>,
    /// This many MNIST samples [default: 256, 200 or 3000, by study]
    #[arg(long, value_name = "N", help_heading = "Grid")]
    pub n: Option<usize>,
    /// Folder of MNIST's idx files
    #[arg(long, value_name = "DIR", help_heading = "Grid")]
    pub data_dir: Option<PathBuf>,
    /// Folder of Fashion-MNIST's idx files, for initialization's part smoothness
    #[arg(long, value_name = "DIR", help_heading = "Grid")]
    pub fashion_dir: Option<PathBuf>,
    /// Say what would run and about how long, and stop
    #[arg(long, help_heading = "Grid")]
    pub dry_run: bool,
    /// Directory of the study; one that holds finished runs is gone on with [default: studies/NAME]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// The rest
    #[command(flatten)]
    pub common: Common,
}

/// Which kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KernelKind {
    /// of the infinitely wide network
    Analytic,
    /// of the network at its parameters
    Empirical,
}

/// Which kernel predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PredictKernel {
    /// the analytic NTK, over random initializations
    Ntk,
    /// that of one network at initialization, from its own outputs
    Initial,
}

/// `ntkscope predict`
#[derive(Args, Debug)]
pub struct PredictArgs {
    /// One setting, e.g. width=512; below flags
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Network and data
    #[command(flatten)]
    pub model: ModelSettings,
    /// Loss, a mean over the samples [default: cross-entropy]
    #[arg(long, value_enum, help_heading = "Training")]
    pub loss: Option<LossKind>,
    /// Adds (LAMBDA/2)|theta - theta_0|^2 to the mean loss [default: 0]
    #[arg(long, value_name = "LAMBDA", allow_negative_numbers = true, help_heading = "Training")]
    pub penalty: Option<f64>,
    /// Soft targets for cross-entropy: 1 - EPS + EPS/C for the right class [default: 0]
    #[arg(long, value_name = "EPS", allow_negative_numbers = true, help_heading = "Training")]
    pub smoothing: Option<f64>,
    /// Gradient-flow time of the mean loss; finite for squared error without a penalty [default: inf]
    #[arg(long, value_name = "T", allow_negative_numbers = true, help_heading = "Training")]
    pub time: Option<f64>,
    /// Kernel
    #[arg(long, value_enum, default_value = "ntk", help_heading = "Prediction")]
    pub kernel: PredictKernel,
    /// Test points, FILE.npz (x, y) or FILE.csv (last column y), instead of --held-out
    #[arg(long, value_name = "FILE", conflicts_with = "held_out", help_heading = "Prediction")]
    pub test: Option<Source>,
    /// Save: P.npz (arrays x, mean, sd, probability, laplace_sd) or P.csv (a row per test point)
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// The rest
    #[command(flatten)]
    pub common: Common,
}

/// `ntkscope smoothness`
#[derive(Args, Debug)]
pub struct SmoothnessArgs {
    /// One setting, e.g. depth=1; below flags
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Network and data
    #[command(flatten)]
    pub model: ModelSettings,
    /// How classes become functions; labels that are no classes are used as they are [default: parity for two, else one-hot]
    #[arg(long, value_enum, help_heading = "Estimate")]
    pub coding: Option<Coding>,
    /// Indices k of the eigenfunctions that are fitted, from 1 [default: 20..N/5 of N samples]
    #[arg(long, value_name = "FIRST..LAST", value_parser = window, help_heading = "Estimate")]
    pub window: Option<(usize, usize)>,
    /// Draws of the outputs of a random network
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..), help_heading = "Estimate")]
    pub draws: u16,
    /// Directory of the figure and of spectra.csv [default: the first unused runs/NAME]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Replace results that are already in --out
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    /// The rest
    #[command(flatten)]
    pub common: Common,
}

fn window(text: &str) -> Result<(usize, usize), String> {
    let ends = text.split_once("..").and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    ends.ok_or_else(|| "give FIRST..LAST, such as 20..600".into())
}

/// `ntkscope kernel`
#[derive(Args, Debug)]
pub struct KernelArgs {
    /// Which kernel
    pub kind: KernelKind,
    /// One setting, e.g. width=512; below flags
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Network and data
    #[command(flatten)]
    pub model: ModelSettings,
    /// Empirical kernel of C outputs: full (n C, n C; row i C + c), trace (n, n; divided by C), or a class
    #[arg(long, value_name = "full|trace|CLASS", default_value = "trace", help_heading = "Kernel")]
    pub multi_output: String,
    /// Parameters of the network instead of its initialization (npz or safetensors, names W0, b0, …); a shifted
    /// network's are a standard one's, and so is the kernel
    #[arg(long, value_name = "FILE", help_heading = "Kernel")]
    pub params: Option<PathBuf>,
    /// Save the network's parameters
    #[arg(long, value_name = "FILE.npz", help_heading = "Output")]
    pub params_out: Option<PathBuf>,
    /// Save: K.npz (arrays kernel, x, y; analytic: also ntk and nngp), or K.npy (kernel alone, of any size)
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Backend [default: fast]
    #[arg(long, value_enum, help_heading = "Machine")]
    pub backend: Option<crate::settings::BackendKind>,
    /// The rest
    #[command(flatten)]
    pub common: Common,
}

/// `ntkscope compare`
#[derive(Args, Debug)]
pub struct CompareArgs {
    /// Kernel A: an npz with an array `kernel`, FILE.npz:NAME, or an npy
    pub a: String,
    /// Kernel B, against which the relative distance is taken
    pub b: String,
    /// One machine-readable summary on standard output
    #[arg(long)]
    pub json: bool,
    /// Memory for kernels and eigenvalues; an npy that needs more stays on the disk [default: what is free]
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<ByteSize>,
}

/// `ntkscope bench`
#[derive(Args, Debug)]
pub struct BenchArgs {
    /// Only the cases of at most 1000 samples
    #[arg(long, help_heading = "Cases")]
    pub quick: bool,
    /// Only these cases, each given by its name or by how it begins: empirical, analytic-4000, step-6
    #[arg(long, value_name = "CASE,…", value_delimiter = ',', help_heading = "Cases")]
    pub only: Vec<String>,
    /// Rounds in which every case is measured once; the median counts
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..), help_heading = "Cases")]
    pub repeat: u16,
    /// The rest
    #[command(flatten)]
    pub common: Common,
}

/// `ntkscope data`
#[derive(Args, Debug)]
pub struct DataArgs {
    /// What to do with them
    #[command(subcommand)]
    pub command: DataCommand,
}

/// `ntkscope data list / show / fetch`
#[derive(Subcommand, Debug)]
pub enum DataCommand {
    /// The data sets, and where their files are looked for
    List {
        /// Folder of the idx files
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
        /// One machine-readable summary on standard output
        #[arg(long)]
        json: bool,
    },
    /// What the samples of these settings are like
    Show {
        /// Network and data
        #[command(flatten)]
        model: ModelSettings,
        /// One machine-readable summary on standard output
        #[arg(long)]
        json: bool,
    },
    /// Download mnist or fashion-mnist and check every file
    Fetch {
        /// mnist or fashion-mnist
        dataset: Source,
        /// Where to [default: the per-user data folder]
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
        /// Where from, a URL that the files' names are appended to
        #[arg(long, value_name = "URL")]
        mirror: Option<String>,
        /// No progress
        #[arg(long, short)]
        quiet: bool,
    },
}
