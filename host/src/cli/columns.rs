//! `ntkscope columns`: what every column and array of the files of results is.

use std::ffi::OsStr;
use std::path::Path;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use toml::Value;

use super::json::{document, print_document};
use super::terminal::{DONE, in_flags, print};
use crate::cli::UsageError;
use crate::files::Described;
use crate::words::did_you_mean;
use crate::{run, studies, study};

const EXAMPLES: &str = "\
Examples:
  ntkscope columns trace.csv
  ntkscope columns --json";

/// `ntkscope columns`
#[derive(Args, Debug)]
#[command(before_help = EXAMPLES)]
pub struct ColumnsArgs {
    /// Name of a result file, such as trace.csv [default: all]
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
            "the requested kernel (the NTK for `kernel analytic`); the only array in K.npy",
        ),
        ("ntk", "(n, n)", "same as kernel; analytic kernels only"),
        ("nngp", "(n, n)", "NNGP kernel: covariance of the outputs at initialization; analytic kernels only"),
        ("eigenvalues", "(rows)", "all eigenvalues of kernel, in ascending order"),
        ("nngp_eigenvalues", "(rows)", "all eigenvalues of nngp, in ascending order; analytic kernels only"),
        ("x", "(n, d)", "the samples after normalization"),
        ("y", "(n) or (n, C)", "y as given in the data; absent if there is none"),
    ],
);

/// Of `device`.
const NUMBERS: [Described; 5] = Described::of(
    "numbers.csv",
    [
        ("run", "", "part of the board's experiment"),
        ("record", "", "record of it, from 0"),
        ("field", "", "name of the number; of a run that trains as in trace.csv"),
        ("bits", "hex", "its 32 bits as a float"),
        ("value", "", "the same as a number; empty for NaN"),
    ],
);
const TIMES: [Described; 1] =
    Described::of("times.csv", [("due", "time", "when the board was to record; the first is the initialization")]);

/// Of `drift --out`; of the npz every column is an array.
const DRIFT: [Described; 24] = Described::of(
    "drift.csv",
    [
        ("checkpoint", "", "name of the file; csv only"),
        ("loss", "loss", "mean loss of --loss; empty without y"),
        ("accuracy", "share", "fraction of samples with a positive margin; empty without y or if y is real-valued"),
        ("margin_min", "output", "smallest margin, as in trace.csv; empty without y or if y is real-valued"),
        ("margin_mean", "output", "mean margin; empty without y or if y is real-valued"),
        ("param_norm", "parameter", "|theta|"),
        ("param_distance", "parameter", "|theta - theta_1|, from the first checkpoint"),
        ("param_max", "parameter", "max_i |theta_i - theta_1i|"),
        ("drift_max", "kernel", "max_ij |K - K_1|, from the kernel of the first checkpoint; empty with --probes"),
        ("drift_fro", "share", "|K - K_1|_F / |K_1|_F; empty if K_1 is 0"),
        ("alignment", "", "centred alignment of K with K_1; empty if one of them is constant"),
        (
            "target_alignment",
            "",
            "centred alignment of K with the Gram matrix of the targets; empty without y and for --multi-output full",
        ),
        (
            "lambda_min",
            "kernel",
            "smallest eigenvalue of K; empty, as condition and effective_rank, if the kernels are not formed",
        ),
        ("lambda_max", "kernel", "largest eigenvalue of K"),
        ("condition", "", "lambda_max / lambda_min; inf if K is singular to rounding, empty if it is indefinite or 0"),
        ("effective_rank", "", "exponential of the entropy of the normalized eigenvalues of K"),
        ("drift_operator", "share", "|K - K_1| / |K_1|, largest magnitude of an eigenvalue; empty if K_1 is 0"),
        (
            "drift_operator_residual",
            "share",
            "an eigenvalue of K - K_1, divided by |K_1|, lies within this of drift_operator",
        ),
        (
            "lambda_max_residual",
            "kernel",
            "an eigenvalue lies within this of lambda_max; empty if the kernels are formed",
        ),
        ("drift_fro_se", "share", "standard error of drift_fro; with --probes"),
        ("alignment_se", "", "standard error of alignment; with --probes"),
        ("target_alignment_se", "", "standard error of target_alignment; with --probes"),
        ("kernels", "(checkpoints, rows, rows)", "the kernels, if they are formed; npz only"),
        ("eigenvalues", "(checkpoints, rows)", "their eigenvalues, in ascending order, if they are formed; npz only"),
    ],
);

const MEAN: (&str, &str, &str) = ("mean", "(h, C)", "output, its mean over initializations; mean{k} of several");
const SD: (&str, &str, &str) = ("sd", "(h, C)", "its standard deviation over initializations; 0 if nothing is random");
const PROBABILITY: (&str, &str, &str) =
    ("probability", "(h, classes)", "probability{k} of class k, over initializations; under cross-entropy");
const LAPLACE: (&str, &str, &str) =
    ("laplace_sd", "(h, C)", "standard deviation under the Laplace approximation; only with a penalty");
const TRUE: (&str, &str, &str) = ("y", "(h) or (h, C)", "y of the test points as given in the data; absent if unknown");
const CLASS: (&str, &str, &str) =
    ("class", "(h)", "class of that y; empty for a label outside the classes; absent if y is real-valued");
const GUESS: (&str, &str, &str) = ("predicted", "(h)", "predicted class; absent if y is real-valued");

/// Of `predict --out`.
const PREDICTION: [Described; 11] = Described::of(
    "P.npz",
    [
        ("x", "(h, d)", "the test points after normalization"),
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
            "label of class 0, 1, …: its parity with `classes = parity`, its index if classes have names; absent if y is real-valued",
        ),
        ("accuracy", "()", "fraction of test points classified correctly, if y is known"),
        ("rmse", "()", "root mean square of mean - y, if y is real-valued"),
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
        ("x{k}", "", "components of the test point after normalization"),
    ],
);

/// Of `regress --out`; of the csv every array but `classes` and the scores is a column.
const REGRESSION: [Described; 9] = Described::of(
    "R.npz",
    [
        ("x", "(h, d)", "the test points after normalization"),
        ("mean", "(h, C)", "output; mean{k} of several"),
        ("probability", "(h, classes)", "probability{k} of class k; under cross-entropy"),
        TRUE,
        CLASS,
        GUESS,
        ("classes", "(classes)", "as in P.npz"),
        ("accuracy", "()", "fraction of test points classified correctly, if y is known"),
        ("rmse", "()", "root mean square of mean - y, if y is real-valued"),
    ],
);

/// Of `spectrum --out`.
const SPECTRUM: [Described; 10] = Described::of(
    "S.npz",
    [
        ("largest", "(ends)", "largest eigenvalues, in descending order"),
        ("largest_residual", "(ends)", "an eigenvalue lies within this of each"),
        ("smallest", "(ends)", "smallest eigenvalues, in ascending order"),
        ("smallest_residual", "(ends)", "an eigenvalue lies within this of each"),
        ("lambda", "(60)", "values evenly spaced in their logarithm, in descending order"),
        ("count", "(60)", "estimate of how many eigenvalues are at least lambda"),
        ("count_error", "(60)", "its standard error"),
        ("trace", "(1)", "sum of the eigenvalues, from the diagonal"),
        ("effective_rank", "(2)", "exponential of the entropy of the normalized eigenvalues, and its standard error"),
        ("frobenius", "(2)", "Frobenius norm, and its standard error"),
    ],
);

/// Of `smoothness`.
const SPECTRA: [Described; 4] = Described::of(
    "spectra.csv",
    [
        ("ntk", "kernel / n", "eigenvalues of the NTK, in descending order"),
        ("nngp", "kernel / n", "eigenvalues of the NNGP, in descending order"),
        (
            "f NAME",
            "mean square",
            "tail sum of the function NAME: what lies beyond the first k - 1 eigenfunctions of the NTK",
        ),
        ("gp {k}", "mean square", "tail sum of draw k of the outputs of a random network"),
    ],
);

/// Every column and array of every file of results.
pub fn described() -> impl Iterator<Item = &'static Described> {
    let commands = KERNEL
        .iter()
        .chain(&NUMBERS)
        .chain(&TIMES)
        .chain(&DRIFT)
        .chain(&PREDICTION)
        .chain(&PREDICTION_TABLE)
        .chain(&SPECTRA);
    let commands = commands.chain(&REGRESSION).chain(&SPECTRUM);
    run::described().chain(commands).chain(study::described()).chain(studies::described())
}

/// Prints them; returns the exit code.
pub fn columns(args: ColumnsArgs) -> Result<u8> {
    // of a path the last name; where no file of results has it, of another format
    let name = args.file.as_deref().map(|file| Path::new(file).file_name().and_then(OsStr::to_str).unwrap_or(file));
    let named = |is: &dyn Fn(&str, &str) -> bool| -> Vec<&Described> {
        described().filter(|d| name.is_none_or(|name| is(d.file, name))).collect()
    };
    let stem = |file: &str| file.rsplit_once('.').map_or(file, |(stem, _)| stem).to_ascii_lowercase();
    let is_format = |file: &str| [".csv", ".npz", ".npy"].iter().any(|ending| file.ends_with(ending));
    let mut found = named(&|file, name| file.eq_ignore_ascii_case(name));
    if found.is_empty() {
        found = named(&|file, name| is_format(name) && is_format(file) && stem(file) == stem(name));
    }
    if found.is_empty() {
        let mut files: Vec<&str> = described().map(|d| d.file).collect();
        files.dedup();
        let given = args.file.unwrap_or_default();
        let guess = did_you_mean(&given, files.iter().copied());
        let what = format!("no such result file{guess}; give one of {}", files.join(", "));
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
