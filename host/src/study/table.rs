//! `claims.csv` and `cells.csv`.

use toml::Value;

use super::Error;
use super::cell::Finished;
use super::grid::Job;
use crate::analysis::statistics::Curve;
use crate::experiment::NetworkKind;
use crate::files::{Cell, CsvTable};
use crate::report::ClaimRow;
use crate::report::narrative::plain;
use crate::run::TraceRow;

/// One row per claim or check.
pub fn claims_table(rows: &[ClaimRow]) -> CsvTable {
    let mut table = CsvTable::new([
        "kind",
        "claim",
        "where",
        "network",
        "loss",
        "init",
        "measured",
        "low",
        "high",
        "seeds",
        "theory",
        "allowed_low",
        "allowed_high",
        "verdict",
        "note",
    ]);
    for c in rows {
        table.push([
            c.kind.to_string().into(),
            plain(&c.claim).into(),
            plain(&c.place).into(),
            c.network.as_str().into(),
            c.loss.as_str().into(),
            c.init.as_str().into(),
            c.measured.into(),
            c.interval.map(|[low, _]| low).into(),
            c.interval.map(|[_, high]| high).into(),
            c.seeds.to_string().into(),
            plain(&c.theory).into(),
            c.allowed[0].into(),
            c.allowed[1].into(),
            c.verdict.to_string().into(),
            plain(&c.note).into(),
        ]);
    }
    table
}

/// What a run has left, in the columns of `cells.csv` after its settings. Differences and agreement are with the linearized
/// network, but for those called ntk.
pub const RESULTS: [&str; 27] = [
    "samples",
    "stopped",
    "failure",
    "evaluations",
    "step",
    "time",
    "log_time",
    "final_loss",
    "accuracy",
    "margin_min",
    "margin_mean",
    "param_distance",
    "drift_max",
    "drift_fro",
    "drift_max_sup",
    "error_fro_initial",
    "lambda_min_initial",
    "lambda_min_smallest",
    "lambda_min_final",
    "analytic_lambda_min",
    "log_time_of_10_percent_drift",
    "ntk_difference",
    "linearized_difference",
    "limit_difference",
    "limit_difference_held_out",
    "limit_agreement",
    "limit_agreement_ntk",
];

/// What a run of a paper's grid is.
const SETTINGS: [&str; 17] = [
    "id",
    "part",
    "network",
    "depth",
    "alpha",
    "bias",
    "parametrization",
    "activation",
    "width",
    "init",
    "loss",
    "penalty",
    "smoothing",
    "loss_sum",
    "optimizer",
    "rate",
    "seed",
];

/// One row per run of a paper's grid: its settings and its results. Of `others`, measurements that are no training run, with the names of
/// their parts, the settings that they have; what they left is in their own files.
///
/// # Errors
/// Those of [`Job::plan`].
pub fn cells_table(finished: &[Finished], others: &[(&str, &dyn Job)]) -> Result<CsvTable, Error> {
    let mut table = CsvTable::new(SETTINGS.into_iter().chain(RESULTS));
    for f in finished {
        let cell = &f.cell;
        let training = &cell.run.settings.training;
        let settings: [Cell; SETTINGS.len()] = [
            cell.run.id.as_str().into(),
            cell.part.name.into(),
            cell.net.kind.to_string().into(),
            cell.net.depth.to_string().into(),
            (cell.net.kind == NetworkKind::Resnet).then_some(cell.net.alpha).into(),
            cell.net.bias.to_string().into(),
            cell.net.parametrization.to_string().into(),
            cell.net.activation.to_string().into(),
            cell.width.to_string().into(),
            cell.init.to_string().into(),
            cell.loss.to_string().into(),
            training.penalty.into(),
            training.smoothing.into(),
            training.loss_sum.to_string().into(),
            training.optimizer.to_string().into(),
            training.rate.into(),
            cell.seed.to_string().into(),
        ];
        table.push(settings.into_iter().chain(results(f)).collect::<Vec<_>>());
    }
    for (part, job) in others {
        let plan = job.plan()?;
        let setting = |key: &str| match plan.get(&key.replace('_', "-")) {
            None => Cell::from(""),
            Some(Value::String(text)) => text.as_str().into(),
            Some(value) => value.to_string().into(),
        };
        let settings =
            [job.id().into(), (*part).into()].into_iter().chain(SETTINGS[2..].iter().map(|key| setting(key)));
        table.push(settings.chain(RESULTS.map(|_| Cell::from(""))).collect::<Vec<_>>());
    }
    Ok(table)
}

/// The cells of [`RESULTS`].
pub fn results<C>(f: &Finished<C>) -> Vec<Cell> {
    let rows = &f.trace.rows;
    let (first, last) = (rows.first().copied().unwrap_or_default(), rows.last().copied().unwrap_or_default());
    let extreme =
        |column: fn(&TraceRow) -> f64, worse: fn(f64, f64) -> f64| rows.iter().map(column).fold(f64::NAN, worse);
    let passes = Curve::new(rows.iter().map(|row| (row.log_time, row.drift_fro))).passes(0.1);
    let predicted = f.predictions.rows.last();
    vec![
        f.samples.to_string().into(),
        f.stopped.as_str().into(),
        f.failure.as_deref().into(),
        f.evaluations.to_string().into(),
        last.step.to_string().into(),
        last.time.into(),
        last.log_time.into(),
        last.loss.into(),
        last.accuracy.into(),
        last.margin_min.into(),
        last.margin_mean.into(),
        last.param_distance.into(),
        last.drift_max.into(),
        last.drift_fro.into(),
        last.drift_highest.into(),
        first.error_fro.into(),
        first.lambda_min.into(),
        extreme(|row| row.lambda_min, f64::min).into(),
        last.lambda_min.into(),
        f.analytic_lambda_min.into(),
        passes.into(),
        predicted.map(|row| row.ntk.difference).into(),
        predicted.map(|row| row.linearized.difference).into(),
        f.limit.map(|limit| limit.linearized.measured.difference).into(),
        f.limit.map(|limit| limit.linearized.measured.difference_held_out).into(),
        f.limit.map(|limit| limit.linearized.agreement).into(),
        f.limit.map(|limit| limit.ntk.agreement).into(),
    ]
}
