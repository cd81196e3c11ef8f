//! The figures of the study: each compares the widths of one network on one data set, with bands over seeds.

use super::claims::{MARGIN, SHARE, late_widths};
use crate::analysis::statistics::{Curve, Spread, line};
use crate::experiment::{Init, LossKind};
use crate::plot::{Axis, Figure, Mark, Scale, Series};
use crate::report::{decimal_exponent, number};
use crate::run::TraceRow;
use crate::study::group::{Group, Run};

const CE: LossKind = LossKind::CROSS_ENTROPY;
const MSE: LossKind = LossKind::MSE;
const TIME: &str = "gradient-flow time t (of the mean loss)";
const MEAN_MARGIN: &str = "mean margin u (logit units)";
const DRIFT: &str = "drift, max_{ij} |K_{t} − K_{0}|";
/// Points of a band.
const POINTS: usize = 65;

/// The figures of a group of runs to one margin.
pub fn of_group(group: &Group<'_>) -> Vec<Figure> {
    let draw = Draw { group };
    let mut figures = vec![
        draw.drift_time(),
        draw.drift_margin(),
        draw.lambda_min(),
        draw.distance(),
        draw.logits(),
        draw.prediction(),
        draw.drift_width(),
        draw.time_width(),
    ];
    figures.retain(|figure| !figure.series.is_empty());
    figures
}

/// From the coordinate in which a curve is read to the one that is shown.
type Change = fn(f64) -> f64;

struct Draw<'a, 'g> {
    group: &'a Group<'g>,
}

impl<'g> Draw<'_, 'g> {
    fn figure(&self, name: &str, title: &str, (x, y): (Axis, Axis), series: Vec<Series>, caption: &str) -> Figure {
        let init = crate::study::plan::init_name(self.group.init);
        Figure {
            name: format!("{}-{}-{init}-{name}", self.group.part.name(), self.group.net.name()),
            title: format!("{title}: {}", self.group.net.title()),
            x,
            y,
            series,
            caption: format!(
                "{caption} {}, {}, {init} initialization; bands run from the smallest to the largest of {} seed{}.",
                self.group.part.title(),
                self.group.net.title(),
                self.group.seeds().len(),
                if self.group.seeds().len() == 1 { "" } else { "s" }
            ),
        }
    }

    /// A band for every width; `curve` of a run in the coordinates in which it is read, `shown` those of the figure.
    fn bands(&self, loss: LossKind, curve: impl Fn(&Run<'g>) -> Curve, shown: (Change, Change)) -> Vec<Series> {
        let mut series = Vec::new();
        for (style, width) in self.group.widths().into_iter().enumerate() {
            let curves: Vec<Curve> = self.group.at_width(loss, width).iter().map(&curve).collect();
            let Spread { x, mean, low, high } = Spread::of(&curves, POINTS).map(shown.0, shown.1);
            if !x.is_empty() {
                let mark = if loss == CE { Mark::Band { low, high } } else { Mark::Dashed };
                let word = if loss == CE { "" } else { ", squared error" };
                series.push(Series { label: format!("m = {width}{word}"), x, y: mean, mark, style });
            }
        }
        series
    }

    /// ln of a column against log10 t, from t = 0.01 on.
    fn log_against_time(run: &Run<'g>, column: fn(&TraceRow) -> f64) -> Curve {
        let late = run.rows().filter(|row| row.log_time >= 0.01f64.ln_1p());
        Curve::new(late.map(|row| (decimal_exponent(row.log_time), column(row).ln())))
    }

    fn drift_time(&self) -> Figure {
        let same = |v: f64| v;
        let mut series = self.bands(CE, |run| Self::log_against_time(run, |row| row.drift_max), (same, f64::exp));
        series.extend(self.bands(MSE, |run| Self::log_against_time(run, |row| row.drift_max), (same, f64::exp)));
        let caption = "Drift of the empirical NTK along training. Solid: cross-entropy, where it goes on growing. Dashed: squared \
                       error, where it comes to rest.";
        let axes = (Axis::new(TIME, Scale::Exponent), Axis::new(DRIFT, Scale::Log));
        self.figure("drift", "Drift of the kernel", axes, series, caption)
    }

    fn drift_margin(&self) -> Figure {
        let curve = |run: &Run<'g>| {
            let grown = run.rows().filter(|row| row.margin_mean > 0.1);
            Curve::new(grown.map(|row| (row.margin_mean.ln(), row.drift_max.ln())))
        };
        let mut series = self.bands(CE, curve, (f64::exp, f64::exp));
        // the law of the kernel regime, through the widest band at the margin where widths are compared
        if let Some(widest) = series.last() {
            let x = [0.5, 1.0, 2.0, 4.0].map(|f| f * MARGIN).to_vec();
            let at = Curve::new(widest.x.iter().copied().zip(widest.y.iter().copied())).at(MARGIN);
            if let Some(at) = at {
                let y = x.iter().map(|u| at * (u / MARGIN) * (u / MARGIN)).collect();
                series.push(Series { label: "slope 2".into(), x, y, mark: Mark::Theory, style: 0 });
            }
            let last = self.group.all(CE).map(|run| run.largest(|row| row.margin_mean)).fold(f64::INFINITY, f64::min);
            if let (Some(exponent), Some(first)) = (self.group.net.exponent(), series.first()) {
                let (from, line) = (last / 4.0, Curve::new(first.x.iter().copied().zip(first.y.iter().copied())));
                if let Some(at) = line.at(from) {
                    let x = vec![from, last];
                    let y = x.iter().map(|u| 1.5 * at * (u / from).powf(exponent)).collect();
                    let label = "slope 2L/(L+1)".into();
                    series.push(Series { label, x, y, mark: Mark::Theory, style: 1 });
                }
            }
        }
        let caption = "Drift under cross-entropy against the mean margin: a power law is a straight line.";
        let axes = (Axis::new(MEAN_MARGIN, Scale::Log), Axis::new(DRIFT, Scale::Log));
        self.figure("drift-margin", "Drift against margin", axes, series, caption)
    }

    fn lambda_min(&self) -> Figure {
        let curve = |run: &Run<'g>| Self::log_against_time(run, |row| row.lambda_min);
        let mut series = self.bands(CE, curve, (|v| v, f64::exp));
        let analytic = self.group.all(CE).next().map(|run| run.finished.analytic_lambda_min);
        if let (Some(value), Some(widest)) = (analytic, series.last()) {
            let ends = [widest.x.first(), widest.x.last()].map(|x| x.copied().unwrap_or(0.0));
            let label = "analytic NTK".into();
            series.push(Series { label, x: ends.to_vec(), y: vec![value; 2], mark: Mark::Theory, style: 0 });
        }
        let caption = "Smallest eigenvalue of the empirical NTK on the training samples, under cross-entropy. While it is bounded \
                       below, outputs and parameters must diverge.";
        let axes = (Axis::new(TIME, Scale::Exponent), Axis::new("λ_{min}(K_{t})", Scale::Log));
        self.figure("lambda-min", "Smallest eigenvalue", axes, series, caption)
    }

    fn distance(&self) -> Figure {
        let curve = |run: &Run<'g>| {
            let grown = run.rows().filter(|row| row.margin_mean > 0.1);
            Curve::new(grown.map(|row| (row.margin_mean.ln(), row.param_distance.ln())))
        };
        let mut series = self.bands(CE, curve, (f64::exp, f64::exp));
        let samples = self.group.all(CE).next().map(|run| run.finished.analytic_lambda_min);
        let known = self.group.part == crate::study::plan::Part::SixPoints && self.group.init == Init::Mirrored;
        if let (Some(lambda), Some(widest), true) = (samples, series.last(), known) {
            let (x, label) = (widest.x.clone(), "kernel: u √(6/λ_{s})".into());
            let y = x.iter().map(|u| u * (6.0 / lambda).sqrt()).collect();
            series.push(Series { label, x, y, mark: Mark::Theory, style: 0 });
        }
        let caption = "Distance of the parameters from their start, under cross-entropy, against the mean margin. In the kernel \
                       regime it is proportional to the margin; behind it the kernel grows, and less movement does.";
        let axes = (Axis::new(MEAN_MARGIN, Scale::Log), Axis::new("|θ_{t} − θ_{0}|", Scale::Log));
        self.figure("distance", "Movement of the parameters", axes, series, caption)
    }

    fn logits(&self) -> Figure {
        let curve = |run: &Run<'g>| {
            let late = run.rows().filter(|row| row.log_time >= 0.01f64.ln_1p());
            Curve::new(late.map(|row| (decimal_exponent(row.log_time), row.margin_mean)))
        };
        let mut series = self.bands(CE, curve, (|v| v, |v| v));
        // the analytic NTK's prediction is the same for all mirrored networks; take the longest
        let longest = self.group.all(CE).max_by(|a, b| a.last().log_time.total_cmp(&b.last().log_time));
        if let Some(run) = longest {
            let rows = run.finished.predictions.rows.iter().filter(|row| row.log_time >= 0.01f64.ln_1p());
            let (x, y): (Vec<_>, Vec<_>) = rows.map(|r| (decimal_exponent(r.log_time), r.ntk.margin_mean)).unzip();
            if !x.is_empty() {
                let label = "kernel logistic regression".into();
                series.push(Series { label, x, y, mark: Mark::Theory, style: 0 });
            }
        }
        let caption =
            "Mean margin of the trained networks, and as kernel logistic regression with the analytic NTK has it.";
        let axes = (Axis::new(TIME, Scale::Exponent), Axis::new("mean margin (logit units)", Scale::Linear));
        self.figure("logits", "Logits against kernel logistic regression", axes, series, caption)
    }

    fn prediction(&self) -> Figure {
        let curve = |run: &Run<'g>| {
            let late = run.finished.predictions.rows.iter().filter(|row| row.log_time >= 0.01f64.ln_1p());
            Curve::new(
                late.map(|r| (decimal_exponent(r.log_time), (r.linearized.difference / r.linearized.margin_mean).ln())),
            )
        };
        let series = self.bands(CE, curve, (|v| v, f64::exp));
        let caption = "Largest difference between a training output of the network and of its linearization at θ_{0}, over the \
                       linearization's mean margin: how long the kernel picture holds.";
        let y = Axis::new("largest |f_{t} − linearized| / mean margin", Scale::Log);
        self.figure(
            "linearized",
            "Leaving the linearized network",
            (Axis::new(TIME, Scale::Exponent), y),
            series,
            caption,
        )
    }

    /// Mean, smallest and largest over seeds of a number of every width.
    fn by_width(&self, loss: LossKind, value: impl Fn(&Run<'g>) -> Option<f64>) -> Vec<(f64, [f64; 3])> {
        let at = |width: usize| {
            let values: Option<Vec<f64>> = self.group.at_width(loss, width).iter().map(&value).collect();
            let values = values.filter(|v| !v.is_empty())?;
            let ln = values.iter().map(|v| v.ln()).sum::<f64>() / values.len() as f64;
            let (low, high) = values.iter().fold((f64::INFINITY, 0.0f64), |(l, h), v| (l.min(*v), h.max(*v)));
            Some((width as f64, [ln.exp(), low, high]))
        };
        self.group.widths().into_iter().filter_map(at).collect()
    }

    fn drift_width(&self) -> Figure {
        let mut series: Vec<Series> = Vec::new();
        let mut add = |label: String, style: usize, points: Vec<(f64, [f64; 3])>| {
            if !points.is_empty() {
                let column = |k: usize| points.iter().map(|p| p.1[k]).collect();
                let x = points.iter().map(|p| p.0).collect();
                let mark = Mark::Band { low: column(1), high: column(2) };
                series.push(Series { label, x, y: column(0), mark, style });
            }
        };
        for (style, margin) in [2.0, 4.0, 8.0, 16.0].into_iter().enumerate() {
            let points = self.by_width(CE, |run| run.at_margin(margin, |row| row.drift_max));
            add(format!("cross-entropy, u = {margin}"), style, points);
        }
        add("squared error, largest".into(), 4, self.by_width(MSE, |run| Some(run.largest(|row| row.drift_max))));
        if let Some(first) = series.first().filter(|s| s.x.len() > 1) {
            let (x, last) = (first.x.clone(), first.x.len() - 1);
            let y = x.iter().map(|m| first.y[last] * first.x[last] / m).collect();
            series.push(Series { label: "slope −1".into(), x, y, mark: Mark::Theory, style: 0 });
        }
        let caption = "Drift at fixed mean margins u, and the largest drift under squared error, against the width.";
        let axes = (Axis::new("width m", Scale::Log), Axis::new(DRIFT, Scale::Log));
        self.figure("drift-width", "Drift against width", axes, series, caption)
    }

    fn time_width(&self) -> Figure {
        let points = self.by_width(CE, |run| run.passes_drift(SHARE).map(|(time, _)| time.exp_m1()));
        let mut series = Vec::new();
        if !points.is_empty() {
            let column = |k: usize| points.iter().map(|p| p.1[k]).collect();
            let x: Vec<f64> = points.iter().map(|p| p.0.sqrt()).collect();
            let mark = Mark::Band { low: column(1), high: column(2) };
            series.push(Series { label: "t(m)".into(), x, y: column(0), mark, style: 0 });
        }
        let late = late_widths(self.group);
        let fitted: Vec<(f64, f64)> = points
            .iter()
            .filter(|point| late.contains(&(point.0 as usize)))
            .map(|point| (point.0.sqrt(), point.1[0].ln()))
            .collect();
        if let (Some((slope, start)), [first, .., last]) = (line(&fitted), &fitted[..]) {
            let x = vec![first.0, last.0];
            let y = x.iter().map(|root| (start + slope * root).exp()).collect();
            let label = format!("fit exp({} √m)", number(slope));
            series.push(Series { label, x, y, mark: Mark::Theory, style: 1 });
        }
        let caption = "Time at which the kernel has drifted by 10 % (Frobenius) under cross-entropy, against the square root of \
                       the width: a straight line is exp(c √m).";
        let axes = (Axis::new("√m, m the width", Scale::Linear), Axis::new("time t of 10 % drift", Scale::Log));
        self.figure("time-width", "How long the kernel stays", axes, series, caption)
    }
}

/// Drift at very large margins, all networks of the part.
pub fn of_exponents(groups: &[Group<'_>]) -> Option<Figure> {
    let mut series = Vec::new();
    for (style, group) in groups.iter().enumerate() {
        let curves: Vec<Curve> = group
            .all(CE)
            .map(|run| {
                let grown = run.rows().filter(|row| row.margin_mean > 1.0);
                Curve::new(grown.map(|row| (row.margin_mean.ln(), row.drift_max.ln())))
            })
            .collect();
        let Spread { x, mean, low, high } = Spread::of(&curves, POINTS).map(f64::exp, f64::exp);
        let (Some(from), Some(last), Some(at)) = (x.first(), x.last(), mean.last()) else { continue };
        let (from, last, at) = (*from, *last, *at);
        series.push(Series { label: group.net.title(), x, y: mean, mark: Mark::Band { low, high }, style });
        if let Some(exponent) = group.net.exponent() {
            let x = vec![(last / 100.0).max(from), last];
            let y = x.iter().map(|u| 0.5 * at * (u / last).powf(exponent)).collect();
            let label = format!("slope 2L/(L+1), L = {}", group.net.depth);
            series.push(Series { label, x, y, mark: Mark::Theory, style });
        }
    }
    let width = groups.first()?.widths().first().copied()?;
    (!series.is_empty()).then(|| Figure {
        name: "exponent-drift-margin".into(),
        title: "The exponent of divergence".into(),
        x: Axis::new(MEAN_MARGIN, Scale::Log),
        y: Axis::new(DRIFT, Scale::Log),
        series,
        caption: format!(
            "Drift under cross-entropy at very large margins, width {width}, six points, standard initialization; bands from \
             the smallest to the largest seed. A homogeneous network of degree L + 1 has the slope 2L/(L + 1); the lines of \
             theory are shifted down to be seen."
        ),
    })
}
