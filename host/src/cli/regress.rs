//! `ntkscope regress`: ridge and logistic regression with a kernel that is never formed.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use bytesize::ByteSize;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser;
use clap::{Args, ValueEnum};
use ntkscope_core::MatRef;
use ntkscope_core::kernel::MultiOutput;
use ntkscope_core::loss::Loss;
use ntkscope_core::network::Network;
use serde_json::json;
use toml::{Table, Value};

use super::json::{document, print_document};
use super::large::{Asked, Large, LargeArgs, LargeKernel, Task, by_gradients, by_panels};
use super::predict::test_points;
use super::prediction::{Answers, Columns, Quantity};
use super::terminal::{DONE, FAILED, INTERRUPTED, Progress, in_flags, print, progress, say, stop_on_interrupt, warn};
use super::unused::{Takes, refuse, used};
use super::{Common, ModelArgs, UsageError};
use crate::backend::HostReal;
use crate::data::{self, DataSpec, Samples, Source};
use crate::experiment::{LossKind, Settings};
use crate::files::numbers::Json as Number;
use crate::files::{Format, Roles, check_output};
use crate::kernel::{HeldOut, KernelSource, Operator};
use crate::machine::memory::bytes_of;
use crate::machine::{Budget, Ended, MemoryLimit, Stop, with_threads};
use crate::regression::{
    self, Accuracy, Follow, Iterate, Logistic, LowRank, Newton, Saved, Solved, low_rank_bytes, predictions,
    probabilities, ridge,
};
use crate::run;
use crate::words::{count, number};

const EXAMPLES: &str = "\
Examples:
  ntkscope regress --data mnist --data-dir DIR --classes all --n 8000 --held-out 2000 --ridge 1e-4 --dtype f32
      ridge regression with the analytic NTK, all ten classes at once
  ntkscope regress --loss cross-entropy --ridge 1e-4 --data train.csv --test test.csv --out R.npz
      softmax (or logistic) regression; called again after a crash it goes on
  ntkscope regress --kernel empirical --params P.npz --ridge 1e-3 --held-out 100 --data samples.npz";

/// Largest ranks of the preconditioner where none is given: of ridge regression, and of all classes together under a softmax.
const RANKS: [usize; 2] = [1000, 3000];
/// The smallest that is tried where memory is short.
const LEAST_RANK: usize = 16;
/// Seed of the columns that the preconditioner is made of.
const SEED: u64 = 0;
/// Time between two states that are kept.
const KEEP_EVERY: Duration = Duration::from_secs(20);

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

/// The losses that have a regression.
fn losses() -> impl TypedValueParser<Value = Loss> {
    let names = [Loss::SquaredError, Loss::CrossEntropy].map(ntkscope_core::choice::Choice::name);
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Loss>())
}

/// Solves, predicts, saves, prints; returns the exit code.
pub fn regress(args: RegressArgs) -> Result<u8> {
    with_threads(args.common.threads, || regress_here(&args))?
}

fn regress_here(args: &RegressArgs) -> Result<u8> {
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
    let budget = Budget::new(args.common.memory);
    let mut samples = data::load(&model.data_spec(), &budget)?;
    warn(&samples, args.common.quiet);
    if let Some(test) = &args.test {
        (samples.held_out, samples.held_out_y) = test_points(test, &settings, &samples, &budget, args.common.quiet)?;
    }
    let training = crate::experiment::Training { loss: kind, ..settings.training.clone() };
    run::check(model, &training, &samples)?;
    let stop = stop_on_interrupt();
    let state = args.out.as_ref().map(|out| out.with_extension("state.npz"));
    let task = Regression { args, samples: &samples, limit: budget.limit(), state: state.as_deref(), stop: &stop };
    let asked = Asked { settings: settings.clone(), ..asked };
    let Ended::Done(found) = args.large.with(&asked, &samples, task)? else {
        let kept = state.filter(|path| path.exists()).map_or("--out FILE keeps what it goes on from".into(), |_| {
            "the same command goes on from here".to_owned()
        });
        say(&format!("interrupted; {kept}"));
        return Ok(INTERRUPTED);
    };
    found.save_and_print(args, format, &settings, &samples)?;
    if let Some(path) = state.filter(|path| path.exists()) {
        std::fs::remove_file(&path).map_err(crate::files::Error::io("remove", &path))?;
    }
    if found.solved.converged {
        return Ok(DONE);
    }
    say(&in_flags(&format!(
        "warning: the residual {} was not brought below `tolerance = {}` in {}: raise `ridge`, `products` or `tolerance`, or give `dtype = f64`",
        number(found.solved.residual),
        number(args.tolerance),
        count(found.solved.products, "product")
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

/// What is to be solved.
struct Regression<'a> {
    args: &'a RegressArgs,
    samples: &'a Samples,
    limit: Option<MemoryLimit>,
    state: Option<&'a Path>,
    stop: &'a Stop,
}

/// What came of it.
struct Found {
    described: String,
    solved: Solved,
    /// Newton's steps, of cross-entropy
    steps: Option<usize>,
    rank: usize,
    /// share of the trace that the preconditioner leaves
    left: f64,
    /// loss and accuracy on the training samples
    training: (f64, f64),
    /// (m, C)
    mean: Vec<f64>,
    outputs: usize,
    memory: u64,
}

impl Task for Regression<'_> {
    type Found = Found;
    fn run<T: HostReal, N: Network>(self, large: Large<'_, N, T>) -> Result<Ended<Found>> {
        let outputs = large.outputs()?;
        let (n, m) = (self.samples.n, self.samples.held_out_count());
        let own = self.args.rank.map(|rank| (rank as usize).min(n));
        let most = if self.args.loss == Loss::CrossEntropy { RANKS[1] / outputs } else { RANKS[0] };
        let mut rank = own.unwrap_or_else(|| most.min(n.div_ceil(2)).max(1));
        let (plan, memory) = loop {
            let of_newton = if self.args.loss == Loss::CrossEntropy { 2 * (rank * outputs).pow(2) } else { 0 };
            let numbers = 14 * n * outputs + m * (self.samples.d + 4 * outputs + 4) + of_newton;
            let beside = low_rank_bytes(n, rank).saturating_add(bytes_of(numbers as u128, 8));
            let work = large.work(MultiOutput::Trace, beside);
            match work.plan(&format!("a regression on {}", count(n, "sample")), self.limit) {
                Ok(plan) => break (plan, plan.forecast),
                // a smaller part costs time only
                Err(_) if own.is_none() && rank / 2 >= LEAST_RANK => rank /= 2,
                Err(error) => return Err(error.into()),
            }
        };
        if !self.args.common.quiet && !self.args.common.json {
            say(&format!("{}; {}", large.described, self.samples.description));
            say(&format!("memory: about {}; the kernel is not formed", ByteSize::b(memory)));
        }
        let held_out = HeldOut(self.samples);
        if large.which == LargeKernel::Empirical {
            let mut spaces = Vec::new();
            let source = large.empirical(large.theta, MultiOutput::Trace)?;
            let points = crate::kernel::Empirical { samples: &held_out, ..source };
            let Ended::Done(mut operator) = by_gradients(&source, plan, &mut spaces, self.stop)? else {
                return Ok(Ended::Stopped);
            };
            return self.solve(&large, &mut *operator, (&points, &source), (outputs, rank, memory));
        }
        let source = large.analytic();
        let points = crate::kernel::Analytic { samples: &held_out, ..source };
        self.solve(&large, &mut *by_panels(&source), (&points, &source), (outputs, rank, memory))
    }
}

impl Regression<'_> {
    fn solve<T: HostReal, N: Network, S: KernelSource<T>>(
        &self,
        large: &Large<'_, N, T>,
        operator: &mut dyn Operator,
        (points, source): (&S, &S),
        (outputs, rank, memory): (usize, usize, u64),
    ) -> Result<Ended<Found>> {
        let (args, n) = (self.args, self.samples.n);
        let by_sample: Vec<f64> = run::targets(self.samples, args.loss, 0.0, outputs)?;
        let mut targets = vec![0.0; outputs * n];
        for (i, of_sample) in by_sample.chunks_exact(outputs).enumerate() {
            of_sample.iter().enumerate().for_each(|(c, target)| targets[c * n + i] = *target);
        }
        let targets = MatRef::new(&targets, outputs, n)?;
        let shift = n as f64 * args.ridge;
        let bar = progress("regression", 1000, args.common.quiet);
        bar.set_message("preconditioner");
        let part = LowRank::of(operator, (rank, SEED), &mut |done| bar.set_position((100.0 * done) as u64), self.stop)?;
        let Ended::Done(part) = part else { return Ok(Ended::Stopped) };
        let asked = self.asked(large)?;
        let saved = match self.state {
            Some(path) => Saved::read(path, &asked, outputs * n)?,
            None => None,
        };
        let saved = saved.unwrap_or_default();
        let (mut iterate, mut newton) = (saved.iterate, saved.newton.unwrap_or_default());
        let accuracy = Accuracy { tolerance: args.tolerance, most: args.products as usize, stop: self.stop };
        let mut follower = Follower::new(&bar, args.tolerance, self.state, &asked);
        let solved = if args.loss == Loss::CrossEntropy {
            let mut problem = Logistic { kernel: operator, part: &part, targets, shift };
            problem.minimize(&mut newton, &mut iterate, &mut follower, &accuracy)?
        } else {
            ridge(operator, &part, targets, shift, &mut iterate, &mut follower, &accuracy)?
        };
        let logistic = args.loss == Loss::CrossEntropy;
        let Ended::Done(solved) = solved else {
            if let Some(path) = self.state {
                Saved::write(&asked, &iterate, logistic.then_some(&newton), path)?;
            }
            return Ok(Ended::Stopped);
        };
        // of squared error y = f + s a + r
        let (dual, fitted) = if logistic {
            (newton.dual, newton.outputs)
        } else {
            let left = iterate.x.iter().zip(&iterate.r).zip(targets.data());
            let fitted = left.map(|((a, r), y)| y - shift * a - r).collect();
            (iterate.x, fitted)
        };
        bar.set_message("predictions");
        let mut told = |done: f64| bar.set_position((1000.0 * done) as u64);
        let a = MatRef::new(&dual, outputs, n)?;
        let Ended::Done(mean) = predictions(points, source, a, &mut told, self.stop)? else {
            return Ok(Ended::Stopped);
        };
        bar.finish_and_clear();
        let training = self.training(&fitted, &by_sample, outputs)?;
        let steps = logistic.then_some(newton.steps);
        let (described, rank) = (large.described.clone(), part.rank());
        Ok(Ended::Done(Found { described, solved, steps, rank, left: part.left, training, mean, outputs, memory }))
    }

    /// Mean loss and accuracy on the training samples; the accuracy is NaN where y is numbers.
    fn training(&self, fitted: &[f64], targets: &[f64], outputs: usize) -> Result<(f64, f64)> {
        let n = self.samples.n;
        let mut by_sample = vec![0.0; n * outputs];
        for (c, of_class) in fitted.chunks_exact(n).enumerate() {
            of_class.iter().enumerate().for_each(|(i, f)| by_sample[i * outputs + c] = *f);
        }
        let (f, y) = (MatRef::new(&by_sample, n, outputs)?, MatRef::new(targets, n, outputs)?);
        let at = self.args.loss.evaluate(f, y)?;
        Ok((at.loss, if self.samples.are_values() { f64::NAN } else { at.accuracy }))
    }

    /// What was asked for, in words that differ where anything does that the solution or its way depends on.
    fn asked<T: HostReal, N: Network>(&self, large: &Large<'_, N, T>) -> Result<String> {
        let RegressArgs { large: LargeArgs { kernel, params, order }, loss, ridge, rank, .. } = self.args;
        let network = toml::to_string(large.model)?;
        let params = params.as_ref().map(|path| path.display().to_string());
        let data = &self.samples.sha256;
        Ok(format!("{loss}, ridge {ridge:e}, rank {rank:?}, {kernel:?}, {params:?}, {order:?}, data {data}, {network}"))
    }
}

/// Tells how far the work is, and keeps what it goes on from.
struct Follower<'a> {
    bar: &'a Progress,
    tolerance: f64,
    state: Option<&'a Path>,
    asked: &'a str,
    began: Instant,
    kept: Instant,
    /// products and residual when it began
    first: Option<(usize, f64)>,
}

impl<'a> Follower<'a> {
    fn new(bar: &'a Progress, tolerance: f64, state: Option<&'a Path>, asked: &'a str) -> Self {
        let now = Instant::now();
        Self { bar, tolerance, state, asked, began: now, kept: now, first: None }
    }
}

impl Follow for Follower<'_> {
    fn product(&mut self, products: usize, residual: f64) {
        let (at_first, first) = *self.first.get_or_insert((products, residual));
        let (gone, all) = ((first / residual).ln(), (first / self.tolerance).ln());
        if gone > 0.0 && products > at_first {
            let seconds = self.began.elapsed().as_secs_f64();
            self.bar.set_left(seconds * (all - gone).max(0.0) / gone);
            self.bar.set_position((1000.0 * (gone / all).clamp(0.0, 1.0)) as u64);
        }
        self.bar.set_message(format!("{}, residual {}", count(products, "product"), number(residual)));
    }
    fn within(&mut self, _: f64) {}
    fn keep(&mut self, iterate: &Iterate, newton: Option<&Newton>) -> Result<(), regression::Error> {
        let Some(path) = self.state.filter(|_| self.kept.elapsed() >= KEEP_EVERY) else { return Ok(()) };
        Saved::write(self.asked, iterate, newton, path)?;
        self.kept = Instant::now();
        Ok(())
    }
}

impl Found {
    fn save_and_print(
        &self,
        args: &RegressArgs,
        format: Option<Format>,
        settings: &Settings,
        samples: &Samples,
    ) -> Result<()> {
        let (m, outputs) = (samples.held_out_count(), self.outputs);
        let quantity = |name, width, values| Quantity { name, width, values };
        let likely = self.likelihood(args, samples)?;
        let mut quantities = vec![quantity("mean", outputs, &self.mean)];
        quantities.extend(likely.as_ref().map(|(p, _)| quantity("probability", outputs.max(2), p)));
        let answers = Answers::new(samples, &self.mean, outputs);
        quantities.extend(answers.quantities());
        let columns = Columns { points: m, quantities };
        match &args.out {
            Some(path) if format == Some(Format::Csv) => columns.write_csv(path, &samples.held_out)?,
            Some(path) => columns.write_npz(path, &samples.held_out, &answers)?,
            None => {}
        }
        let log_likelihood = likely.and_then(|(_, mean)| mean);
        let (loss, accuracy) = self.training;
        if args.common.json {
            let mut all = used("regress", Table::try_from(&settings.model)?);
            let kernel = args.large.kernel.to_possible_value().map_or(String::new(), |k| k.get_name().to_owned());
            for (key, value) in [
                ("kernel", Value::String(kernel)),
                ("loss", Value::String(args.loss.to_string())),
                ("ridge", Value::Float(args.ridge)),
                ("tolerance", Value::Float(args.tolerance)),
            ] {
                all.insert(key.into(), value);
            }
            let mut body = json!({
                "network": self.described, "data": samples.description, "residual": Number(self.solved.residual),
                "converged": self.solved.converged, "products": self.solved.products, "newton_steps": self.steps,
                "rank": self.rank, "trace_left": Number(self.left), "training_loss": Number(loss),
                "training_accuracy": Number(accuracy), "points": m, "log_likelihood": log_likelihood.map(Number),
                "memory": { "forecast": self.memory }, "targets": samples.targets, "class_labels": samples.class_names(),
            });
            answers.scores().for_each(|(name, value)| body[name] = json!(value));
            return print_document(&document("regress", &all, body));
        }
        let line = |what: &str, value: &str| print(&format!("{what:<18}{value}"));
        let steps = self.steps.map_or(String::new(), |steps| format!(" in {}", count(steps, "Newton step")));
        let products = count(self.solved.products, "product");
        line("residual", &format!("{} after {products} with the kernel{steps}", number(self.solved.residual)))?;
        line("preconditioner", &format!("rank {}, {} of the trace left", self.rank, number(self.left)))?;
        let right = if accuracy.is_nan() { String::new() } else { format!(", accuracy {}", number(accuracy)) };
        line("training samples", &format!("mean loss {}{right}", number(loss)))?;
        if m == 0 {
            return Ok(());
        }
        let scores: Vec<String> = answers.scores().map(|(name, value)| format!("{name} {}", number(value))).collect();
        let likely = log_likelihood.map(|value| format!("mean log-likelihood {}", number(value)));
        let all: Vec<String> = scores.into_iter().chain(likely).collect();
        line("test points", &format!("{m}: {}", if all.is_empty() { "no y is known".into() } else { all.join(", ") }))
    }

    /// Of cross-entropy the probabilities of the classes `(m, max(C, 2))`, and the mean logarithm of that of the right one, where
    /// labels are known.
    #[allow(clippy::type_complexity, reason = "a pair of what is saved and what is told")]
    fn likelihood(&self, args: &RegressArgs, samples: &Samples) -> Result<Option<(Vec<f64>, Option<f64>)>> {
        let (m, c) = (samples.held_out_count(), self.outputs);
        if args.loss != Loss::CrossEntropy {
            return Ok(None);
        }
        let mut by_class = vec![0.0; m * c];
        for (i, f) in self.mean.chunks_exact(c.max(1)).enumerate() {
            f.iter().enumerate().for_each(|(k, f)| by_class[k * m + i] = *f);
        }
        let p = probabilities(MatRef::new(&by_class, c, m)?)?;
        let of = |i: usize| -> Vec<f64> {
            if c == 1 { vec![1.0 - p[i], p[i]] } else { (0..c).map(|k| p[k * m + i]).collect() }
        };
        let all: Vec<f64> = (0..m).flat_map(of).collect();
        let known = samples.held_out_y.len() == m && m > 0;
        let labels = samples.map.as_ref().filter(|_| known);
        let mean = labels.and_then(|map| {
            let classes = samples.held_out_y.iter().map(|y| map.class_of(*y));
            let logs: Option<Vec<f64>> =
                classes.enumerate().map(|(i, class)| Some(all[i * c.max(2) + class?].ln())).collect();
            logs.map(|logs| logs.iter().sum::<f64>() / m as f64)
        });
        Ok(Some((all, mean)))
    }
}
