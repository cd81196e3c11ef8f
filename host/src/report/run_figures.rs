//! The standard figures of one run, or of several laid over one another.

use crate::plot::{Axis, Figure, Hue, Mark, Scale, Series};
use crate::report::number;
use crate::run::{Trace, TraceRow};
use std::f64::consts::LN_10;

/// Which of the standard figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Panel {
    /// Loss against time.
    Loss,
    /// Largest change of the kernel, and largest distance to the analytic NTK, against time.
    Drift,
    /// Smallest eigenvalue of the empirical kernel against time.
    LambdaMin,
    /// Distance of the parameters from their start against time.
    ParamDistance,
    /// Smallest and mean margin against time.
    Margin,
    /// Drift against the mean margin.
    DriftMargin,
}

impl Panel {
    const ALL: [Self; 6] =
        [Self::Drift, Self::Loss, Self::LambdaMin, Self::ParamDistance, Self::Margin, Self::DriftMargin];
}

/// A series of the caller's, drawn over a panel: a theory, as a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Overlay {
    /// The figure it belongs to.
    pub panel: Panel,
    /// Its horizontal values are ln(1 + t), as in `TraceRow::log_time`, except on `Panel::DriftMargin`: there, margins.
    pub series: Series,
}

impl Overlay {
    /// A theoretical curve of gradient-flow time.
    pub fn theory(panel: Panel, label: impl Into<String>, time: &[f64], y: Vec<f64>) -> Self {
        let x = time.iter().map(|t| t.ln_1p()).collect();
        Self { panel, series: Series::theory(label, x, y) }
    }
}

/// The six standard figures: `loss`, `drift`, `lambda_min`, `param_distance`, `margin`, `drift_margin`; without the quantities that no
/// trace knows, such as margins where y is numbers, and the figures that are left without one.
///
/// Every trace has a colour of its own, its second quantity is dashed. Time is gradient-flow time of the loss as it is trained, on a logarithmic axis that holds times
/// beyond the range of an f64 too (it is drawn from `log_time`) and begins at the first positive one.
pub fn run_figures(traces: &[Trace], overlays: &[Overlay]) -> Vec<Figure> {
    Panel::ALL.into_iter().filter_map(|panel| figure(panel, traces, overlays)).collect()
}

fn figure(panel: Panel, traces: &[Trace], overlays: &[Overlay]) -> Option<Figure> {
    let rows = || traces.iter().flat_map(|trace| &trace.rows);
    let known = |(.., value): &Quantity| rows().next().is_none() || rows().any(|row| !value(row).is_nan());
    let mut quantities = quantities(panel);
    quantities.retain(known);
    if quantities.is_empty() {
        return None;
    }
    if traces.len() > MOST_IN_FULL {
        quantities.truncate(1);
    }
    let mut series = Vec::new();
    for trace in traces {
        for (quantity, mark, value) in &quantities {
            let label = match (traces.len(), trace.label.as_str()) {
                (1, _) | (_, "") => (*quantity).into(),
                (runs, name) if runs > MOST_IN_FULL => name.into(),
                (_, name) => format!("{name}: {quantity}"),
            };
            let x = match panel {
                Panel::DriftMargin => trace.rows.iter().map(|row| row.margin_mean).collect(),
                _ => trace.rows.iter().map(|row| decimal_exponent(row.log_time)).collect(),
            };
            let y = trace.rows.iter().map(value).collect();
            series.push(Series { label, x, y, mark: mark.clone(), hue: Hue::named("run", &trace.label) });
        }
    }
    for overlay in overlays.iter().filter(|overlay| overlay.panel == panel) {
        let mut overlay = overlay.series.clone();
        if panel != Panel::DriftMargin {
            overlay.x.iter_mut().for_each(|x| *x = decimal_exponent(*x));
        }
        series.push(overlay);
    }
    let x = match panel {
        Panel::DriftMargin => Axis::new("mean margin u", Scale::Log),
        _ => Axis::new("gradient-flow time t", Scale::Exponent),
    };
    let (name, title, y, scale, caption) = describe(panel);
    let scale = scale.unwrap_or_else(|| if spans_decades(&series) { Scale::Log } else { Scale::Linear });
    let dashed = match panel {
        Panel::Drift if quantities.len() > 1 => DASHED,
        Panel::Margin if quantities.len() > 1 => " Solid: mean. Dashed: smallest.",
        Panel::Margin => " Their mean.",
        _ => "",
    };
    Some(Figure {
        name: name.into(),
        title: title.into(),
        x,
        y: Axis::new(y, scale),
        series,
        caption: format!("{caption}{dashed}"),
        ..Figure::default()
    })
}

/// Most runs of which every quantity is drawn; of more of them it is the first.
const MOST_IN_FULL: usize = 4;

/// Of the distance to the analytic kernel, where there is one.
const DASHED: &str = " Dashed: its distance to the analytic (infinite-width) NTK Θ, max_{ij} |K_{t} − Θ|.";

type Quantity = (&'static str, Mark, fn(&TraceRow) -> f64);

fn quantities(panel: Panel) -> Vec<Quantity> {
    match panel {
        Panel::Loss => vec![("loss", Mark::Line, |row| row.loss)],
        Panel::Drift => vec![
            ("drift, max |K_{t} − K_{0}|", Mark::Line, |row| row.drift_max),
            ("error, max |K_{t} − Θ|", Mark::Dashed, |row| row.error_max),
        ],
        Panel::LambdaMin => vec![("λ_{min}(K_{t})", Mark::Line, |row| row.lambda_min)],
        Panel::ParamDistance => vec![("|θ_{t} − θ_{0}|", Mark::Line, |row| row.param_distance)],
        Panel::Margin => vec![
            ("mean margin", Mark::Line, |row| row.margin_mean),
            ("smallest margin", Mark::Dashed, |row| row.margin_min),
        ],
        // where there is no margin there is no place either
        Panel::DriftMargin => vec![("drift, max |K_{t} − K_{0}|", Mark::Line, |row| {
            if row.margin_mean.is_nan() { f64::NAN } else { row.drift_max }
        })],
    }
}

/// File stem, title, vertical axis, its scale (`None`: logarithmic if the values span more than a decade), caption.
fn describe(panel: Panel) -> (&'static str, &'static str, &'static str, Option<Scale>, &'static str) {
    match panel {
        Panel::Loss => (
            "loss",
            "Loss along training",
            "loss",
            Some(Scale::Log),
            "Training loss, the mean over the samples or, if that is trained, their sum, against gradient-flow time.",
        ),
        Panel::Drift => (
            "drift",
            "Kernel drift",
            "max |ΔK_{ij}|",
            Some(Scale::Log),
            "Drift of the empirical kernel from initialization, max_{ij} |K_{t} − K_{0}|.",
        ),
        Panel::LambdaMin => (
            "lambda_min",
            "Smallest eigenvalue of the kernel",
            "λ_{min} of K_{t} on the training points",
            None,
            "Smallest eigenvalue of the empirical kernel on the training points. While it stays above a positive constant, \
             cross-entropy on hard labels drives outputs and parameters to infinity.",
        ),
        Panel::ParamDistance => (
            "param_distance",
            "Distance from initialization",
            "|θ_{t} − θ_{0}|",
            None,
            "Euclidean distance of the parameters from their initial values.",
        ),
        Panel::Margin => (
            "margin",
            "Margins along training",
            "margin (logit units)",
            Some(Scale::Linear),
            "Margin of the training samples: signed output, or correct logit minus the best wrong one. A straight \
             line means logarithmic growth.",
        ),
        Panel::DriftMargin => (
            "drift_margin",
            "Drift against margin",
            "drift, max |K_{t} − K_{0}|",
            Some(Scale::Log),
            "Drift of the empirical kernel against the mean margin on logarithmic axes: a straight line is a power law.",
        ),
    }
}

/// log10 t from ln(1 + t): minus infinity at t = 0, finite for any t however large.
pub(crate) fn decimal_exponent(log_time: f64) -> f64 {
    // Beyond 40 the 1 is below half a unit in the last place of t.
    if log_time > 40.0 { log_time / LN_10 } else { log_time.exp_m1().log10() }
}

/// The time t in words, from ln(1 + t): as a power of 10 where no number holds it.
pub(crate) fn moment(log_time: f64) -> String {
    let time = log_time.exp_m1();
    if time.is_finite() { number(time) } else { format!("10^{{{}}}", number(decimal_exponent(log_time).floor())) }
}

fn spans_decades(series: &[Series]) -> bool {
    let values = series.iter().flat_map(|series| &series.y).filter(|y| y.is_finite());
    let (low, high) =
        values.fold((f64::INFINITY, 0.0f64), |(low, high), &y| (if y > 0.0 { low.min(y) } else { low }, high.max(y)));
    high / 10.0 > low
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::PredictionTable;

    #[test]
    fn time_survives_its_logarithm() {
        for t in [1e-12, 1e-3, 1.0, 40.0, 1e17, 1e18, 1e300] {
            let t: f64 = t;
            assert!((decimal_exponent(t.ln_1p()) - t.log10()).abs() < 1e-12, "{t}");
        }
        assert_eq!(decimal_exponent(0.0), f64::NEG_INFINITY);
        assert_eq!(decimal_exponent(1e6), 1e6 / LN_10);
    }

    #[test]
    fn every_panel_has_its_traces_and_overlays() {
        let traces = ["cross-entropy", "squared error"].map(|label| Trace { label: label.into(), rows: Vec::new() });
        let overlay = Overlay::theory(Panel::Margin, "theory", &[0.0, 1.0], vec![0.0, 0.5]);
        let mut figures = run_figures(&traces, &[overlay]);
        let counts: Vec<_> = figures.iter().map(|figure| (figure.name.as_str(), figure.series.len())).collect();
        let expected =
            [("drift", 4), ("loss", 2), ("lambda_min", 2), ("param_distance", 2), ("margin", 5), ("drift_margin", 2)];
        assert_eq!(counts, expected);
        assert_eq!(figures[4].series[4].x, [f64::NEG_INFINITY, decimal_exponent(2f64.ln())]);
        assert_eq!(figures[0].series[3].label, "squared error: error, max |K_{t} − Θ|");
        figures.iter().for_each(|figure| assert!(figure.svg().is_ok()));
        crate::plot::rules::hold(&mut figures);
    }

    /// A network of somebody else's on samples whose y is numbers has neither an analytic kernel nor margins.
    #[test]
    fn what_no_trace_knows_is_not_drawn() {
        let mut row = TraceRow::default();
        (row.error_max, row.margin_min, row.margin_mean) = (f64::NAN, f64::NAN, f64::NAN);
        let trace = Trace { label: "mse".into(), rows: vec![row; 3] };
        let figures = run_figures(&[trace], &[]);
        let names: Vec<_> = figures.iter().map(|figure| (figure.name.as_str(), figure.series.len())).collect();
        assert_eq!(names, [("drift", 1), ("loss", 1), ("lambda_min", 1), ("param_distance", 1)]);
        assert!(figures.iter().all(|figure| !figure.caption.contains("Θ")));
    }

    /// Short runs and long ones, one or two on a page, with all that is laid over them.
    #[test]
    fn the_figures_of_runs_keep_the_rules() {
        for (names, rows) in [(&["cross-entropy"][..], 5), (&["cross-entropy", "squared error"], 40)] {
            let row = |i: i32| {
                let mut row = TraceRow::default();
                row.log_time = 0.1 * f64::from(i).powi(2);
                row.loss = (-row.log_time).exp();
                (row.drift_max, row.error_max, row.margin_mean) = (0.1 * row.log_time, 1.0, row.log_time);
                row
            };
            let traces: Vec<Trace> =
                names.iter().map(|name| Trace { label: (*name).into(), rows: (0..rows).map(row).collect() }).collect();
            let predicted = |i: i32| crate::run::PredictionRow { log_time: 0.1 * f64::from(i), ..Default::default() };
            let table = PredictionTable { rows: (0..rows).map(predicted).collect() };
            let name = |name: &'static str| if names.len() > 1 { name } else { "" };
            let laid: Vec<Overlay> = names.iter().flat_map(|n| crate::report::overlays(name(n), &table)).collect();
            let mut figures = run_figures(&traces, &laid);
            let runs: Vec<_> = names.iter().map(|name| (*name, &table)).collect();
            figures.extend(crate::report::prediction_figure(&runs));
            assert_eq!(figures.len(), 7);
            crate::plot::rules::hold(&mut figures);
        }
    }
}
