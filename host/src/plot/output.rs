//! A figure as a document or as pixels.

use plotters::coord::Shift;

use super::cells::Cells;
use super::heat_map::Maps;
use super::markup::{escape, spoken};
use super::picture::{FRAME, Picture, WIDTH};
use super::style::UNIT;
use super::text::Text;
use super::{Error, Figure};
use plotters::prelude::{BitMapBackend, DrawingArea, DrawingBackend, IntoDrawingArea, SVGBackend};

/// A figure of either kind with everything measured.
enum Measured<'a> {
    Axes(Box<Picture<'a>>),
    Maps(Maps<'a>),
}

impl<'a> Measured<'a> {
    fn new(figure: &'a Figure) -> Self {
        if figure.maps.is_empty() { Self::Axes(Box::new(Picture::new(figure))) } else { Self::Maps(Maps::new(figure)) }
    }
    fn size(&self) -> (u32, u32) {
        match self {
            Self::Axes(picture) => picture.size(),
            Self::Maps(maps) => maps.size(),
        }
    }
    fn note(&self) -> Option<&str> {
        match self {
            Self::Axes(picture) => picture.note.as_deref(),
            Self::Maps(maps) => maps.note.as_deref(),
        }
    }
    /// Cells, which lie over what is drawn and under the text.
    fn cells(&self) -> Cells {
        match self {
            Self::Axes(_) => Cells::default(),
            Self::Maps(maps) => maps.cells(),
        }
    }
    fn draw<DB>(&self, page: &DrawingArea<DB, Shift>) -> Result<Vec<Text>, Error>
    where
        DB: DrawingBackend<ErrorType: 'static>,
    {
        match self {
            Self::Axes(picture) => picture.draw(page),
            Self::Maps(maps) => maps.draw(page),
        }
    }
}

/// The SVG. Its first tag is written here: plotters' own has no room for what the figure says to those who cannot see it.
pub(super) fn svg(figure: &Figure) -> Result<String, Error> {
    let picture = Measured::new(figure);
    let (width, height) = picture.size();
    let mut drawn = String::new();
    let texts = picture.draw(&SVGBackend::with_string(&mut drawn, (width, height)).into_drawing_area())?;
    let (_, body) = drawn.split_once('\n').unwrap_or_default();
    let (w, h) = (width / UNIT as u32, height / UNIT as u32);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {width} {height}\" \
         stroke-linejoin=\"round\" role=\"img\" aria-label=\""
    );
    escape(&mut out, &spoken(&figure.title));
    out.push_str("\">\n<desc>");
    escape(&mut out, &description(figure, picture.note()));
    out.push_str("</desc>\n");
    out.push_str(body.trim_end().strip_suffix("</svg>").unwrap_or(body));
    picture.cells().svg(&mut out);
    texts.iter().for_each(|text| text.svg(&mut out));
    out.push_str("</svg>\n");
    Ok(out)
}

/// Bytes that drawing and saving the figures of a page takes: the fine grid of one, with as much text below and above the
/// frame as the frame is high, its pixels, their filtered copy; the outlines of all texts, and the compressor.
pub const fn figure_bytes() -> u64 {
    let fine = 3 * (WIDTH * 2 * FRAME) as u64;
    fine + 2 * (fine / 4) + (8 << 20)
}

/// The PNG: each pixel a mean over 2 x 2 steps of the grid, as plotters smooths few of its edges.
pub(super) fn png(figure: &Figure) -> Result<Vec<u8>, Error> {
    let picture = Measured::new(figure);
    let (width, height) = picture.size();
    let row = 3 * width as usize;
    let mut fine = vec![0; row * height as usize];
    let texts = picture.draw(&BitMapBackend::with_buffer(&mut fine, (width, height)).into_drawing_area())?;
    picture.cells().pixels(&mut fine, width as usize);
    texts.iter().for_each(|text| text.pixels(&mut fine, width as usize));
    let mean = |i: usize| {
        let four = [i, i + 3, i + row, i + row + 3].map(|i| u16::from(fine[i]));
        (four.iter().sum::<u16>() / 4) as u8
    };
    let pixels = (0..fine.len()).step_by(2 * row).flat_map(|line| (0..row).step_by(6).map(move |x| line + x));
    let pixels: Vec<u8> = pixels.flat_map(|i| [i, i + 1, i + 2]).map(mean).collect();

    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width / 2, height / 2);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(out)
}

/// What the figure shows and what was run for it, in words.
fn description(figure: &Figure, note: Option<&str>) -> String {
    let axes = [(&figure.x, "Horizontal"), (&figure.y, "Vertical")];
    let axes = axes.map(|(axis, which)| format!(" {which}: {}.", spoken(&axis.label)));
    let listed = |what: &str, labels: Vec<String>| {
        let labels: Vec<String> = labels.into_iter().filter(|label| !label.is_empty()).collect();
        if labels.is_empty() { String::new() } else { format!(" {what}: {}.", labels.join("; ")) }
    };
    let series = listed("Series", figure.series.iter().map(|series| spoken(&series.label)).collect());
    let maps = listed("Maps", figure.maps.iter().map(|map| spoken(&map.label)).collect());
    let settings = if figure.settings.is_empty() { String::new() } else { format!(" Settings: {}.", figure.settings) };
    let note = note.map_or(String::new(), |note| format!(" {note}."));
    format!("{}{}{series}{maps}{settings}{note}", spoken(&figure.caption), axes.concat()).trim().into()
}
