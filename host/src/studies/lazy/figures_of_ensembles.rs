//! The figures of ensembles.

use super::claims::{JudgedEnsemble, OverWidths, bias};
use super::ensemble::Start;
use super::law::PredictedLaw;
use crate::analysis::statistics::{Estimate, normal_density, normal_probability};
use crate::plot::{Axis, Figure, Hue, Mark, Scale, Series};
use crate::study::draw::width_axis;

/// What trained networks are beyond their linearizations, against the width, of every kind of ensemble.
pub fn of_bias(kinds: &[OverWidths]) -> Option<Figure> {
    let mut series: Vec<Series> = Vec::new();
    let mut kinds: Vec<&OverWidths> = kinds.iter().filter(|kind| kind.len() > 1).collect();
    let rank = |kind: &OverWidths| kind[0].ensemble.first.regularization.rank();
    kinds.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
    for kind in kinds {
        let point = |ensemble: &JudgedEnsemble| {
            let estimate = Estimate::from_values(&bias(ensemble))?;
            // where chance is as large there is nothing to draw on a logarithmic axis
            (estimate.value > 2.0 * estimate.error_or_0()).then_some((ensemble.ensemble.width() as f64, estimate))
        };
        let points: Vec<(f64, Estimate)> = kind.iter().filter_map(point).collect();
        if points.len() < 2 {
            continue;
        }
        let at = |sign: f64| points.iter().map(|(_, e)| e.value + sign * e.error_or_0()).collect();
        let label = kind[0].kind();
        let hue = Hue::named("ensemble kind", &label);
        let mark = Mark::Band { low: at(-1.0), high: at(1.0) };
        series.push(Series::new(label, (points.iter().map(|(m, _)| *m).collect(), at(0.0)), mark, hue));
    }
    let longest = series.iter().max_by_key(|s| s.x.len())?.clone();
    let last = longest.x.len() - 1;
    let y = longest.x.iter().map(|m| 0.6 * longest.y[last] * (longest.x[last] / m).sqrt()).collect();
    series.push(Series::theory("slope −1/2", longest.x, y));
    Some(Figure {
        name: "ensemble-bias".into(),
        title: "Trained networks beyond their linearizations".into(),
        x: width_axis(),
        y: Axis::new("mean f_{T} − f*[K_{0}], share of the law's mean", Scale::Log),
        series,
        caption: "How far the mean of trained networks lies beyond the mean of their own linearizations on the points held out, as a share of \
                  the law's mean; six points on the circle. Bands: ± a standard error. What is negative, or not two of them above 0, is not drawn: the table of claims has it."
            .into(),
        ..Figure::default()
    })
}

/// The network, and what it starts from where that is not its own outputs.
fn title_of(ensemble: &JudgedEnsemble) -> String {
    match ensemble.ensemble.start {
        Start::Network => ensemble.network(),
        Start::Prior { .. } => format!("{}, {}", ensemble.network(), ensemble.start()),
    }
}

/// Spread of an ensemble beside the laws.
pub fn of_ensemble(ensemble: &JudgedEnsemble) -> Vec<Figure> {
    let id = ensemble.ensemble.first.run.id.replace("-networks1000", "");
    let what = format!("{} networks, {}; six points.", ensemble.ensemble.networks, ensemble.kind());
    vec![density(ensemble, &id, &what), calibration(ensemble, &id, &what)]
}

/// Histogram of the outputs on the first held-out point, and the Gaussians that theory has for it.
fn density(ensemble: &JudgedEnsemble, name: &str, what: &str) -> Figure {
    let (law, p) = (&ensemble.law, ensemble.numbers());
    let (values, mean, sd) = (ensemble.column(0), law.mean[0], law.deviation()[0]);
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
    let trained = Hue::named("ensemble", "trained networks");
    let mut series = vec![Series::new("trained networks", (x, y), Mark::Outline, trained)];
    let gaussian = |label: &str, sd: f64| {
        let x: Vec<f64> = (0..=160).map(|i| from + (to - from) * f64::from(i) / 160.0).collect();
        let y = x.iter().map(|v| normal_density((v - mean) / sd) / sd).collect();
        Series::theory(label, x, y)
    };
    series.push(gaussian("predicted ensemble", sd));
    if let Some(laplace) = &law.laplace {
        series.push(gaussian("Laplace posterior", PredictedLaw::deviations(laplace, p)[0]));
    }
    Figure {
        name: format!("{name}-density"),
        title: format!(
            "Spread over initializations, m = {}: {}, {}",
            ensemble.ensemble.width(),
            title_of(ensemble),
            ensemble.regularization()
        ),
        x: Axis::new("output on a held-out point", Scale::Linear),
        y: Axis::new("density", Scale::Linear),
        series,
        caption: format!(
            "Histogram of the trained outputs on the first held-out point, and the predicted Gaussian densities. {what}"
        ),
        ..Figure::default()
    }
}

/// Share of outputs below the theory's quantile, against the quantile.
fn calibration(ensemble: &JudgedEnsemble, name: &str, what: &str) -> Figure {
    let (law, deviation) = (&ensemble.law, ensemble.law.deviation());
    let mut ranks: Vec<f64> = (0..ensemble.numbers())
        .flat_map(|i| {
            let (mean, sd) = (law.mean[i], deviation[i]);
            ensemble.column(i).into_iter().map(move |v| normal_probability((v - mean) / sd))
        })
        .collect();
    ranks.sort_by(f64::total_cmp);
    let count = ranks.len() as f64;
    let share: Vec<f64> = (0..ranks.len()).map(|i| (i as f64 + 0.5) / count).collect();
    let diagonal = vec![0.0, 1.0];
    Figure {
        name: format!("{name}-calibration"),
        title: format!(
            "Calibration, m = {}: {}, {}",
            ensemble.ensemble.width(),
            title_of(ensemble),
            ensemble.regularization()
        ),
        x: Axis::new("predicted CDF", Scale::Linear),
        y: Axis::new("empirical CDF", Scale::Linear),
        series: vec![
            Series::new("trained networks", (ranks, share), Mark::Line, Hue::named("ensemble", "trained networks")),
            Series::theory("calibrated", diagonal.clone(), diagonal),
        ],
        caption: format!(
            "All held-out points pooled; on the diagonal the predicted distribution matches that of the trained networks. {what}"
        ),
        ..Figure::default()
    }
}
