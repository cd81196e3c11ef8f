//! The legend: above the axes, in as many columns as fit, so that it never lies on data.

use super::style::{self, Look, UNIT};
use super::text::{self, Anchor, Text};
use super::{Error, Figure, FigureStyle, Mark, Series};
use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, DrawingBackend, Rectangle};
use plotters::style::Color;

const SIZE: i32 = 17 * UNIT;
const ROW: i32 = 24 * UNIT;
const SAMPLE: i32 = 38 * UNIT;
const GAP: i32 = 8 * UNIT;
const BETWEEN: i32 = 24 * UNIT;

/// Entries, already broken into lines that fit the room, and their grid.
pub(super) struct Legend<'a> {
    entries: Vec<Entry<'a>>,
    rows: i32,
    column_width: i32,
    style: FigureStyle,
}

struct Entry<'a> {
    series: &'a Series,
    look: Look,
    lines: Vec<String>,
}

impl<'a> Legend<'a> {
    /// A legend for all series with a label, no wider than `room`.
    pub(super) fn new(figure: &'a Figure, looks: &[Look], room: i32) -> Self {
        let style = figure.style;
        let [size, sample, gap, between] = [SIZE, SAMPLE, GAP, BETWEEN].map(|length| style.text(length));
        let entry = |(series, look): (&'a Series, &Look)| {
            let lines = text::wrap(&series.label, size, room - sample - gap);
            (!lines.is_empty()).then_some(Entry { series, look: *look, lines })
        };
        let entries: Vec<_> = figure.series.iter().zip(looks).filter_map(entry).collect();
        let longest = entries.iter().flat_map(|entry| &entry.lines).map(|line| text::width(line, size)).max();
        let column_width = sample + gap + longest.unwrap_or(0) + between;
        // one below the other where one of them takes two lines
        let columns =
            if entries.iter().any(|entry| entry.lines.len() > 1) { 1 } else { (room + between) / column_width };
        let lines: usize = entries.iter().map(|entry| entry.lines.len()).sum();
        let rows = (lines as i32 + columns.max(1) - 1) / columns.max(1);
        Self { entries, rows, column_width, style }
    }

    pub(super) fn height(&self) -> i32 {
        self.rows * self.style.text(ROW)
    }

    /// Draws the samples with the legend's top left corner at (`left`, `top`), and adds the texts to `texts`.
    pub(super) fn draw<DB>(
        &self,
        area: &DrawingArea<DB, Shift>,
        (left, top): (i32, i32),
        texts: &mut Vec<Text>,
    ) -> Result<(), Error>
    where
        DB: DrawingBackend<ErrorType: 'static>,
    {
        let [size, height, sample, gap] = [SIZE, ROW, SAMPLE, GAP].map(|length| self.style.text(length));
        let mut row = 0;
        for Entry { series, look, lines } in &self.entries {
            // Down the columns: the quantities of one run stand below one another.
            let (x, y) = (left + row / self.rows * self.column_width, top + row % self.rows * height + height / 2);
            let mark = &series.mark;
            if let Mark::Band { .. } = mark {
                let corners = [(x, y - height / 3), (x + sample, y + height / 3)];
                area.draw(&Rectangle::new(corners, style::band(*look).filled()))?;
            }
            if *mark != Mark::Points {
                area.draw(&style::line(mark, *look, vec![(x, y), (x + sample, y)]))?;
            }
            if series.markers() > 0 {
                area.draw(&style::marker(mark, *look, (x + sample / 2, y)))?;
            }
            for (line, label) in (0..).zip(lines) {
                let at = (x + sample + gap, y + line * height + size * 36 / 100);
                texts.push(Text::new(label, at, size, Anchor::Start));
            }
            row += lines.len() as i32;
        }
        Ok(())
    }
}
