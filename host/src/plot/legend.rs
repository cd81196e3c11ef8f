//! The legend: above the axes, in as many columns as fit, so that it never lies on data.

use super::style::{self, UNIT};
use super::{Error, Figure, Mark, Series, markup, text};
use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, DrawingBackend, Rectangle};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const SIZE: i32 = 13 * UNIT;
const ROW: i32 = 21 * UNIT;
const SAMPLE: i32 = 36 * UNIT;
const GAP: i32 = 8 * UNIT;
const BETWEEN: i32 = 26 * UNIT;

/// Entries, already cut to the room, and their grid.
pub(super) struct Legend<'a> {
    entries: Vec<(&'a Series, String)>,
    rows: i32,
    column_width: i32,
}

impl<'a> Legend<'a> {
    /// A legend for all series with a label, no wider than `room`.
    pub(super) fn new(figure: &'a Figure, room: i32) -> Self {
        let cut = |series: &'a Series| (series, text::fit(&markup::unicode(&series.label), SIZE, room - SAMPLE - GAP));
        let entries: Vec<_> = figure.series.iter().filter(|series| !series.label.is_empty()).map(cut).collect();
        let longest = entries.iter().map(|(_, label)| text::width(label, SIZE)).max().unwrap_or(0);
        let column_width = SAMPLE + GAP + longest + BETWEEN;
        let fitting = ((room + BETWEEN) / column_width).max(1);
        let rows = (entries.len() as i32 + fitting - 1) / fitting;
        Self { entries, rows, column_width }
    }

    pub(super) fn height(&self) -> i32 {
        self.rows * ROW
    }

    /// Draws the legend with its top left corner at (`left`, `top`).
    pub(super) fn draw<DB>(&self, area: &DrawingArea<DB, Shift>, left: i32, top: i32) -> Result<(), Error>
    where
        DB: DrawingBackend<ErrorType: 'static>,
    {
        for ((series, label), i) in self.entries.iter().zip(0..) {
            // Down the columns: the quantities of one run stand below one another.
            let (x, y) = (left + i / self.rows * self.column_width, top + i % self.rows * ROW + ROW / 2);
            if let Mark::Band { .. } = series.mark {
                let corners = [(x, y - ROW / 3), (x + SAMPLE, y + ROW / 3)];
                area.draw(&Rectangle::new(corners, style::band(series.style).filled()))?;
            }
            if series.mark != Mark::Points {
                area.draw(&style::line(series, vec![(x, y), (x + SAMPLE, y)]))?;
            }
            if series.mark != Mark::Theory {
                area.draw(&style::marker(series, (x + SAMPLE / 2, y)))?;
            }
            // Backends disagree by a tenth of an em on where text stands; this is right within half of it on both.
            let beside = text::style(SIZE).pos(Pos::new(HPos::Left, VPos::Bottom));
            area.draw_text(label, &beside, (x + SAMPLE + GAP, y + SIZE * 65 / 100))?;
        }
        Ok(())
    }
}
