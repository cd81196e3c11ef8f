//! A figure on any backend of plotters. Text is left to the caller, who draws it as outlines.

use super::axis::Span;
use super::legend::Legend;
use super::marks::Drawn;
use super::series::{Omitted, Placed};
use super::style::{self, FAINT, GRID, INK, Look, UNIT};
use super::text::{self, Anchor, Text};
use super::ticks::Ticks;
use super::{Axis, Error, Figure, Mark, Palette};
use plotters::chart::ChartBuilder;
use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, DrawingBackend, PathElement};
use plotters::style::{Color, RGBColor, WHITE};

/// At 350 pixels, the width of a telephone less its margins, the smallest text is 9 pixels high.
pub(super) const WIDTH: i32 = 640 * UNIT;
/// Height of the frame.
pub(super) const FRAME: i32 = 310 * UNIT;
/// Around everything.
pub(super) const MARGIN: i32 = 14 * UNIT;
const RIGHT: i32 = 24 * UNIT;
pub(super) const TITLE: i32 = 20 * UNIT;
pub(super) const LABEL: i32 = 18 * UNIT;
pub(super) const TICK: i32 = 17 * UNIT;
pub(super) const MARK: i32 = 6 * UNIT;

/// Lines of text below one another.
pub(super) struct Lines {
    lines: Vec<String>,
    size: i32,
}

impl Lines {
    pub(super) fn new(label: &str, size: i32, room: i32) -> Self {
        Self { lines: text::wrap(label, size, room), size }
    }
    fn step(&self) -> i32 {
        self.size * 125 / 100
    }
    pub(super) fn height(&self) -> i32 {
        self.lines.len() as i32 * self.step()
    }
    /// The texts, their first line right below `top`.
    pub(super) fn texts(&self, x: i32, top: i32, anchor: Anchor, colour: RGBColor) -> impl Iterator<Item = Text> {
        (0..).zip(&self.lines).map(move |(i, line)| {
            let y = top + i * self.step() + self.size;
            Text::new(line, (x, y), self.size, anchor).coloured(colour)
        })
    }
}

/// A figure with everything measured.
pub(super) struct Picture<'a> {
    figure: &'a Figure,
    placed: Vec<Placed>,
    looks: Vec<Look>,
    spans: [Span; 2],
    ticks: [Ticks; 2],
    /// What was left out of it.
    pub(super) note: Option<String>,
    legend: Legend<'a>,
    title: Lines,
    /// Names of the axes: x below the frame, y above it, where it can be read without turning one's head.
    labels: [Lines; 2],
    omitted: Lines,
    left: i32,
    top: i32,
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
        let ticks = |axis: &Axis, span: &Span, values: Vec<f64>| match axis.measured {
            _ if empty => Ticks::default(),
            true => Ticks::at(&values, span),
            false => Ticks::new(span),
        };
        let up = ticks(&figure.y, &spans[1], values(figure, |series| &series.y));
        let widest = up.labelled.iter().map(|(_, label)| text::width(label, TICK)).max().unwrap_or(0);
        let left = MARGIN + widest + 2 * MARK;
        let frame = WIDTH - RIGHT - left;
        let along = ticks(&figure.x, &spans[0], values(figure, |series| &series.x));
        let along = along.thinned(frame, TICK, figure.x.measured);

        let palette = figure.palette.clone().unwrap_or_else(|| Palette::new([figure]));
        let looks = style::looks(&figure.series, &palette);
        let legend = Legend::new(figure, &looks, frame);
        let room = WIDTH - 2 * MARGIN;
        let title = Lines::new(&figure.title, TITLE, room);
        let labels = [Lines::new(&figure.x.label, LABEL, frame), Lines::new(&figure.y.label, LABEL, room)];
        let note = omitted.note();
        let omitted = Lines::new(note.as_deref().unwrap_or_default(), TICK, room);
        let top = MARGIN + title.height() + MARK + legend.height() + MARK + labels[1].height() + 2 * MARK;
        let below = 2 * MARK + TICK + MARK + labels[0].height() + MARK + omitted.height() + MARGIN;
        // even, as the PNG halves it
        let height = (top + FRAME + below + 1) / 2 * 2;
        Self {
            figure,
            placed,
            looks,
            spans,
            ticks: [along, up],
            note,
            legend,
            title,
            labels,
            omitted,
            left,
            top,
            height,
        }
    }

    /// Steps of the grid, across and down.
    pub(super) fn size(&self) -> (u32, u32) {
        (WIDTH as u32, self.height as u32)
    }

    fn drawn(&self) -> impl Iterator<Item = Drawn<'_>> {
        let pairs = self.figure.series.iter().zip(&self.placed).zip(&self.looks);
        pairs.map(|((series, placed), look)| Drawn { series, look: *look, placed })
    }

    /// Everything the figure shows, back to front; the answer is its text.
    pub(super) fn draw<DB>(&self, page: &DrawingArea<DB, Shift>) -> Result<Vec<Text>, Error>
    where
        DB: DrawingBackend<ErrorType: 'static>,
    {
        page.fill(&WHITE)?;
        let (left, right, bottom) = (self.left, WIDTH - RIGHT, self.top + FRAME);
        let mut texts: Vec<Text> = self.title.texts(MARGIN, MARGIN, Anchor::Start, INK).collect();
        let below_title = MARGIN + self.title.height() + MARK;
        self.legend.draw(page, (left, below_title), &mut texts)?;
        let above = self.top - 2 * MARK - self.labels[1].height();
        texts.extend(self.labels[1].texts(MARGIN, above, Anchor::Start, INK));
        let under = bottom + 2 * MARK + TICK + MARK;
        texts.extend(self.labels[0].texts((left + right) / 2, under, Anchor::Middle, INK));
        let last = under + self.labels[0].height() + MARK;
        texts.extend(self.omitted.texts(right, last, Anchor::End, FAINT));

        self.grid(page, &mut texts)?;
        let chart = ChartBuilder::on(page)
            .margin_top(self.top)
            .margin_right(RIGHT)
            .margin_left(left)
            .margin_bottom(self.height - bottom)
            .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
        let [x, y] = &self.spans;
        self.drawn().try_for_each(|drawn| drawn.band(chart.plotting_area(), x, y))?;
        let frame = |points: Vec<(i32, i32)>| page.draw(&PathElement::new(points, INK.stroke_width(5)));
        frame(vec![(left, self.top), (left, bottom), (right, bottom)])?;
        // Theory last: thin, and else hidden below the data that it is right about.
        for theory in [false, true] {
            let these = self.drawn().filter(|drawn| (drawn.series.mark == Mark::Theory) == theory);
            these.into_iter().try_for_each(|drawn| drawn.line(chart.plotting_area(), x, y))?;
        }
        if self.ticks.iter().all(|ticks| ticks.labelled.is_empty()) {
            texts.push(Text::new(
                "no finite data",
                ((left + right) / 2, (self.top + bottom) / 2),
                LABEL,
                Anchor::Middle,
            ));
        }
        page.present()?;
        Ok(texts)
    }

    /// The lines of the grid, and the ticks with what they say.
    fn grid<DB>(&self, page: &DrawingArea<DB, Shift>, texts: &mut Vec<Text>) -> Result<(), Error>
    where
        DB: DrawingBackend<ErrorType: 'static>,
    {
        let (left, right, bottom) = (self.left, WIDTH - RIGHT, self.top + FRAME);
        let across = |at: f64| left + (at * f64::from(right - left)).round() as i32;
        let upwards = |at: f64| bottom - (at * f64::from(FRAME)).round() as i32;
        let stroke = |points: [(i32, i32); 2], colour: &dyn Fn() -> plotters::style::ShapeStyle| {
            page.draw(&PathElement::new(points.to_vec(), colour()))
        };
        let (faint, clear) = (|| GRID.mix(0.5).stroke_width(3), || GRID.stroke_width(4));
        let ink = || INK.stroke_width(5);
        let [along, up] = &self.ticks;
        for at in &along.minor {
            stroke([(across(*at), self.top), (across(*at), bottom)], &faint)?;
        }
        for at in &up.minor {
            stroke([(left, upwards(*at)), (right, upwards(*at))], &faint)?;
        }
        for (at, label) in &along.labelled {
            let x = across(*at);
            stroke([(x, self.top), (x, bottom)], &clear)?;
            stroke([(x, bottom), (x, bottom + MARK)], &ink)?;
            texts.push(Text::new(label, (x, bottom + 2 * MARK + TICK * 8 / 10), TICK, Anchor::Middle));
        }
        for (at, label) in &up.labelled {
            let y = upwards(*at);
            stroke([(left, y), (right, y)], &clear)?;
            stroke([(left - MARK, y), (left, y)], &ink)?;
            texts.push(Text::new(label, (left - 2 * MARK, y + TICK * 36 / 100), TICK, Anchor::End));
        }
        Ok(())
    }
}

/// The values of the data along an axis, ascending, each once.
fn values<'f>(figure: &'f Figure, of: impl Fn(&'f super::Series) -> &'f Vec<f64>) -> Vec<f64> {
    let data = figure.series.iter().filter(|series| !matches!(series.mark, Mark::Theory | Mark::Fit));
    let mut all: Vec<f64> = data.flat_map(of).copied().filter(|v| v.is_finite()).collect();
    all.sort_by(f64::total_cmp);
    all.dedup();
    all
}
