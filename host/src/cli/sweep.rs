//! `ntkscope sweep`: a grid over any settings of `run`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use toml::{Table, Value};

use super::grid::{self, Grid, GridArgs, Outcome};
use super::json::{document, fail, print_document};
use super::terminal::{DONE, FAILED, INTERRUPTED, command, print, say};
use super::unused::{Takes, refuse};
use crate::cli::{Common, Figures, Typed, UsageError};
use crate::data;
use crate::experiment::{Model, Training, overlay_file};
use crate::files::Roles;
use crate::files::numbers::Json;
use crate::machine::check_threads;
use crate::report::narrative::plain_table;
use crate::study::cell::Finished;
use crate::study::sweep::{Axis, FILES, Point, Sweep};

/// As it is typed.
const NAME: &str = "sweep";

const EXAMPLES: &str = "\
Examples:
  ntkscope sweep --set width=64,128,256 --set seed=0..4 --loss cross-entropy
      drift, margin, loss and accuracy against the width, over five seeds
  ntkscope sweep --set width=64,128,256 --set loss=mse,cross-entropy --set seed=0..4 --dry-run
      what would run, and for how long
  ntkscope sweep --set widths=[64,32],[128,64] --set activation=relu,erf --until-margin 4
      values that hold commas stand in brackets
  ntkscope sweep settings.toml --set penalty=0,0.01,0.1 --shard 2/8 --out results
      the second of eight parts, for eight machines; then the same with --collect";

/// The help of `--set`; in a comment its brackets would be links.
const VALUES: &str = "Values of a setting; a run is made of every combination. FIRST..LAST stands for all whole numbers from FIRST to \
    LAST, both included, and [A,B] for a single value that holds commas, as in seed=0..4 and widths=[64,32],[128,64]";

/// `ntkscope sweep`
#[derive(Args, Debug)]
#[command(before_help = EXAMPLES)]
pub struct SweepArgs {
    /// Settings file that all runs start from, such as the run.toml of an earlier run
    pub file: Option<PathBuf>,
    /// Values of a setting
    #[arg(long, value_name = "KEY=VALUE,…", required = true, help_heading = "Grid", help = VALUES)]
    pub set: Vec<String>,
    /// Of the grid
    #[command(flatten)]
    pub grid: GridArgs,
    /// Network and data of all runs
    #[command(flatten)]
    pub model: Typed<Model>,
    /// Training of all runs
    #[command(flatten)]
    pub training: Typed<Training>,
    /// Directory for the results; an existing one is resumed
    #[arg(long, value_name = "DIR", default_value = "studies/sweep", help_heading = "Output")]
    pub out: PathBuf,
    /// Of its figures
    #[command(flatten)]
    pub figures: Figures,
    /// The rest
    #[command(flatten)]
    pub common: Common,
}

/// Runs the grid, and returns the exit code.
pub fn sweep(args: SweepArgs) -> Result<u8> {
    check_threads(args.common.threads.map_or(1, usize::from))?;
    let (axes, base) = given(&args)?;
    let asked = asked(&axes, &base);
    let sweep = Sweep::plan(axes, &base)?;
    for point in sweep.points() {
        let settings = point.run.settings.table()?;
        refuse("sweep", &settings, &Takes::All).with_context(|| format!("run {}", point.run.id))?;
    }
    let jobs = sweep.jobs().map(|job| (NAME, job)).collect();
    let grids =
        [Grid { name: NAME, directory: args.out.clone(), jobs, smaller: "choose smaller values of its settings" }];
    if args.grid.dry_run {
        for plan in grid::dry_run(&args.grid, &args.common, &grids)? {
            print_document(&document(NAME, &asked, plan))?;
        }
        return Ok(DONE);
    }
    let inputs = sweep.points().iter().flat_map(|point| data::inputs(&point.run.settings.model.data_spec()));
    let read = Roles::new().reads("settings", &args.file).reads("data", inputs);
    read.writes("out", FILES.map(|name| args.out.join(name)))?;
    let mut finished = Vec::new();
    let outcome = grid::carry_out(&args.grid, &args.common, &grids, |_| {
        finished = sweep.write(&args.out, args.figures.style(), &command()).context("the report")?;
        Ok(())
    })?;
    let body = match outcome {
        Outcome::Stopped => {
            say("interrupted; finished runs are kept; rerun the same command to resume");
            return Ok(INTERRUPTED);
        }
        Outcome::Part(parts) => parts.into_iter().next().unwrap_or_default(),
        Outcome::Finished => json!({ "directory": args.out, "cells": cells(&sweep, &finished) }),
    };
    let failure = grid::failure(&finished, |point| &point.run.id);
    if args.common.json {
        let mut all = document(NAME, &asked, body);
        if let Some(message) = &failure {
            fail(&mut all, FAILED, message);
        }
        print_document(&all)?;
    } else if !finished.is_empty() {
        print(&plain_table(&sweep.summary(&finished)).to_string())?;
    }
    if !finished.is_empty() && !args.common.quiet {
        say(&format!("report: {}", args.out.join("report.html").display()));
    }
    Ok(failure.map_or(DONE, |message| {
        say(&format!("error: {message}"));
        FAILED
    }))
}

/// The settings that vary, and those of all runs: flags over the file.
fn given(args: &SweepArgs) -> Result<(Vec<Axis>, Table)> {
    let axes: Vec<Axis> = args.set.iter().map(|text| Axis::parse(text)).collect::<Result<_, _>>()?;
    let mut flags = args.model.table.clone();
    flags.extend(args.training.table.clone());
    if let Some(axis) = axes.iter().find(|axis| flags.contains_key(&axis.key)) {
        let what = format!("`{}` is given as well; leave one of them out", axis.key);
        return Err(UsageError::Range { flag: "--set", given: axis.key.clone(), what }.into());
    }
    let mut base = Table::new();
    if let Some(path) = &args.file {
        overlay_file(&mut base, path)?;
    }
    base.extend(flags);
    Ok((axes, base))
}

/// What was asked for: a list of values for what varies.
fn asked(axes: &[Axis], base: &Table) -> Table {
    let mut all = base.clone();
    all.extend(axes.iter().map(|axis| (axis.key.clone(), Value::Array(axis.values.clone()))));
    all
}

/// What a script reads of the runs.
fn cells(sweep: &Sweep, finished: &[Finished<Point>]) -> Vec<serde_json::Value> {
    let number = Json;
    let cell = |run: &Finished<Point>| {
        let last = run.trace.rows.last().copied().unwrap_or_default();
        json!({
            "id": run.cell.run.id, "values": sweep.values(&run.cell).collect::<BTreeMap<_, _>>(), "stopped": run.stopped,
            "failure": run.failure, "drift_max": number(last.drift_max), "drift_fro": number(last.drift_fro),
            "margin_mean": number(last.margin_mean), "final_loss": number(last.loss), "accuracy": number(last.accuracy),
        })
    };
    finished.iter().map(cell).collect()
}
