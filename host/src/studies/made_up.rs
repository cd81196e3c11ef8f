//! Made-up results of every study, for the tests of pages as a whole.

use toml::{Table, Value};

use super::divergence::rates::growth::ROWS_A_DECADE;
use super::divergence::rates::row::{Row, table};
use super::initialization::learning::TIMES;
use crate::analysis::curves::Curves;
use crate::analysis::learning::log_grid;
use crate::analysis::spectra::Spectra;
use crate::experiment::LossKind;
use crate::files::numbers::NumberTable;
use crate::run::{LimitRow, PredictionRow, PredictionTable, ProfileRow, ProfileTable, Stopped, Trace, TraceRow};
use crate::study::cell::{Cell, Finished};

/// A run that drifts with the margin and less with the width.
pub(super) fn finished(cell: &Cell) -> Finished {
    let (width, seed) = (cell.width as f64, cell.seed as f64);
    let hard = cell.loss == LossKind::CROSS_ENTROPY;
    let far = cell.run.settings.training.until_margin.unwrap_or(8.0) * 1.01;
    let rows: Vec<TraceRow> = (0..64u32)
        .map(|i| {
            let mut row = TraceRow::default();
            row.step = u64::from(i);
            let u = if i == 0 { 0.0 } else { 0.05 * (far / 0.05).powf(f64::from(i) / 63.0) };
            row.margin_mean = if hard { u } else { u.min(1.0) };
            row.log_time = if hard { u + 0.3 * u.sqrt() } else { u };
            row.loss = (-2.0 * u).exp();
            row.drift_max = (50.0 + seed) * row.margin_mean.powi(2) / width;
            row.drift_fro = row.drift_max / 20.0;
            row.param_distance = 2.5 * row.margin_mean;
            row.param_max = row.param_distance / width.sqrt();
            row.margin_min = 0.9 * row.margin_mean;
            row.error_max = 1.0 / width.sqrt() + row.drift_max;
            row.error_highest = row.error_max;
            row.lambda_min = 0.9 + 0.1 * row.drift_max;
            row.lambda_max = 10.0;
            row.finite = true;
            row
        })
        .collect();
    let predicted = rows.iter().map(|row| {
        let mut predicted = PredictionRow { log_time: row.log_time, ..PredictionRow::default() };
        for measured in [&mut predicted.ntk, &mut predicted.linearized] {
            measured.margin_mean = row.margin_mean;
            measured.difference = 0.1 * row.drift_max;
            measured.distance = row.param_distance;
        }
        predicted
    });
    let mut limit = LimitRow { bound: 10.0, ..LimitRow::default() };
    limit.linearized.measured.difference = 1.0 / width;
    limit.linearized.measured.difference_held_out = (1.0 + seed) / width;
    Finished {
        cell: cell.clone(),
        predictions: PredictionTable { rows: predicted.collect() },
        profile: profile(&rows),
        trace: Trace { label: String::new(), rows },
        limit: Some(limit),
        ends: Some([vec![0.1, 0.5, -0.3], vec![0.1, 0.6, -0.2]]),
        stopped: Stopped::Time.to_string(),
        failure: None,
        evaluations: 100,
        analytic_lambda_min: 0.9,
        samples: 6,
    }
}

/// A kernel on the circle that grows most near the training points.
fn profile(rows: &[TraceRow]) -> ProfileTable {
    let of_row = |row: &TraceRow| {
        let (log_time, grown) = (row.log_time, 1.0 + 0.1 * row.margin_mean);
        (-6..=6).map(move |step| {
            let position = f64::from(step) * std::f64::consts::FRAC_PI_6;
            let analytic = 1.5 + position.cos();
            ProfileRow { time: log_time.exp_m1(), log_time, position, kernel: grown * analytic, analytic }
        })
    };
    ProfileTable { rows: rows.iter().flat_map(of_row).collect() }
}

/// The rows of a network whose kernel grows with the margin like u^{3/2}, a little more at first.
fn grown(margin: f64, seed: f64) -> NumberTable {
    let marks = (0..).map(|k| 10f64.powf(f64::from(k) / ROWS_A_DECADE as f64));
    let at = |u: f64| {
        let (square, start) = (u.powf(0.5), 1.0 + 0.01 * seed);
        let (y, norm) = (start / square, (start + square).sqrt());
        let kernel = (13.0 + seed) * u.powf(1.5) * (-0.3 * y).exp();
        Row {
            log_time: u,
            margin_mean: u,
            kernel,
            y,
            norm,
            turned: 0.01 / u,
            degree: 4.0,
            ratio: 2.0,
            ..Row::default()
        }
    };
    let rows = std::iter::once(0.0).chain(marks.take_while(|mark| *mark <= 1.001 * margin)).map(at);
    table(&rows.collect::<Vec<_>>())
}

/// Verdicts that turn with time, and sooner in wide networks; draws of a Gaussian process, of which every third is kept.
fn probabilities(plan: &Table) -> Option<NumberTable> {
    use super::probability::verdicts::columns;
    let count = |key: &str| Some(plan.get(key)?.as_integer()? as usize);
    let noise = |i: usize| (i as f64 * 12.9898).sin();
    if let Some(accepted) = count("accepted") {
        let mut table = NumberTable::new(["probe", "tried"]);
        (0..accepted).for_each(|i| table.push(vec![noise(i) + 0.3, 3.0]));
        return Some(table);
    }
    plan.get("parametrization")?;
    let names = ["seed", "evaluations", "unfinished"].map(String::from).into_iter();
    let kinds = ["network", "linearized", "fixed"].into_iter().flat_map(columns);
    let mut table = NumberTable::new(names.chain(kinds));
    let times = columns("network").count();
    let late = 1.0 - 1.0 / count("width").unwrap_or(1000) as f64;
    for i in 0..count("networks").or_else(|| count("draws"))? {
        let probe = |k: usize, kind: usize| noise(3 * i + kind) + late * k as f64 / 4.0;
        let outputs = (0..3).flat_map(|kind| (0..times).map(move |k| (k, kind))).map(|(k, kind)| probe(k, kind));
        table.push([i as f64, 40.0, 0.0].into_iter().chain(outputs).collect());
    }
    Some(table)
}

/// The parts of the risk of a kernel that learns f* like n^-1 and f^GP like n^{-3/5}.
fn expected_risk(draws: usize, n: f64) -> NumberTable {
    let times = log_grid(1.0, 1e5, TIMES);
    let columns = ["draw", "part"].map(String::from).into_iter().chain(times.iter().map(|t| format!("{t:?}")));
    let mut table = NumberTable::new(columns);
    for draw in 0..draws {
        let scale = 1.0 + 0.1 * (draw as f64 * 12.9898).sin();
        let parts: [&dyn Fn(f64) -> f64; 3] = [&|t| scale / t, &|t| 1e-3 * t / n, &|t| scale / t.powf(0.6)];
        for (part, of) in parts.iter().enumerate() {
            table.push([draw as f64, part as f64].into_iter().chain(times.iter().map(|t| of(*t))).collect());
        }
    }
    table
}

/// The table that a measurement of these settings leaves, by what it has settings for.
pub(super) fn numbers(plan: &Table) -> NumberTable {
    let count = |key: &str| plan.get(key).and_then(Value::as_integer).map(|n| n as usize);
    let noise = |i: usize| (i as f64 * 12.9898).sin();
    if let (Some(seeds), Some(width), Some(n)) = (count("seeds"), count("width"), count("n")) {
        let columns = ["diagonal".to_owned()].into_iter().chain((0..n).map(|j| format!("k{j}")));
        let mut table = NumberTable::new(columns);
        for seed in 0..seeds {
            table.push((0..=n).map(|j| 4.0 + noise(7 * seed + j) / (width as f64).sqrt()).collect());
        }
        return table;
    }
    if let Some(table) = probabilities(plan) {
        return table;
    }
    if let Some(margin) = plan.get("until-margin").and_then(Value::as_float) {
        return grown(margin, count("seed").unwrap_or(0) as f64);
    }
    if let Some(predictions) = count("predictions-compared") {
        let kinds = ["likelihood", "calibration", "accuracy"];
        let mut table =
            NumberTable::new(kinds.into_iter().flat_map(|kind| (0..predictions).map(move |k| format!("{kind}{k}"))));
        (0..20).for_each(|i| table.push((0..3 * predictions).map(|k| -0.5 + 0.1 * noise(7 * i + k)).collect()));
        return table;
    }
    if let Some(networks) = count("networks") {
        if !plan.contains_key("penalty") {
            let mut table = NumberTable::new((0..4).map(|i| format!("f{i}")));
            (0..networks).for_each(|i| table.push((0..4).map(|p| noise(7 * i + p)).collect()));
            return table;
        }
        let (each, width) = (8 * count("outputs").unwrap_or(1), count("width").unwrap_or(1) as f64);
        let columns = ["f", "k", "l"].into_iter().flat_map(|kind| (0..each).map(move |i| format!("{kind}{i}")));
        let mut table = NumberTable::new(std::iter::once("seed".to_owned()).chain(columns));
        for i in 0..networks {
            let linearized: Vec<f64> = (0..each).map(|p| noise(7 * i + p)).collect();
            // beyond its linearization where the labels alternate
            let sign = |p: usize| if [0, 2, 5, 7].contains(&(p % 8)) { 1.0 } else { -1.0 };
            let trained =
                linearized.iter().enumerate().map(|(p, k)| k + sign(p) * (1.0 + 0.1 * noise(i)) / width.sqrt());
            let laplace = (0..each).map(|p| 1.0 + 0.1 * noise(3 * i + p));
            let row = std::iter::once(i as f64).chain(trained).chain(linearized.clone()).chain(laplace);
            table.push(row.collect());
        }
        return table;
    }
    if let (Some(draws), true) = (count("draws"), plan.contains_key("noise")) {
        if !plan.contains_key("seed") {
            let mut table = NumberTable::new(["draw", "identity"]);
            (0..draws).for_each(|draw| table.push(vec![draw as f64, 1e-15]));
            return table;
        }
        return expected_risk(draws, count("n").unwrap_or(100) as f64);
    }
    if let Some(draws) = count("trials") {
        let n = count("n").unwrap_or(100) as f64;
        let at: Vec<f64> = (0..20).map(|i| 2f64.powi(i)).collect();
        let risk = |draw: usize, power: f64| -> Vec<f64> {
            let deep = |i: usize| (i as f64 - 10.0).powi(2) / 50.0 + n.powf(power) * (1.2 + 0.1 * noise(draw));
            (0..20).map(deep).collect()
        };
        let curve = |power: f64| (0..draws).map(|draw| risk(draw, power)).collect();
        let curves = Curves { at, zero: curve(-1.0), random: curve(-0.6) };
        return curves.table();
    }
    if let Some(sizes) = plan.get("sizes").and_then(Value::as_array) {
        let columns = ["points", "draw", "lambda_min", "uncertainty", "closest", "distance"];
        let mut table = NumberTable::new(columns);
        for draw in 0..count("draws").unwrap_or(1) {
            for n in sizes.iter().filter_map(Value::as_integer).map(|n| n as f64) {
                let lambda_min = (2.0 + 0.1 * noise(draw)) / n;
                table.push(vec![n, draw as f64, lambda_min, 1e-13, 1.2 * lambda_min, 2.0]);
            }
        }
        return table;
    }
    let n = count("points").or_else(|| count("n")).unwrap_or(200);
    let law = |power: f64| -> Vec<f64> { (1..=n).map(|k| (k as f64).powf(power) * (1.0 + 0.05 * noise(k))).collect() };
    let functions = ["value", "one-hot", "parity"].map(|name| (name.to_owned(), law(-0.4)));
    let functions = if plan.contains_key("points") { Vec::new() } else { functions.to_vec() };
    Spectra { ntk: law(-2.0), nngp: law(-4.0), functions, draws: vec![law(-1.5), law(-1.6)] }.table()
}
