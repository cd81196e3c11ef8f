//! How lines, bands and markers look: a hue has a marker shape of its own, theory dashes of its own, so that a figure survives
//! a grey printer.

use super::{FigureStyle, Hue, Mark, Palette, Series};
use plotters::element::{DashedPathElement, DynElement, EmptyElement, IntoDynElement, Polygon};
use plotters::prelude::{DrawingBackend, PathElement};
use plotters::style::{Color, RGBAColor, RGBColor, WHITE};

/// Steps of the grid that figures are drawn on, to a unit of the SVG: backends know whole steps only.
pub(super) const UNIT: i32 = 4;
/// Axes and text.
pub(super) const INK: RGBColor = RGBColor(34, 34, 34);
/// Notes.
pub(super) const FAINT: RGBColor = RGBColor(98, 98, 98);
pub(super) const GRID: RGBColor = RGBColor(222, 222, 222);

/// Theory: black, and grey where there is more of it.
const THEORY: [RGBColor; 3] = [RGBColor(0, 0, 0), RGBColor(105, 105, 105), RGBColor(60, 60, 60)];
/// Dash and gap of `Mark::Dashed`, the same for every hue: there the marker tells hues apart.
const DASHED: (i32, i32) = (28, 16);
/// Dash and gap of `Mark::Theory`, one after another.
const DASHES: [(i32, i32); 5] = [(36, 16), (10, 14), (64, 20), (20, 28), (8, 36)];

/// Marker shapes: corners, degrees of the first one, and how far inside the corners every second one lies (0: a polygon).
const MARKERS: [(i32, f64, f64); 8] = [
    (24, 0.0, 0.0),
    (4, 45.0, 0.0),
    (3, -90.0, 0.0),
    (4, 0.0, 0.0),
    (3, 90.0, 0.0),
    (4, 0.0, 0.5),
    (5, -90.0, 0.5),
    (3, 0.0, 0.0),
];
const RADIUS: f64 = 19.0;

/// Colour, dashes and marker of a series.
#[derive(Clone, Copy)]
pub(super) struct Look {
    colour: RGBColor,
    /// which of the marker shapes, or of the dashes of theory
    shape: usize,
    /// how thick
    style: FigureStyle,
}

/// The looks of the series of a figure, in their order.
pub(super) fn looks(series: &[Series], palette: &Palette, style: FigureStyle) -> Vec<Look> {
    let mut theory = 0;
    let look = |series: &Series| match (&series.hue, palette.rgb(&series.hue)) {
        (Hue::Theory, _) => {
            theory += 1;
            Look { colour: THEORY[(theory - 1) % THEORY.len()], shape: theory - 1, style }
        }
        (hue, colour) => Look { colour: colour.unwrap_or(INK), shape: palette.place(hue), style },
    };
    series.iter().map(look).collect()
}

pub(super) fn band(look: Look) -> RGBAColor {
    look.colour.mix(0.22)
}

/// The line of a series: solid or broken.
pub(super) fn line<'a, DB: DrawingBackend + 'a, C: Clone + 'static>(
    mark: &Mark,
    look: Look,
    points: Vec<C>,
) -> DynElement<'a, DB, C> {
    let (width, dash) = match mark {
        Mark::Dashed => (8, Some(DASHED)),
        Mark::Theory => (7, Some(DASHES[look.shape % DASHES.len()])),
        Mark::Fit => (4, None),
        Mark::Line | Mark::Outline | Mark::Points | Mark::Band { .. } => (9, None),
    };
    let stroke = look.colour.stroke_width(look.style.stroke(width) as u32);
    match dash {
        None => PathElement::new(points, stroke).into_dyn(),
        Some((dash, gap)) => {
            DashedPathElement::new(points, look.style.stroke(dash), look.style.stroke(gap), stroke).into_dyn()
        }
    }
}

/// The marker of a series: filled with a white rim, or hollow.
pub(super) fn marker<'a, DB: DrawingBackend + 'a, C: Clone + 'static>(
    mark: &Mark,
    look: Look,
    at: C,
) -> DynElement<'a, DB, C> {
    let (corners, first, notch) = MARKERS[look.shape % MARKERS.len()];
    let shape = |radius: f64| -> Vec<(i32, i32)> {
        let corner = |i: i32| {
            let angle = first.to_radians() + f64::from(i) * std::f64::consts::PI / f64::from(corners);
            let radius = if i % 2 == 1 { radius * (1.0 - notch) } else { radius };
            ((radius * angle.cos()).round() as i32, (radius * angle.sin()).round() as i32)
        };
        (0..2 * corners).step_by(if notch > 0.0 { 1 } else { 2 }).map(corner).collect()
    };
    let colour = look.colour;
    let (outer, inner, share) = if *mark == Mark::Dashed { (colour, WHITE, 0.7) } else { (WHITE, colour, 0.85) };
    // What looks equally large: the fewer corners, the farther out they lie.
    let radius = look.style.marker(if corners > 5 { RADIUS } else { 1.3 * RADIUS });
    (EmptyElement::at(at) + Polygon::new(shape(radius), outer) + Polygon::new(shape(share * radius), inner)).into_dyn()
}
