//! The legend: above the axes, in as many columns as fit, so that it never lies on data.

use super::scene::{Rect, Scene, Shape};
use super::text::{self, Anchor};
use super::{Figure, Series, marks, style};

const SIZE: f64 = 13.0;
const ROW: f64 = 21.0;
const SAMPLE: f64 = 36.0;
const GAP: f64 = 8.0;
const BETWEEN: f64 = 26.0;

/// Entries, already cut to the room, and their grid.
pub(super) struct Legend<'a> {
    entries: Vec<(&'a Series, String)>,
    rows: usize,
    column_width: f64,
}

impl<'a> Legend<'a> {
    /// A legend for all series with a label, no wider than `room`.
    pub(super) fn new(figure: &'a Figure, room: f64) -> Self {
        let cut = |series: &'a Series| (series, text::fit(&series.label, SIZE, room - SAMPLE - GAP));
        let entries: Vec<_> = figure.series.iter().filter(|series| !series.label.is_empty()).map(cut).collect();
        let longest = entries.iter().map(|(_, label)| text::width(label, SIZE)).fold(0.0, f64::max);
        let column_width = SAMPLE + GAP + longest + BETWEEN;
        let fitting = (((room + BETWEEN) / column_width) as usize).max(1);
        let rows = entries.len().div_ceil(fitting).max(1);
        Self { rows, column_width, entries }
    }

    pub(super) fn height(&self) -> f64 {
        if self.entries.is_empty() { 0.0 } else { self.rows as f64 * ROW }
    }

    /// Draws the legend with its top left corner at (`left`, `top`).
    pub(super) fn draw(&self, scene: &mut Scene, left: f64, top: f64) {
        for (i, (series, label)) in self.entries.iter().enumerate() {
            // Down the columns: the quantities of one run stand below one another.
            let x = left + (i / self.rows) as f64 * self.column_width;
            let y = top + (i % self.rows) as f64 * ROW;
            let sample = Rect { left: x, top: y + 3.0, right: x + SAMPLE, bottom: y + ROW - 4.0 };
            marks::sample(scene, series, sample);
            let baseline = (x + SAMPLE + GAP, y + ROW / 2.0 + SIZE * 0.34);
            scene.shapes.push(Shape::filled(text::outline(label, SIZE, baseline, Anchor::Start, false), style::INK));
        }
    }
}
