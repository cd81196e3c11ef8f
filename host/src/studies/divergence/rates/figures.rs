//! The figures of the part: the kernel against the margin, and its local exponents and those of the parameters.

use super::Grown;
use super::row::Row;
use super::windows::{Local, WINDOWS, extrapolation, last, rho};
use crate::analysis::statistics::Curve;
use crate::plot::{Axis, Figure, Hue, Mark, Scale, Series};
use crate::study::draw::{Change, MEAN_MARGIN, band};
use crate::study::net::Net;
use crate::words::count;

/// Largest y that is drawn: twice that from which exponents are extrapolated.
const FARTHEST: f64 = 2.0;
/// How far theory's values at y = 0 are drawn.
const MARK: f64 = 0.15;

/// All figures.
pub(super) fn figures(all: &[Grown]) -> Vec<Figure> {
    let seeds = all.iter().map(|grown| grown.runs.len()).max().unwrap_or(0);
    let on = format!("Six points, cross-entropy, standard initialization, {}; m is the width.", count(seeds, "seed"));
    let mut figures = vec![kernel(all, &on)];
    figures.extend([OF_KERNEL, OF_PARAMETERS].iter().map(|exponent| exponents(all, &on, exponent)));
    figures.retain(|figure| !figure.series.is_empty());
    figures
}

/// An exponent whose local values are drawn.
struct Exponent {
    name: &'static str,
    title: &'static str,
    axis: &'static str,
    /// what grows with the margin
    column: fn(&Row) -> f64,
    theory: fn(&Net) -> f64,
}

const OF_KERNEL: Exponent = Exponent {
    name: "exponent-kernel",
    title: "Exponent of the kernel",
    axis: "q in mean of K_{t}(x_{i}, x_{i}) ~ u^{q}",
    column: |row| row.kernel,
    theory: Net::exponent,
};
const OF_PARAMETERS: Exponent = Exponent {
    name: "exponent-parameters",
    title: "Exponent of the parameters",
    axis: "p in (|θ_{t}|^{2} − |θ_{0}|^{2})^{1/2} ~ u^{p}",
    column: rho,
    theory: |net| 1.0 / net.degree(),
};

fn title(grown: &Grown) -> String {
    format!("{}, m = {}", grown.net.title(), grown.width)
}

fn hue(grown: &Grown) -> Hue {
    Hue::named("network", title(grown))
}

/// The mean of K_t(x_i, x_i) against the mean margin.
fn kernel(all: &[Grown], on: &str) -> Figure {
    let mut series = Vec::new();
    for grown in all {
        let curve = |rows: &Vec<Row>| {
            let grown = rows.iter().filter(|row| row.margin_mean > 1.0);
            Curve::new(grown.map(|row| (row.margin_mean.ln(), row.kernel.ln())))
        };
        let curves: Vec<Curve> = grown.runs.iter().map(curve).collect();
        let Some(band) = band(&curves, Change::EXP, title(grown), hue(grown)) else { continue };
        let (Some(end), Some(at)) = (band.x.last().copied(), band.y.last().copied()) else { continue };
        series.push(band);
        let x = vec![end / 100.0, end];
        let y = x.iter().map(|u| 0.6 * at * (u / end).powf(grown.net.exponent())).collect();
        series.push(Series::theory(format!("slope {}, L = {}", grown.net.exponent_formula(), grown.net.depth), x, y));
    }
    Figure {
        name: "exponent-kernel-margin".into(),
        title: "Kernel at large margins".into(),
        x: Axis::new(MEAN_MARGIN, Scale::Log),
        y: Axis::new("mean of K_{t}(x_{i}, x_{i})", Scale::Log),
        series,
        caption: format!(
            "Empirical NTK on the training samples against the mean margin; bands from the smallest to the largest seed. A network of \
             degree M in its parameters has slope 2 − 2/M: M = L + 1 for a fully connected network, M = 2L + 2 for the longest product \
             of weights in a residual one (a conjecture); theory lines are shifted down for visibility. {on}"
        ),
        ..Figure::default()
    }
}

/// Local exponents against y, with the lines along which they are extrapolated and theory's values at y = 0.
fn exponents(all: &[Grown], on: &str, exponent: &Exponent) -> Figure {
    let (mut series, mut limits) = (Vec::new(), Vec::new());
    for grown in all {
        let means = grown.mean_locals(exponent.column);
        let points: Vec<(f64, f64)> = means.iter().map(|local| (local.y, local.exponent)).collect();
        let drawn: Vec<(f64, f64)> = points.iter().copied().filter(|(y, _)| *y <= FARTHEST).collect();
        if drawn.is_empty() {
            continue;
        }
        series.push(Series::new(title(grown), drawn.into_iter().unzip(), Mark::Points, hue(grown)));
        if let (Some((slope, limit)), Some(from)) = (extrapolation(&means), last(&means).and_then(<[Local]>::first)) {
            let ends = (vec![0.0, from.y], vec![limit, limit + slope * from.y]);
            series.push(Series::new("", ends, Mark::Fit, hue(grown)));
        }
        let limit = (exponent.theory)(&grown.net);
        if !limits.contains(&limit) {
            limits.push(limit);
        }
    }
    for (i, limit) in limits.into_iter().enumerate() {
        let label = if i == 0 { "theory, y → 0" } else { "" };
        series.push(Series::theory(label, vec![0.0, MARK], vec![limit; 2]));
    }
    Figure {
        name: exponent.name.into(),
        title: exponent.title.into(),
        x: Axis::new("y = |θ_{0}|^{2}/(|θ_{t}|^{2} − |θ_{0}|^{2})", Scale::Linear),
        y: Axis::new(exponent.axis, Scale::Linear),
        series,
        caption: format!(
            "Exponents over half decades of the mean margin u, means over the seeds, against what is left of the start: y falls to 0 as the \
             parameters grow. Thin lines: through the last {WINDOWS}, to y = 0, where theory has the broken ones (a conjecture for residual \
             networks). {on}"
        ),
        ..Figure::default()
    }
}
