//! The figures of a sweep: where runs ended against a setting that is a number, or, where there is none, what they did along
//! training. What varies besides tells the lines apart, and seeds make the band around each.

use super::quantity::{QUANTITIES, Quantity};
use super::{Point, SEED, Sweep};
use crate::analysis::statistics::Curve;
use crate::plot::{Axis as PlotAxis, Figure, Hue, Mark, Scale, Series};
use crate::report::decimal_exponent;
use crate::run::TraceRow;
use crate::study::cell::Finished;
use crate::study::draw::{Change, TIME, TIME_OF_EITHER, band};
use crate::words::{count, listed};

/// Most lines of a figure; what there is more of takes figures of its own.
const MOST_LINES: usize = 8;
/// Most figures of one quantity.
const MOST_OF_ONE: usize = 12;
/// Most values of an axis that has a tick at each.
const MOST_TICKS: usize = 10;

/// Which axis of the sweep is what in the figures.
struct Layout {
    /// along the horizontal axis, with its values as numbers
    x: Option<(usize, Vec<f64>)>,
    /// a figure each
    figures: Vec<usize>,
    /// a line each
    lines: Vec<usize>,
}

impl Layout {
    fn of(sweep: &Sweep) -> Self {
        let axes = || sweep.axes.iter().enumerate().filter(|(_, axis)| axis.key != SEED);
        let x = axes().find_map(|(index, axis)| Some((index, axis.numbers()?)));
        let mut lines: Vec<usize> =
            axes().map(|(index, _)| index).filter(|index| x.as_ref().is_none_or(|(x, _)| x != index)).collect();
        let mut figures = Vec::new();
        while lines.iter().map(|axis| sweep.axes[*axis].values.len()).product::<usize>() > MOST_LINES {
            figures.push(lines.remove(0));
        }
        Self { x, figures, lines }
    }
}

/// Every figure, and a sentence on those that are left out.
pub(super) fn figures(sweep: &Sweep, finished: &[Finished<Point>]) -> (Vec<Figure>, String) {
    let layout = Layout::of(sweep);
    let all = combinations(sweep, &layout.figures);
    let mut drawn = Vec::new();
    for quantity in QUANTITIES.iter().filter(|quantity| quantity.varies(finished)) {
        for (number, fixed) in all.iter().take(MOST_OF_ONE).enumerate() {
            let mut figure = figure(sweep, &layout, quantity, fixed, finished);
            if all.len() > 1 {
                figure.name = format!("{}-{}", figure.name, number + 1);
            }
            if !figure.series.is_empty() {
                drawn.push(figure);
            }
        }
    }
    let left = match all.len().saturating_sub(MOST_OF_ONE) {
        0 => String::new(),
        left => format!("Figures of {left} further combinations are left out; cells.csv has their runs."),
    };
    (drawn, left)
}

/// Every combination of the values of these axes, the last running fastest: (axis, value) each.
fn combinations(sweep: &Sweep, axes: &[usize]) -> Vec<Vec<(usize, usize)>> {
    let extend = |all: Vec<Vec<(usize, usize)>>, axis: &usize| {
        let mut order: Vec<usize> = (0..sweep.axes[*axis].values.len()).collect();
        // lines of numbers stand in their order
        if let Some(numbers) = sweep.axes[*axis].numbers() {
            order.sort_by(|a, b| numbers[*a].total_cmp(&numbers[*b]));
        }
        let with = |begun: Vec<(usize, usize)>| {
            let add = move |value: &usize| [&begun[..], &[(*axis, *value)]].concat();
            order.iter().map(add).collect::<Vec<_>>()
        };
        all.into_iter().flat_map(with).collect()
    };
    axes.iter().fold(vec![Vec::new()], extend)
}

/// What a combination is called: `depth 3, loss mse`.
fn label(sweep: &Sweep, fixed: &[(usize, usize)]) -> String {
    let word =
        |(axis, value): &(usize, usize)| format!("{} {}", sweep.axes[*axis].key, sweep.axes[*axis].words[*value]);
    fixed.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn hue(sweep: &Sweep, line: &[(usize, usize)]) -> Hue {
    match line {
        [(axis, value)] => match sweep.axes[*axis].numbers() {
            Some(numbers) => Hue::at("line", numbers[*value]),
            None => Hue::named("line", sweep.axes[*axis].words[*value].clone()),
        },
        several => Hue::named("line", label(sweep, several)),
    }
}

/// The runs of a combination that did not fail.
fn runs<'a>(finished: &'a [Finished<Point>], fixed: &'a [(usize, usize)]) -> impl Iterator<Item = &'a Finished<Point>> {
    let of = |run: &&Finished<Point>| fixed.iter().all(|(axis, value)| run.cell.at[*axis] == *value);
    finished.iter().filter(|run| run.failure.is_none()).filter(of)
}

fn figure(
    sweep: &Sweep,
    layout: &Layout,
    quantity: &Quantity,
    fixed: &[(usize, usize)],
    finished: &[Finished<Point>],
) -> Figure {
    let mut series = Vec::new();
    for line in combinations(sweep, &layout.lines) {
        let combination = [fixed, &line[..]].concat();
        let (name, hue) = (label(sweep, &line), hue(sweep, &line));
        let name = if name.is_empty() { quantity.title.to_lowercase() } else { name };
        series.extend(match &layout.x {
            Some((axis, numbers)) => ends(quantity, (*axis, numbers), &combination, finished, name, hue),
            None => along(quantity, &combination, finished, name, hue),
        });
    }
    let summed = finished.iter().any(|run| run.cell.run.settings.training.loss_sum);
    let seeds = sweep.axes.iter().find(|axis| axis.key == SEED).map_or(1, |axis| axis.values.len());
    let of = if fixed.is_empty() { String::new() } else { format!(": {}", label(sweep, fixed)) };
    let mean = if quantity.scale == Scale::Log { "geometric mean" } else { "mean" };
    let spread = match seeds {
        1 => String::new(),
        _ => format!(" Lines: {mean} over {}; bands: from the smallest to the largest.", count(seeds, "seed")),
    };
    let (x, title, when) = match &layout.x {
        Some((axis, numbers)) => {
            let key = &sweep.axes[*axis].key;
            (
                axis_of(key, numbers),
                format!("{} at the end against {key}{of}", quantity.title),
                " at the end of training",
            )
        }
        None => (
            PlotAxis::new(if summed { TIME_OF_EITHER } else { TIME }, Scale::Exponent),
            format!("{} along training{of}", quantity.title),
            "",
        ),
    };
    let besides = match layout.lines.is_empty() {
        true => String::new(),
        false => {
            let keys: Vec<&str> = layout.lines.iter().map(|axis| sweep.axes[*axis].key.as_str()).collect();
            format!(" One line for each {}.", listed(&keys))
        }
    };
    Figure {
        name: quantity.name.into(),
        title,
        x,
        y: PlotAxis::new(quantity.axis, scale_of(quantity.scale, &series)),
        series,
        caption: format!("{}{when}{of}.{besides}{spread}", quantity.caption),
        ..Figure::default()
    }
}

/// The axis of a setting of these values: logarithmic where they are far apart, with a tick at each where they are few.
fn axis_of(key: &str, numbers: &[f64]) -> PlotAxis {
    let (low, high) = numbers.iter().fold((f64::INFINITY, 0.0f64), |(low, high), x| (low.min(*x), high.max(*x)));
    let scale = if low > 0.0 && high >= 4.0 * low { Scale::Log } else { Scale::Linear };
    let label = match key {
        "width" => "width m".to_owned(),
        "n" => "training samples n".to_owned(),
        key => key.replace('-', " "),
    };
    match numbers.len() <= MOST_TICKS {
        true => PlotAxis::measured(label, scale),
        false => PlotAxis::new(label, scale),
    }
}

/// A logarithmic axis needs positive values.
fn scale_of(scale: Scale, series: &[Series]) -> Scale {
    let positive = series.iter().flat_map(|series| &series.y).any(|y| *y > 0.0);
    if scale == Scale::Log && !positive { Scale::Linear } else { scale }
}

/// Where the runs of a combination ended, against the values of an axis; `None` where no run has the quantity.
fn ends(
    quantity: &Quantity,
    (axis, numbers): (usize, &[f64]),
    combination: &[(usize, usize)],
    finished: &[Finished<Point>],
    label: String,
    hue: Hue,
) -> Option<Series> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|a, b| numbers[*a].total_cmp(&numbers[*b]));
    let (mut x, mut y, mut low, mut high, mut most) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), 0);
    for value in order {
        let at = [combination, &[(axis, value)]].concat();
        let ends = runs(finished, &at).filter_map(|run| Some((quantity.value)(run.trace.rows.last()?)));
        let ends: Vec<f64> = ends.filter(|end| end.is_finite()).collect();
        if ends.is_empty() {
            continue;
        }
        let in_logarithms = quantity.scale == Scale::Log && ends.iter().all(|end| *end > 0.0);
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / ends.len() as f64;
        x.push(numbers[value]);
        y.push(match in_logarithms {
            true => mean(&mut ends.iter().map(|end| end.ln())).exp(),
            false => mean(&mut ends.iter().copied()),
        });
        low.push(ends.iter().copied().fold(f64::INFINITY, f64::min));
        high.push(ends.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        most = most.max(ends.len());
    }
    let mark = if most > 1 { Mark::Band { low, high } } else { Mark::Line };
    (!x.is_empty()).then(|| Series::new(label, (x, y), mark, hue))
}

/// What the runs of a combination did along training.
fn along(
    quantity: &Quantity,
    combination: &[(usize, usize)],
    finished: &[Finished<Point>],
    label: String,
    hue: Hue,
) -> Option<Series> {
    let in_logarithms = quantity.scale == Scale::Log;
    let curve = |run: &Finished<Point>| {
        let value = |row: &TraceRow| (quantity.value)(row);
        Curve::new(run.trace.rows.iter().map(|row| {
            let y = if in_logarithms { value(row).ln() } else { value(row) };
            (decimal_exponent(row.log_time), y)
        }))
    };
    let curves: Vec<Curve> = runs(finished, combination).map(curve).collect();
    band(&curves, if in_logarithms { Change::EXP_Y } else { Change::NONE }, label, hue)
}

#[cfg(test)]
mod tests {
    use toml::Table;

    use super::*;
    use crate::plot::rules;
    use crate::run::{PredictionTable, ProfileTable, Trace};

    /// Made-up ends: drift falls with the width, and a little with the seed.
    fn finished(point: &Point) -> Finished<Point> {
        let model = &point.run.settings.model;
        let row = |i: u32| {
            let mut row = TraceRow::default();
            row.log_time = f64::from(i);
            row.drift_max = f64::from(i) * (10.0 + model.seed as f64) / model.width as f64;
            let far = f64::from(i) * (1.0 + 0.01 * point.at.iter().sum::<usize>() as f64);
            (row.drift_fro, row.margin_mean, row.loss) = (far * row.drift_max / 5.0, far, (-far).exp());
            row.accuracy = 1.0;
            row.finite = true;
            row
        };
        Finished {
            cell: point.clone(),
            trace: Trace { label: String::new(), rows: (0..20).map(row).collect() },
            predictions: PredictionTable::default(),
            profile: ProfileTable::default(),
            limit: None,
            ends: None,
            stopped: "reached until-time".into(),
            failure: None,
            evaluations: 1,
            analytic_lambda_min: 1.0,
            samples: 6,
        }
    }

    fn drawn(axes: &str) -> (Vec<Figure>, String) {
        let axes = axes.split(' ').map(|axis| super::super::Axis::parse(axis).unwrap()).collect();
        let sweep = Sweep::plan(axes, &Table::new()).unwrap();
        let finished: Vec<_> = sweep.points().iter().map(finished).collect();
        figures(&sweep, &finished)
    }

    #[test]
    fn the_figures_of_sweeps_keep_the_rules() {
        for (axes, count, x) in [
            ("width=64,256,128 loss=mse", 4, "width m"),
            ("width=64,128,256 seed=0..4", 4, "width m"),
            ("penalty=0,0.1,0.5,1 width=64,128 loss=mse seed=0..1", 4, "penalty"),
            ("bias-scale=0.1,1,10 init=standard,mirrored bias=input,all,hidden", 6, "bias scale"),
            ("width=1..20 loss=mse", 4, "width m"),
            ("seed=0..3", 4, TIME),
        ] {
            let (mut figures, left) = drawn(axes);
            assert_eq!((figures.len(), figures[0].x.label.as_str(), left.as_str()), (count, x, ""), "{axes}");
            rules::hold(&mut figures);
        }
    }

    /// Bands run over the seeds, lines stand in the order of their numbers.
    #[test]
    fn seeds_make_bands_and_the_rest_makes_lines() {
        let (figures, _) = drawn("depth=1,2 width=128,64 seed=0..2 loss=mse");
        let drift = &figures[0];
        assert_eq!((drift.title.as_str(), drift.series.len()), ("Kernel drift at the end against depth", 2));
        let labels: Vec<&str> = drift.series.iter().map(|series| series.label.as_str()).collect();
        assert_eq!(labels, ["width 64", "width 128"]);
        let Mark::Band { low, high } = &drift.series[0].mark else { panic!("no band") };
        let end = |seed: f64| 19.0 * (10.0 + seed) / 64.0;
        assert!((low[0] - end(0.0)).abs() < 1e-12 && (high[0] - end(2.0)).abs() < 1e-12);
        assert_eq!(drift.series[0].x, [1.0, 2.0]);
        // more combinations than figures of one quantity
        let (figures, left) =
            drawn("width=64,128 n=2..10 init=standard,mirrored bias=input,all loss=mse,cross-entropy");
        assert!(figures.len() <= 4 * MOST_OF_ONE && left.is_empty(), "{left}");
        let (figures, left) = drawn("width=64,128 n=2..20 snapshots=3..12 loss=mse");
        assert!(figures.len() == 4 * MOST_OF_ONE && left.contains("further combinations"), "{left} {}", figures.len());
    }
}
