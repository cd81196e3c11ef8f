//! What every run did, in numbers: a row for every quantity, a column for every run.

use super::narrative::Finished;
use super::run_figures::moment;
use super::{Table, number};
use crate::analysis::statistics::median;
use crate::run::{Outcome, TraceRow};

/// Numbers of a run that the words are about.
pub(super) struct Seen {
    pub(super) first: TraceRow,
    pub(super) last: TraceRow,
    /// largest entry of the initial kernel
    pub(super) scale: f64,
}

impl Seen {
    /// Drift relative to the largest entry of the initial kernel; NaN for a kernel of zeros.
    pub(super) fn relative_drift(&self) -> f64 {
        if self.scale > 0.0 { self.last.drift_max / self.scale } else { f64::NAN }
    }
}

pub(super) fn seen(outcome: &Outcome) -> Seen {
    let rows = &outcome.trace.rows;
    let (first, last) = (rows.first().copied().unwrap_or_default(), rows.last().copied().unwrap_or_default());
    Seen { first, last, scale: outcome.kernels.initial.iter().fold(0.0, |m: f64, k| m.max(k.abs())) }
}

/// A table under way.
struct Rows<'a> {
    runs: Vec<(&'a Finished<'a>, Seen)>,
    table: Table,
}

impl<'a> Rows<'a> {
    fn new(caption: &str, finished: &'a [Finished<'a>]) -> Self {
        let header = [""].into_iter().chain(finished.iter().map(|run| run.label));
        let runs = finished.iter().map(|run| (run, seen(&run.outcome))).collect();
        Self { runs, table: Table::new(caption, header) }
    }
    /// Adds a quantity, unless it is undefined in every run.
    fn push(&mut self, name: &str, value: &dyn Fn(&Finished<'_>, &Seen) -> String) {
        let values: Vec<String> = self.runs.iter().map(|(run, seen)| value(run, seen)).collect();
        if values.iter().any(|value| !value.contains("undefined")) {
            self.table.push([name.to_owned()].into_iter().chain(values));
        }
    }
}

/// Where each run ended: a row for every quantity, a column for every run.
pub fn end_table(finished: &[Finished<'_>]) -> Table {
    let mut rows = Rows::new("Final state.", finished);
    let mut row = |name, value: &dyn Fn(&Finished<'_>, &Seen) -> String| rows.push(name, value);
    row("time t", &|_, seen| moment(seen.last.log_time));
    let summed = finished.iter().any(|run| run.training.loss_sum);
    row(if summed { "loss, summed over the samples" } else { "mean loss" }, &|_, seen| number(seen.last.loss));
    row("smallest margin", &|_, seen| number(seen.last.margin_min));
    row("accuracy", &|_, seen| format!("{} %", number(100.0 * seen.last.accuracy)));
    row("kernel drift max|K_{t} − K_{0}|", &|_, seen| number(seen.last.drift_max));
    row("relative to the largest entry of K_{0}", &|_, seen| format!("{} %", number(100.0 * seen.relative_drift())));
    row("relative drift in Frobenius norm", &|_, seen| format!("{} %", number(100.0 * seen.last.drift_fro)));
    row("smallest eigenvalue of K_{t}", &|_, seen| number(seen.last.lambda_min));
    row("distance from initialization |θ_{t} − θ_{0}|", &|_, seen| number(seen.last.param_distance));
    row("steps", &|_, seen| seen.last.step.to_string());
    row("gradient evaluations", &|run, _| run.outcome.evaluations.to_string());
    row("seconds", &|run, _| number(run.outcome.seconds));
    rows.table
}

/// How far kernel and parameters went, beside the constants of Theorem 2 of Yu, Tian and Chen 2025.
pub(super) fn distance_table(finished: &[Finished<'_>]) -> Table {
    let caption = "Distances from the NTK Θ and from initialization, λ_{0} = λ_{min}(Θ) on the n training samples. By Theorem 2 of Yu, Tian and                    Chen (2025) max|K_{t} − Θ| exceeds λ_{0}/(2n^{2}) at some time under cross-entropy, and by its proof λ_{0}/n; a random                    network may exceed both at t = 0.";
    let mut rows = Rows::new(caption, finished);
    let samples = |run: &Finished<'_>| (run.outcome.kernels.analytic.len() as f64).sqrt();
    let lambda = |run: &Finished<'_>| run.outcome.analytic_lambda_min;
    let mut row = |name, value: &dyn Fn(&Finished<'_>, &Seen) -> String| rows.push(name, value);
    row("max|K_{t} − Θ| at t = 0", &|_, seen| number(seen.first.error_max));
    row("largest max|K_{t} − Θ| along the run", &|_, seen| number(seen.last.error_highest));
    row("λ_{0}/(2n^{2})", &|run, _| number(lambda(run) / (2.0 * samples(run) * samples(run))));
    row("λ_{0}/n", &|run, _| number(lambda(run) / samples(run)));
    row("largest movement of a parameter", &|_, seen| number(seen.last.param_max));
    rows.table
}

/// The median velocity error of the rows that have one; NaN where none has.
pub fn velocity_error(rows: &[TraceRow]) -> f64 {
    median(rows.iter().map(|row| row.velocity_error)).unwrap_or(f64::NAN)
}

/// How the kernels of flows with kinks were measured, and how near descents were to their edge of stability; none of others.
pub(super) fn reading_table(finished: &[Finished<'_>]) -> Option<Table> {
    let caption = "How K_{t} was measured. The velocity error is |Δf + K_{t} R|/|Δf| over a burst: the share of the outputs' \
                   movement that the kernel does not account for. The kernel at a point has derivatives 0 or 1 at kinks. Near its \
                   path descent is stable where rate × sharpness / 2 is below 1; a step from large outputs can overshoot below it.";
    let largest = |run: &Finished<'_>, value: fn(&TraceRow) -> f64| {
        number(run.outcome.trace.rows.iter().map(value).fold(f64::NAN, f64::max))
    };
    let mut rows = Rows::new(caption, finished);
    let mut row = |name, value: &dyn Fn(&Finished<'_>, &Seen) -> String| rows.push(name, value);
    row("median velocity error", &|run, _| number(velocity_error(&run.outcome.trace.rows)));
    row("largest velocity error", &|run, _| largest(run, |row| row.velocity_error));
    row("standard error of the final drift", &|_, seen| number(seen.last.drift_max_se));
    row("rate × sharpness / 2 at initialization", &|_, seen| number(seen.first.stability));
    row("largest rate × sharpness / 2", &|run, _| largest(run, |row| row.stability));
    if rows.table.rows.is_empty() {
        return None;
    }
    rows.push("pairs of unit and sample that slide along a kink", &|_, seen| seen.last.sliding.to_string());
    rows.push("final drift of the kernel at a point", &|_, seen| number(seen.last.point_drift_max));
    Some(rows.table)
}
