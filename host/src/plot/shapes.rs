//! What plotters draws, kept as shapes: the one description from which SVG and PDF are written.

use std::convert::Infallible;

use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, DrawingErrorKind};

/// Lines or an area of one colour, in steps of the grid.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shape {
    pub(super) colour: RGBColor,
    /// from 0, not there, to 1
    pub(super) opacity: f64,
    /// of the lines; `None`: the areas within them
    pub(super) width: Option<u32>,
    /// the corners of each line or area
    pub(super) parts: Vec<Vec<BackendCoord>>,
}

/// A backend that keeps what it is told to draw.
pub(super) struct Recorder<'a> {
    size: (u32, u32),
    shapes: &'a mut Vec<Shape>,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(size: (u32, u32), shapes: &'a mut Vec<Shape>) -> Self {
        Self { size, shapes }
    }

    /// Lines of one look one after another are one shape: of a dashed line plotters draws every dash alone.
    fn add(&mut self, colour: BackendColor, width: Option<u32>, part: Vec<BackendCoord>) {
        let (r, g, b) = colour.rgb;
        let shape = Shape { colour: RGBColor(r, g, b), opacity: colour.alpha, width, parts: vec![part] };
        match self.shapes.last_mut() {
            Some(last) if width.is_some() && last.is_like(&shape) => last.parts.extend(shape.parts),
            _ => self.shapes.push(shape),
        }
    }
}

impl Shape {
    fn is_like(&self, other: &Self) -> bool {
        (self.colour, self.width) == (other.colour, other.width) && self.opacity.to_bits() == other.opacity.to_bits()
    }
}

type Done = Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for Recorder<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }
    fn ensure_prepared(&mut self) -> Done {
        Ok(())
    }
    fn present(&mut self) -> Done {
        Ok(())
    }
    fn draw_pixel(&mut self, (x, y): BackendCoord, colour: BackendColor) -> Done {
        self.add(colour, None, vec![(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)]);
        Ok(())
    }
    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Done {
        self.draw_path([from, to], style)
    }
    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Done {
        self.add(style.color(), Some(style.stroke_width()), path.into_iter().collect());
        Ok(())
    }
    fn draw_rect<S: BackendStyle>(
        &mut self,
        (left, top): BackendCoord,
        (right, bottom): BackendCoord,
        style: &S,
        fill: bool,
    ) -> Done {
        let mut corners = vec![(left, top), (right, top), (right, bottom), (left, bottom)];
        if !fill {
            corners.push((left, top));
        }
        self.add(style.color(), (!fill).then(|| style.stroke_width()), corners);
        Ok(())
    }
    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, corners: I, style: &S) -> Done {
        self.add(style.color(), None, corners.into_iter().collect());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use plotters::prelude::{IntoDrawingArea, PathElement, Rectangle};
    use plotters::style::{Color, WHITE};

    use super::*;
    use crate::plot::style::INK;

    #[test]
    fn what_is_drawn_is_kept_in_order() {
        let mut shapes = Vec::new();
        let page = Recorder::new((100, 50), &mut shapes).into_drawing_area();
        page.fill(&WHITE).unwrap();
        for y in [10, 20] {
            page.draw(&PathElement::new(vec![(0, y), (9, y)], Color::stroke_width(&INK, 4))).unwrap();
        }
        page.draw(&Rectangle::new([(1, 2), (3, 4)], INK.mix(0.5).filled())).unwrap();
        drop(page);
        let told: Vec<_> = shapes.iter().map(|shape| (shape.width, shape.parts.len(), shape.opacity)).collect();
        assert_eq!(told, [(None, 1, 1.0), (Some(4), 2, 1.0), (None, 1, 0.5)]);
        assert_eq!((shapes[0].colour, shapes[1].parts[1].clone()), (WHITE, vec![(0, 20), (9, 20)]));
    }
}
