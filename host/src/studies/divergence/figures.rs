//! The figures of the study: each compares the widths of one network on one data set, with bands over seeds.

use super::claims::{MARGIN, SHARE, late_widths, time_of_drift};
use crate::analysis::statistics::{Curve, line};
use crate::experiment::{Init, LossKind};
use crate::plot::{Axis, Figure, Hue, Mark, Scale, Series};
use crate::report::{decimal_exponent, rounded};
use crate::study::draw::{Change, DRIFT_AXIS, MEAN_MARGIN, Sketch, TIME, bands, by_width, width_axis};
use crate::study::group::{Column, DRIFT, Group, Run};
use crate::study::net::{CE, MSE};

/// The figures of a group of runs to one margin.
pub fn on_samples(group: &Group) -> Vec<Figure> {
    Drawn { group, labels_are_an_eigenvector: false }.figures()
}

/// The same where kernel theory has closed forms.
pub fn on_six_points(group: &Group) -> Vec<Figure> {
    Drawn { group, labels_are_an_eigenvector: true }.figures()
}

struct Drawn<'a> {
    group: &'a Group,
    /// of every dot-product kernel
    labels_are_an_eigenvector: bool,
}

impl Drawn<'_> {
    fn figures(&self) -> Vec<Figure> {
        let mut figures = vec![
            self.drift_time(),
            self.drift_margin(),
            self.lambda_min(),
            self.distance(),
            self.logits(),
            self.prediction(),
            self.drift_width(),
            self.time_width(),
        ];
        figures.retain(|figure| !figure.series.is_empty());
        figures
    }

    fn name(&self, figure: &str) -> String {
        format!("{}-{}-{}-{figure}", self.group.part.name, self.group.net.name(), self.group.init)
    }

    /// A band for every width; squared error has no band, but a dashed line.
    fn bands(&self, loss: LossKind, curve: impl Fn(&Run) -> Curve, shown: Change) -> Vec<Series> {
        let word = if loss == CE { "" } else { ", squared error" };
        let mut series = bands(self.group, loss, curve, shown, |width| format!("m = {width}{word}"));
        if loss != CE {
            series.iter_mut().for_each(|series| series.mark = Mark::Dashed);
        }
        series
    }

    fn drift_time(&self) -> Figure {
        let curve = |run: &Run| log_against_time(run, DRIFT);
        let mut series = self.bands(CE, curve, Change::EXP_Y);
        series.extend(self.bands(MSE, curve, Change::EXP_Y));
        let caption = "Drift of the empirical NTK along training. Solid: cross-entropy, under which it keeps growing. Dashed: squared \
                       error, under which it converges.";
        let (x, y) = (Axis::new(TIME, Scale::Exponent), Axis::new(DRIFT_AXIS, Scale::Log));
        Sketch { name: self.name("drift"), title: "Kernel drift", x, y, series, caption: caption.into() }
            .figure(self.group)
    }

    fn drift_margin(&self) -> Figure {
        let curve = |run: &Run| log_against_margin(run, DRIFT);
        let mut series = self.bands(CE, curve, Change::EXP);
        // the law of the kernel regime, through the widest band at the margin where widths are compared
        if let Some(widest) = series.last() {
            let x = [0.5, 1.0, 2.0, 4.0].map(|f| f * MARGIN).to_vec();
            let at = Curve::new(widest.x.iter().copied().zip(widest.y.iter().copied())).at(MARGIN);
            if let Some(at) = at {
                let y = x.iter().map(|u| at * (u / MARGIN) * (u / MARGIN)).collect();
                series.push(Series::theory("slope 2", x, y));
            }
            let last = self.group.runs(CE).map(|run| run.largest(|row| row.margin_mean)).fold(f64::INFINITY, f64::min);
            if let Some(first) = series.first() {
                let exponent = self.group.net.exponent();
                let (from, line) = (last / 4.0, Curve::new(first.x.iter().copied().zip(first.y.iter().copied())));
                if let Some(at) = line.at(from) {
                    let x = vec![from, last];
                    let y = x.iter().map(|u| 1.5 * at * (u / from).powf(exponent)).collect();
                    let label = format!("slope {}", self.group.net.exponent_formula());
                    series.push(Series::theory(label, x, y));
                }
            }
        }
        let caption = "Drift under cross-entropy against the mean margin: a power law is a straight line.";
        let (x, y) = (Axis::new(MEAN_MARGIN, Scale::Log), Axis::new(DRIFT_AXIS, Scale::Log));
        Sketch { name: self.name("drift-margin"), title: "Drift against margin", x, y, series, caption: caption.into() }
            .figure(self.group)
    }

    fn lambda_min(&self) -> Figure {
        let curve = |run: &Run| log_against_time(run, |row| row.lambda_min);
        let mut series = self.bands(CE, curve, Change::EXP_Y);
        let analytic = self.group.runs(CE).next().map(|run| run.finished.analytic_lambda_min);
        if let (Some(value), Some(widest)) = (analytic, series.last()) {
            let ends = [widest.x.first(), widest.x.last()].map(|x| x.copied().unwrap_or(0.0));
            series.push(Series::theory("analytic NTK", ends.to_vec(), vec![value; 2]));
        }
        let caption = "Smallest eigenvalue of the empirical NTK on the training samples, under cross-entropy. While it is bounded \
                       below, outputs and parameters must diverge.";
        let (x, y) = (Axis::new(TIME, Scale::Exponent), Axis::new("λ_{min}(K_{t})", Scale::Log));
        Sketch { name: self.name("lambda-min"), title: "Smallest eigenvalue", x, y, series, caption: caption.into() }
            .figure(self.group)
    }

    fn distance(&self) -> Figure {
        let curve = |run: &Run| log_against_margin(run, |row| row.param_distance);
        let mut series = self.bands(CE, curve, Change::EXP);
        let samples = self.group.runs(CE).next().map(|run| run.finished.analytic_lambda_min);
        let known = self.labels_are_an_eigenvector && self.group.init == Init::Mirrored;
        if let (Some(lambda), Some(widest), true) = (samples, series.last(), known) {
            let x = widest.x.clone();
            let y = x.iter().map(|u| u * (6.0 / lambda).sqrt()).collect();
            series.push(Series::theory("kernel: u √(6/λ_{s})", x, y));
        }
        let caption = "Distance of the parameters from initialization under cross-entropy against the mean margin. In the kernel regime \
                       it is proportional to the margin; beyond it the kernel itself grows, so a given margin needs less movement.";
        let (x, y) = (Axis::new(MEAN_MARGIN, Scale::Log), Axis::new("|θ_{t} − θ_{0}|", Scale::Log));
        Sketch {
            name: self.name("distance"),
            title: "Distance from initialization",
            x,
            y,
            series,
            caption: caption.into(),
        }
        .figure(self.group)
    }

    fn logits(&self) -> Figure {
        let curve = |run: &Run| {
            let late = run.rows().filter(|row| row.log_time >= 0.01f64.ln_1p());
            Curve::new(late.map(|row| (decimal_exponent(row.log_time), row.margin_mean)))
        };
        let mut series = self.bands(CE, curve, Change::NONE);
        // the analytic NTK's prediction is the same for all mirrored networks; take the longest
        let longest = self.group.runs(CE).max_by(|a, b| a.last().log_time.total_cmp(&b.last().log_time));
        if let Some(run) = longest {
            let rows = run.finished.predictions.rows.iter().filter(|row| row.log_time >= 0.01f64.ln_1p());
            let (x, y): (Vec<_>, Vec<_>) = rows.map(|r| (decimal_exponent(r.log_time), r.ntk.margin_mean)).unzip();
            if !x.is_empty() {
                series.push(Series::theory("kernel logistic regression", x, y));
            }
        }
        let caption = "Mean margin of the trained networks, and as predicted by kernel logistic regression with the analytic NTK.";
        let (x, y) = (Axis::new(TIME, Scale::Exponent), Axis::new("mean margin (logit units)", Scale::Linear));
        Sketch {
            name: self.name("logits"),
            title: "Margin and kernel logistic regression",
            x,
            y,
            series,
            caption: caption.into(),
        }
        .figure(self.group)
    }

    fn prediction(&self) -> Figure {
        let curve = |run: &Run| {
            let late = run.finished.predictions.rows.iter().filter(|row| row.log_time >= 0.01f64.ln_1p());
            Curve::new(
                late.map(|r| (decimal_exponent(r.log_time), (r.linearized.difference / r.linearized.margin_mean).ln())),
            )
        };
        let series = self.bands(CE, curve, Change::EXP_Y);
        let caption = "Largest difference between training outputs of the network and of its linearization at θ_{0}, relative to the mean \
                       margin of the linearization: how long the kernel approximation holds.";
        let y = Axis::new("max |f_{t} − linearized| / mean margin", Scale::Log);
        let (name, title, x) =
            (self.name("linearized"), "Departure from the linearized network", Axis::new(TIME, Scale::Exponent));
        Sketch { name, title, x, y, series, caption: caption.into() }.figure(self.group)
    }

    fn drift_width(&self) -> Figure {
        let mut series: Vec<Series> = Vec::new();
        for margin in [2.0, 4.0, 8.0, 16.0] {
            let label = format!("cross-entropy, u = {margin}");
            let hue = Hue::at("margin", margin);
            series.extend(by_width(self.group, CE, |run| run.at_margin(margin, DRIFT), label, hue));
        }
        let (label, hue) = ("squared error, maximum".into(), Hue::named("over widths", "largest under squared error"));
        series.extend(by_width(self.group, MSE, |run| Some(run.largest(DRIFT)), label, hue));
        if let Some(first) = series.first().filter(|s| s.x.len() > 1) {
            let (x, last) = (first.x.clone(), first.x.len() - 1);
            let y = x.iter().map(|m| first.y[last] * first.x[last] / m).collect();
            series.push(Series::theory("slope −1", x, y));
        }
        let caption = "Drift at fixed mean margins u under cross-entropy, and maximum drift under squared error, against the width.";
        let (x, y) = (width_axis(), Axis::new(DRIFT_AXIS, Scale::Log));
        Sketch { name: self.name("drift-width"), title: "Drift against width", x, y, series, caption: caption.into() }
            .figure(self.group)
    }

    fn time_width(&self) -> Figure {
        let time = |run: &Run| Some(run.passes_drift(SHARE)?.log_time.exp_m1());
        let hue = Hue::named("over widths", "time of drift");
        let mut series: Vec<Series> = by_width(self.group, CE, time, "t(m)".into(), hue.clone()).into_iter().collect();
        let late = late_widths(self.group);
        let points = series.iter().flat_map(|measured| measured.x.iter().zip(&measured.y));
        let points = points.filter(|(width, _)| late.contains(&(**width as usize)));
        let fitted: Vec<(f64, f64)> = points.map(|(width, time)| (width.sqrt(), time.ln())).collect();
        if let (Some((slope, start)), [first, .., last]) = (line(&fitted), &fitted[..]) {
            let roots = [first.0, last.0].map(|root| (root * root, (start + slope * root).exp()));
            // of the lines through the times of one seed
            let over_seeds = time_of_drift(self.group, &late);
            let label = format!(
                "fit exp({} √m)",
                over_seeds.map_or_else(|| rounded(slope, None), |e| rounded(e.value, e.error))
            );
            series.push(Series::new(label, roots.into_iter().unzip(), Mark::Fit, hue));
        }
        let caption = "Time at which the kernel has drifted by 10 % (Frobenius) under cross-entropy, against the square root of the \
                       width: a straight line means exp(c √m).";
        let (x, y) = (Axis::measured("width m", Scale::Root), Axis::new("time t of 10 % drift", Scale::Log));
        Sketch {
            name: self.name("time-width"),
            title: "Time to 10 % kernel drift",
            x,
            y,
            series,
            caption: caption.into(),
        }
        .figure(self.group)
    }
}

/// ln of a column against log10 t, from t = 0.01 on.
pub fn log_against_time(run: &Run, column: Column) -> Curve {
    let late = run.rows().filter(|row| row.log_time >= 0.01f64.ln_1p());
    Curve::new(late.map(|row| (decimal_exponent(row.log_time), column(row).ln())))
}

/// ln of a column against ln of the mean margin, from 0.1 on.
pub fn log_against_margin(run: &Run, column: Column) -> Curve {
    let grown = run.rows().filter(|row| row.margin_mean > 0.1);
    Curve::new(grown.map(|row| (row.margin_mean.ln(), column(row).ln())))
}
