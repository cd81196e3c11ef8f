//! Text in the embedded font (licence: `font/OFL.txt`), laid out and drawn as outlines, so that neither lengths nor pixels
//! nor an SVG depend on a machine's fonts.

use std::fmt::Write;
use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, Glyph, GlyphId, OutlineCurve, Point, PxScale};
use plotters::style::RGBColor;

use super::markup::{self, Level};
use super::style::INK;

pub(super) static FONT: &[u8] = include_bytes!("font/inter-regular-subset.otf");
/// Size of lowered and raised characters, as a share of the others'.
const SMALL: f32 = 0.75;
/// How far their baseline lies below and above the others', in ems.
const LOWERED: f32 = 0.19;
const RAISED: f32 = 0.36;
/// Steps of an outline's coordinates to a step of the grid.
const FINE: f32 = 10.0;

pub(super) fn font() -> &'static FontRef<'static> {
    static READ: OnceLock<FontRef<'static>> = OnceLock::new();
    READ.get_or_init(|| FontRef::try_from_slice(FONT).expect("the embedded font is whole"))
}

/// Which end of a line of text its place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A line of text with its markup, at a place on its baseline.
#[derive(Clone, Debug)]
pub(super) struct Text {
    label: String,
    at: (i32, i32),
    size: i32,
    anchor: Anchor,
    colour: RGBColor,
}

/// A character of a line: where it begins, against the start of the baseline, and the size of an em.
pub(super) struct Placed {
    pub(super) text: char,
    pub(super) glyph: GlyphId,
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) em: f32,
}

impl Text {
    pub(super) fn new(label: impl Into<String>, at: (i32, i32), size: i32, anchor: Anchor) -> Self {
        Self { label: label.into(), at, size, anchor, colour: INK }
    }
    pub(super) fn coloured(self, colour: RGBColor) -> Self {
        Self { colour, ..self }
    }

    pub(super) fn colour(&self) -> RGBColor {
        self.colour
    }

    /// Its characters in steps of the grid.
    pub(super) fn characters(&self) -> Vec<Placed> {
        let (mut placed, width) = layout(&self.label, self.size);
        let start = match self.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -width / 2.0,
            Anchor::End => -width,
        };
        for character in &mut placed {
            character.x += self.at.0 as f32 + start;
            character.y += self.at.1 as f32;
        }
        placed
    }

    /// Appends it to an SVG as one path.
    pub(super) fn svg(&self, out: &mut String) {
        let mut path = String::new();
        self.characters().iter().for_each(|character| character.path(&mut path));
        let RGBColor(r, g, b) = self.colour;
        if !path.is_empty() {
            let _ = writeln!(
                out,
                "<path fill=\"#{r:02x}{g:02x}{b:02x}\" transform=\"scale({})\" d=\"{path}\"/>",
                1.0 / FINE
            );
        }
    }

    /// Lays it over pixels, three bytes each, `width` to a row.
    pub(super) fn pixels(&self, pixels: &mut [u8], width: usize) {
        let RGBColor(r, g, b) = self.colour;
        for Placed { glyph, x, y, em, .. } in self.characters() {
            let whole = em * font().height_unscaled() / font().units_per_em().unwrap_or(1000.0);
            let position = Point { x, y };
            let Some(outline) = font().outline_glyph(Glyph { id: glyph, scale: PxScale::from(whole), position }) else {
                continue;
            };
            let corner = outline.px_bounds().min;
            outline.draw(|dx, dy, covered| {
                let (x, y) = (corner.x as i64 + i64::from(dx), corner.y as i64 + i64::from(dy));
                let Some(at) = pixel(x, y, width).filter(|at| at + 3 <= pixels.len()) else { return };
                for (below, above) in pixels[at..at + 3].iter_mut().zip([r, g, b]) {
                    let mixed = f32::from(*below) + covered.min(1.0) * (f32::from(above) - f32::from(*below));
                    *below = mixed.round() as u8;
                }
            });
        }
    }
}

/// Where a pixel lies; `None` beside the picture.
fn pixel(x: i64, y: i64, width: usize) -> Option<usize> {
    let (x, y) = (usize::try_from(x).ok().filter(|x| *x < width)?, usize::try_from(y).ok()?);
    Some(3 * (y * width + x))
}

impl Placed {
    /// Appends its outline, in steps of a tenth.
    fn path(&self, out: &mut String) {
        let Some(outline) = font().outline(self.glyph) else { return };
        let scale = self.em / font().units_per_em().unwrap_or(1000.0);
        let on = |p: Point| {
            let fine = |v: f32| (v * FINE).round() as i32;
            (fine(self.x + p.x * scale), fine(self.y - p.y * scale))
        };
        let mut last = None;
        for curve in &outline.curves {
            let points: &[Point] = match curve {
                OutlineCurve::Line(a, b) => &[*a, *b],
                OutlineCurve::Quad(a, b, c) => &[*a, *b, *c],
                OutlineCurve::Cubic(a, b, c, d) => &[*a, *b, *c, *d],
            };
            let [from, rest @ ..] = points else { continue };
            let from = on(*from);
            if last != Some(from) {
                let _ = write!(out, "{}M{} {}", if last.is_some() { "z" } else { "" }, from.0, from.1);
            }
            out.push(['l', 'q', 'c'][rest.len() - 1]);
            for (i, point) in rest.iter().enumerate() {
                let to = on(*point);
                let space = if i == 0 { "" } else { " " };
                let _ = write!(out, "{space}{} {}", to.0 - from.0, to.1 - from.1);
                last = Some(to);
            }
        }
        if last.is_some() {
            out.push('z');
        }
    }
}

/// The characters of a line and its length.
fn layout(label: &str, size: i32) -> (Vec<Placed>, f32) {
    let font = font();
    let unit = 1.0 / font.units_per_em().unwrap_or(1000.0);
    let (mut placed, mut x) = (Vec::new(), 0.0);
    for (level, run) in markup::runs(label) {
        let (share, y) = match level {
            Level::Base => (1.0, 0.0),
            Level::Sub => (SMALL, LOWERED),
            Level::Super => (SMALL, -RAISED),
        };
        let (em, y) = (size as f32 * share, size as f32 * y);
        let mut before = None;
        for c in run.chars() {
            let text = if c.is_control() { ' ' } else { c };
            let glyph = font.glyph_id(text);
            if let Some(before) = before {
                x += font.kern_unscaled(before, glyph) * unit * em;
            }
            placed.push(Placed { text, glyph, x, y, em });
            x += font.h_advance_unscaled(glyph) * unit * em;
            before = Some(glyph);
        }
    }
    (placed, x)
}

/// Length of a line of text.
pub(super) fn width(label: &str, size: i32) -> i32 {
    layout(label, size).1.ceil() as i32
}

/// The text in lines no longer than `room`, broken at blanks outside of markup and of equations; a word longer than that is cut, with an
/// ellipsis.
pub(super) fn wrap(label: &str, size: i32, room: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words(label) {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(cut(word, size, room)),
        }
    }
    lines
}

/// Split at blanks that stand in no braces and beside no equals sign.
fn words(label: &str) -> Vec<&str> {
    let (mut depth, mut start, mut words) = (0i32, 0, Vec::new());
    for (at, c) in label.char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        let (before, after) = (&label[..at], &label[at + c.len_utf8()..]);
        if c.is_whitespace() && depth <= 0 && !before.ends_with('=') && !after.starts_with('=') {
            words.push(&label[start..at]);
            start = at + c.len_utf8();
        }
    }
    words.push(&label[start..]);
    words.retain(|word| !word.is_empty());
    words
}

/// The word if it fits into `room`, else as much of it as fits with an ellipsis.
fn cut(word: &str, size: i32, room: i32) -> String {
    if width(word, size) <= room {
        return word.into();
    }
    let plain = markup::plain(word);
    let cuts = plain.char_indices().rev().map(|(end, _)| format!("{}…", &plain[..end]));
    cuts.into_iter().find(|cut| width(cut, size) <= room).unwrap_or_else(|| "…".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_what_labels_of_kernels_need() {
        let missing = font().glyph_id('\u{e000}');
        for c in "|−×≤≥·…±∞→‖ΘθλκστφδΔΛεα√∂∑≈′≠*".chars() {
            assert_ne!(font().glyph_id(c), missing, "no glyph for {c}");
        }
    }

    #[test]
    fn lowered_and_raised_text_is_smaller_and_keeps_its_letters() {
        let (placed, whole) = layout("f^{GP}_{T}", 1000);
        assert_eq!(placed.len(), 4);
        let em: Vec<f32> = placed.iter().map(|p| p.em).collect();
        assert_eq!(em, [1000.0, 750.0, 750.0, 750.0]);
        assert!(placed[1].y < 0.0 && placed[3].y > 0.0 && placed[3].x > placed[2].x);
        assert!(whole < layout("fGPT", 1000).1);
    }

    #[test]
    fn long_text_is_broken_and_a_long_word_is_cut() {
        let label = "a very long label with K_{t t} in it";
        for room in [80, 120, 160] {
            let lines = wrap(label, 12, room);
            assert!(lines.iter().all(|line| width(line, 12) <= room), "{lines:?}");
            assert_eq!(lines.join(" "), label);
        }
        assert_eq!(wrap(label, 12, 1000), [label]);
        let cut = wrap("incomprehensibilities", 12, 60);
        assert!(cut[0].ends_with('…') && width(&cut[0], 12) <= 60, "{cut:?}");
        assert_eq!(wrap("word", 12, -5), ["…"]);
        assert_eq!(words("FCN, L = 2, K_{t t}"), ["FCN,", "L = 2,", "K_{t t}"]);
        assert!(wrap("", 12, 100).is_empty());
    }

    #[test]
    fn text_is_one_path_of_closed_outlines() {
        let mut svg = String::new();
        Text::new("K_{t} = 10^{−3}", (100, 100), 60, Anchor::Middle).svg(&mut svg);
        assert_eq!(svg.matches("<path").count(), 1);
        let outlines = svg.matches('M').count();
        assert!(outlines > 7 && svg.matches('z').count() == outlines, "{svg}");
        Text::new("  ", (0, 0), 60, Anchor::End).svg(&mut svg);
        assert_eq!(svg.matches("<path").count(), 1);
    }
}
