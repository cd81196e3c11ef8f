//! The figures of the theorems.

use super::super::figures::{log_against_margin, log_against_time};
use super::beside::{At, drift};
use crate::analysis::statistics::Curve;
use crate::plot::{Axis, Figure, Hue, Scale, Series};
use crate::study::draw::{Change, MEAN_MARGIN, Sketch, TIME, band, bands};
use crate::study::group::{Group, Run};
use crate::study::net::CE;

/// Those of one network.
pub(super) fn of_group(group: &Group) -> Vec<Figure> {
    let mut figures = vec![error(group), movement(group), beside(group)];
    figures.retain(|figure| !figure.series.is_empty());
    figures
}

fn name(group: &Group, figure: &str) -> String {
    format!("{}-{}-{figure}", group.part.name, group.net.name())
}

fn width(width: usize) -> String {
    format!("m = {width}")
}

/// The running maximum of max|K_t - Theta| against t, with both constants of Theorem 2.
fn error(group: &Group) -> Figure {
    let curve = |run: &Run| log_against_time(run, |row| row.error_highest);
    let mut series = bands(group, CE, curve, Change::EXP_Y, width);
    if let (Some(run), Some(widest)) = (group.runs(CE).next(), series.last()) {
        let (n, ends) = (run.finished.samples as f64, [widest.x.first(), widest.x.last()]);
        let ends = ends.map(|x| x.copied().unwrap_or(0.0)).to_vec();
        let lambda = run.finished.analytic_lambda_min;
        for (label, value) in [("λ_{0}/n", lambda / n), ("λ_{0}/(2n^{2})", lambda / (2.0 * n * n))] {
            series.push(Series::theory(label, ends.clone(), vec![value; 2]));
        }
    }
    let caption = "Running maximum of the largest entry of |K_{t} − Θ| under cross-entropy, and the distances that Theorem 2 and its proof \
                   say it reaches. Random networks exceed both at t = 0; that the maximum goes on growing is what training adds.";
    let (x, y) = (Axis::new(TIME, Scale::Exponent), Axis::new("sup_{s ≤ t} max_{ij} |K_{s} − Θ|", Scale::Log));
    let title = "Distance from the NTK";
    Sketch { name: name(group, "error"), title, x, y, series, caption: caption.into() }.figure(group)
}

/// The max norm of theta_t - theta_0 against the mean margin.
fn movement(group: &Group) -> Figure {
    let curve = |run: &Run| log_against_margin(run, |row| row.param_max);
    let series = bands(group, CE, curve, Change::EXP, width);
    let caption = "Largest movement of any parameter under cross-entropy against the mean margin: the norm of Corollary 1. The wider the \
                   network, the smaller it is at a given margin.";
    let (x, y) = (Axis::new(MEAN_MARGIN, Scale::Log), Axis::new("max_{i} |θ_{ti} − θ_{0i}|", Scale::Log));
    let title = "Largest movement of a parameter";
    Sketch { name: name(group, "max-norm"), title, x, y, series, caption: caption.into() }.figure(group)
}

/// The drift at the training points and between them, of the runs that have kept profiles.
fn beside(group: &Group) -> Figure {
    let runs: Vec<Run> = group.runs(CE).filter(|run| !run.finished.profile.rows.is_empty()).collect();
    let of = |at: At, label: &str| {
        let curves: Vec<Curve> = runs.iter().map(|run| drift(run, at)).collect();
        band(&curves, Change::EXP, label.into(), Hue::named("points of the circle", label))
    };
    let series = [of(At::Training, "x a training point"), of(At::Between, "x half-way between two")];
    let series = series.into_iter().flatten().collect();
    let caption = "Largest |K_{t}(x_{0}, x) − K_{0}(x_{0}, x)| for a training point x_{0} under cross-entropy, over the training points x and over \
                   the points of the circle half-way between them.";
    let (x, y) =
        (Axis::new(MEAN_MARGIN, Scale::Log), Axis::new("drift, max_{x} |K_{t} − K_{0}|(x_{0}, x)", Scale::Log));
    let title = "Drift between the training points";
    Sketch { name: name(group, "between"), title, x, y, series, caption: caption.into() }.figure(group)
}
