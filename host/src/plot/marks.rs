//! Lines, markers and bands of one series.

use super::axis::Span;
use super::scene::{Path, Point, Rect, Scene, Shape};
use super::series::Placed;
use super::{Mark, Series, style};

/// Distance along a line between the markers that tell lines apart.
const SPACING: f64 = 92.0;
const RADIUS: f64 = 4.2;
/// Nothing needs to be farther out than this for its visible part to be right.
const FAR: f64 = 1e5;

/// From coordinates of the axes to the picture.
pub(super) struct Projection<'a> {
    pub(super) x: &'a Span,
    pub(super) y: &'a Span,
    pub(super) frame: Rect,
}

impl Projection<'_> {
    fn point(&self, (x, y): Point) -> Point {
        let far = |v: f64| v.clamp(-FAR, FAR);
        let Rect { left, bottom, .. } = self.frame;
        (far(left + self.x.fraction(x) * self.frame.width()), far(bottom - self.y.fraction(y) * self.frame.height()))
    }

    fn shows(&self, (x, y): Point) -> bool {
        let near = |v: f64, low: f64, high: f64| (low - 0.01..=high + 0.01).contains(&v);
        near(x, self.frame.left, self.frame.right) && near(y, self.frame.top, self.frame.bottom)
    }
}

/// The area between the limits of a band.
pub(super) fn band(scene: &mut Scene, series: &Series, placed: &Placed, to: &Projection) {
    for run in runs(&placed.band) {
        let upper = run.iter().map(|&(x, _, high)| to.point((x, high)));
        let lower = run.iter().rev().map(|&(x, low, _)| to.point((x, low)));
        let corners: Vec<Point> = upper.chain(lower).collect();
        let fill = Shape { opacity: 0.22, ..Shape::filled(Path::polygon(&corners), style::colour(series.style)) };
        scene.shapes.push(fill.clipped());
    }
}

/// The line and markers of a series.
pub(super) fn line(scene: &mut Scene, series: &Series, placed: &Placed, to: &Projection) {
    let hollow = series.mark == Mark::Dashed;
    let marker = |at: Point| to.shows(at).then(|| style::marker(series.style, at, RADIUS, hollow));
    let mut markers = Vec::new();
    // Staggered by style and dash, so that the markers of lines on top of one another stay visible.
    let mut since = SPACING * (0.6 - 0.23 * (series.style % 4) as f64 - if hollow { 0.45 } else { 0.0 });
    for run in runs(&placed.points) {
        let run: Vec<Point> = run.into_iter().map(|point| to.point(point)).collect();
        if series.mark != Mark::Points && run.len() > 1 {
            scene.shapes.push(stroke(series, &run).clipped());
        }
        match series.mark {
            Mark::Points | Mark::LinePoints => markers.extend(run.iter().copied()),
            // A lone point has no line to be seen by.
            _ if run.len() == 1 => markers.push(run[0]),
            Mark::Theory => {}
            Mark::Line | Mark::Dashed | Mark::Band { .. } => {
                let before = markers.len();
                let mut last = run[0];
                for &point in &run {
                    since += (point.0 - last.0).hypot(point.1 - last.1);
                    last = point;
                    if since >= SPACING {
                        markers.push(point);
                        since = 0.0;
                    }
                }
                if before == markers.len() && before == 0 {
                    markers.push(run[run.len() / 2]);
                }
            }
        }
    }
    scene.shapes.extend(markers.into_iter().filter_map(marker));
}

/// What stands for the series in the legend, within `area`.
pub(super) fn sample(scene: &mut Scene, series: &Series, area: Rect) {
    let Rect { left, right, .. } = area;
    let y = (area.top + area.bottom) / 2.0;
    if let Mark::Band { .. } = series.mark {
        scene.shapes.push(Shape { opacity: 0.22, ..Shape::filled(area.path(), style::colour(series.style)) });
    }
    if series.mark != Mark::Points {
        scene.shapes.push(stroke(series, &[(left, y), (right, y)]));
    }
    if series.mark != Mark::Theory {
        let middle = ((left + right) / 2.0, y);
        scene.shapes.push(style::marker(series.style, middle, RADIUS, series.mark == Mark::Dashed));
    }
}

fn stroke(series: &Series, points: &[Point]) -> Shape {
    let (width, dash): (f64, &'static [f64]) = match series.mark {
        Mark::Dashed => (1.8, style::DASHED),
        Mark::Theory => (1.5, style::theory_dash(series.style)),
        _ => (2.0, &[]),
    };
    Shape::stroked(Path::line(points), style::colour(series.style), width, dash)
}

/// The unbroken stretches.
fn runs<T: Copy>(items: &[Option<T>]) -> Vec<Vec<T>> {
    items
        .chunk_by(|a, b| a.is_some() == b.is_some())
        .map(|run| run.iter().flatten().copied().collect())
        .filter(|run: &Vec<T>| !run.is_empty())
        .collect()
}
