//! The figures of random points.

use super::claims::{OF_THE_PAPER, OF_THE_PROOF, OnPoints};
use super::points::Row;
use crate::plot::{Axis, Figure, Hue, Mark, Scale, Series};
use crate::report::number;
use crate::words::count;

/// lambda_0 and the constants of Theorem 2 against n, beside the distance of random networks from the NTK.
pub(super) fn thresholds(set: &OnPoints) -> Figure {
    let (sphere, width) = (set.points.dimension - 1, set.points.width.unwrap_or(0));
    let distance = format!("max_{{ij}} |K_{{0}} − Θ|, m = {width}");
    let mut series: Vec<Series> = [
        (distance, (|row: &Row| row.distance) as fn(&Row) -> f64),
        ("λ_{0}".into(), |row| row.lambda_min),
        ("λ_{0}/n".into(), OF_THE_PROOF),
        ("λ_{0}/(2n^{2})".into(), OF_THE_PAPER),
    ]
    .into_iter()
    .map(|(label, value)| band(set, label, value))
    .collect();
    series.push(law(&series[1], -2.0 / set.sphere()));
    Figure {
        name: format!("positivity-{}-s{sphere}-thresholds", set.points.net.name()),
        title: format!("Smallest eigenvalue of the NTK: {}, points on S^{{{sphere}}}", set.points.net.title()),
        x: Axis::measured("training samples n", Scale::Log),
        y: Axis::new("units of the kernel", Scale::Log),
        series,
        caption: format!(
            "λ_{{0}}, the smallest eigenvalue of the analytic NTK on n uniform points of S^{{{sphere}}}, and the distances by which Theorem 2 \
             says that the kernel leaves the NTK: λ_{{0}}/(2n^{{2}}), and λ_{{0}}/n as its proof gives. Above them the largest entry of \
             |K_{{0}} − Θ| of random networks, which have passed both before they are trained. Geometric means of {}, bands from the \
             smallest to the largest.",
            count(set.points.draws as usize, "draw")
        ),
        ..Figure::default()
    }
}

/// Geometric mean over the draws, from the smallest to the largest.
fn band(set: &OnPoints, label: String, value: fn(&Row) -> f64) -> Series {
    let (mut x, mut y, mut low, mut high) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for n in set.points.sizes {
        let values: Vec<f64> = set.of(*n).map(value).collect();
        x.push(*n as f64);
        y.push((values.iter().map(|v| v.ln()).sum::<f64>() / values.len() as f64).exp());
        low.push(values.iter().copied().fold(f64::INFINITY, f64::min));
        high.push(values.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    }
    let hue = Hue::named("constant of Theorem 2", label.clone());
    Series::new(label, (x, y), Mark::Band { low, high }, hue)
}

/// A power law through the last point of a series.
fn law(series: &Series, exponent: f64) -> Series {
    let at = series.x.last().zip(series.y.last());
    let through = |x: &f64| at.map_or(f64::NAN, |(last, y)| y * (x / last).powf(exponent));
    Series::theory(
        format!("slope {}", number(exponent)),
        series.x.clone(),
        series.y.iter().zip(&series.x).map(|(_, x)| through(x)).collect(),
    )
}
