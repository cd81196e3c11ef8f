//! The palette: colours of Okabe and Ito (told apart with any common colour blindness), each with a marker shape of its own and
//! dashes of its own, so that a figure survives a grey printer.

use super::scene::{Colour, Path, Point, Shape, Stroke};

pub(super) const WHITE: Colour = [255, 255, 255];
/// Axes and text.
pub(super) const INK: Colour = [34, 34, 34];
/// Notes.
pub(super) const FAINT: Colour = [98, 98, 98];
pub(super) const GRID: Colour = [226, 226, 226];
/// Of `Mark::Dashed`, the same for every style: there the marker tells styles apart.
pub(super) const DASHED: &[f64] = &[7.0, 4.0];

// The palette's yellow is left out: too pale on white.
const COLOURS: [Colour; 7] =
    [[0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167], [230, 159, 0], [86, 180, 233], [0, 0, 0]];

const THEORY: [&[f64]; 7] = [
    &[2.0, 4.0],
    &[9.0, 4.0, 2.0, 4.0],
    &[9.0, 4.0, 2.0, 4.0, 2.0, 4.0],
    &[12.0, 6.0],
    &[2.0, 8.0],
    &[5.0, 4.0],
    &[14.0, 5.0, 5.0, 5.0],
];

/// Corners of the marker shapes about the origin, in units of the marker's radius; an empty one is a circle. Eight shapes
/// against seven colours: 56 styles before one comes again.
const MARKERS: [&[Point]; 8] = [
    &[],
    &[(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)],
    &[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)],
    &[(0.0, -1.3), (1.0, 0.0), (0.0, 1.3), (-1.0, 0.0)],
    &[(0.0, 1.2), (-1.1, -0.8), (1.1, -0.8)],
    &[
        (-0.38, -1.1),
        (0.38, -1.1),
        (0.38, -0.38),
        (1.1, -0.38),
        (1.1, 0.38),
        (0.38, 0.38),
        (0.38, 1.1),
        (-0.38, 1.1),
        (-0.38, 0.38),
        (-1.1, 0.38),
        (-1.1, -0.38),
        (-0.38, -0.38),
    ],
    &[(-1.2, 0.0), (0.8, -1.1), (0.8, 1.1)],
    &[(1.2, 0.0), (-0.8, -1.1), (-0.8, 1.1)],
];

pub(super) fn colour(style: usize) -> Colour {
    COLOURS[style % COLOURS.len()]
}

pub(super) fn theory_dash(style: usize) -> &'static [f64] {
    THEORY[style % THEORY.len()]
}

/// The marker of a style: filled with a white rim, or hollow.
pub(super) fn marker(style: usize, (x, y): Point, radius: f64, hollow: bool) -> Shape {
    let corners = MARKERS[style % MARKERS.len()];
    let path = if corners.is_empty() {
        Path::circle((x, y), radius)
    } else {
        let corners: Vec<Point> = corners.iter().map(|(dx, dy)| (x + radius * dx, y + radius * dy)).collect();
        Path::polygon(&corners)
    };
    let (fill, rim, width) = if hollow { (WHITE, colour(style), 1.5) } else { (colour(style), WHITE, 0.8) };
    Shape {
        path,
        fill: Some(fill),
        opacity: 1.0,
        stroke: Some(Stroke { colour: rim, width, dash: &[] }),
        clipped: false,
    }
}
