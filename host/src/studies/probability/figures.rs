//! The figures: the probability against the width, the time and the scale of the initialization.

use super::line::TIMES;
use super::plan::{CENTRE, Cell, Found};
use super::table::time_title;
use crate::analysis::binomial::Share;
use crate::plot::{Axis, Figure, Hue, Mark, Scale, Series};
use crate::report::number;
use crate::study::draw::{TIME, WIDTH, width_axis};

/// Axis of the probability.
const PROBABILITY: &str = "P(logit at the probe > 0)";
const BANDS: &str = "Bands: 95 % intervals of Clopper and Pearson.";
/// The times at which curves against the width are drawn, among all.
const AGAINST_WIDTH: [usize; 3] = [1, 4, 7];
/// The time at which scales are compared: 10^4.
const COMPARED: usize = 4;

fn axis() -> Axis {
    Axis { range: Some((0.45, 1.01)), ..Axis::new(PROBABILITY, Scale::Linear) }
}

/// One of the columns of a cell.
type ShareOf = fn(&Cell) -> Share;

/// Shares with their intervals.
fn band(label: String, points: impl Iterator<Item = (f64, Share)>, hue: Hue) -> Series {
    let (mut x, mut y, mut low, mut high) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (at, share) in points {
        let [from, to] = share.interval();
        x.push(at);
        y.push(share.value());
        low.push(from);
        high.push(to);
    }
    Series::new(label, (x, y), Mark::Band { low, high }, hue)
}

/// The posterior probability of the Gaussian process, in closed form where there is one.
fn posterior(cell: &Cell) -> f64 {
    cell.posterior.exact.map_or(cell.posterior.probe.value(), |exact| exact.probe)
}

/// All figures.
pub fn all(found: &Found) -> Vec<Figure> {
    let line = found.of(CENTRE);
    let (Some(first), Some(last)) = (line.first(), line.last()) else { return Vec::new() };
    let ends = vec![first.networks.width as f64, last.networks.width as f64];
    let of_process = |x: Vec<f64>| {
        let y = vec![posterior(last); x.len()];
        Series::theory(format!("Gaussian process, {}", number((1e3 * posterior(last)).round() / 1e3)), x, y)
    };
    let networks = last.networks.networks;
    let mut figures = vec![against_time(&line, last, of_process(vec![TIMES[0], TIMES[TIMES.len() - 1]]), networks)];

    let mut series: Vec<Series> = AGAINST_WIDTH
        .iter()
        .map(|time| {
            let points = line.iter().map(|cell| (cell.networks.width as f64, cell.found.network.share(*time)));
            band(format!("networks, t = {}", time_title(*time)), points, Hue::at("time", TIMES[time - 1].log10()))
        })
        .collect();
    // at the last it is 1
    series.extend(AGAINST_WIDTH[..2].iter().map(|time| {
        let limit = last.fixed.share(*time).value();
        Series::theory(format!("fixed NTK, t = {}", time_title(*time)), ends.clone(), vec![limit; 2])
    }));
    series.push(of_process(ends));
    figures.push(Figure {
        name: "probability-width".into(),
        title: format!("Probability of a positive logit at the probe: {}", CENTRE.title()),
        x: width_axis(),
        y: axis(),
        series,
        caption: format!(
            "Share of {networks} networks a width whose logit at the probe is positive at three times. Broken lines: the flow under the fixed \
             NTK from draws of the Gaussian process, and the Gaussian process given the labels, which no time enters. {BANDS}"
        ),
        ..Figure::default()
    });

    let scales = found.by_scale();
    let kinds: [(&str, ShareOf); 3] = [
        ("networks", |cell| cell.found.network.share(COMPARED)),
        ("linearized networks", |cell| cell.found.linearized.share(COMPARED)),
        ("fixed NTK", |cell| cell.fixed.share(COMPARED)),
    ];
    let at = |cell: &&Cell| cell.networks.line.scale;
    let mut series: Vec<Series> = kinds
        .into_iter()
        .map(|(kind, share)| {
            band(kind.into(), scales.iter().map(|cell| (at(cell), share(cell))), Hue::named("column", kind))
        })
        .collect();
    series.push(of_process(scales.iter().map(at).collect()));
    figures.push(Figure {
        name: "probability-scale".into(),
        title: format!("Scale of the initialization: NTK, 4 points, m = {}, t = {}", found.middle(), time_title(COMPARED)),
        x: Axis::new("scale of the initial weights σ", Scale::Log),
        y: axis(),
        series,
        caption: format!(
            "The same {networks} networks of width {} with all initial weights times σ, so outputs and kernel times σ^{{2}}. A large σ starts from \
             large outputs, which the flow must turn; a small one leaves the kernel regime. {BANDS}",
            found.middle()
        ),
        ..Figure::default()
    });
    figures
}

/// Every width along training.
fn against_time(line: &[&Cell], last: &Cell, of_process: Series, networks: u64) -> Figure {
    let along = |share: &dyn Fn(usize) -> Share| -> Vec<(f64, Share)> {
        TIMES.iter().enumerate().map(|(k, time)| (*time, share(k + 1))).collect()
    };
    let mut series: Vec<Series> = line
        .iter()
        .map(|cell| {
            let width = cell.networks.width;
            let points = along(&|time| cell.found.network.share(time));
            band(format!("networks, m = {width}"), points.into_iter(), Hue::at(WIDTH, width as f64))
        })
        .collect();
    let (x, y) = along(&|time| last.fixed.share(time)).into_iter().map(|(time, share)| (time, share.value())).unzip();
    series.push(Series::theory("fixed NTK", x, y));
    series.push(of_process);
    Figure {
        name: "probability-time".into(),
        title: format!("Probability of a positive logit at the probe along training: {}", CENTRE.title()),
        x: Axis::new(TIME, Scale::Log),
        y: axis(),
        series,
        caption: format!(
            "Share of {networks} networks a width whose logit at the probe is positive, along gradient flow. At t = 0 it is (1 − 2^{{−m}})/2. \
             Broken lines: the flow under the fixed NTK, and the Gaussian process given the labels. {BANDS}"
        ),
        ..Figure::default()
    }
}
