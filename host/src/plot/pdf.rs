//! A figure as a PDF of one page: the shapes of the SVG, and text that can be searched and copied, in the embedded font.
//! Nothing in it depends on when or where it was written.

use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use plotters::style::RGBColor;

use super::layout::{MADE_BY, Measured};
use super::markup::spoken;
use super::pdf_font::{Embedded, deflated};
use super::shapes::Shape;
use super::style::UNIT;
use super::text::Text;
use super::{Error, Figure};

/// Points to a unit of the SVG, of which 96 are an inch.
const POINTS: f32 = 0.75;
const FONT: Name<'_> = Name(b"F");

pub(super) fn pdf(figure: &Figure) -> Result<Vec<u8>, Error> {
    let picture = Measured::new(figure);
    let (shapes, texts) = picture.shapes()?;
    let scale = POINTS / UNIT as f32;
    let [width, height] = [picture.size().0, picture.size().1].map(|steps| steps as f32 * scale);

    let mut opacities: Vec<f64> = Vec::new();
    let mut font = Embedded::new();
    let mut content = Content::new();
    // steps of the grid, downwards
    content.transform([scale, 0.0, 0.0, -scale, 0.0, height]);
    content.set_line_join(pdf_writer::types::LineJoinStyle::RoundJoin);
    shapes.iter().for_each(|shape| shape.pdf(&mut content, &mut opacities));
    content.set_parameters(Name(&opacity_name(&mut opacities, 1.0)));
    for (colour, rectangles) in picture.cells().fills() {
        fill(&mut content, *colour);
        for [x, y, across, down] in rectangles {
            // a step more, as viewers smooth each edge alone and leave a gap between two
            content.rect(*x as f32, *y as f32, (*across + 1) as f32, (*down + 1) as f32);
        }
        content.fill_nonzero();
    }
    texts.iter().for_each(|text| text.pdf(&mut content, &mut font));

    let [catalog, pages, page, stream, info, first] = [1, 2, 3, 4, 5, 6].map(Ref::new);
    let mut pdf = Pdf::new();
    pdf.set_version(1, 7);
    pdf.catalog(catalog).pages(pages).lang(TextStr("en")).viewer_preferences().display_doc_title(true);
    pdf.pages(pages).kids([page]).count(1);
    let mut written = pdf.page(page);
    written.parent(pages).media_box(Rect::new(0.0, 0.0, width, height)).contents(stream);
    let mut resources = written.resources();
    resources.fonts().pair(FONT, first);
    let mut states = resources.ext_g_states();
    for opacity in opacities.clone() {
        let name = opacity_name(&mut opacities, opacity);
        let mut state = states.insert(Name(&name)).start::<pdf_writer::writers::ExtGraphicsState<'_>>();
        state.stroking_alpha(opacity as f32).non_stroking_alpha(opacity as f32);
    }
    states.finish();
    resources.finish();
    written.finish();
    let content = deflated(&content.finish());
    pdf.stream(stream, &content).filter(pdf_writer::Filter::FlateDecode);
    font.write(&mut pdf, first)?;
    let (title, shown) = (spoken(&figure.title), picture.description(figure));
    let mut about = pdf.document_info(info);
    about.title(TextStr(&title)).subject(TextStr(&shown)).creator(TextStr(MADE_BY)).producer(TextStr(MADE_BY));
    if !figure.settings.is_empty() {
        about.keywords(TextStr(&figure.settings));
    }
    about.finish();
    Ok(pdf.finish())
}

/// The name under which the page knows an opacity; it is added to those known.
fn opacity_name(known: &mut Vec<f64>, opacity: f64) -> Vec<u8> {
    let at = known.iter().position(|other| other.to_bits() == opacity.to_bits()).unwrap_or_else(|| {
        known.push(opacity);
        known.len() - 1
    });
    format!("O{at}").into_bytes()
}

/// The parts of a colour, from 0 to 1.
fn parts(RGBColor(r, g, b): RGBColor) -> [f32; 3] {
    [r, g, b].map(|v| f32::from(v) / 255.0)
}

fn fill(content: &mut Content, colour: RGBColor) {
    let [r, g, b] = parts(colour);
    content.set_fill_rgb(r, g, b);
}

impl Shape {
    fn pdf(&self, content: &mut Content, opacities: &mut Vec<f64>) {
        content.set_parameters(Name(&opacity_name(opacities, self.opacity)));
        let [r, g, b] = parts(self.colour);
        match self.width {
            Some(width) => content.set_stroke_rgb(r, g, b).set_line_width(width as f32),
            None => content.set_fill_rgb(r, g, b),
        };
        for part in &self.parts {
            for (i, (x, y)) in part.iter().enumerate() {
                let (x, y) = (*x as f32, *y as f32);
                if i == 0 {
                    content.move_to(x, y)
                } else {
                    content.line_to(x, y)
                };
            }
            if self.width.is_none() {
                content.close_path();
            }
        }
        if self.width.is_some() {
            content.stroke()
        } else {
            content.fill_nonzero()
        };
    }
}

impl Text {
    /// Appends it as one text object, piece by piece of one size and height.
    fn pdf(&self, content: &mut Content, font: &mut Embedded) {
        let characters = self.characters();
        if characters.iter().all(|character| character.text.is_whitespace()) {
            return;
        }
        content.begin_text();
        fill(content, self.colour());
        for piece in characters.chunk_by(|a, b| a.em.to_bits() == b.em.to_bits() && a.y.to_bits() == b.y.to_bits()) {
            let Some(first) = piece.first() else { continue };
            content.set_font(FONT, first.em);
            // upright, where the page runs downwards
            content.set_text_matrix([1.0, 0.0, 0.0, -1.0, first.x, first.y]);
            let mut shown = content.show_positioned();
            let mut items = shown.items();
            let mut pen = first.x;
            for character in piece {
                // what kerning has moved it by, against the direction of the text and in thousandths of an em
                let moved = 1000.0 * (pen - character.x) / first.em;
                if moved.abs() > 0.5 {
                    items.adjust(moved.round());
                }
                let glyph = font.glyph(character.glyph, character.text);
                items.show(Str(&glyph.number.to_be_bytes()));
                pen = character.x + glyph.advance * first.em / 1000.0;
            }
        }
        content.end_text();
    }
}
