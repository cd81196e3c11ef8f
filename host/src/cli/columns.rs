//! `ntkscope columns`: what every column and array of the files of results is.

use anyhow::Result;
use clap::Args;
use serde_json::json;
use toml::Value;

use super::json::{document, print_document};
use super::terminal::{DONE, in_flags, print};
use crate::cli::UsageError;
use crate::files::Described;
use crate::words::did_you_mean;
use crate::{run, study};

const EXAMPLES: &str = "\
Examples:
  ntkscope columns trace.csv
  ntkscope columns --json";

/// `ntkscope columns`
#[derive(Args, Debug)]
#[command(before_help = EXAMPLES)]
pub struct ColumnsArgs {
    /// Name of a file, such as trace.csv [default: all]
    pub file: Option<String>,
    /// Print a JSON summary to standard output
    #[arg(long)]
    pub json: bool,
}

/// Of `kernel --out`.
const KERNEL: [Described; 7] = Described::of(
    "K.npz",
    [
        (
            "kernel",
            "(n, n), or (n C, n C) with --multi-output full",
            "the kernel asked for; of analytic the NTK; alone in K.npy",
        ),
        ("ntk", "(n, n)", "the same as kernel; of the analytic kernel"),
        ("nngp", "(n, n)", "covariance of the outputs at initialization; of the analytic kernel"),
        ("eigenvalues", "(rows)", "all eigenvalues of kernel, in increasing order"),
        ("nngp_eigenvalues", "(rows)", "all eigenvalues of nngp, in increasing order; of the analytic kernel"),
        ("x", "(n, d)", "the samples, normalised as asked for"),
        ("y", "(n) or (n, C)", "y as in the data; absent where there is none"),
    ],
);

const MEAN: (&str, &str, &str) = ("mean", "(h, C)", "output, its mean over initializations; mean{k} of several");
const SD: (&str, &str, &str) =
    ("sd", "(h, C)", "its standard deviation over initializations; 0 where nothing is random");
const PROBABILITY: (&str, &str, &str) =
    ("probability", "(h, classes)", "probability{k} of class k, over initializations; under cross-entropy");
const LAPLACE: (&str, &str, &str) =
    ("laplace_sd", "(h, C)", "standard deviation of the Laplace approximation; with a penalty");
const TRUE: (&str, &str, &str) =
    ("y", "(h) or (h, C)", "y of the test points as in the data; absent where it is not known");
const CLASS: (&str, &str, &str) =
    ("class", "(h)", "class of that y; nothing for a label that is none of the classes; absent where y is numbers");
const GUESS: (&str, &str, &str) = ("predicted", "(h)", "class that is predicted; absent where y is numbers");

/// Of `predict --out`.
const PREDICTION: [Described; 11] = Described::of(
    "P.npz",
    [
        ("x", "(h, d)", "the test points, normalised as asked for"),
        MEAN,
        SD,
        PROBABILITY,
        LAPLACE,
        TRUE,
        CLASS,
        GUESS,
        (
            "classes",
            "(classes)",
            "label of class 0, 1, …; of parity its remainder, of named classes its place; absent where y is numbers",
        ),
        ("accuracy", "()", "share of the test points whose class is predicted, where y is known"),
        ("rmse", "()", "root mean square of mean - y, where y is numbers"),
    ],
);
const PREDICTION_TABLE: [Described; 8] = Described::of(
    "P.csv",
    [
        MEAN,
        SD,
        PROBABILITY,
        LAPLACE,
        TRUE,
        CLASS,
        GUESS,
        ("x{k}", "", "numbers of the test point, normalised as asked for"),
    ],
);

/// Of `smoothness`.
const SPECTRA: [Described; 4] = Described::of(
    "spectra.csv",
    [
        ("ntk", "kernel / n", "eigenvalues of the NTK, in decreasing order"),
        ("nngp", "kernel / n", "eigenvalues of the NNGP, in decreasing order"),
        ("f NAME", "mean square", "share of the function NAME beyond the first k - 1 eigenfunctions of the NTK"),
        ("gp {k}", "mean square", "the same of draw k of the outputs of a random network"),
    ],
);

/// Every column and array of every file of results.
pub fn described() -> impl Iterator<Item = &'static Described> {
    let commands = KERNEL.iter().chain(&PREDICTION).chain(&PREDICTION_TABLE).chain(&SPECTRA);
    run::described().chain(commands).chain(study::described())
}

/// Prints them; returns the exit code.
pub fn columns(args: ColumnsArgs) -> Result<u8> {
    let of_file = |d: &&Described| args.file.as_deref().is_none_or(|file| d.file.eq_ignore_ascii_case(file));
    let found: Vec<&Described> = described().filter(of_file).collect();
    if found.is_empty() {
        let mut files: Vec<&str> = described().map(|d| d.file).collect();
        files.dedup();
        let given = args.file.unwrap_or_default();
        let guess = did_you_mean(&given, files.iter().copied());
        let what = format!("no such file of results{guess}; there are {}", files.join(", "));
        return Err(UsageError::Range { flag: "FILE", given, what }.into());
    }
    if args.json {
        let rows = found
            .iter()
            .map(|d| json!({ "file": d.file, "name": d.name, "unit": d.unit, "meaning": in_flags(d.meaning) }))
            .collect::<Vec<_>>();
        let settings = args.file.map(|file| ("file".to_owned(), Value::String(file))).into_iter().collect();
        print_document(&document("columns", &settings, json!({ "columns": rows })))?;
        return Ok(DONE);
    }
    let mut file = "";
    for d in found {
        if d.file != file {
            print(&format!("{}{}", if file.is_empty() { "" } else { "\n" }, d.file))?;
            file = d.file;
        }
        let unit = if d.unit.is_empty() { String::new() } else { format!(" [{}]", d.unit) };
        print(&in_flags(&format!("  {}{unit}: {}", d.name, d.meaning)))?;
    }
    Ok(DONE)
}
