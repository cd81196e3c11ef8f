//! The figures of the study.

use super::claims::{Measured, OfKind};
use super::ensemble::{Ensemble, Members};
use super::plan::Kind;
use crate::analysis::law::Law;
use crate::analysis::statistics::{Curve, Spread};
use crate::experiment::LossKind;
use crate::plot::{Axis, Figure, Mark, Scale, Series};
use crate::study::group::{Group, Run};

const CE: LossKind = LossKind::CROSS_ENTROPY;
const DRIFT: &str = "drift, max_{ij} |K_{t} − K_{0}|";

/// The figures of all kinds of one part and network.
pub fn of_network(kinds: &[OfKind<'_>]) -> Vec<Figure> {
    let Some(first) = kinds.first() else { return Vec::new() };
    let group = first.group;
    let mut figures =
        vec![drift_width(group, kinds), drift_margin(group, kinds), ends(group, kinds), end_width(group, kinds)];
    figures.retain(|figure| !figure.series.is_empty());
    figures
}

fn figure(
    group: &Group<'_>,
    name: &str,
    title: &str,
    (x, y): (Axis, Axis),
    series: Vec<Series>,
    caption: &str,
) -> Figure {
    Figure {
        name: format!("{}-{}-{name}", group.part.name(), group.net.name()),
        title: format!("{title}: {}", group.net.title()),
        x,
        y,
        series,
        caption: format!(
            "{caption} {}, {}, mirrored initialization; bands run from the smallest to the largest of {} seed(s).",
            group.part.title(),
            group.net.title(),
            group.seeds().len()
        ),
    }
}

/// Geometric mean, smallest and largest over seeds of a number, at every width.
fn by_width(group: &Group<'_>, label: String, style: usize, value: impl Fn(&Run<'_>) -> Option<f64>) -> Option<Series> {
    let mut series = Series { label, x: Vec::new(), y: Vec::new(), mark: Mark::LinePoints, style };
    let (mut low, mut high) = (Vec::new(), Vec::new());
    for width in group.widths() {
        let values: Option<Vec<f64>> = group.at_width(CE, width).iter().map(&value).collect();
        let Some(values) = values.filter(|v| !v.is_empty() && v.iter().all(|v| *v > 0.0)) else { continue };
        series.x.push(width as f64);
        series.y.push((values.iter().map(|v| v.ln()).sum::<f64>() / values.len() as f64).exp());
        low.push(values.iter().copied().fold(f64::INFINITY, f64::min));
        high.push(values.iter().copied().fold(0.0, f64::max));
    }
    series.mark = Mark::Band { low, high };
    (!series.x.is_empty()).then_some(series)
}

fn drift_width(group: &Group<'_>, kinds: &[OfKind<'_>]) -> Figure {
    let mut series = Vec::new();
    for (style, kept) in kinds.iter().enumerate() {
        let label = match kept.kind {
            Kind::Plain => format!("{}, u = 8", kept.kind.title()),
            kind => kind.title(),
        };
        series.extend(by_width(kept.group, label, style, |run| Some(run.largest(|row| row.drift_max))));
    }
    if let Some(longest) = series.iter().max_by_key(|s| s.x.len()).filter(|s| s.x.len() > 1).cloned() {
        let last = longest.x.len() - 1;
        let y = longest.x.iter().map(|m| 0.6 * longest.y[last] * longest.x[last] / m).collect();
        series.push(Series { label: "slope −1".into(), x: longest.x, y, mark: Mark::Theory, style: 0 });
    }
    let axes =
        (Axis::new("width m", Scale::Log), Axis::new("largest drift, max_{t} max_{ij} |K_{t} − K_{0}|", Scale::Log));
    let caption = "Largest drift of the kernel along training, against the width.";
    figure(group, "drift-width", "What keeps the kernel", axes, series, caption)
}

fn drift_margin(group: &Group<'_>, kinds: &[OfKind<'_>]) -> Figure {
    let mut series = Vec::new();
    let plain = kinds.iter().find(|kept| kept.kind == Kind::Plain);
    for (style, width) in plain.map_or(Vec::new(), |kept| kept.group.widths()).into_iter().enumerate() {
        let Some(plain) = plain else { break };
        let curve = |run: &Run<'_>| {
            let grown = run.rows().filter(|row| row.margin_mean > 0.3);
            Curve::new(grown.map(|row| (row.margin_mean.ln(), row.drift_max.ln())))
        };
        let curves: Vec<Curve> = plain.group.at_width(CE, width).iter().map(curve).collect();
        let Spread { x, mean, low, high } = Spread::of(&curves, 65).map(f64::exp, f64::exp);
        let label = format!("m = {width}, hard labels");
        series.push(Series { label, x, y: mean, mark: Mark::Band { low, high }, style });
        for (word, penalty) in [("penalty", true), ("soft targets", false)] {
            let ends = kinds
                .iter()
                .filter(|kept| kept.kind != Kind::Plain && matches!(kept.kind, Kind::Penalty(_)) == penalty);
            let points: Vec<(f64, f64)> = ends
                .flat_map(|kept| kept.group.at_width(CE, width))
                .map(|run| (run.last().margin_mean, run.last().drift_max))
                .collect();
            if !points.is_empty() {
                let (x, y) = points.into_iter().unzip();
                let label = format!("m = {width}, ends with {word}");
                series.push(Series { label, x, y, mark: Mark::Points, style: style + if penalty { 2 } else { 4 } });
            }
        }
    }
    let axes = (Axis::new("mean margin u (logit units)", Scale::Log), Axis::new(DRIFT, Scale::Log));
    let caption = "Lines: plain cross-entropy, which goes on for ever. Points: where training ends with a penalty or with soft targets, \
                   one for every run: soft targets stop on the curve.";
    figure(group, "drift-margin", "Where training stops", axes, series, caption)
}

/// Most points of a scatter.
const SCATTER: usize = 600;

fn ends(group: &Group<'_>, kinds: &[OfKind<'_>]) -> Figure {
    let mut series = Vec::new();
    let width = kinds.iter().filter_map(|kept| kept.group.widths().last().copied()).max().unwrap_or(0);
    for (style, kept) in kinds.iter().filter(|kept| kept.kind != Kind::Plain).enumerate() {
        let runs = kept.group.at_width(CE, width);
        let both = runs.iter().filter_map(|run| run.finished.ends.as_ref()).flat_map(|[f, k]| k.iter().zip(f));
        let (x, y): (Vec<f64>, Vec<f64>) = both.map(|(k, f)| (*k, *f)).take(SCATTER).unzip();
        if !x.is_empty() {
            series.push(Series { label: kept.kind.title(), x, y, mark: Mark::Points, style });
        }
    }
    let values = || series.iter().flat_map(|s| s.x.iter().copied());
    let (low, high) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    if low < high {
        let line = vec![low, high];
        series.push(Series { label: "equal".into(), x: line.clone(), y: line, mark: Mark::Theory, style: 0 });
    }
    let axes = (
        Axis::new("explicit solution f*[K_{0}] (logit units)", Scale::Linear),
        Axis::new("trained output f_{T} (logit units)", Scale::Linear),
    );
    let caption = format!(
        "Trained outputs against the explicit solution under the network's own initial kernel, training and held-out points, width \
         {width}, every seed (at most {SCATTER} points of a kind)."
    );
    figure(group, "ends", "Where training ends", axes, series, &caption)
}

fn end_width(group: &Group<'_>, kinds: &[OfKind<'_>]) -> Figure {
    let mut series = Vec::new();
    for (style, kept) in kinds.iter().filter(|kept| kept.kind != Kind::Plain).enumerate() {
        let value = |run: &Run<'_>| {
            let limit = run.finished.limit?.linearized.measured;
            Some(if matches!(kept.kind, Kind::Penalty(_)) { limit.difference } else { limit.difference_held_out })
        };
        series.extend(by_width(kept.group, kept.kind.title(), style, value));
    }
    let axes = (Axis::new("width m", Scale::Log), Axis::new("largest |f_{T} − f*[K_{0}]| (logit units)", Scale::Log));
    let caption = "Distance of the trained outputs from the explicit solution under the network's own initial kernel: on the training \
                   points with a penalty, on the held-out points with soft targets, which every kernel meets on the training points.";
    figure(group, "end-width", "How near the explicit solution", axes, series, caption)
}

/// Spread of an ensemble beside the laws.
pub fn of_ensemble(Measured { ensemble, members, law }: &Measured<'_>) -> Vec<Figure> {
    let name = format!("ensemble-w{}-{}", ensemble.width, ensemble.kind.name());
    let what = format!(
        "{} networks of one hidden layer, width {}, {}, standard initialization, six points.",
        ensemble.networks,
        ensemble.width,
        ensemble.kind.title()
    );
    vec![density(ensemble, members, law, &name, &what), calibration(ensemble, members, law, &name, &what)]
}

/// Histogram of the outputs on the first held-out point, and the Gaussians that theory has for it.
fn density(ensemble: &Ensemble, members: &Members, law: &Law, name: &str, what: &str) -> Figure {
    let (values, mean, sd) = (members.column(0), law.mean[0], law.deviation[0]);
    const BINS: usize = 24;
    let (from, to) = (mean - 4.0 * sd, mean + 4.0 * sd);
    let step = (to - from) / BINS as f64;
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for bin in 0..BINS {
        let left = from + bin as f64 * step;
        let count = values.iter().filter(|v| (left..left + step).contains(*v)).count() as f64;
        let height = count / values.len() as f64 / step;
        x.extend([left, left + step]);
        y.extend([height, height]);
    }
    let mut series = vec![Series { label: "trained networks".into(), x, y, mark: Mark::Line, style: 0 }];
    let gaussian = |label: &str, sd: f64, style: usize| {
        let x: Vec<f64> = (0..=160).map(|i| from + (to - from) * f64::from(i) / 160.0).collect();
        let norm = sd * (2.0 * std::f64::consts::PI).sqrt();
        let y = x.iter().map(|v| (-0.5 * ((v - mean) / sd) * ((v - mean) / sd)).exp() / norm).collect();
        Series { label: label.into(), x, y, mark: Mark::Theory, style }
    };
    series.push(gaussian("theory of the ensemble", sd, 1));
    if let Some(laplace) = &law.laplace {
        series.push(gaussian("Laplace posterior", laplace[0], 2));
    }
    Figure {
        name: format!("{name}-density"),
        title: format!("Spread over initializations: width {}, {}", ensemble.width, ensemble.kind.title()),
        x: Axis::new("output on a held-out point (logit units)", Scale::Linear),
        y: Axis::new("density", Scale::Linear),
        series,
        caption: format!("Histogram of the trained outputs on the first held-out point, and the Gaussian laws. {what}"),
    }
}

/// Share of outputs below the theory's quantile, against the quantile.
fn calibration(ensemble: &Ensemble, members: &Members, law: &Law, name: &str, what: &str) -> Figure {
    let mut ranks: Vec<f64> = (0..members.points)
        .flat_map(|i| {
            let (mean, sd) = (law.mean[i], law.deviation[i]);
            members
                .column(i)
                .into_iter()
                .map(move |v| 0.5 * (1.0 + libm::erf((v - mean) / sd * std::f64::consts::FRAC_1_SQRT_2)))
        })
        .collect();
    ranks.sort_by(f64::total_cmp);
    let count = ranks.len() as f64;
    let share: Vec<f64> = (0..ranks.len()).map(|i| (i as f64 + 0.5) / count).collect();
    let diagonal = vec![0.0, 1.0];
    Figure {
        name: format!("{name}-calibration"),
        title: format!("Calibration: width {}, {}", ensemble.width, ensemble.kind.title()),
        x: Axis::new("probability that theory has for an output this small", Scale::Linear),
        y: Axis::new("share of trained outputs that are", Scale::Linear),
        series: vec![
            Series { label: "trained networks".into(), x: ranks, y: share, mark: Mark::Line, style: 0 },
            Series { label: "calibrated".into(), x: diagonal.clone(), y: diagonal, mark: Mark::Theory, style: 1 },
        ],
        caption: format!(
            "All held-out points together: on the diagonal the predicted law is the trained networks'. {what}"
        ),
    }
}
