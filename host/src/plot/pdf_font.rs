//! The embedded font in a PDF: the outlines of the glyphs that a figure has, how far they advance, what they stand for.

use std::io::Write;

use ab_glyph::{Font, GlyphId};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Filter, Finish, Name, Pdf, Rect, Ref, Str};
use subsetter::GlyphRemapper;

use super::Error;
use super::text::{FONT, font};

/// Numbers of glyphs are those of the file's own, which has no other order.
const IDENTITY: SystemInfo<'_> = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
const FAMILY: &str = "Inter-Regular";

/// The glyphs of a figure.
pub(super) struct Embedded {
    numbers: GlyphRemapper,
    /// by their numbers, from 1 on: what each stands for and how far it advances
    glyphs: Vec<(char, f32)>,
}

/// A glyph as the page names it.
pub(super) struct EmbeddedGlyph {
    pub(super) number: u16,
    /// in thousandths of an em
    pub(super) advance: f32,
}

impl Embedded {
    pub(super) fn new() -> Self {
        Self { numbers: GlyphRemapper::new(), glyphs: Vec::new() }
    }

    /// The number and advance of a glyph, which stands for `text`.
    pub(super) fn glyph(&mut self, glyph: GlyphId, text: char) -> EmbeddedGlyph {
        let number = self.numbers.remap(glyph.0);
        let advance = advance(glyph);
        if usize::from(number) > self.glyphs.len() {
            self.glyphs.push((text, advance));
        }
        EmbeddedGlyph { number, advance }
    }

    /// Writes the font into a PDF as its object `first` and those that follow.
    pub(super) fn write(&self, pdf: &mut Pdf, first: Ref) -> Result<(), Error> {
        let [kind, descriptor, file, unicode] = [1, 2, 3, 4].map(|i| Ref::new(first.get() + i));
        let subset = subsetter::subset(FONT, 0, &self.numbers).map_err(|error| Error::Font(Box::new(error)))?;
        let outlines = table(&subset, b"CFF ").unwrap_or(&subset);
        let name = format!("{}+{FAMILY}", self.tag());
        let name = Name(name.as_bytes());

        pdf.type0_font(first)
            .base_font(name)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(kind)
            .to_unicode(unicode);
        let mut cid = pdf.cid_font(kind);
        cid.subtype(CidFontType::Type0).base_font(name).system_info(IDENTITY).font_descriptor(descriptor);
        // that of what the font lacks, which is glyph 0
        cid.default_width(advance(GlyphId(0))).widths().consecutive(1, self.glyphs.iter().map(|(_, advance)| *advance));
        cid.finish();
        let per_em = 1000.0 / font().units_per_em().unwrap_or(1000.0);
        let (ascent, descent) = (font().ascent_unscaled() * per_em, font().descent_unscaled() * per_em);
        pdf.font_descriptor(descriptor)
            .name(name)
            .flags(FontFlags::SYMBOLIC)
            .bbox(Rect::new(-1000.0, descent, 3000.0, ascent))
            .italic_angle(0.0)
            .ascent(ascent)
            .descent(descent)
            .cap_height(ascent)
            .stem_v(80.0)
            .font_file3(file);
        let outlines = deflated(outlines);
        pdf.stream(file, &outlines).filter(Filter::FlateDecode).pair(Name(b"Subtype"), Name(b"CIDFontType0C"));
        let mut map = UnicodeCmap::new(Name(b"Custom"), IDENTITY);
        (1u16..).zip(&self.glyphs).for_each(|(number, (text, _))| map.pair(number, *text));
        let map = deflated(&map.finish());
        pdf.cmap(unicode, &map).filter(Filter::FlateDecode);
        Ok(())
    }

    /// Six letters that tell this subset from others of the font.
    fn tag(&self) -> String {
        let mixed = self.glyphs.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, (text, _)| {
            (hash ^ u64::from(u32::from(*text))).wrapping_mul(0x0100_0000_01b3)
        });
        (0..6).map(|i| char::from(b'A' + (mixed / 26u64.pow(i) % 26) as u8)).collect()
    }
}

/// How far a glyph advances, in thousandths of an em.
fn advance(glyph: GlyphId) -> f32 {
    font().h_advance_unscaled(glyph) * 1000.0 / font().units_per_em().unwrap_or(1000.0)
}

/// A table of an OpenType file.
fn table<'a>(file: &'a [u8], tag: &[u8; 4]) -> Option<&'a [u8]> {
    let number = |at: usize| Some(u32::from_be_bytes(file.get(at..at + 4)?.try_into().ok()?) as usize);
    let tables = usize::from(u16::from_be_bytes(file.get(4..6)?.try_into().ok()?));
    // 12 bytes before the list; each of its lines holds tag, sum, place and length
    let line = (0..tables).map(|i| 12 + 16 * i).find(|at| file.get(*at..at + 4) == Some(tag))?;
    let start = number(line + 8)?;
    file.get(start..start + number(line + 12)?)
}

/// The bytes of a stream, smaller.
pub(super) fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    // a vector takes everything
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glyph_has_one_number() {
        let mut embedded = Embedded::new();
        let numbers = "abca".chars().map(|c| embedded.glyph(font().glyph_id(c), c).number);
        assert_eq!(numbers.collect::<Vec<_>>(), [1, 2, 3, 1]);
        assert_eq!(embedded.glyphs.len(), 3);
        assert!(embedded.tag().bytes().all(|letter| letter.is_ascii_uppercase()));
    }

    #[test]
    fn the_outlines_are_found_in_the_file() {
        let outlines = table(FONT, b"CFF ").unwrap();
        // the first byte of a CFF is its version
        assert!(outlines.len() > 10_000 && outlines[0] == 1);
        assert_eq!((table(FONT, b"none"), table(&FONT[..11], b"CFF ")), (None, None));
    }
}
