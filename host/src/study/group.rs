//! The runs of one network from one initialization on one data set, by width and seed.
//!
//! Claims and figures have the numbers of runs from here, and a run that failed has none to give: it is left out, and counted.

use std::ops::RangeInclusive;

use super::cell::Cell;
use super::judge::Subject;
use super::net::{Net, Regularization};
use super::paper::Part;
use crate::analysis::statistics::{Curve, Estimate, line};
use crate::experiment::{Init, LossKind};
use crate::report::decimal_exponent;
use crate::run::TraceRow;
use crate::study::cell::Finished;

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

/// All runs of a (part, network, initialization, regularization).
pub struct Group<'a> {
    /// data set
    pub part: &'static Part,
    /// network
    pub net: Net,
    /// initialization
    pub init: Init,
    /// what is added to the loss
    pub regularization: Regularization,
    runs: Vec<Run<'a>>,
    /// loss, width and seed of those that failed
    failed: Vec<(LossKind, usize, u64)>,
}

/// One run.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// width m
    pub width: usize,
    /// seed
    pub seed: u64,
    /// loss
    pub loss: LossKind,
    /// what it left
    pub finished: &'a Finished,
}

impl<'a> Group<'a> {
    /// The groups of the runs of a part, in the order of their first runs.
    pub fn all(finished: &'a [Finished]) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for finished in finished {
            let Cell { part, net, init, regularization, loss, width, seed, .. } = finished.cell;
            let run = Run { width, seed, loss, finished };
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
    pub fn runs(&self, loss: LossKind) -> impl Iterator<Item = Run<'a>> + '_ {
        self.runs.iter().copied().filter(move |run| run.loss == loss)
    }
    /// Those of one width.
    pub fn at_width(&self, loss: LossKind, width: usize) -> Vec<Run<'a>> {
        self.runs(loss).filter(|run| run.width == width).collect()
    }
    /// The run of this width and seed.
    pub fn run(&self, loss: LossKind, width: usize, seed: u64) -> Option<Run<'a>> {
        self.runs(loss).find(|run| run.width == width && run.seed == seed)
    }
    /// The largest width; 0 without runs.
    pub fn widest(&self) -> usize {
        self.widths().last().copied().unwrap_or(0)
    }
    /// Mean of a number over the seeds of one width; `None` where a run has none.
    pub fn mean_at(&self, loss: LossKind, width: usize, value: impl Fn(&Run<'a>) -> Option<f64>) -> Option<Estimate> {
        let values: Option<Vec<f64>> = self.at_width(loss, width).iter().map(value).collect();
        Estimate::from_values(&values?)
    }
    /// Slope of the least-squares line through (abscissa, ordinate) of every width, seed by seed; a seed of which a run failed
    /// has none.
    pub fn slope(
        &self,
        loss: LossKind,
        widths: &[usize],
        point: impl Fn(&Run<'a>) -> Option<(f64, f64)>,
    ) -> Option<Estimate> {
        let of_seed = |seed: u64| {
            let points: Option<Vec<_>> = widths.iter().map(|width| point(&self.run(loss, *width, seed)?)).collect();
            Some(line(&points?)?.0)
        };
        let whole = |seed: &u64| widths.iter().all(|width| !self.has_failed(loss, *width, *seed));
        let slopes: Option<Vec<f64>> = self.seeds().into_iter().filter(whole).map(of_seed).collect();
        Estimate::from_values(&slopes?)
    }
    /// Slope of ln(value) against ln(width).
    pub fn exponent_in_width(
        &self,
        loss: LossKind,
        widths: &[usize],
        value: impl Fn(&Run<'a>) -> Option<f64>,
    ) -> Option<Estimate> {
        self.slope(loss, widths, |run| Some(((run.width as f64).ln(), value(run)?.ln())))
    }
}

impl<'a> Run<'a> {
    /// Snapshots that are finite, oldest first.
    pub fn rows(&self) -> impl Iterator<Item = &'a TraceRow> {
        self.finished.trace.rows.iter().filter(|row| row.finite)
    }
    /// The last of them.
    pub fn last(&self) -> TraceRow {
        self.rows().last().copied().unwrap_or_default()
    }
    /// Largest value of a column along the run.
    pub fn largest(&self, column: impl Fn(&TraceRow) -> f64) -> f64 {
        self.rows().map(column).fold(f64::NEG_INFINITY, f64::max)
    }
    /// Smallest value.
    pub fn smallest(&self, column: impl Fn(&TraceRow) -> f64) -> f64 {
        self.rows().map(column).fold(f64::INFINITY, f64::min)
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
    /// The moment at which the relative drift |K_t - K_0|_F/|K_0|_F passes `share`; `None` where it never does.
    pub fn passes_drift(&self, share: f64) -> Option<Passage> {
        let log_time = Curve::new(self.rows().map(|row| (row.log_time, row.drift_fro))).passes(share)?;
        let margin = Curve::new(self.rows().map(|row| (row.log_time, row.margin_mean))).at(log_time)?;
        Some(Passage { log_time, margin })
    }
}
