//! Lines, markers and bands of one series, within the axes (plotters clips nothing).

use super::axis::Span;
use super::series::{Placed, Point};
use super::style::{self, Look};
use super::{Error, Mark, Series};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{Cartesian2d, DrawingArea, DrawingBackend, Polygon};

/// The rectangle between the axes, 1 wide and 1 high.
pub(super) type Area<DB> = DrawingArea<DB, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// A series with its look and its points.
pub(super) struct Drawn<'a> {
    pub(super) series: &'a Series,
    pub(super) look: Look,
    pub(super) placed: &'a Placed,
}

impl Drawn<'_> {
    /// The area between the limits of a band.
    pub(super) fn band<DB>(&self, area: &Area<DB>, x: &Span, y: &Span) -> Result<(), Error>
    where
        DB: DrawingBackend<ErrorType: 'static>,
    {
        let inside = |at: Point| (x.fraction(at.0).clamp(0.0, 1.0), y.fraction(at.1).clamp(0.0, 1.0));
        for run in runs(&self.placed.band) {
            let upper = run.iter().map(|&(x, _, high)| inside((x, high)));
            let lower = run.iter().rev().map(|&(x, low, _)| inside((x, low)));
            area.draw(&Polygon::new(upper.chain(lower).collect::<Vec<_>>(), style::band(self.look)))?;
        }
        Ok(())
    }

    /// The line and markers.
    pub(super) fn line<DB>(&self, area: &Area<DB>, x: &Span, y: &Span) -> Result<(), Error>
    where
        DB: DrawingBackend<ErrorType: 'static>,
    {
        let mark = &self.series.mark;
        let mut marked = Vec::new();
        for run in runs(&self.placed.points) {
            let run: Vec<Point> = run.into_iter().map(|at| (x.fraction(at.0), y.fraction(at.1))).collect();
            if *mark != Mark::Points {
                let pieces = clipped(&run).into_iter();
                pieces.into_iter().try_for_each(|piece| area.draw(&style::line(mark, self.look, piece)))?;
            }
            // a lone point has no line to be seen by
            if self.series.markers() > 0 || run.len() == 1 {
                marked.extend(run);
            }
        }
        let seen = marked.into_iter().filter(|at| (0.0..=1.0).contains(&at.0) && (0.0..=1.0).contains(&at.1));
        seen.into_iter().try_for_each(|at| Ok(area.draw(&style::marker(mark, self.look, at))?))
    }
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
