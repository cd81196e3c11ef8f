//! `claims.csv` and `cells.csv`.

use anyhow::{Context, Result};
use csv::Writer;

use super::cell::Finished;
use crate::analysis::statistics::Curve;
use crate::experiment::NetworkKind;
use crate::report::Claim;
use crate::report::narrative::plain;
use crate::run::TraceRow;

/// One row per claim.
pub fn claims_csv(claims: &[Claim]) -> Result<String> {
    let header = ["claim", "network", "loss", "init", "measured", "uncertainty", "theory", "verdict", "note"];
    let number = |value: Option<f64>| value.map_or(String::new(), |v| format!("{v:?}"));
    let rows = claims.iter().map(|c| {
        vec![
            plain(&c.claim),
            c.network.clone(),
            c.loss.clone(),
            c.init.clone(),
            number(c.measured),
            number(c.uncertainty),
            plain(&c.theory),
            c.verdict.to_string(),
            plain(&c.note),
        ]
    });
    text(&header, rows)
}

/// One row per run of the grid: its settings and its results.
pub fn cells_csv(finished: &[Finished]) -> Result<String> {
    // differences and agreement with the linearized network, but for those called ntk
    let header = [
        "id",
        "part",
        "network",
        "depth",
        "alpha",
        "width",
        "init",
        "loss",
        "seed",
        "samples",
        "stopped",
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
    text(&header, finished.iter().map(row))
}

fn row(f: &Finished) -> Vec<String> {
    let cell = &f.cell;
    let rows = &f.trace.rows;
    let (first, last) = (rows.first().copied().unwrap_or_default(), rows.last().copied().unwrap_or_default());
    let extreme =
        |column: fn(&TraceRow) -> f64, worse: fn(f64, f64) -> f64| rows.iter().map(column).fold(f64::NAN, worse);
    let passes = Curve::new(rows.iter().map(|row| (row.log_time, row.drift_fro))).passes(0.1);
    let predicted = f.predictions.rows.last();
    let number = |v: f64| format!("{v:?}");
    let given = |v: Option<f64>| v.map_or(String::new(), number);
    vec![
        cell.id.clone(),
        cell.part.name.into(),
        cell.net.kind.to_string(),
        cell.net.depth.to_string(),
        given((cell.net.kind == NetworkKind::Resnet).then_some(cell.net.alpha)),
        cell.width.to_string(),
        cell.init.to_string(),
        cell.loss.to_string(),
        cell.seed.to_string(),
        f.samples.to_string(),
        f.stopped.clone(),
        f.evaluations.to_string(),
        last.step.to_string(),
        number(last.time),
        number(last.log_time),
        number(last.loss),
        number(last.accuracy),
        number(last.margin_min),
        number(last.margin_mean),
        number(last.param_distance),
        number(last.drift_max),
        number(last.drift_fro),
        number(extreme(|row| row.drift_max, f64::max)),
        number(first.error_fro),
        number(first.lambda_min),
        number(extreme(|row| row.lambda_min, f64::min)),
        number(last.lambda_min),
        number(f.analytic_lambda_min),
        given(passes),
        given(predicted.map(|row| row.ntk.difference)),
        given(predicted.map(|row| row.linearized.difference)),
        given(f.limit.map(|limit| limit.linearized.measured.difference)),
        given(f.limit.map(|limit| limit.linearized.measured.difference_held_out)),
        given(f.limit.map(|limit| limit.linearized.agreement)),
        given(f.limit.map(|limit| limit.ntk.agreement)),
    ]
}

fn text(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Result<String> {
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(header).context("csv")?;
    for row in rows {
        writer.write_record(&row).context("csv")?;
    }
    let bytes = writer.into_inner().context("csv")?;
    String::from_utf8(bytes).context("csv")
}
