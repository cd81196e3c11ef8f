//! The palette: colours of Okabe and Ito (told apart with any common colour blindness), each with a marker shape of its own and
//! dashes of its own, so that a figure survives a grey printer.

use super::{Mark, Series};
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

// The palette's yellow is left out: too pale on white.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

/// Dash and gap of `Mark::Dashed`, the same for every style: there the marker tells styles apart.
const DASHED: (i32, i32) = (28, 16);
/// Dash and gap of `Mark::Theory`.
const THEORY: [(i32, i32); 7] = [(8, 12), (40, 12), (16, 24), (56, 32), (8, 28), (24, 12), (20, 36)];

/// Marker shapes: corners, degrees of the first one, and how far inside the corners every second one lies (0: a polygon).
/// Eight shapes against seven colours: 56 styles before one comes again.
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

pub(super) fn colour(style: usize) -> RGBColor {
    COLOURS[style % COLOURS.len()]
}

pub(super) fn band(style: usize) -> RGBAColor {
    colour(style).mix(0.22)
}

/// The line of a series: solid or broken.
pub(super) fn line<'a, DB: DrawingBackend + 'a, C: Clone + 'static>(
    series: &Series,
    points: Vec<C>,
) -> DynElement<'a, DB, C> {
    let (width, dash) = match series.mark {
        Mark::Dashed => (7, Some(DASHED)),
        Mark::Theory => (6, Some(THEORY[series.style % THEORY.len()])),
        _ => (8, None),
    };
    let stroke = colour(series.style).stroke_width(width);
    match dash {
        None => PathElement::new(points, stroke).into_dyn(),
        Some((dash, gap)) => DashedPathElement::new(points, dash, gap, stroke).into_dyn(),
    }
}

/// The marker of a series: filled with a white rim, or hollow.
pub(super) fn marker<'a, DB: DrawingBackend + 'a, C: Clone + 'static>(series: &Series, at: C) -> DynElement<'a, DB, C> {
    let (corners, first, notch) = MARKERS[series.style % MARKERS.len()];
    let shape = |radius: f64| -> Vec<(i32, i32)> {
        let corner = |i: i32| {
            let angle = first.to_radians() + f64::from(i) * std::f64::consts::PI / f64::from(corners);
            let radius = if i % 2 == 1 { radius * (1.0 - notch) } else { radius };
            ((radius * angle.cos()).round() as i32, (radius * angle.sin()).round() as i32)
        };
        (0..2 * corners).step_by(if notch > 0.0 { 1 } else { 2 }).map(corner).collect()
    };
    let colour = colour(series.style);
    let (outer, inner, share) = if series.mark == Mark::Dashed { (colour, WHITE, 0.7) } else { (WHITE, colour, 0.85) };
    // What looks equally large: the fewer corners, the farther out they lie.
    let radius = if corners > 5 { RADIUS } else { 1.3 * RADIUS };
    (EmptyElement::at(at) + Polygon::new(shape(radius), outer) + Polygon::new(shape(share * radius), inner)).into_dyn()
}
