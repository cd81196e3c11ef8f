//! A figure laid out as a scene.

use super::axis::Span;
use super::layout::{LABEL, Layout, NOTE, TICK, TITLE};
use super::marks::{self, Projection};
use super::scene::{Path, Point, Rect, Scene, Shape};
use super::series::{Omitted, Placed};
use super::text::{self, Anchor};
use super::{Figure, Mark, markup, style};

/// Everything a figure shows, back to front.
pub(super) fn draw(figure: &Figure) -> Scene {
    let mut omitted = Omitted::default();
    let placed: Vec<Placed> = figure.series.iter().map(|series| Placed::new(figure, series, &mut omitted)).collect();
    let across = placed.iter().flat_map(|p| p.points.iter().flatten()).map(|point| point.0);
    let x = Span::new(&figure.x, across, 0.025);
    let y = Span::new(&figure.y, placed.iter().flat_map(Placed::heights), 0.06);
    let empty = placed.iter().all(|p| p.points.iter().all(Option::is_none));
    placed.iter().for_each(|p| omitted.count_outside(p, &x, &y));
    let note = omitted.note();
    let layout = Layout::new(figure, &x, &y, note.is_some());

    let (width, height) = (layout.width, layout.height);
    let mut scene = Scene {
        width,
        height,
        frame: layout.frame,
        shapes: Vec::new(),
        title: markup::plain(&figure.title),
        description: description(figure, note.as_deref()),
    };
    let page = Rect { left: 0.0, top: 0.0, right: width, bottom: height };
    scene.shapes.push(Shape::filled(page.path(), style::WHITE));

    let to = Projection { x: &x, y: &y, frame: layout.frame };
    if empty {
        let middle = ((scene.frame.left + scene.frame.right) / 2.0, (scene.frame.top + scene.frame.bottom) / 2.0);
        write(&mut scene, "no finite data", LABEL, middle, Anchor::Middle);
    } else {
        axes(&mut scene, &layout, &x, &y);
    }
    let pairs = || figure.series.iter().zip(&placed);
    pairs().for_each(|(series, placed)| marks::band(&mut scene, series, placed, &to));
    // Theory last: thin, and else hidden below the data that it is right about.
    for theory in [false, true] {
        let these = pairs().filter(|(series, _)| (series.mark == Mark::Theory) == theory);
        these.for_each(|(series, placed)| marks::line(&mut scene, series, placed, &to));
    }
    let frame = snapped(&scene.frame).path();
    scene.shapes.push(Shape::stroked(frame, style::INK, 1.0, &[]));
    labels(&mut scene, figure, note.as_deref());
    layout.legend.draw(&mut scene, layout.frame.left, layout.legend_top);
    scene
}

/// Grid, ticks and what they say.
fn axes(scene: &mut Scene, layout: &Layout, x: &Span, y: &Span) {
    let Rect { left, top, right, bottom } = snapped(&scene.frame);
    let mut grid = Vec::new();
    let mut marks = Vec::new();
    let mut rule = |from: Point, to: Point, colour, into_grid: bool| {
        let line = Shape::stroked(Path::line(&[from, to]), colour, 1.0, &[]);
        if into_grid { grid.push(line) } else { marks.push(line) }
    };
    for tick in &layout.x_ticks {
        let at = snap(layout.frame.left + x.fraction(tick.at) * layout.frame.width());
        let length = if tick.label.is_some() { 6.0 } else { 3.5 };
        rule((at, bottom), (at, bottom + length), style::INK, false);
        if tick.label.is_some() {
            rule((at, top), (at, bottom), style::GRID, true);
        }
    }
    for tick in &layout.y_ticks {
        let at = snap(layout.frame.bottom - y.fraction(tick.at) * layout.frame.height());
        let length = if tick.label.is_some() { 6.0 } else { 3.5 };
        rule((left - length, at), (left, at), style::INK, false);
        if tick.label.is_some() {
            rule((left, at), (right, at), style::GRID, true);
        }
    }
    scene.shapes.extend(grid);
    scene.shapes.extend(marks);
    for tick in &layout.x_ticks {
        if let Some(label) = &tick.label {
            let half = text::width(label, TICK) / 2.0;
            let at = layout.frame.left + x.fraction(tick.at) * layout.frame.width();
            let at = at.clamp(half + 4.0, (layout.width - half - 4.0).max(half + 4.0));
            write(scene, label, TICK, (at, bottom + 23.0), Anchor::Middle);
        }
    }
    for tick in &layout.y_ticks {
        if let Some(label) = &tick.label {
            let at = layout.frame.bottom - y.fraction(tick.at) * layout.frame.height();
            write(scene, label, TICK, (left - 10.0, at + TICK * 0.36), Anchor::End);
        }
    }
}

/// Title, names of the axes and the note.
fn labels(scene: &mut Scene, figure: &Figure, note: Option<&str>) {
    let Rect { left, top, right, bottom } = scene.frame;
    let (title, size) = fitted(&figure.title, TITLE, scene.width - left - 16.0);
    write(scene, &title, size, (left, 30.0), Anchor::Start);
    let (label, size) = fitted(&figure.x.label, LABEL, scene.width - 40.0);
    let half = text::width(&label, size) / 2.0;
    let middle = ((left + right) / 2.0).min(scene.width - 12.0 - half).max(12.0 + half);
    write(scene, &label, size, (middle, bottom + 47.0), Anchor::Middle);
    let (label, size) = fitted(&figure.y.label, LABEL, scene.height - 24.0);
    let half = text::width(&label, size) / 2.0;
    let middle = ((top + bottom) / 2.0).min(scene.height - 12.0 - half).max(12.0 + half);
    let path = text::outline(&label, size, (14.0 + LABEL, middle), Anchor::Middle, true);
    scene.shapes.push(Shape::filled(path, style::INK));
    if let Some(note) = note {
        let path = text::outline(note, NOTE, (right, scene.height - 10.0), Anchor::End, false);
        scene.shapes.push(Shape::filled(path, style::FAINT));
    }
}

/// A label and a size at which it fits: smaller by up to a fifth, and cut only then.
fn fitted(label: &str, size: f64, room: f64) -> (String, f64) {
    let size = (size * room / text::width(label, size).max(1.0)).clamp(0.8 * size, size);
    (text::fit(label, size, room), size)
}

fn write(scene: &mut Scene, label: &str, size: f64, at: Point, anchor: Anchor) {
    scene.shapes.push(Shape::filled(text::outline(label, size, at, anchor, false), style::INK));
}

/// To the middle of a unit, where a line one unit wide is sharp.
fn snap(v: f64) -> f64 {
    v.floor() + 0.5
}

fn snapped(frame: &Rect) -> Rect {
    Rect { left: snap(frame.left), top: snap(frame.top), right: snap(frame.right), bottom: snap(frame.bottom) }
}

fn description(figure: &Figure, note: Option<&str>) -> String {
    let mut text = markup::plain(&figure.caption);
    let axes = [(&figure.x, "Horizontal"), (&figure.y, "Vertical")];
    for (axis, which) in axes {
        text.push_str(&format!(" {which}: {}.", markup::plain(&axis.label)));
    }
    let series: Vec<_> =
        figure.series.iter().map(|series| markup::plain(&series.label)).filter(|l| !l.is_empty()).collect();
    if !series.is_empty() {
        text.push_str(&format!(" Series: {}.", series.join("; ")));
    }
    if let Some(note) = note {
        text.push_str(&format!(" {note}."));
    }
    text.trim().into()
}
