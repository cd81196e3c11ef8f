//! The runs of one network from one initialization on one data set, by width and seed.
//!
//! Claims and figures have the numbers of runs from here, and a run that failed has none to give: it is left out, and counted.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::cell::{Cell, Finished};
use super::claim::Subject;
use super::judge::Measured;
use super::net::{CE, MSE, Net, Regularization};
use super::paper::Part;
use crate::analysis::statistics::{Curve, Estimate, larger, line, smaller};
use crate::experiment::{Init, LossKind};
use crate::report::{decimal_exponent, number};
use crate::run::{Measured as Predicted, PredictionRow, Stopped, TraceRow};

/// A number of every snapshot.
pub type Column = fn(&TraceRow) -> f64;
/// The largest entry of |K_t - K_0|.
pub const DRIFT: Column = |row| row.drift_max;

/// A moment along a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Passage {
    /// ln(1 + t)
    pub log_time: f64,
    /// mean margin
    pub margin: f64,
}

/// Why a number is missing of a run that did not fail.
const NOT_REACHED: &str = "not every run got that far";

/// All runs of a (part, network, initialization, regularization).
#[derive(Clone)]
pub struct Group {
    /// data set
    pub part: &'static Part,
    /// network
    pub net: Net,
    /// initialization
    pub init: Init,
    /// what is added to the loss
    pub regularization: Regularization,
    runs: Vec<Run>,
    /// loss, width and seed of those that failed
    failed: Vec<(LossKind, usize, u64)>,
}

/// One run.
#[derive(Clone)]
pub struct Run {
    /// width m
    pub width: usize,
    /// seed
    pub seed: u64,
    /// loss
    pub loss: LossKind,
    /// what it left
    pub finished: Arc<Finished>,
}

impl Group {
    /// The groups of the runs of a part, in the order of their first runs.
    pub fn all(finished: &[Finished]) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for finished in finished {
            let Cell { part, net, init, regularization, loss, width, seed, .. } = finished.cell;
            let run = Run { width, seed, loss, finished: Arc::new(finished.clone()) };
            let same = |g: &Self| (g.net, g.init, g.regularization) == (net, init, regularization);
            let at = groups.iter().position(same).unwrap_or_else(|| {
                groups.push(Self { part, net, init, regularization, runs: Vec::new(), failed: Vec::new() });
                groups.len() - 1
            });
            match finished.failure {
                None => groups[at].runs.push(run),
                Some(_) => groups[at].failed.push((loss, width, seed)),
            }
        }
        groups
    }
    /// How many runs failed.
    pub fn failed(&self) -> usize {
        self.failed.len()
    }
    /// Whether this run was made and failed, so that nothing can be compared with it.
    pub fn has_failed(&self, loss: LossKind, width: usize, seed: u64) -> bool {
        self.failed.contains(&(loss, width, seed))
    }
    /// What a claim about those under cross-entropy is about.
    pub fn cross_entropy(&self) -> Subject {
        self.subject(CE.to_string())
    }
    /// What a claim about those under squared error is about.
    pub fn squared_error(&self) -> Subject {
        self.subject(MSE.to_string())
    }
    /// What a claim about both losses is about.
    pub fn both_losses(&self) -> Subject {
        self.subject("both")
    }
    /// What a claim about these runs is about.
    pub fn subject(&self, loss: impl Into<String>) -> Subject {
        let network = format!("{}; {}", self.net.title(), self.part.name);
        Subject { network, loss: loss.into(), init: self.init.to_string(), failed: self.failed() }
    }
    /// Widths, ascending.
    pub fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self.runs.iter().map(|run| run.width).collect();
        widths.sort_unstable();
        widths.dedup();
        widths
    }
    /// Seeds, ascending.
    pub fn seeds(&self) -> Vec<u64> {
        let mut seeds: Vec<u64> = self.runs.iter().map(|run| run.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        seeds
    }
    /// All runs with this loss.
    pub fn runs(&self, loss: LossKind) -> impl Iterator<Item = Run> + '_ {
        self.runs.iter().filter(move |run| run.loss == loss).cloned()
    }
    /// Those of one width.
    pub fn at_width(&self, loss: LossKind, width: usize) -> Vec<Run> {
        self.runs(loss).filter(|run| run.width == width).collect()
    }
    /// The run of this width and seed.
    pub fn run(&self, loss: LossKind, width: usize, seed: u64) -> Option<Run> {
        self.runs(loss).find(|run| run.width == width && run.seed == seed)
    }
    /// The largest width; 0 without runs.
    pub fn widest(&self) -> usize {
        self.widths().last().copied().unwrap_or(0)
    }
    /// Mean of a number over the seeds of one width; `None` where a run has none.
    pub fn mean_at(&self, loss: LossKind, width: usize, value: impl Fn(&Run) -> Option<f64>) -> Option<Estimate> {
        let values: Option<Vec<f64>> = self.at_width(loss, width).iter().map(value).collect();
        Estimate::from_values(&values?)
    }
    /// A number of every run of the widest networks, one for every seed.
    pub fn at_widest(&self, loss: LossKind, value: impl Fn(&Run) -> Option<f64>) -> Measured {
        let runs = self.at_width(loss, self.widest());
        Measured::of(runs.iter().map(value), NOT_REACHED)
    }
    /// The value that lies farthest from 0 over all widths, one for every seed.
    pub fn farthest_from_0(&self, loss: LossKind, value: impl Fn(&Run) -> Option<f64>) -> Measured {
        self.extremes(loss, |a, b| if b.abs() > a.abs() { b } else { a }, value)
    }
    /// An extreme of a number over all widths, one for every seed: what a single width does cannot hide behind the others.
    pub fn extremes(
        &self,
        loss: LossKind,
        extreme: fn(f64, f64) -> f64,
        value: impl Fn(&Run) -> Option<f64>,
    ) -> Measured {
        let of_seed = |seed: u64| {
            let values: Option<Vec<f64>> =
                self.runs(loss).filter(|run| run.seed == seed).map(|run| value(&run)).collect();
            values?.into_iter().reduce(extreme)
        };
        Measured::of(self.seeds().into_iter().map(of_seed), NOT_REACHED)
    }
    /// An extreme of a number over all runs; nothing where a run has none.
    pub fn over_all(
        &self,
        loss: LossKind,
        extreme: fn(f64, f64) -> f64,
        value: impl Fn(&Run) -> Option<f64>,
    ) -> Measured {
        let values: Option<Vec<f64>> = self.runs(loss).map(|run| value(&run)).collect();
        Measured::extreme(values.and_then(|values| values.into_iter().reduce(extreme)), NOT_REACHED)
    }
    /// Something of the points (abscissa, ordinate) of every width, seed by seed; a seed of which a run failed has none.
    pub fn over_widths(
        &self,
        loss: LossKind,
        widths: &[usize],
        point: impl Fn(&Run) -> Option<(f64, f64)>,
        of: impl Fn(&[(f64, f64)]) -> Option<f64>,
    ) -> Measured {
        let of_seed = |seed: u64| {
            let points: Option<Vec<_>> = widths.iter().map(|width| point(&self.run(loss, *width, seed)?)).collect();
            of(&points?)
        };
        let whole = |seed: &u64| widths.iter().all(|width| !self.has_failed(loss, *width, *seed));
        match widths {
            [] | [_] => Measured::Nothing("fewer than two widths".into()),
            _ => Measured::of(self.seeds().into_iter().filter(whole).map(of_seed), NOT_REACHED),
        }
    }
    /// Slope of the least-squares line through (abscissa, ordinate) of every width, seed by seed.
    pub fn slopes(&self, loss: LossKind, widths: &[usize], point: impl Fn(&Run) -> Option<(f64, f64)>) -> Measured {
        self.over_widths(loss, widths, point, |points| Some(line(points)?.0))
    }
    /// Slope of ln(value) against ln(width).
    pub fn exponents_in_width(
        &self,
        loss: LossKind,
        widths: &[usize],
        value: impl Fn(&Run) -> Option<f64>,
    ) -> Measured {
        self.slopes(loss, widths, |run| Some(((run.width as f64).ln(), value(run)?.ln())))
    }
    /// The mean over seeds at every width, as a list: `64: 1.5, 256: 0.4`.
    pub fn by_width(&self, loss: LossKind, value: impl Fn(&Run) -> Option<f64>) -> String {
        let at = |width: &usize| {
            let mean = self.mean_at(loss, *width, &value);
            format!("{width}: {}", mean.map_or("not reached".into(), |mean| number(mean.value)))
        };
        self.widths().iter().map(at).collect::<Vec<_>>().join(", ")
    }
}

impl Run {
    /// Snapshots that are finite, oldest first.
    pub fn rows(&self) -> impl Iterator<Item = &TraceRow> {
        self.finished.trace.rows.iter().filter(|row| row.finite)
    }
    /// The last of them.
    pub fn last(&self) -> TraceRow {
        self.rows().last().copied().unwrap_or_default()
    }
    /// Whether it went as far as it was to go: its steps did not end before.
    pub fn is_complete(&self) -> bool {
        self.finished.stopped != Stopped::Steps.to_string()
    }
    /// Largest value of a column along the run.
    pub fn largest(&self, column: impl Fn(&TraceRow) -> f64) -> f64 {
        self.rows().map(column).fold(f64::NEG_INFINITY, larger)
    }
    /// Smallest value.
    pub fn smallest(&self, column: impl Fn(&TraceRow) -> f64) -> f64 {
        self.rows().map(column).fold(f64::INFINITY, smaller)
    }
    /// A column against log10 of time.
    pub fn against_time(&self, column: impl Fn(&TraceRow) -> f64) -> Curve {
        Curve::new(self.rows().map(|row| (decimal_exponent(row.log_time), column(row))))
    }
    /// ln of a column against ln of the mean margin.
    pub fn against_margin(&self, column: impl Fn(&TraceRow) -> f64) -> Curve {
        Curve::new(self.rows().map(|row| (row.margin_mean.ln(), column(row).ln())))
    }
    /// A column at a mean margin, by its logarithm; `None` where the run did not come that far.
    pub fn at_margin(&self, margin: f64, column: impl Fn(&TraceRow) -> f64) -> Option<f64> {
        self.against_margin(column).at(margin.ln()).map(f64::exp)
    }
    /// d ln(column) / d ln(margin) between two mean margins.
    pub fn exponent(&self, margins: RangeInclusive<f64>, column: impl Fn(&TraceRow) -> f64) -> Option<f64> {
        self.against_margin(column).slope(margins.start().ln(), margins.end().ln())
    }
    /// The same over the last doubling of the mean margin; `None` where it never reached 2.
    pub fn last_exponent(&self, column: impl Fn(&TraceRow) -> f64) -> Option<f64> {
        let reached = self.largest(|row| row.margin_mean);
        (reached >= 2.0).then(|| self.exponent(0.5 * reached..=reached, column))?
    }
    /// ln(1 + t) at which the mean margin passes `margin`; `None` where it never does.
    pub fn passes_margin(&self, margin: f64) -> Option<f64> {
        Curve::new(self.rows().map(|row| (row.log_time, row.margin_mean))).passes(margin)
    }
    /// The same of the network linearized at its start, or of the analytic kernel.
    pub fn kernel_passes_margin(&self, margin: f64, which: fn(&PredictionRow) -> &Predicted) -> Option<f64> {
        let rows = self.finished.predictions.rows.iter();
        Curve::new(rows.map(|row| (row.log_time, which(row).margin_mean))).passes(margin)
    }
    /// The moment at which the relative drift |K_t - K_0|_F/|K_0|_F passes `share`; `None` where it never does.
    pub fn passes_drift(&self, share: f64) -> Option<Passage> {
        let log_time = Curve::new(self.rows().map(|row| (row.log_time, row.drift_fro))).passes(share)?;
        let margin = Curve::new(self.rows().map(|row| (row.log_time, row.margin_mean))).at(log_time)?;
        Some(Passage { log_time, margin })
    }
}
