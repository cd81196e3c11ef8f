//! Heat maps: square matrices as cells of colour, side by side, each above the legend of its own scale.

use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, DrawingBackend, Rectangle};
use plotters::style::{Color, RGBColor, WHITE};

use super::cells::Cells;
use super::hover::{self, Hover};
use super::picture::{LABEL, Lines, MARGIN, MARK, TICK, TITLE, WIDTH};
use super::style::{FAINT, INK, UNIT};
use super::text::{Anchor, Text};
use super::{Error, Figure, ticks};

/// Most cells of a map along a side; a larger matrix is drawn by means over blocks.
pub const MOST_CELLS: usize = 64;
/// Maps beside one another.
const ABREAST: usize = 3;
const GAP: i32 = 22 * UNIT;
const BAR: i32 = 12 * UNIT;
const SIZE: i32 = 17 * UNIT;
/// Colours of a scale; odd, so that one of a diverging scale is that of 0.
const SHADES: usize = 33;
/// Cells whose value is not finite.
const NONE: RGBColor = RGBColor(140, 140, 140);

/// What the colours of a map run over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shading {
    /// from the smallest value, pale, to the largest, dark
    Sequential,
    /// from -b, blue, over 0, white, to b, orange, where b is the largest magnitude
    Diverging,
}

/// A square matrix as colours: the first row above, the first column on the left.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    /// What it shows, above it.
    pub label: String,
    /// Rows and columns of cells, at most [`MOST_CELLS`].
    pub side: usize,
    /// `(side, side)`
    pub cells: Vec<f64>,
    /// What the colours run over.
    pub shading: Shading,
}

impl HeatMap {
    /// Of the matrix `(n, n)` with these entries: cell for entry, or, where n is above [`MOST_CELLS`], the means over as
    /// many blocks of nearly equal size.
    pub fn new(label: impl Into<String>, n: usize, entry: impl Fn(usize, usize) -> f64, shading: Shading) -> Self {
        let side = n.min(MOST_CELLS);
        let block = |cell: usize| cell * n / side..(cell + 1) * n / side;
        let mean = |(row, column): (usize, usize)| {
            let (rows, columns) = (block(row), block(column));
            let count = (rows.len() * columns.len()) as f64;
            rows.flat_map(|i| columns.clone().map(move |j| (i, j))).map(|(i, j)| entry(i, j) / count).sum()
        };
        let cells = (0..side).flat_map(|row| (0..side).map(move |column| (row, column))).map(mean).collect();
        Self { label: label.into(), side, cells, shading }
    }

    /// The values at both ends of the scale; 0 and 0 where no value is finite.
    fn ends(&self) -> (f64, f64) {
        let finite = self.cells.iter().copied().filter(|v| v.is_finite());
        match self.shading {
            Shading::Diverging => {
                let most = finite.fold(0.0, |most: f64, v| most.max(v.abs()));
                (-most, most)
            }
            Shading::Sequential => {
                let ends = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
                if ends.0 > ends.1 { (0.0, 0.0) } else { ends }
            }
        }
    }

    /// The colour of a value between the ends of the scale: one of the [`SHADES`].
    fn colour(&self, value: f64, (low, high): (f64, f64)) -> RGBColor {
        if !value.is_finite() {
            return NONE;
        }
        // halves, so that no width overflows; a matrix of one value is in the middle
        let width = high / 2.0 - low / 2.0;
        let share = if width > 0.0 { ((value / 2.0 - low / 2.0) / width).clamp(0.0, 1.0) } else { 0.5 };
        shade(self.shading, (share * (SHADES - 1) as f64).round() as usize)
    }
}

/// The i-th colour of a scale. The luminance of a sequential one falls, and that of a diverging one falls from its middle on
/// to both sides, so that it can be read without colours.
fn shade(shading: Shading, i: usize) -> RGBColor {
    let stops = match shading {
        Shading::Sequential => [RGBColor(240, 246, 252), RGBColor(70, 145, 215), RGBColor(5, 35, 90)],
        Shading::Diverging => [RGBColor(10, 70, 150), WHITE, RGBColor(165, 70, 0)],
    };
    let at = 2.0 * i as f64 / (SHADES - 1) as f64;
    let first = usize::from(at >= 1.0);
    let (RGBColor(r, g, b), RGBColor(dr, dg, db)) = (stops[first], stops[first + 1]);
    let mix = |from: u8, to: u8| (f64::from(from) + (at - first as f64) * (f64::from(to) - f64::from(from))).round();
    RGBColor(mix(r, dr) as u8, mix(g, dg) as u8, mix(b, db) as u8)
}

/// A value at an end of a scale, to three digits.
fn told(value: f64) -> String {
    ticks::number(format!("{value:.2e}").parse().unwrap_or(value))
}

/// A figure of maps with everything measured.
pub(super) struct Maps<'a> {
    figure: &'a Figure,
    title: Lines,
    /// below the maps, and above them
    labels: [Lines; 2],
    /// above each map
    names: Vec<Lines>,
    /// the height of the names
    named: i32,
    omitted: Lines,
    /// What is not drawn in its place.
    pub(super) note: Option<String>,
    /// width and height of a map
    side: i32,
    top: i32,
    height: i32,
}

impl<'a> Maps<'a> {
    pub(super) fn new(figure: &'a Figure) -> Self {
        let (abreast, room) = (figure.maps.len().clamp(1, ABREAST) as i32, WIDTH - 2 * MARGIN);
        // one map alone is no larger than one of two
        let side = (room - (abreast.max(2) - 1) * GAP) / abreast.max(2);
        let size = |on_paper| figure.style.text(on_paper);
        let title = Lines::new(&figure.title, size(TITLE), room);
        let labels = [&figure.x.label, &figure.y.label].map(|label| Lines::new(label, size(LABEL), room));
        let names: Vec<Lines> = figure.maps.iter().map(|map| Lines::new(&map.label, size(SIZE), side)).collect();
        let named = names.iter().map(Lines::height).max().unwrap_or(0);
        let lost = figure.maps.iter().flat_map(|map| &map.cells).filter(|v| !v.is_finite()).count();
        let cells = crate::words::count(lost, "cell");
        let note = (lost > 0).then(|| format!("{cells} not finite, drawn grey"));
        let omitted = Lines::new(note.as_deref().unwrap_or_default(), size(TICK), room);
        let top = MARGIN + title.height() + MARK + labels[1].height() + 2 * MARK;
        let mut maps = Self { figure, title, labels, names, named, omitted, note, side, top, height: 0 };
        let rows = figure.maps.len().div_ceil(ABREAST) as i32;
        let bottom = top + rows * maps.step() + maps.labels[0].height() + MARK + maps.omitted.height() + MARGIN;
        // even, as the PNG halves it
        maps.height = (bottom + 1) / 2 * 2;
        maps
    }

    /// The size of the values at the ends of a scale.
    fn tick(&self) -> i32 {
        self.figure.style.text(TICK)
    }

    /// From a row of maps to the next.
    fn step(&self) -> i32 {
        self.named + MARK + self.side + 2 * MARK + BAR + MARK + self.tick() + 3 * MARK
    }

    /// Steps of the grid, across and down.
    pub(super) fn size(&self) -> (u32, u32) {
        (WIDTH as u32, self.height as u32)
    }

    /// The left upper corner of each map.
    fn corners(&self) -> impl Iterator<Item = (i32, i32)> {
        (0..self.figure.maps.len()).map(|i| {
            let (row, column) = ((i / ABREAST) as i32, (i % ABREAST) as i32);
            (MARGIN + column * (self.side + GAP), self.top + row * self.step() + self.named + MARK)
        })
    }

    /// The cells of all maps and of their legends.
    pub(super) fn cells(&self) -> Cells {
        let mut cells = Cells::default();
        for (map, (left, top)) in self.figure.maps.iter().zip(self.corners()) {
            let ends = map.ends();
            let edge = |i: usize, of: usize| (i as i64 * i64::from(self.side) / of.max(1) as i64) as i32;
            for (i, value) in map.cells.iter().enumerate() {
                let (row, column) = (i / map.side, i % map.side);
                let [x, right] = [column, column + 1].map(|at| left + edge(at, map.side));
                let [y, bottom] = [row, row + 1].map(|at| top + edge(at, map.side));
                cells.add(map.colour(*value, ends), [x, y, right - x, bottom - y]);
            }
            for i in 0..SHADES {
                let [x, right] = [i, i + 1].map(|at| left + edge(at, SHADES));
                cells.add(shade(map.shading, i), [x, top + self.side + 2 * MARK, right - x, BAR]);
            }
        }
        cells
    }

    /// The value of every cell of maps with at most so many along a side, else the means over as many blocks.
    pub(super) fn hovers(&self, most: usize) -> Vec<Hover> {
        let maps = self.figure.maps.iter().zip(self.corners());
        maps.flat_map(|(map, corner)| hover::of_map(map, corner, self.side, most)).collect()
    }

    /// Everything but the cells; the answer is its text.
    pub(super) fn draw<DB>(&self, page: &DrawingArea<DB, Shift>) -> Result<Vec<Text>, Error>
    where
        DB: DrawingBackend<ErrorType: 'static>,
    {
        page.fill(&WHITE)?;
        let mut texts: Vec<Text> = self.title.texts(MARGIN, MARGIN, Anchor::Start, INK).collect();
        let above = self.top - 2 * MARK - self.labels[1].height();
        texts.extend(self.labels[1].texts(MARGIN, above, Anchor::Start, INK));
        for ((map, name), (left, top)) in self.figure.maps.iter().zip(&self.names).zip(self.corners()) {
            texts.extend(name.texts(left, top - MARK - self.named, Anchor::Start, INK));
            let bar = top + self.side + 2 * MARK;
            for (top, height) in [(top, self.side), (bar, BAR)] {
                // around the cells, which are drawn later
                let corners = [(left - 3, top - 3), (left + self.side + 3, top + height + 3)];
                page.draw(&Rectangle::new(corners, INK.stroke_width(self.figure.style.stroke(5) as u32)))?;
            }
            let (low, high) = map.ends();
            let (right, middle) = (left + self.side, left + self.side / 2);
            let baseline = bar + BAR + MARK + self.tick();
            let mut says = |value: f64, x: i32, anchor: Anchor| {
                texts.push(Text::new(told(value), (x, baseline), self.tick(), anchor));
            };
            if low < high {
                says(low, left, Anchor::Start);
                says(high, right, Anchor::End);
            }
            if map.shading == Shading::Diverging || low == high {
                says(low / 2.0 + high / 2.0, middle, Anchor::Middle);
            }
        }
        let under = self.height - MARGIN - self.omitted.height() - MARK - self.labels[0].height();
        texts.extend(self.labels[0].texts(MARGIN, under, Anchor::Start, INK));
        let last = self.height - MARGIN - self.omitted.height();
        texts.extend(self.omitted.texts(WIDTH - MARGIN, last, Anchor::End, FAINT));
        page.present()?;
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::super::contrast_on_white;
    use super::*;

    /// Contrast against white grows with the distance from the pale end, up to that of a series at least.
    #[test]
    fn scales_are_read_by_their_luminance() {
        let contrast = |shading, i| {
            let RGBColor(r, g, b) = shade(shading, i);
            contrast_on_white([r, g, b])
        };
        let middle = SHADES / 2;
        let sides: [(Shading, Vec<usize>); 3] = [
            (Shading::Sequential, (0..SHADES).collect()),
            (Shading::Diverging, (middle..SHADES).collect()),
            (Shading::Diverging, (0..=middle).rev().collect()),
        ];
        for (shading, side) in sides {
            let contrasts: Vec<f64> = side.into_iter().map(|i| contrast(shading, i)).collect();
            assert!(contrasts.windows(2).all(|pair| pair[0] < pair[1]), "{shading:?} {contrasts:?}");
            assert!(contrasts[0] < 1.2 && *contrasts.last().unwrap() >= 4.5, "{shading:?} {contrasts:?}");
        }
        assert_eq!(shade(Shading::Diverging, middle), WHITE);
    }

    #[test]
    fn values_have_their_place_on_the_scale() {
        let map = |values: [f64; 4], shading| HeatMap { label: "K".into(), side: 2, cells: values.into(), shading };
        let colour = |map: &HeatMap, value: f64| map.colour(value, map.ends());
        let (first, last) = (shade(Shading::Sequential, 0), shade(Shading::Sequential, SHADES - 1));
        let sequential = map([1.0, 2.0, f64::NAN, 3.0], Shading::Sequential);
        assert_eq!([1.0, 3.0, f64::NAN].map(|v| colour(&sequential, v)), [first, last, NONE]);
        let diverging = map([-1.0, 0.0, 0.5, 0.5], Shading::Diverging);
        assert_eq!((diverging.ends(), colour(&diverging, 0.0)), ((-1.0, 1.0), WHITE));
        let wide = map([f64::MAX, f64::MIN, 0.0, 0.0], Shading::Sequential);
        assert_eq!((colour(&wide, f64::MIN), colour(&wide, f64::MAX)), (first, last));
        assert_eq!(colour(&map([0.0; 4], Shading::Diverging), 0.0), WHITE);
        assert_eq!([-1.5, 0.000_123_456, 0.0].map(told), ["−1.5", "1.23×10^{−4}", "0"]);
    }

    #[test]
    fn a_large_matrix_is_drawn_by_means_over_blocks() {
        let small = HeatMap::new("K", 3, |i, j| (3 * i + j) as f64, Shading::Sequential);
        assert_eq!((small.side, small.cells), (3, (0..9).map(f64::from).collect()));
        let large = HeatMap::new("K", 150, |i, _| i as f64, Shading::Sequential);
        assert_eq!((large.side, large.cells.len()), (MOST_CELLS, MOST_CELLS * MOST_CELLS));
        // blocks of 2 or 3 rows, all of which are in one
        assert!((large.cells[0] - 0.5).abs() < 1e-12 && (large.cells[64 * 63] - 148.0).abs() < 1e-12);
    }
}
