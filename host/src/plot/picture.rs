//! A figure on any backend of plotters.

use super::axis::Span;
use super::legend::Legend;
use super::series::{Omitted, Placed};
use super::style::{FAINT, GRID, INK, UNIT};
use super::ticks::Ticks;
use super::{Axis, Error, Figure, Mark, marks, markup, text};
use plotters::chart::ChartBuilder;
use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, DrawingBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, WHITE};

const WIDTH: i32 = 900 * UNIT;
const HEIGHT: i32 = 560 * UNIT;
/// The axes are never lower than this: a long legend makes the figure higher instead.
const LEAST_FRAME: i32 = 320 * UNIT;
const RIGHT: i32 = 28 * UNIT;
const TITLE: i32 = 17 * UNIT;
const LABEL: i32 = 15 * UNIT;
const TICK: i32 = 13 * UNIT;
const NOTE: i32 = 12 * UNIT;

/// A figure with everything measured.
pub(super) struct Picture<'a> {
    figure: &'a Figure,
    placed: Vec<Placed>,
    spans: [Span; 2],
    ticks: [Ticks; 2],
    /// What was left out of it.
    pub(super) note: Option<String>,
    legend: Legend<'a>,
    /// Width of what stands left of the axes, heights of what stands above and below.
    left: i32,
    top: i32,
    below: i32,
    height: i32,
}

impl<'a> Picture<'a> {
    pub(super) fn new(figure: &'a Figure) -> Self {
        let mut omitted = Omitted::default();
        let placed: Vec<_> = figure.series.iter().map(|series| Placed::new(figure, series, &mut omitted)).collect();
        let across = placed.iter().flat_map(|p| p.points.iter().flatten()).map(|point| point.0);
        let spans =
            [Span::new(&figure.x, across, 0.025), Span::new(&figure.y, placed.iter().flat_map(Placed::heights), 0.06)];
        placed.iter().for_each(|p| omitted.count_outside(p, &spans[0], &spans[1]));
        let empty = placed.iter().all(|p| p.points.iter().all(Option::is_none));
        let ticks = spans.each_ref().map(|span| if empty { Ticks::default() } else { Ticks::new(span) });
        let widest = ticks[1].labelled.iter().map(|(_, label)| text::width(label, TICK)).max().unwrap_or(0);
        let left = widest + 64 * UNIT;
        let legend = Legend::new(figure, WIDTH - RIGHT - left);
        let note = omitted.note();
        let top = 54 * UNIT + legend.height();
        let below = if note.is_some() { 82 } else { 66 } * UNIT;
        let height = HEIGHT.max(top + LEAST_FRAME + below);
        Self { figure, placed, spans, ticks, note, legend, left, top, below, height }
    }

    /// Steps of the grid, across and down.
    pub(super) fn size(&self) -> (u32, u32) {
        (WIDTH as u32, self.height as u32)
    }

    /// Everything the figure shows, back to front.
    pub(super) fn draw<DB>(&self, page: &DrawingArea<DB, Shift>) -> Result<(), Error>
    where
        DB: DrawingBackend<ErrorType: 'static>,
    {
        page.fill(&WHITE)?;
        let room = WIDTH - self.left - RIGHT;
        let title = text::fit(&markup::unicode(&self.figure.title), TITLE, room);
        page.draw_text(&title, &text::style(TITLE), (self.left, 16 * UNIT))?;
        self.legend.draw(page, self.left, 44 * UNIT)?;

        let [x, y] = &self.spans;
        let [across, upwards] = self.ticks.clone();
        let below = 66 * UNIT;
        let mut chart = ChartBuilder::on(page)
            .margin_top(self.top)
            .margin_right(RIGHT)
            .margin_left(14 * UNIT)
            .margin_bottom(self.below - below + 10 * UNIT)
            .x_label_area_size(below - 10 * UNIT)
            .y_label_area_size(self.left - 14 * UNIT)
            .build_cartesian_2d(across, upwards)?;
        let pairs = || self.figure.series.iter().zip(&self.placed);
        pairs().try_for_each(|(series, placed)| marks::band(chart.plotting_area(), series, placed, x, y))?;
        let label = |axis: &Axis, room: i32| text::fit(&markup::unicode(&axis.label), LABEL, room);
        chart
            .configure_mesh()
            .axis_style(INK.stroke_width(5))
            .bold_line_style(GRID.stroke_width(4))
            .light_line_style(GRID.mix(0.5).stroke_width(3))
            .set_all_tick_mark_size(6 * UNIT)
            .label_style(text::style(TICK))
            .y_label_offset(TICK / 8)
            .axis_desc_style(text::style(LABEL))
            .x_desc(label(&self.figure.x, room))
            .y_desc(label(&self.figure.y, self.height - self.top - self.below))
            .draw()?;
        // Theory last: thin, and else hidden below the data that it is right about.
        for theory in [false, true] {
            let these = pairs().filter(|(series, _)| (series.mark == Mark::Theory) == theory);
            these
                .into_iter()
                .try_for_each(|(series, placed)| marks::line(chart.plotting_area(), series, placed, x, y))?;
        }
        if self.ticks.iter().all(|ticks| ticks.labelled.is_empty()) {
            let middle = text::style(LABEL).pos(Pos::new(HPos::Center, VPos::Center));
            let at = (self.left + room / 2, (self.top + self.height - self.below) / 2);
            page.draw_text("no finite data", &middle, at)?;
        }
        if let Some(note) = &self.note {
            let style = text::coloured(NOTE, FAINT).pos(Pos::new(HPos::Right, VPos::Bottom));
            page.draw_text(note, &style, (WIDTH - RIGHT, self.height - 8 * UNIT))?;
        }
        page.present()?;
        Ok(())
    }
}
