//! The regression itself: which kernel, how much memory, what is kept meanwhile, and the predictions.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use bytesize::ByteSize;
use ntkscope_core::MatRef;
use ntkscope_core::kernel::MultiOutput;
use ntkscope_core::network::Network;

use super::RegressArgs;
use crate::backend::HostReal;
use crate::cli::large::{Large, LargeArgs, LargeKernel, Task, by_gradients, by_panels};
use crate::cli::ranked::check_same;
use crate::cli::terminal::{Progress, progress, say};
use crate::data::Samples;
use crate::files;
use crate::kernel::{Analytic, Empirical, HeldOut, KernelSource, Operator};
use crate::machine::{Ended, MemoryLimit, Stop, ranks};
use crate::regression::{self, Accuracy, Fit, FitWork, Follow, Iterate, Newton, Problem, Saved, fit, predictions};
use crate::run;
use crate::words::{count, number};

/// Time between two states that are kept.
const KEEP_EVERY: Duration = Duration::from_secs(20);

/// What is to be solved.
pub(super) struct Regression<'a> {
    pub(super) args: &'a RegressArgs,
    pub(super) samples: &'a Samples,
    pub(super) limit: Option<MemoryLimit>,
    pub(super) state: Option<&'a Path>,
    pub(super) stop: &'a Stop,
}

/// What came of it.
pub(super) struct Found {
    pub(super) described: String,
    pub(super) fit: Fit,
    /// mean loss and accuracy on the training samples; the accuracy is NaN where y is numbers
    pub(super) training: (f64, f64),
    /// (m, C)
    pub(super) mean: Vec<f64>,
    pub(super) outputs: usize,
    /// forecast of the memory, in bytes
    pub(super) memory: u64,
}

impl Task for Regression<'_> {
    type Found = Found;
    fn run<T: HostReal, N: Network>(self, large: Large<'_, N, T>) -> Result<Ended<Found>> {
        let Self { args, samples, limit, stop, .. } = self;
        let outputs = large.outputs()?;
        let rank = args.rank.map(|rank| rank as usize);
        let work = FitWork { outputs, points: samples.held_out_count(), loss: args.loss, rank };
        let what = format!("a regression on {}", count(samples.n, "sample"));
        let (plan, rank) = work.plan(large.work(MultiOutput::Trace, 0), &what, limit)?;
        if !args.common.quiet && !args.common.json {
            say(&format!("{}; {}", large.described, samples.description));
            say(&format!("memory: about {}; the kernel is not formed", ByteSize::b(plan.forecast)));
        }
        let (held_out, memory) = (HeldOut(samples), plan.forecast);
        if large.which == LargeKernel::Empirical {
            let mut spaces = Vec::new();
            let source = large.empirical(large.theta, MultiOutput::Trace)?;
            let points = Empirical { samples: &held_out, ..source };
            let Ended::Done(operator) = by_gradients(&source, plan, &mut spaces, stop)? else {
                return Ok(Ended::Stopped);
            };
            let Ended::Done(solution) = self.solve(&large, operator, (outputs, rank))? else {
                return Ok(Ended::Stopped);
            };
            // the forecast has them freed before there are predictions
            drop(spaces);
            return self.predict(solution, (&points, &source), (large.described.clone(), memory));
        }
        let source = large.analytic();
        let points = Analytic { samples: &held_out, ..source };
        let Ended::Done(solution) = self.solve(&large, by_panels(&source), (outputs, rank))? else {
            return Ok(Ended::Stopped);
        };
        self.predict(solution, (&points, &source), (large.described.clone(), memory))
    }
}

/// A fit, and mean loss and accuracy on the training samples.
type Solution = (Fit, (f64, f64));

impl Regression<'_> {
    fn solve<T: HostReal, N: Network>(
        &self,
        large: &Large<'_, N, T>,
        mut operator: Box<dyn Operator + '_>,
        (outputs, rank): (usize, usize),
    ) -> Result<Ended<Solution>> {
        let Self { args, samples, state, stop, .. } = *self;
        let by_sample: Vec<f64> = run::targets(samples, args.loss, 0.0, outputs)?;
        let targets = transposed(&by_sample, samples.n, outputs);
        let targets = MatRef::new(&targets, outputs, samples.n)?;
        let bar = progress("regression", 1000, args.common.quiet);
        let asked = self.asked(large)?;
        let saved = state.map(|path| Saved::read(path, &asked, outputs * samples.n)).transpose()?.flatten();
        check_same(saved.as_ref().map_or(0, |saved| saved.iterate.products), "the state of a regression")?;
        let saved = saved.unwrap_or_default();
        let problem = Problem { loss: args.loss, targets, ridge: args.ridge, rank };
        let accuracy = Accuracy { tolerance: args.tolerance, most: args.products as usize, stop };
        let kept = state.filter(|_| ranks().is_first());
        let mut follower = Follower::new(&bar, args.tolerance, kept, &asked);
        let Ended::Done(fit) = fit(&mut *operator, &problem, saved, &mut follower, &accuracy)? else {
            return Ok(Ended::Stopped);
        };
        bar.finish_and_clear();
        let fitted = transposed(&fit.fitted, outputs, samples.n);
        let (f, y) = (MatRef::new(&fitted, samples.n, outputs)?, MatRef::new(&by_sample, samples.n, outputs)?);
        let at = args.loss.evaluate(f, y)?;
        Ok(Ended::Done((fit, (at.loss, if samples.are_values() { f64::NAN } else { at.accuracy }))))
    }

    fn predict<T: HostReal, S: KernelSource<T>>(
        &self,
        (fit, training): Solution,
        (points, source): (&S, &S),
        (described, memory): (String, u64),
    ) -> Result<Ended<Found>> {
        let bar = progress("predictions", 1000, self.args.common.quiet);
        let mut told = |done: f64| bar.set_position((1000.0 * done) as u64);
        let outputs = fit.dual.len() / self.samples.n;
        let a = MatRef::new(&fit.dual, outputs, self.samples.n)?;
        let Ended::Done(mean) = predictions((points, source), a, ranks(), &mut told, self.stop)? else {
            return Ok(Ended::Stopped);
        };
        bar.finish_and_clear();
        Ok(Ended::Done(Found { described, fit, training, mean, outputs, memory }))
    }

    /// What was asked for, in words that differ where anything does that the solution or its way depends on.
    fn asked<T: HostReal, N: Network>(&self, large: &Large<'_, N, T>) -> Result<String> {
        let RegressArgs { large: LargeArgs { kernel, order, .. }, loss, ridge, rank, .. } = self.args;
        let network = toml::to_string(large.model)?;
        // not the name of their file, which may hold others by now
        let params = files::sha256_of_numbers(large.theta.iter().map(|number| number.to_f64()));
        let data = &self.samples.sha256;
        // kernel and targets are scaled: see `fit`
        Ok(format!(
            "in units, {loss}, ridge {ridge:e}, rank {rank:?}, {kernel:?}, parameters {params}, {order:?}, data {data}, {network}"
        ))
    }
}

/// Columns of a (rows, columns) as rows.
pub(super) fn transposed(a: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    (0..columns).flat_map(|j| (0..rows).map(move |i| a[i * columns + j])).collect()
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
    fn preconditioner(&mut self, share: f64) {
        self.bar.set_message("preconditioner");
        self.bar.set_position((100.0 * share) as u64);
        self.began = Instant::now();
    }
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
    fn keep(&mut self, iterate: &Iterate, newton: Option<&Newton>) -> Result<(), regression::Error> {
        if self.kept.elapsed() < KEEP_EVERY {
            return Ok(());
        }
        self.kept = Instant::now();
        self.stopped(iterate, newton)
    }
    fn stopped(&mut self, iterate: &Iterate, newton: Option<&Newton>) -> Result<(), regression::Error> {
        self.state.map_or(Ok(()), |path| Saved::write(self.asked, iterate, newton, path))
    }
}
