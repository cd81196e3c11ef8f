//! The figures of the study.

use super::claims::Beside;
use crate::analysis::statistics::Curve;
use crate::experiment::Init;
use crate::plot::{Axis, Figure, Hue, Mark, Scale, Series};
use crate::report::decimal_exponent;
use crate::study::draw::{Change, DRIFT_AXIS, MEAN_MARGIN, Sketch, TIME, band, bands, by_width, width_axis};
use crate::study::group::{DRIFT, Group, Run};
use crate::study::net::{CE, Regularization};

/// The figures of all regularizations of one part and network.
pub fn of_network(all: &[Beside]) -> Vec<Figure> {
    let Some(first) = all.first() else { return Vec::new() };
    let (group, mut all) = (&first.group, all.to_vec());
    all.sort_by(|a, b| a.group.regularization.rank().total_cmp(&b.group.regularization.rank()));
    let all = &all[..];
    let mut figures = vec![
        drift_width(group, all),
        drift_margin(group, all),
        ends(group, all),
        end_width(group, all),
        way(group, all),
    ];
    figures.retain(|figure| !figure.series.is_empty());
    figures
}

fn name(group: &Group, figure: &str) -> String {
    // mirrored ones are those of the study's first part
    let init = if group.init == Init::Mirrored { String::new() } else { format!("-{}", group.init) };
    format!("{}-{}{init}-{figure}", group.part.name, group.net.name())
}

/// The colour of a regularization.
fn hue(regularization: Regularization) -> Hue {
    Hue::named("regularization", regularization.name())
}

/// Those whose training has an end.
fn ending(all: &[Beside]) -> impl Iterator<Item = &Group> {
    all.iter().map(|beside| &beside.group).filter(|group| group.regularization != Regularization::Plain)
}

fn drift_width(group: &Group, all: &[Beside]) -> Figure {
    let mut series = Vec::new();
    for beside in all {
        let regularization = beside.group.regularization;
        let reached = if regularization == Regularization::Plain { ", u = 8" } else { "" };
        let label = format!("{}{reached}", regularization.title());
        series.extend(by_width(&beside.group, CE, |run| Some(run.largest(DRIFT)), label, hue(regularization)));
    }
    if let Some(longest) = series.iter().max_by_key(|s| s.x.len()).filter(|s| s.x.len() > 1).cloned() {
        let last = longest.x.len() - 1;
        let y = longest.x.iter().map(|m| 0.6 * longest.y[last] * longest.x[last] / m).collect();
        series.push(Series::theory("slope −1", longest.x, y));
    }
    let (x, y) = (width_axis(), Axis::new("maximum drift, max_{t} max_{ij} |K_{t} − K_{0}|", Scale::Log));
    let caption = "Maximum drift of the kernel along training, against the width.";
    Sketch {
        name: name(group, "drift-width"),
        title: "Maximum drift against width",
        x,
        y,
        series,
        caption: caption.into(),
    }
    .figure(group)
}

fn drift_margin(group: &Group, all: &[Beside]) -> Figure {
    let mut series = Vec::new();
    if let Some(plain) = all.iter().find_map(|beside| beside.plain.as_ref()) {
        let curve = |run: &Run| {
            let grown = run.rows().filter(|row| row.margin_mean > 0.3);
            Curve::new(grown.map(|row| (row.margin_mean.ln(), DRIFT(row).ln())))
        };
        series = bands(plain, CE, curve, Change::EXP, |width| format!("m = {width}, hard labels"));
        for width in plain.widths() {
            for (word, penalty) in [("penalty", true), ("soft targets", false)] {
                let points: Vec<(f64, f64)> = ending(all)
                    .filter(|group| matches!(group.regularization, Regularization::Penalty(_)) == penalty)
                    .flat_map(|group| group.at_width(CE, width))
                    .map(|run| (run.last().margin_mean, run.last().drift_max))
                    .collect();
                if !points.is_empty() {
                    let label = format!("m = {width}, limit with {word}");
                    // where all of a kind end: not the curve of the width
                    let hue = Hue::named("ends", format!("{width} {word}"));
                    series.push(Series::new(label, points.into_iter().unzip(), Mark::Points, hue));
                }
            }
        }
    }
    let (x, y) = (Axis::new(MEAN_MARGIN, Scale::Log), Axis::new(DRIFT_AXIS, Scale::Log));
    let caption = "Lines: plain cross-entropy, which never converges. Points: limits of training with a penalty or with soft targets, one \
                   per run; with soft targets they lie on the curve.";
    Sketch {
        name: name(group, "drift-margin"),
        title: "Drift against margin: limits of training",
        x,
        y,
        series,
        caption: caption.into(),
    }
    .figure(group)
}

/// Most points of a scatter.
const SCATTER: usize = 600;

fn ends(group: &Group, all: &[Beside]) -> Figure {
    let mut series = Vec::new();
    let width = all.iter().map(|beside| beside.group.widest()).max().unwrap_or(0);
    for group in ending(all) {
        let runs = group.at_width(CE, width);
        let both = runs.iter().filter_map(|run| run.finished.ends.as_ref()).flat_map(|[f, k]| k.iter().zip(f));
        let points: (Vec<f64>, Vec<f64>) = both.map(|(k, f)| (*k, *f)).take(SCATTER).unzip();
        if !points.0.is_empty() {
            let regularization = group.regularization;
            series.push(Series::new(regularization.title(), points, Mark::Points, hue(regularization)));
        }
    }
    let values = || series.iter().flat_map(|s| s.x.iter().copied());
    let (low, high) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    if low < high {
        let line = vec![low, high];
        series.push(Series::theory("equal", line.clone(), line));
    }
    let (x, y) = (
        Axis::new("closed-form solution f*[K_{0}] (logit units)", Scale::Linear),
        Axis::new("trained output f_{T} (logit units)", Scale::Linear),
    );
    let caption = format!(
        "Trained outputs against the closed-form solution under the network's own initial kernel, training and held-out points, \
         width {width}, every seed (at most {SCATTER} points of each kind)."
    );
    Sketch {
        name: name(group, "ends"),
        title: "Trained output against the closed-form solution",
        x,
        y,
        series,
        caption,
    }
    .figure(group)
}

fn end_width(group: &Group, all: &[Beside]) -> Figure {
    let mut series = Vec::new();
    for group in ending(all) {
        let penalty = matches!(group.regularization, Regularization::Penalty(_));
        let value = |run: &Run| {
            let limit = run.finished.limit?.linearized.measured;
            Some(if penalty { limit.difference } else { limit.difference_held_out })
        };
        series.extend(by_width(group, CE, value, group.regularization.title(), hue(group.regularization)));
    }
    let (x, y) = (width_axis(), Axis::new("max |f_{T} − f*[K_{0}]| (logit units)", Scale::Log));
    let caption = "Distance of the trained outputs from the closed-form solution under the network's own initial kernel: on the training \
                   points with a penalty, on the held-out points with soft targets, which every kernel fits on the training points.";
    Sketch {
        name: name(group, "end-width"),
        title: "Distance to the closed-form solution",
        x,
        y,
        series,
        caption: caption.into(),
    }
    .figure(group)
}

/// Under a penalty, how far the network is from its linearization along the way.
fn way(group: &Group, all: &[Beside]) -> Figure {
    let curve = |run: &Run| {
        let late = run.finished.predictions.rows.iter().filter(|row| row.log_time >= 0.01f64.ln_1p());
        Curve::new(late.map(|row| (decimal_exponent(row.log_time), row.linearized.difference.ln())))
    };
    let penalized = |beside: &&Beside| matches!(beside.group.regularization, Regularization::Penalty(_));
    let series = all.iter().filter(penalized).filter_map(|beside| {
        let (group, regularization) = (&beside.group, beside.group.regularization);
        let curves: Vec<Curve> = group.at_width(CE, group.widest()).iter().map(curve).collect();
        let label = format!("{}, m = {}", regularization.title(), group.widest());
        band(&curves, Change::EXP_Y, label, hue(regularization))
    });
    let caption = "Largest difference between training outputs of the network and of its linearization at θ_{0} under the same penalty, \
                   along training.";
    let (x, y) = (Axis::new(TIME, Scale::Exponent), Axis::new("max |f_{t} − linearized|", Scale::Log));
    let (name, title) = (name(group, "way"), "Departure from the linearized network");
    Sketch { name, title, x, y, series: series.collect(), caption: caption.into() }.figure(group)
}
