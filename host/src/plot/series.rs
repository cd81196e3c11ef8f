//! From a series to the points that can be drawn, with a count of those that cannot.

use super::axis::{Place, Span};
use super::{Figure, Mark, Scale, Series};

/// In coordinates of the axes.
pub(super) type Point = (f64, f64);

/// What was left out of a figure, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Omitted {
    not_positive: usize,
    not_finite: usize,
    outside: usize,
}

impl Omitted {
    /// The note below the axes; `None` if everything is drawn.
    pub(super) fn note(&self) -> Option<String> {
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        let mut parts = Vec::new();
        if self.not_positive > 0 {
            parts.push(format!("{} value{} ≤ 0 not drawn", self.not_positive, plural(self.not_positive)));
        }
        if self.not_finite > 0 {
            parts.push(format!("{} non-finite value{} not drawn", self.not_finite, plural(self.not_finite)));
        }
        if self.outside > 0 {
            parts.push(format!("{} point{} outside the axes", self.outside, plural(self.outside)));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// The coordinate, unless there is none to draw.
    fn count(&mut self, place: Place) -> Option<f64> {
        match place {
            Place::At(at) => return Some(at),
            Place::Start => {}
            Place::NotPositive => self.not_positive += 1,
            Place::NotFinite => self.not_finite += 1,
        }
        None
    }

    /// Counts the points beyond the axes.
    pub(super) fn count_outside(&mut self, placed: &Placed, x: &Span, y: &Span) {
        let outside = |point: &&Point| !(x.contains(point.0) && y.contains(point.1));
        self.outside += placed.points.iter().flatten().filter(outside).count();
    }
}

/// A series in coordinates of the axes, point for point; `None` where nothing can be drawn.
pub(super) struct Placed {
    pub(super) points: Vec<Option<Point>>,
    /// Of a band: x, lower and upper limit. A lower limit that a logarithm cannot show is minus infinity.
    pub(super) band: Vec<Option<(f64, f64, f64)>>,
}

impl Placed {
    pub(super) fn new(figure: &Figure, series: &Series, omitted: &mut Omitted) -> Self {
        let (xs, ys) = (figure.x.scale, figure.y.scale);
        let pairs = series.x.iter().zip(&series.y);
        let points = pairs.map(|(&x, &y)| Some((omitted.count(xs.place(x))?, omitted.count(ys.place(y))?))).collect();
        let band = match &series.mark {
            Mark::Band { low, high } => {
                let limits = series.x.iter().zip(low.iter().zip(high));
                // Of an x that cannot be drawn the point has told already.
                let limit = |(&x, (&low, &high)): (&f64, (&f64, &f64))| match xs.place(x) {
                    Place::At(x) => Some((x, lower(ys, low, omitted)?, omitted.count(ys.place(high))?)),
                    _ => None,
                };
                limits.map(limit).collect()
            }
            _ => Vec::new(),
        };
        Self { points, band }
    }

    /// All vertical coordinates that the axis should reach.
    pub(super) fn heights(&self) -> impl Iterator<Item = f64> {
        let band = self.band.iter().flatten().flat_map(|&(_, low, high)| [low, high]).filter(|y| y.is_finite());
        self.points.iter().flatten().map(|point| point.1).chain(band)
    }
}

fn lower(scale: Scale, value: f64, omitted: &mut Omitted) -> Option<f64> {
    match scale.place(value) {
        Place::NotPositive | Place::Start => Some(f64::NEG_INFINITY),
        place => omitted.count(place),
    }
}
