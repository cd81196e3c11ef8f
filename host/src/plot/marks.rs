//! Lines, markers and bands of one series, within the axes (plotters clips nothing).

use super::axis::Span;
use super::series::{Placed, Point};
use super::ticks::Ticks;
use super::{Error, Mark, Series, style};
use plotters::prelude::{Cartesian2d, DrawingArea, DrawingBackend, Polygon};

/// Distance along a line between the markers that tell lines apart.
const SPACING: f64 = 92.0 * style::UNIT as f64;

/// The rectangle between the axes, 1 wide and 1 high.
pub(super) type Area<DB> = DrawingArea<DB, Cartesian2d<Ticks, Ticks>>;

/// The area between the limits of a band.
pub(super) fn band<DB>(area: &Area<DB>, series: &Series, placed: &Placed, x: &Span, y: &Span) -> Result<(), Error>
where
    DB: DrawingBackend<ErrorType: 'static>,
{
    let inside = |at: Point| (x.fraction(at.0).clamp(0.0, 1.0), y.fraction(at.1).clamp(0.0, 1.0));
    for run in runs(&placed.band) {
        let upper = run.iter().map(|&(x, _, high)| inside((x, high)));
        let lower = run.iter().rev().map(|&(x, low, _)| inside((x, low)));
        area.draw(&Polygon::new(upper.chain(lower).collect::<Vec<_>>(), style::band(series.style)))?;
    }
    Ok(())
}

/// The line and markers of a series.
pub(super) fn line<DB>(area: &Area<DB>, series: &Series, placed: &Placed, x: &Span, y: &Span) -> Result<(), Error>
where
    DB: DrawingBackend<ErrorType: 'static>,
{
    let (width, height) = area.dim_in_pixel();
    let mut marked = Vec::new();
    // Staggered by style and dash, so that the markers of lines on top of one another stay visible.
    let hollow = if series.mark == Mark::Dashed { 0.45 } else { 0.0 };
    let mut since = SPACING * (0.6 - 0.23 * (series.style % 4) as f64 - hollow);
    for run in runs(&placed.points) {
        let run: Vec<Point> = run.into_iter().map(|at| (x.fraction(at.0), y.fraction(at.1))).collect();
        if series.mark != Mark::Points {
            clipped(&run).into_iter().try_for_each(|piece| area.draw(&style::line(series, piece)))?;
        }
        match series.mark {
            // A lone point has no line to be seen by.
            _ if run.len() == 1 => marked.push(run[0]),
            Mark::Points | Mark::LinePoints => marked.extend(run),
            Mark::Theory => {}
            Mark::Line | Mark::Dashed | Mark::Band { .. } => {
                for pair in run.windows(2) {
                    let (dx, dy) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
                    since += (dx * f64::from(width)).hypot(dy * f64::from(height));
                    if since >= SPACING {
                        marked.push(pair[1]);
                        since = 0.0;
                    }
                }
                if marked.is_empty() {
                    marked.push(run[run.len() / 2]);
                }
            }
        }
    }
    let seen = marked.into_iter().filter(|at| (0.0..=1.0).contains(&at.0) && (0.0..=1.0).contains(&at.1));
    seen.into_iter().try_for_each(|at| Ok(area.draw(&style::marker(series, at))?))
}

/// What of a line lies within the unit square.
fn clipped(line: &[Point]) -> Vec<Vec<Point>> {
    let mut pieces: Vec<Vec<Point>> = Vec::new();
    for (from, to) in line.windows(2).filter_map(|pair| clip(pair[0], pair[1])) {
        match pieces.last_mut() {
            Some(piece) if piece.last() == Some(&from) => piece.push(to),
            _ => pieces.push(vec![from, to]),
        }
    }
    pieces
}

/// What of a segment lies within the unit square (Liang and Barsky).
fn clip(from: Point, to: Point) -> Option<(Point, Point)> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for (slope, room) in [(-dx, from.0), (dx, 1.0 - from.0), (-dy, from.1), (dy, 1.0 - from.1)] {
        if slope < 0.0 {
            enter = enter.max(room / slope);
        } else if slope > 0.0 {
            leave = leave.min(room / slope);
        } else if room < 0.0 {
            return None;
        }
    }
    let at = |t: f64| match t {
        0.0 => from,
        1.0 => to,
        _ => ((from.0 + t * dx).clamp(0.0, 1.0), (from.1 + t * dy).clamp(0.0, 1.0)),
    };
    (enter <= leave).then(|| (at(enter), at(leave)))
}

/// The unbroken stretches.
fn runs<T: Copy>(items: &[Option<T>]) -> Vec<Vec<T>> {
    items
        .chunk_by(|a, b| a.is_some() == b.is_some())
        .map(|run| run.iter().flatten().copied().collect())
        .filter(|run: &Vec<T>| !run.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_the_frame() {
        assert_eq!(clip((0.2, 0.5), (0.2, 2.5)), Some(((0.2, 0.5), (0.2, 1.0))));
        assert_eq!(clip((-1.0, -1.0), (2.0, 2.0)), Some(((0.0, 0.0), (1.0, 1.0))));
        assert_eq!(clip((-1.0, 0.5), (0.5, 2.5)), None);
        assert_eq!(clip((0.0, 2.0), (1.0, 2.0)), None);
        let out_and_in = [(0.1, 0.5), (0.2, 0.6), (0.3, 5.0), (0.4, 0.5), (0.5, 0.5)];
        assert_eq!(clipped(&out_and_in).iter().map(Vec::len).collect::<Vec<_>>(), [3, 3]);
    }
}
