//! What fixed kernels predict, beside the run they were made for.

use super::run_figures::decimal_exponent;
use super::{Overlay, Panel};
use crate::plot::{Axis, Figure, Hue, Mark, Scale, Series};
use crate::run::PredictionTable;

/// Margins as the fixed kernels predict them, for the figure of margins. `name` is the run's, empty for a single one.
pub fn overlays(name: &str, table: &PredictionTable) -> Vec<Overlay> {
    let x: Vec<f64> = table.rows.iter().map(|row| row.log_time).collect();
    if x.is_empty() {
        return Vec::new();
    }
    let overlay = |what: &str, y: Vec<f64>| {
        let label = if name.is_empty() { what.into() } else { format!("{name}: {what}") };
        Overlay { panel: Panel::Margin, series: Series::theory(label, x.clone(), y) }
    };
    vec![
        overlay("mean, predicted by Θ", table.rows.iter().map(|row| row.ntk.margin_mean).collect()),
        overlay("mean, predicted by K_{0}", table.rows.iter().map(|row| row.linearized.margin_mean).collect()),
    ]
}

/// How far the outputs are from what the fixed kernels predict; `None` where nothing is predicted.
pub fn prediction_figure(runs: &[(&str, &PredictionTable)]) -> Option<Figure> {
    let mut series = Vec::new();
    for (name, table) in runs {
        let x: Vec<f64> = table.rows.iter().map(|row| decimal_exponent(row.log_time)).collect();
        let label = |what: &str| if runs.len() > 1 { format!("{name}: {what}") } else { what.into() };
        let mut add = |kernel: &str, points: &str, mark: Mark, y: Vec<f64>| {
            if y.iter().any(|v| v.is_finite()) {
                // a run beside one kernel: neither the run itself nor the other kernel
                let hue = Hue::named("run beside a kernel", format!("{name} {kernel}"));
                series.push(Series { label: label(&format!("{kernel}, {points}")), x: x.clone(), y, mark, hue });
            }
        };
        let rows = &table.rows;
        add("Θ", "training samples", Mark::Line, rows.iter().map(|r| r.ntk.difference).collect());
        add("Θ", "held out", Mark::Dashed, rows.iter().map(|r| r.ntk.difference_held_out).collect());
        add("K_{0}", "training samples", Mark::Line, rows.iter().map(|r| r.linearized.difference).collect());
        add("K_{0}", "held out", Mark::Dashed, rows.iter().map(|r| r.linearized.difference_held_out).collect());
    }
    (!series.is_empty()).then(|| Figure {
        name: "prediction".into(),
        title: "Departure from the kernel prediction".into(),
        x: Axis::new("gradient-flow time t", Scale::Exponent),
        y: Axis::new("max |f_{t} − prediction| (logit units)", Scale::Log),
        series,
        caption: "Largest difference between the outputs of the network and those of gradient flow from the same start under a \
                  fixed kernel: the analytic NTK Θ, or the network's own kernel K_{0} at initialization, i.e. the linearized \
                  network."
            .into(),
        ..Figure::default()
    })
}
