//! Filled rectangles of a few colours, thousands of them: a path for each colour, where plotters would have an element for
//! each rectangle.

use std::fmt::Write;

use plotters::style::RGBColor;

/// Rectangles by their colours, in steps of the grid.
#[derive(Default)]
pub(super) struct Cells {
    fills: Vec<(RGBColor, Vec<[i32; 4]>)>,
}

impl Cells {
    /// Adds one: left, top, width and height.
    pub(super) fn add(&mut self, colour: RGBColor, rectangle: [i32; 4]) {
        match self.fills.iter_mut().find(|(known, _)| *known == colour) {
            Some((_, rectangles)) => rectangles.push(rectangle),
            None => self.fills.push((colour, vec![rectangle])),
        }
    }

    /// The rectangles of each colour.
    pub(super) fn fills(&self) -> &[(RGBColor, Vec<[i32; 4]>)] {
        &self.fills
    }

    /// Appends them to an SVG.
    pub(super) fn svg(&self, out: &mut String) {
        for (RGBColor(r, g, b), rectangles) in &self.fills {
            // without smoothed edges, between which the ground would show; as a style, which no rule of a page stands over:
            // a colour here is a value, that the scale beside it tells
            let _ = write!(out, "<path style=\"fill:#{r:02x}{g:02x}{b:02x}\" shape-rendering=\"crispEdges\" d=\"");
            for [x, y, width, height] in rectangles {
                let _ = write!(out, "M{x} {y}h{width}v{height}h-{width}z");
            }
            out.push_str("\"/>\n");
        }
    }

    /// Lays them over pixels, three bytes each, `width` to a row.
    pub(super) fn pixels(&self, pixels: &mut [u8], width: usize) {
        for (RGBColor(r, g, b), rectangles) in &self.fills {
            for [x, y, across, down] in rectangles {
                for row in *y..*y + *down {
                    let (start, count) = (row as usize * width + *x as usize, *across as usize);
                    let Some(line) = pixels.get_mut(3 * start..3 * (start + count)) else { continue };
                    line.chunks_exact_mut(3).for_each(|pixel| pixel.copy_from_slice(&[*r, *g, *b]));
                }
            }
        }
    }
}
