//! `ntkscope regress`: ridge and logistic regression with a kernel that is never formed.

mod results;
mod solution;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use ntkscope_core::choice::Choice;
use ntkscope_core::loss::Loss;
use toml::Table;

use super::args::OF_NETWORK;
use super::large::{Asked, LargeArgs};
use super::predict::test_points;
use super::ranked::{check_alike, least};
use super::terminal::{DONE, FAILED, INTERRUPTED, in_flags, say, stop_on_interrupt, warn};
use super::unused::{Takes, refuse};
use super::{Common, ModelArgs, UsageError};
use crate::data::{self, DataSpec, Source};
use crate::experiment::{LossKind, Settings, Training};
use crate::files::{self, Dtype, Format, Roles, check_output};
use crate::machine::{Ended, ranks, with_threads};
use crate::run;
use crate::words::{count, number};
use solution::Regression;

const EXAMPLES: &str = "\
Examples:
  ntkscope regress --data mnist --data-dir DIR --classes all --n 8000 --held-out 2000 --ridge 1e-4 --dtype f32
      ridge regression with the analytic NTK, all ten classes at once
  ntkscope regress --loss cross-entropy --ridge 1e-4 --data train.csv --test test.csv --out R.npz
      softmax (or logistic) regression; called again after a crash it goes on
  ntkscope regress --kernel empirical --params P.npz --ridge 1e-3 --held-out 100 --data samples.npz";

/// `ntkscope regress`
#[derive(Args, Debug)]
#[command(before_help = EXAMPLES)]
pub struct RegressArgs {
    /// Network and data
    #[command(flatten)]
    pub model: ModelArgs,
    /// Which kernel
    #[command(flatten)]
    pub large: LargeArgs,
    /// Loss: mse (ridge regression) or cross-entropy (logistic regression; a softmax for three classes or more)
    #[arg(long, value_parser = losses(), default_value = "mse", help_heading = "Regression")]
    pub loss: Loss,
    /// RIDGE: adds (RIDGE/2) |f|_K^2 to the mean loss, so that squared error has (K + n RIDGE I) a = y
    #[arg(long, value_name = "RIDGE", allow_negative_numbers = true, help_heading = "Regression")]
    pub ridge: f64,
    /// Residual, as a share of the right-hand side, at which a solution counts as found
    #[arg(long, value_name = "EPS", default_value_t = 1e-6, help_heading = "Regression")]
    pub tolerance: f64,
    /// Most products with the kernel
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Regression")]
    pub products: u32,
    /// Rank of the preconditioner; the solution does not depend on it [default: at most 1000, or 3000 over the classes of a softmax]
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Regression")]
    pub rank: Option<u32>,
    /// Test points instead of --held-out: FILE.npz (x, and y if known) or FILE.csv (last column y)
    #[arg(long, value_name = "FILE", conflicts_with = "held_out", help_heading = "Prediction")]
    pub test: Option<Source>,
    /// Save the predictions: R.npz (arrays x, mean, …) or R.csv (a row per test point), and meanwhile, beside it, what the work goes on
    /// from when it is called again; an existing file is replaced
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// The rest
    #[command(flatten)]
    pub common: Common,
}

impl RegressArgs {
    /// What makes the work smaller.
    fn smaller(&self) -> &'static str {
        match (self.large.smaller(), self.rank) {
            (smaller, None) => smaller,
            (OF_NETWORK, _) => "reduce `n`, `width` or `rank`, use `dtype = f32`",
            _ => "reduce `n` or `rank`, use `dtype = f32`",
        }
    }
}

/// The losses that have a regression.
fn losses() -> impl TypedValueParser<Value = Loss> {
    let names = [Loss::SquaredError, Loss::CrossEntropy].map(Choice::name);
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Loss>())
}

/// Solves, predicts, saves, prints; returns the exit code.
pub fn regress(args: RegressArgs) -> Result<u8> {
    let state = args.out.as_ref().map(|out| out.with_extension("state.npz"));
    let args = RegressArgs { out: args.out.filter(|_| ranks().is_first()), ..args };
    with_threads(args.common.threads, || regress_here(&args, state))?
}

fn regress_here(args: &RegressArgs, state: Option<PathBuf>) -> Result<u8> {
    let wrong = |flag, given: String, what: &str| UsageError::Range { flag, given, what: what.into() };
    if !(args.ridge > 0.0 && args.ridge.is_finite()) {
        return Err(wrong("--ridge", args.ridge.to_string(), "must be above 0; give a number such as 1e-4").into());
    }
    if !(args.tolerance > 0.0 && args.tolerance < 1.0) {
        return Err(wrong("--tolerance", args.tolerance.to_string(), "must lie between 0 and 1").into());
    }
    let asked = args.large.ask("regress", &args.model, Table::new())?;
    refuse("regress", &asked.given, &Takes::Only(&[]))?;
    let kind = LossKind::Single(args.loss);
    let settings = Settings { model: asked.settings.model.under(kind)?, ..asked.settings.clone() };
    let model = &settings.model;
    let format = check_files(args, &settings)?;
    let budget = args.common.budget(args.smaller());
    let mut samples = data::load(&model.data_spec(), &budget)?;
    warn(&samples, args.common.quiet);
    check_alike(&samples)?;
    if let Some(test) = &args.test {
        (samples.held_out, samples.held_out_y) = test_points(test, &settings, &samples, &budget, args.common.quiet)?;
    }
    // on every rank alike, of which one writes
    if let Some(out) = args.out.as_ref().or(state.as_ref()).filter(|_| samples.held_out.is_empty()) {
        let what = "no test points to save predictions of; give --held-out N or --test FILE, or leave it out";
        return Err(wrong("--out", out.display().to_string(), what).into());
    }
    let training = Training { loss: kind, ..settings.training.clone() };
    run::check(model, &training, &samples)?;
    let stop = stop_on_interrupt();
    // until the results are written, by the rank that writes them
    let _lock = args.out.as_ref().and(state.as_deref()).map(files::FileLock::of).transpose()?;
    let task =
        Regression { args, samples: &samples, limit: least(budget.limit()), state: state.as_deref(), stop: &stop };
    let asked = Asked { settings: settings.clone(), ..asked };
    let Ended::Done(found) = args.large.with(&asked, &samples, task)? else {
        let kept = state.filter(|path| path.exists()).map_or("--out FILE keeps what it resumes from".into(), |_| {
            "the same command resumes from here".to_owned()
        });
        say(&format!("interrupted; {kept}"));
        return Ok(INTERRUPTED);
    };
    found.save_and_print(args, format, &settings, &samples)?;
    if let Some(path) = state.filter(|path| ranks().is_first() && path.exists()) {
        std::fs::remove_file(&path).map_err(files::Error::io("remove", &path))?;
    }
    if found.fit.solved.converged {
        return Ok(DONE);
    }
    let precise = if model.dtype == Dtype::F32 { ", or give `dtype = f64`" } else { "" };
    say(&in_flags(&format!(
        "warning: the residual {} was not brought below `tolerance = {}` in {}: raise `ridge`, `products` or `tolerance`{precise}",
        number(found.fit.solved.residual),
        number(args.tolerance),
        count(found.fit.solved.products, "product")
    )));
    Ok(FAILED)
}

/// Looks at the files that are read and written, before any is; returns the format of `--out`.
fn check_files(args: &RegressArgs, settings: &Settings) -> Result<Option<Format>> {
    let test = args.test.clone().map(|test| data::inputs(&DataSpec::new(test)));
    let read = Roles::new()
        .reads("data", data::inputs(&settings.model.data_spec()))
        .reads("params", &args.large.params)
        .reads("test", test.into_iter().flatten());
    read.writes("out", &args.out)?;
    Ok(args.out.as_deref().map(|path| check_output("out", path, &[Format::Npz, Format::Csv])).transpose()?)
}
