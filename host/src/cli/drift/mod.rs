//! `ntkscope drift`: how far the kernel of a network has moved between checkpoints, whoever trained it.

mod large;
mod page;
mod states;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use ntkscope_core::loss::Loss;
use serde_json::{Map, Value as Json, json};
use toml::{Table, Value};

use super::json::{document, print_document};
use super::kernel_options::{OrderArgs, OutputsArgs};
use super::terminal::{DONE, INTERRUPTED, print, say, stop_on_interrupt, warn};
use super::unused::{refuse_seed, used};
use super::{Common, ModelArgs, UsageError};
use crate::cli::args::OF_KERNEL;
use crate::data;
use crate::experiment::choice;
use crate::files::numbers::Json as Number;
use crate::files::{self, Cell, CsvTable, Dtype, Format, Roles, check_output};
use crate::machine::{Ended, with_threads};
use crate::words::number;
use states::Comparison;

const EXAMPLES: &str = "\
Examples:
  ntkscope drift start.safetensors end.safetensors --activation gelu --data x.npz
      how far training has moved the kernel of a network of PyTorch or Flax, on samples x with labels y
  ntkscope drift epoch*.pt --activation tanh --data x.npz --out drift.csv --report drift.html
  ntkscope drift A/params.npz B/params.npz --data circle";

/// Columns of the table: those of a trace, and what is not told there.
const COLUMNS: [&str; 21] = [
    "loss",
    "accuracy",
    "margin_min",
    "margin_mean",
    "param_norm",
    "param_distance",
    "param_max",
    "drift_max",
    "drift_fro",
    "alignment",
    "target_alignment",
    "lambda_min",
    "lambda_max",
    "condition",
    "effective_rank",
    "drift_operator",
    "drift_operator_residual",
    "lambda_max_residual",
    "drift_fro_se",
    "alignment_se",
    "target_alignment_se",
];

/// `ntkscope drift`
#[derive(Args, Debug)]
#[command(before_help = EXAMPLES)]
pub struct DriftArgs {
    /// Checkpoints of one network, the first of which the others are compared with: state dicts of PyTorch or parameters of
    /// Flax (safetensors, npz, .pt), or params.npz of our runs
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Network and data
    #[command(flatten)]
    pub model: ModelArgs,
    /// Loss that margins are of [default: cross-entropy, or mse where y is numbers]
    #[arg(long, value_parser = choice::<Loss>(), help_heading = "Training")]
    pub loss: Option<Loss>,
    /// Which outputs
    #[command(flatten)]
    pub outputs: OutputsArgs,
    /// Which order of layers
    #[command(flatten)]
    pub order: OrderArgs,
    /// Estimate drift_fro and both alignments from products with N random vectors (probes), whose scatter gives the standard errors,
    /// in place of every entry; drift_max is not known then. Kernels are not formed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=1000), help_heading = "Estimate")]
    pub probes: Option<u16>,
    /// Save the table: a row per checkpoint (csv), or that and the kernels and their eigenvalues (npz); an existing file is
    /// replaced
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Write a page with the table and figures; an existing file is replaced
    #[arg(long, value_name = "FILE.html", help_heading = "Output")]
    pub report: Option<PathBuf>,
    /// The rest
    #[command(flatten)]
    pub common: Common,
}

/// Compares, saves, prints; returns the exit code.
pub fn drift(args: DriftArgs) -> Result<u8> {
    with_threads(args.common.threads, || drift_here(&args))?
}

/// Compares on this pool's threads.
fn drift_here(args: &DriftArgs) -> Result<u8> {
    if args.files.len() < 2 {
        let what = "one checkpoint has nothing to be compared with; give two or more".into();
        return Err(UsageError::Mismatch { path: args.files[0].clone(), what }.into());
    }
    for path in &args.files {
        if files::look(path)?.is_some_and(|kind| kind.is_dir()) {
            let what =
                "is a directory, but a file of parameters is needed; of a run it is the params.npz inside".into();
            return Err(UsageError::Mismatch { path: path.clone(), what }.into());
        }
    }
    let own = args.outputs.given().into_iter().chain(args.order.given()).collect();
    let given = args.model.given(&own, None)?;
    refuse_seed("drift", &given, false)?;
    let described = states::describe(args, &given)?;
    let model = described.model();
    let roles = Roles::new().reads("data", data::inputs(&model.data_spec())).reads("FILE", args.files.iter().cloned());
    roles.writes("out", &args.out)?.writes("report", &args.report)?;
    let format = args.out.as_deref().map(|path| check_output("out", path, &[Format::Csv, Format::Npz])).transpose()?;
    args.report.as_deref().map_or(Ok(()), |path| check_output("report", path, &[Format::Html]).map(drop))?;
    let budget = args.common.budget(OF_KERNEL);
    let samples = data::load(&model.data_spec(), &budget)?;
    warn(&samples, args.common.quiet);
    let usual = if samples.are_values() { Loss::SquaredError } else { Loss::CrossEntropy };
    let loss = args.loss.unwrap_or(usual);
    let network = described.read(args, &given, &samples)?;
    if !args.common.quiet && !args.common.json {
        say(&format!("{}; {}", network.describe(), samples.description));
    }
    let stop = stop_on_interrupt();
    let measured = match model.dtype {
        Dtype::F64 => network.measure::<f64>(args, &samples, loss, &budget, &stop)?,
        Dtype::F32 => network.measure::<f32>(args, &samples, loss, &budget, &stop)?,
    };
    let Ended::Done(comparison) = measured else {
        say("interrupted");
        return Ok(INTERRUPTED);
    };
    match (&args.out, format) {
        (Some(path), Some(Format::Csv)) => table(args, &comparison).write(path)?,
        (Some(path), _) => comparison.write_npz(path, model.dtype)?,
        (None, _) => {}
    }
    if let Some(path) = &args.report {
        page::page(args, &network, &samples, &comparison, model.dtype)?.save(path)?;
    }
    if args.common.json {
        let mut settings = used("drift", Table::try_from(model)?);
        settings.insert("loss".into(), Value::String(loss.to_string()));
        settings.insert("multi-output".into(), Value::String(args.outputs.text().into()));
        let body = json!({
            "network": network.describe(), "data": samples.description, "targets": samples.targets,
            "class_labels": samples.class_names(), "checkpoints": rows(args, &comparison),
        });
        return print_document(&document("drift", &settings, body)).map(|()| DONE);
    }
    print_rows(args, &comparison)?;
    Ok(DONE)
}

fn table(args: &DriftArgs, comparison: &Comparison) -> CsvTable {
    let mut table = CsvTable::new(["checkpoint"].into_iter().chain(COLUMNS));
    for (file, row) in args.files.iter().zip(&comparison.rows) {
        let numbers = comparison.columns(row, &COLUMNS).into_iter().map(Cell::from);
        table.push([Cell::from(file.display().to_string())].into_iter().chain(numbers));
    }
    table
}

fn rows(args: &DriftArgs, comparison: &Comparison) -> Vec<Json> {
    let row = |(file, row): (&PathBuf, _)| {
        let mut all = Map::from_iter([("checkpoint".to_owned(), json!(file))]);
        for (name, value) in COLUMNS.iter().zip(comparison.columns(row, &COLUMNS)) {
            all.insert((*name).to_owned(), json!(Number(value)));
        }
        Json::Object(all)
    };
    args.files.iter().zip(&comparison.rows).map(row).collect()
}

/// What people read first; the rest is in the files.
fn print_rows(args: &DriftArgs, comparison: &Comparison) -> Result<()> {
    const SHOWN: [&str; 7] =
        ["drift_max", "drift_fro", "drift_operator", "alignment", "lambda_min", "lambda_max", "margin_min"];
    let known = |name: &&str| comparison.rows.iter().any(|row| !comparison.columns(row, &[*name])[0].is_nan());
    let shown: Vec<&str> = SHOWN.into_iter().filter(known).collect();
    let names: Vec<String> = args.files.iter().map(|file| file.display().to_string()).collect();
    let widest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let header: String = shown.iter().map(|name| format!("  {name:>14}")).collect();
    print(&format!("{:widest$}{header}", "checkpoint"))?;
    for (name, row) in names.iter().zip(&comparison.rows) {
        let numbers = comparison.columns(row, &shown);
        let cells: String = numbers.into_iter().map(|value| format!("  {:>14}", number(value))).collect();
        print(&format!("{name:widest$}{cells}"))?;
    }
    Ok(())
}
