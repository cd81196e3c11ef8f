//! The figures of groups of runs: bands over seeds, along training and against the width.

use super::group::{Group, Run};
use crate::analysis::statistics::{Curve, Spread};
use crate::experiment::LossKind;
use crate::plot::{Axis, Figure, Hue, Mark, Scale, Series};

/// Axis of time.
pub const TIME: &str = "gradient-flow time t (of the mean loss)";
/// The same of runs some of which are trained on the sum of the losses.
pub const TIME_OF_EITHER: &str = "gradient-flow time t (of the loss, mean or sum)";
/// The axis of widths, which are a grid of a few.
pub fn width_axis() -> Axis {
    Axis::measured("width m", Scale::Log)
}
/// Axis of the mean margin.
pub const MEAN_MARGIN: &str = "mean margin u (logit units)";
/// Axis of the drift.
pub const DRIFT_AXIS: &str = "drift, max_{ij} |K_{t} − K_{0}|";
/// What the shades of widths stand for, in all figures.
pub const WIDTH: &str = "width";
/// Points of a band along training.
const POINTS: usize = 65;

/// A figure of a group of runs, but for what every one of them says.
pub struct Sketch {
    /// file name
    pub name: String,
    /// what is shown; the network is added
    pub title: &'static str,
    /// horizontal axis
    pub x: Axis,
    /// vertical axis
    pub y: Axis,
    /// the curves
    pub series: Vec<Series>,
    /// what is shown, in sentences; part, network, initialization and seeds are added
    pub caption: String,
}

impl Sketch {
    /// The figure of this group.
    pub fn figure(self, group: &Group) -> Figure {
        let Self { name, title, x, y, series, caption } = self;
        let seeds = group.seeds().len();
        Figure {
            name,
            title: format!("{title}: {}, {}, {} initialization", group.part.title, group.net.title(), group.init),
            x,
            y,
            series,
            caption: format!(
                "{caption} {}, {}, {} initialization; bands run from the smallest to the largest of {seeds} seed{}.",
                group.part.title,
                group.net.title(),
                group.init,
                if seeds == 1 { "" } else { "s" }
            ),
            ..Figure::default()
        }
    }
}

/// From the coordinates in which a curve is read to those that are shown.
#[derive(Clone, Copy)]
pub struct Change {
    /// of abscissae
    pub x: fn(f64) -> f64,
    /// of ordinates
    pub y: fn(f64) -> f64,
}

impl Change {
    /// Curves of ln y over ln x.
    pub const EXP: Self = Self { x: f64::exp, y: f64::exp };
    /// Curves of ln y over x.
    pub const EXP_Y: Self = Self { x: |x| x, y: f64::exp };
    /// Curves as they are.
    pub const NONE: Self = Self { x: |x| x, y: |y| y };
}

/// The mean of several curves, with a band from the smallest to the largest; `None` where they share no abscissa.
pub fn band(curves: &[Curve], shown: Change, label: String, hue: Hue) -> Option<Series> {
    let Spread { x, mean, low, high } = Spread::over(curves, POINTS).map(shown.x, shown.y);
    (!x.is_empty()).then_some(Series { label, x, y: mean, mark: Mark::Band { low, high }, hue })
}

/// A band for every width, of the curves of its runs.
pub fn bands(
    group: &Group,
    loss: LossKind,
    curve: impl Fn(&Run) -> Curve,
    shown: Change,
    label: impl Fn(usize) -> String,
) -> Vec<Series> {
    let of_width = |width: usize| {
        let curves: Vec<Curve> = group.at_width(loss, width).iter().map(&curve).collect();
        band(&curves, shown, label(width), Hue::at(WIDTH, width as f64))
    };
    group.widths().into_iter().filter_map(of_width).collect()
}

/// Geometric mean of a number, with a band from the smallest to the largest over seeds, at every width at which all seeds
/// have a positive one; `None` where there is no such width.
pub fn by_width(
    group: &Group,
    loss: LossKind,
    value: impl Fn(&Run) -> Option<f64>,
    label: String,
    hue: Hue,
) -> Option<Series> {
    let (mut x, mut y, mut low, mut high) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for width in group.widths() {
        let values: Option<Vec<f64>> = group.at_width(loss, width).iter().map(&value).collect();
        let Some(values) = values.filter(|v| !v.is_empty() && v.iter().all(|v| *v > 0.0)) else { continue };
        x.push(width as f64);
        y.push((values.iter().map(|v| v.ln()).sum::<f64>() / values.len() as f64).exp());
        low.push(values.iter().copied().fold(f64::INFINITY, f64::min));
        high.push(values.iter().copied().fold(0.0, f64::max));
    }
    (!x.is_empty()).then_some(Series { label, x, y, mark: Mark::Band { low, high }, hue })
}
