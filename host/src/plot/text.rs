//! Text as outlines of the embedded font (licence: `font/OFL.txt`), so that no machine's fonts matter.
//!
//! Letters are set one after another by their advance widths. A character the font lacks shows as its empty box.

use super::markup::{Level, runs};
use super::scene::{Path, Point, Step};
use std::sync::OnceLock;
use ttf_parser::{Face, GlyphId, OutlineBuilder};

static FONT: &[u8] = include_bytes!("font/inter-regular-subset.otf");

fn face() -> &'static Face<'static> {
    static FACE: OnceLock<Face<'static>> = OnceLock::new();
    FACE.get_or_init(|| Face::parse(FONT, 0).expect("the embedded font is whole"))
}

/// Which part of the text the given point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// One glyph of a label: where its origin lies along the baseline, how far it is raised, at which size.
struct Placed {
    glyph: GlyphId,
    level: Level,
    character: char,
    along: f64,
    raise: f64,
    size: f64,
    advance: f64,
}

fn set(label: &str, size: f64) -> Vec<Placed> {
    let face = face();
    let mut along = 0.0;
    let mut placed = Vec::new();
    for (level, text) in runs(label) {
        let (size, raise) = match level {
            Level::Base => (size, 0.0),
            Level::Sub => (size * 0.72, -0.2 * size),
            Level::Super => (size * 0.72, 0.36 * size),
        };
        for character in text.chars() {
            let glyph = face.glyph_index(character).unwrap_or(GlyphId(0));
            let units = f64::from(face.glyph_hor_advance(glyph).unwrap_or(0));
            let advance = units * size / f64::from(face.units_per_em());
            placed.push(Placed { glyph, level, character, along, raise, size, advance });
            along += advance;
        }
    }
    placed
}

/// Length of a label along its baseline.
pub(super) fn width(label: &str, size: f64) -> f64 {
    set(label, size).last().map_or(0.0, |last| last.along + last.advance)
}

/// The label if it is no longer than `room`, else as much of it as fits with an ellipsis.
pub(super) fn fit(label: &str, size: f64, room: f64) -> String {
    if width(label, size) <= room {
        return label.into();
    }
    let room = room - width("…", size);
    let mut out = String::new();
    let mut level = Level::Base;
    for glyph in set(label, size).iter().take_while(|glyph| glyph.along + glyph.advance <= room) {
        if glyph.level != level {
            if level != Level::Base {
                out.push('}');
            }
            out.push_str(match glyph.level {
                Level::Base => "",
                Level::Sub => "_{",
                Level::Super => "^{",
            });
            level = glyph.level;
        }
        out.push(glyph.character);
    }
    if level != Level::Base {
        out.push('}');
    }
    out.truncate(out.trim_end().len());
    out.push('…');
    out
}

/// The label's outline with its baseline through `at`; `upwards`: turned to read from bottom to top.
pub(super) fn outline(label: &str, size: f64, at: Point, anchor: Anchor, upwards: bool) -> Path {
    let shift = match anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => -width(label, size) / 2.0,
        Anchor::End => -width(label, size),
    };
    let mut path = Path::default();
    for glyph in set(label, size) {
        let scale = glyph.size / f64::from(face().units_per_em());
        let mut pen = Pen { path: &mut path, at, along: glyph.along + shift, raise: glyph.raise, scale, upwards };
        face().outline_glyph(glyph.glyph, &mut pen);
    }
    path
}

/// Takes a glyph's outline in the font's units (y upwards) and appends it in the picture's.
struct Pen<'a> {
    path: &'a mut Path,
    at: Point,
    along: f64,
    raise: f64,
    scale: f64,
    upwards: bool,
}

impl Pen<'_> {
    fn point(&self, x: f32, y: f32) -> Point {
        let along = self.along + f64::from(x) * self.scale;
        let up = self.raise + f64::from(y) * self.scale;
        if self.upwards { (self.at.0 - up, self.at.1 - along) } else { (self.at.0 + along, self.at.1 - up) }
    }
}

impl OutlineBuilder for Pen<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        self.path.0.push(Step::Move(self.point(x, y)));
    }
    fn line_to(&mut self, x: f32, y: f32) {
        self.path.0.push(Step::Line(self.point(x, y)));
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.path.0.push(Step::Quad(self.point(x1, y1), self.point(x, y)));
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.path.0.push(Step::Cubic(self.point(x1, y1), self.point(x2, y2), self.point(x, y)));
    }
    fn close(&mut self) {
        self.path.0.push(Step::Close);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_what_labels_of_kernels_need() {
        for c in "|−×≤≥·…±∞→‖ΘθλκστφδΔ√∂∑≈′".chars() {
            assert!(face().glyph_index(c).is_some(), "no glyph for {c}");
        }
    }

    #[test]
    fn a_label_too_long_is_cut_to_the_room() {
        let label = "a very long label with K_{subscript} in it";
        for room in [40.0, 120.0, 160.0, 190.0] {
            let cut = fit(label, 12.0, room);
            assert!(cut.ends_with('…') && width(&cut, 12.0) <= room, "{cut:?} in {room}");
        }
        assert_eq!(fit(label, 12.0, 1e3), label);
        assert_eq!(fit(label, 12.0, -5.0), "…");
    }
}
