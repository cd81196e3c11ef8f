//! A figure as an SVG document.
//!
//! Colours are attributes and not a style, so that a page which holds the document has them otherwise where its reader
//! wants it dark (see [`super::dark`]); a file that stands alone is light on white.

use std::fmt::Write;

use plotters::style::RGBColor;

use super::layout::{MADE_BY, Measured};
use super::markup::{escape, spoken};
use super::shapes::Shape;
use super::style::UNIT;
use super::{Error, Figure};

/// Most values of a series, or along a side of a map, that can be asked for by pointing at them.
const HOVERED: usize = 32;

pub(super) fn svg(figure: &Figure) -> Result<String, Error> {
    let picture = Measured::new(figure);
    let (width, height) = picture.size();
    let (shapes, texts) = picture.shapes()?;
    let (w, h) = (width / UNIT as u32, height / UNIT as u32);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {width} {height}\" \
         stroke-linejoin=\"round\" role=\"img\" aria-label=\""
    );
    let title = spoken(&figure.title);
    escape(&mut out, &title);
    out.push_str("\">\n");
    let made = if figure.settings.is_empty() { MADE_BY.into() } else { figure.settings.clone() };
    for (tag, text) in [("title", title), ("desc", picture.description(figure)), ("metadata", made)] {
        let _ = write!(out, "<{tag}>");
        escape(&mut out, &text);
        let _ = writeln!(out, "</{tag}>");
    }
    shapes.iter().for_each(|shape| shape.svg(&mut out));
    picture.cells().svg(&mut out);
    texts.iter().for_each(|text| text.svg(&mut out));
    let room = out.len() / 2;
    out.push_str(&hovers(&picture, room));
    out.push_str("</svg>\n");
    Ok(out)
}

/// The values that can be asked for, as many as fit: half as many of a series until they take no more than `room` bytes.
fn hovers(picture: &Measured<'_>, room: usize) -> String {
    let most = std::iter::successors(Some(HOVERED), |most| (*most > 2).then_some(most / 2));
    for most in most {
        let hovers = picture.hovers(most);
        let mut out = String::new();
        hovers.iter().for_each(|hover| hover.svg(&mut out));
        if out.len() <= room {
            // areas without a look, that can be pointed at all the same
            return if out.is_empty() { out } else { format!("<g fill-opacity=\"0\">\n{out}</g>\n") };
        }
    }
    String::new()
}

impl Shape {
    /// Appends it as one path.
    fn svg(&self, out: &mut String) {
        let RGBColor(r, g, b) = self.colour;
        let what = if self.width.is_some() { "stroke" } else { "fill" };
        let _ = match self.width {
            Some(width) => {
                write!(out, "<path fill=\"none\" stroke=\"#{r:02x}{g:02x}{b:02x}\" stroke-width=\"{width}\"")
            }
            None => write!(out, "<path fill=\"#{r:02x}{g:02x}{b:02x}\""),
        };
        if self.opacity < 1.0 {
            let _ = write!(out, " {what}-opacity=\"{}\"", self.opacity);
        }
        out.push_str(" d=\"");
        for part in &self.parts {
            let [(x, y), rest @ ..] = &part[..] else { continue };
            let _ = write!(out, "M{x} {y}");
            let (mut x, mut y) = (*x, *y);
            for (i, (to_x, to_y)) in rest.iter().enumerate() {
                let command = if i == 0 { "l" } else { " " };
                let _ = write!(out, "{command}{} {}", to_x - x, to_y - y);
                (x, y) = (*to_x, *to_y);
            }
            if self.width.is_none() {
                out.push('z');
            }
        }
        out.push_str("\"/>\n");
    }
}
