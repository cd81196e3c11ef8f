//! `ntkscope smoothness`: how smooth the labels of a data set are for the NTK, and what random initialization costs there.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use toml::{Table, Value};

use super::json::{document, print_document};
use super::terminal::{DONE, phase, print, say, warn};
use super::unused::{Takes, refuse, used};
use crate::analysis;
use crate::analysis::labels::{Cost, Labels};
use crate::analysis::smoothness::{Coding, Decay, Smoothness, known, middle, nearly_all, smoothness};
use crate::analysis::spectra::Spectra;
use crate::analysis::spectrum::Unfit;
use crate::analysis::statistics::Estimate;
use crate::backend::threads;
use crate::cli::UsageError;
use crate::cli::{Common, Drawing, ModelArgs};
use crate::data::{self, Targets};
use crate::experiment::Settings;
use crate::files::Roles;
use crate::machine::memory::process_bytes;
use crate::machine::with_threads;
use crate::plot::{Figure, figure_bytes};
use crate::run::{RunDirectory, result_paths};
use crate::studies::initialization::figures;
use crate::words::{count, number, with_error};

const EXAMPLES: &str = "\
Examples:
  ntkscope smoothness --data samples.csv --depth 1
  ntkscope smoothness --data mnist --data-dir DIR --classes all --n 3000 --depth 1 --coding value
  ntkscope smoothness --data sphere --n 800 --dimension 4 --json";

/// `ntkscope smoothness`
#[derive(Args, Debug)]
#[command(before_help = EXAMPLES)]
pub struct SmoothnessArgs {
    /// Network and data
    #[command(flatten)]
    pub model: ModelArgs,
    /// How class labels become functions; real-valued y is used as it is [default: parity for two classes, else one-hot]
    #[arg(long, value_enum, help_heading = "Estimate")]
    pub coding: Option<Coding>,
    /// Range of eigenfunction indices k to fit, counted from 1 [default: 20..N/5 for N samples]
    #[arg(long, value_name = "FIRST..LAST", value_parser = first_and_last, help_heading = "Estimate")]
    pub window: Option<(usize, usize)>,
    /// Number of draws of the outputs of a random network
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..), help_heading = "Estimate")]
    pub draws: u16,
    /// Directory for the figure and spectra.csv [default: the first unused runs/NAME]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Replace existing results in --out
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    /// Of what it draws
    #[command(flatten)]
    pub drawing: Drawing,
    /// The rest
    #[command(flatten)]
    pub common: Common,
}

/// The value of `--window`.
fn first_and_last(text: &str) -> Result<(usize, usize), String> {
    let ends = text.split_once("..").and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    ends.ok_or_else(|| "give FIRST..LAST, such as 20..600".into())
}

/// Estimates, draws, prints; returns the exit code.
pub fn run(args: SmoothnessArgs) -> Result<u8> {
    with_threads(args.common.threads, || run_here(args))?
}

/// Estimates on this pool's threads.
fn run_here(args: SmoothnessArgs) -> Result<u8> {
    let given = args.model.given(&Table::new(), None)?;
    refuse("smoothness", &given, &Takes::Only(&[]))?;
    let mut model = Settings::from_table(given)?.model;
    if let Some(coding) = args.coding {
        // a coding is of classes
        if model.targets == Some(Targets::Values) {
            let what = "is for class labels, but with --targets values y is real-valued; leave one of them out".into();
            return Err(UsageError::Range { flag: "--coding", given: coding.name().into(), what }.into());
        }
        model.targets = Some(Targets::Classes);
    }
    model.check()?;
    model.check_kernel_regime()?;
    let mut labels = Labels { model, codings: Vec::new(), draws: args.draws.into() };
    let budget = args.common.budget("reduce `n`");
    let (model, samples) = labels.resolve(&budget)?;
    warn(&samples, args.common.quiet);
    let coding = args.coding.unwrap_or(if samples.classes == 2 { Coding::Parity } else { Coding::OneHot });
    labels.codings.push(coding);
    samples.need_y("the smoothness of labels")?;
    let window = window(&args, samples.n)?;
    // the samples and the figure come to less than the spectra, unless there are few
    let figure = process_bytes(threads()) + figure_bytes(args.drawing.figure_style);
    let need = |n: usize| labels.need_of_some(&samples, n).max(figure);
    if let Some(limit) = budget.limit().filter(|limit| need(samples.n) > limit.bytes) {
        // neither tail sums up to n/5 nor what is learned follow from a few products with a kernel
        let what = format!("the spectrum of {}, of which all eigenfunctions are needed", count(samples.n, "sample"));
        let fits = match most_that_fit(samples.n, |n| need(n) <= limit.bytes) {
            0 => ",".to_owned(),
            n => format!(" (`n = {n}` fits),"),
        };
        return Err(limit.refuse(&format!("{what}{fits}"), need(samples.n), None).into());
    }
    let source = samples.description.split([':', ' ']).next().unwrap_or("data").replace(['/', '\\', '.'], "-");
    let results = args.out.as_deref().map(result_paths);
    let read = Roles::new().reads("data", data::inputs(&model.data_spec()));
    read.writes("out", results.into_iter().flatten())?;
    let directory = RunDirectory::reserve(args.out.as_deref(), &format!("smoothness-{source}"), args.force)?;
    let bar = phase(&format!("spectra of {}", count(samples.n, "sample")), args.common.quiet);
    let found = labels.spectra_and_cost(&model, &samples);
    drop(bar);
    let (spectra, cost) = found?;
    let found = Alphas::new(&spectra, &window, samples.d)?;
    directory.make_room()?;
    spectra.table().write(&directory.file("spectra.csv"))?;
    let figure = figures::labels("smoothness", &samples.description, &spectra, &window);
    Figure { style: args.drawing.figure_style, ..figure }.save(directory.path())?;
    if args.common.json {
        let body = json!({
            "network": model.describe_limit(), "data": samples.description, "samples": samples.n, "window": [window.start(), window.end()],
            "decay": found.labels.decay, "alpha": found.labels.alpha, "alpha_error": found.labels.error,
            "alpha_paper": found.paper.ok().map(|s| s.alpha), "alpha_random_outputs": found.random.value,
            "alpha_random_outputs_error": found.random.error, "held_out": cost.held_out, "risk_zero": cost.zero,
            "risk_random_outputs": cost.random.value, "risk_random_outputs_error": cost.random.error,
            "directory": directory.path(), "targets": samples.targets, "class_labels": samples.class_names(),
        });
        let mut settings = used("smoothness", Table::try_from(&model)?);
        settings.insert("coding".into(), Value::String(coding.name().into()));
        settings.insert("window".into(), Value::String(format!("{}..{}", window.start(), window.end())));
        settings.insert("draws".into(), Value::Integer(args.draws.into()));
        print_document(&document("smoothness", &settings, body))?;
        return Ok(DONE);
    }
    if !args.common.quiet {
        say(&format!("{}; {}", model.describe_limit(), samples.description));
    }
    found.print(&window, labels.draws, samples.d)?;
    print_cost(&cost, labels.draws)?;
    if !args.common.quiet {
        say(&format!("figure: {}", directory.path().join("smoothness.svg").display()));
    }
    Ok(DONE)
}

/// The largest number up to `most` of which `fits` is true, as it is of all below; 0 where there is none.
fn most_that_fit(most: usize, fits: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if fits(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

/// The window that was asked for, or the one that leaves out the largest eigenvalues and the bend near k = n.
fn window(args: &SmoothnessArgs, n: usize) -> Result<RangeInclusive<usize>, UsageError> {
    let refuse = |given: String, what: String| Err(UsageError::Range { flag: "--window", given, what });
    match args.window {
        None if n < 115 => {
            let what =
                format!("{n} samples are too few to fit from k = 20 to n/5; give --n 115 or more, or a --window");
            refuse(format!("20..{}", n / 5), what)
        }
        None => Ok(middle(n)),
        Some((first, last)) if first == 0 || last > n || last < first + 2 => {
            refuse(format!("{first}..{last}"), format!("give a range of at least three indices between 1 and n = {n}"))
        }
        Some((first, last)) => Ok(first..=last),
    }
}

/// Estimates of alpha.
struct Alphas {
    labels: Smoothness,
    /// by the window and the decay of the paper, where no rounding reaches into it
    paper: Result<Smoothness, Unfit>,
    /// of f^GP, over its draws
    random: Estimate,
}

impl Alphas {
    fn new(spectra: &Spectra, window: &RangeInclusive<usize>, d: usize) -> Result<Self> {
        let n = spectra.ntk.len();
        let tails = spectra.functions.first().map_or(&[][..], |(_, tails)| tails);
        // the draws are fitted in the same window as the labels
        let usable = spectra.draws.iter().map(|draw| known(&spectra.ntk, draw)).min().unwrap_or(n);
        let usable = usable.min(known(&spectra.ntk, tails));
        if usable < *window.end() {
            let fix = match usable {
                0..3 => "too few for any window, so use more samples".to_owned(),
                _ => format!("give a window that ends at {usable} or before"),
            };
            let what = format!("from k = {} on, eigenvalues or tail sums are rounding error; {fix}", usable + 1);
            let given = format!("{}..{}", window.start(), window.end());
            return Err(UsageError::Range { flag: "--window", given, what }.into());
        }
        let fitted = |tails: &[f64]| smoothness(&spectra.ntk, tails, window, &Decay::Fitted(window.clone()));
        let paper = match smoothness(&spectra.ntk, tails, &nearly_all(n), &Decay::Dimension(d)) {
            Ok(paper) => Ok(paper),
            Err(analysis::Error::Unfit(unfit)) => Err(unfit),
            Err(other) => return Err(other.into()),
        };
        let alphas: Vec<f64> = spectra.draws.iter().map(|draw| Ok(fitted(draw)?.alpha)).collect::<Result<_>>()?;
        let random = Estimate::from_values(&alphas).ok_or(analysis::Error::NoDraw)?;
        Ok(Self { labels: fitted(tails)?, paper, random })
    }

    fn print(&self, window: &RangeInclusive<usize>, draws: usize, d: usize) -> Result<()> {
        let Smoothness { alpha, error, decay, .. } = self.labels;
        let line = |what: &str, value: String, note: String| print(&format!("{what:<24}{value:<20}{note}"));
        let note =
            format!("k in {}..{}, where eigenvalues decay like k^-{}", window.start(), window.end(), number(decay));
        line("smoothness of labels", with_error(alpha, error), note)?;
        let paper = format!("k < 0.9 n, decay (d+1)/d, d = {d}: Chen, Li, Lin 2024, appendix G");
        match self.paper {
            Ok(found) => line("", with_error(found.alpha, found.error), paper)?,
            Err(unfit) => line("", "none".into(), format!("{paper}; {unfit}"))?,
        }
        let random = told(self.random);
        line("smoothness of f^GP", random, format!("{} of random-network outputs, same k", count(draws, "draw")))
    }
}

/// An estimate over draws; the error of a single one is unknown, not 0.
fn told(estimate: Estimate) -> String {
    with_error(estimate.value, estimate.error.unwrap_or(f64::NAN))
}

fn print_cost(cost: &Cost, draws: usize) -> Result<()> {
    let random = told(cost.random);
    let share = match cost.share() {
        None => "mirrored initialization fits to rounding error, so there is no ratio".into(),
        Some(share) if share < 10.0 => format!("{}{} %", if share < 0.0 { "" } else { "+" }, number(100.0 * share)),
        Some(share) => format!("{} times as much", number(1.0 + share)),
    };
    print(&format!(
        "squared error on the last {}, trained on the others, at the optimal stopping time:\n  mirrored initialization {}\n  random \
         initialization   {random}, {}: {share}",
        count(cost.held_out, "sample"),
        number(cost.zero),
        count(draws, "draw")
    ))
}
