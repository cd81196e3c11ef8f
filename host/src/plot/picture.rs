//! A figure on any backend of plotters. Text is left to the caller, who writes it as the file wants it.

use super::axis::Span;
use super::hover::{self, Hover, Target};
use super::legend::Legend;
use super::marks::Drawn;
use super::series::{Omitted, Placed};
use super::style::{self, FAINT, GRID, INK, Look, UNIT};
use super::text::{self, Anchor, Text};
use super::ticks::Ticks;
use super::{Axis, Error, Figure, FigureStyle, Mark, Palette};
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
        let style = figure.style;
        let [tick, mark, label] = [TICK, MARK, LABEL].map(|length| style.text(length));
        let up = ticks(&figure.y, &spans[1], values(figure, |series| &series.y));
        let widest = up.labelled.iter().map(|(_, label)| text::width(label, tick)).max().unwrap_or(0);
        let left = MARGIN + widest + 2 * mark;
        let frame = WIDTH - RIGHT - left;
        let along = ticks(&figure.x, &spans[0], values(figure, |series| &series.x));
        let along = along.thinned(frame, tick, figure.x.measured);

        let palette = figure.palette.clone().unwrap_or_else(|| Palette::new([figure]));
        let looks = style::looks(&figure.series, &palette, style);
        let legend = Legend::new(figure, &looks, frame);
        let room = WIDTH - 2 * MARGIN;
        let title = Lines::new(&figure.title, style.text(TITLE), room);
        let labels = [Lines::new(&figure.x.label, label, frame), Lines::new(&figure.y.label, label, room)];
        let note = omitted.note();
        let omitted = Lines::new(note.as_deref().unwrap_or_default(), tick, room);
        let top = MARGIN + title.height() + mark + legend.height() + mark + labels[1].height() + 2 * mark;
        let below = 2 * mark + tick + mark + labels[0].height() + mark + omitted.height() + MARGIN;
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

    fn style(&self) -> FigureStyle {
        self.figure.style
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
        let [tick, mark, label] = [TICK, MARK, LABEL].map(|length| self.style().text(length));
        page.fill(&WHITE)?;
        let (left, right, bottom) = (self.left, WIDTH - RIGHT, self.top + FRAME);
        let mut texts: Vec<Text> = self.title.texts(MARGIN, MARGIN, Anchor::Start, INK).collect();
        let below_title = MARGIN + self.title.height() + mark;
        self.legend.draw(page, (left, below_title), &mut texts)?;
        let above = self.top - 2 * mark - self.labels[1].height();
        texts.extend(self.labels[1].texts(MARGIN, above, Anchor::Start, INK));
        let under = bottom + 2 * mark + tick + mark;
        texts.extend(self.labels[0].texts((left + right) / 2, under, Anchor::Middle, INK));
        let last = under + self.labels[0].height() + mark;
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
        let frame = |points: Vec<(i32, i32)>| {
            page.draw(&PathElement::new(points, INK.stroke_width(self.style().stroke(5) as u32)))
        };
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
                label,
                Anchor::Middle,
            ));
        }
        page.present()?;
        Ok(texts)
    }

    /// The values of at most so many points of each series, those of a fit aside.
    pub(super) fn hovers(&self, most: usize) -> Vec<Hover> {
        let (left, right, bottom) = (self.left, WIDTH - RIGHT, self.top + FRAME);
        let [x, y] = &self.spans;
        let mut hovers = Vec::new();
        for Drawn { series, placed, .. } in self.drawn().filter(|drawn| drawn.series.mark != Mark::Fit) {
            let seen = |at: &Option<(f64, f64)>| at.filter(|at| x.contains(at.0) && y.contains(at.1));
            let seen: Vec<_> = placed.points.iter().enumerate().filter_map(|(i, at)| Some((i, seen(at)?))).collect();
            for (i, at) in hover::spread(seen.len(), most).into_iter().map(|place| seen[place]) {
                let across = left + (x.fraction(at.0) * f64::from(right - left)).round() as i32;
                let down = bottom - (y.fraction(at.1) * f64::from(FRAME)).round() as i32;
                let scales = [self.figure.x.scale, self.figure.y.scale];
                let text = hover::of_point(series, &self.figure.y.label, scales, i);
                hovers.push(Hover { target: Target::Point((across, down)), text });
            }
        }
        hovers
    }

    /// The lines of the grid, and the ticks with what they say.
    fn grid<DB>(&self, page: &DrawingArea<DB, Shift>, texts: &mut Vec<Text>) -> Result<(), Error>
    where
        DB: DrawingBackend<ErrorType: 'static>,
    {
        let (left, right, bottom) = (self.left, WIDTH - RIGHT, self.top + FRAME);
        let [tick, mark] = [TICK, MARK].map(|length| self.style().text(length));
        let across = |at: f64| left + (at * f64::from(right - left)).round() as i32;
        let upwards = |at: f64| bottom - (at * f64::from(FRAME)).round() as i32;
        let stroke = |points: [(i32, i32); 2], colour: &dyn Fn() -> plotters::style::ShapeStyle| {
            page.draw(&PathElement::new(points.to_vec(), colour()))
        };
        let width = |on_paper| self.style().stroke(on_paper) as u32;
        let (faint, clear) = (|| GRID.mix(0.5).stroke_width(width(3)), || GRID.stroke_width(width(4)));
        let ink = || INK.stroke_width(width(5));
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
            stroke([(x, bottom), (x, bottom + mark)], &ink)?;
            texts.push(Text::new(label, (x, bottom + 2 * mark + tick * 8 / 10), tick, Anchor::Middle));
        }
        for (at, label) in &up.labelled {
            let y = upwards(*at);
            stroke([(left, y), (right, y)], &clear)?;
            stroke([(left - mark, y), (left, y)], &ink)?;
            texts.push(Text::new(label, (left - 2 * mark, y + tick * 36 / 100), tick, Anchor::End));
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
