//! A figure as a document or as pixels.

use super::markup::{escape, spoken};
use super::picture::{FRAME, Picture, WIDTH};
use super::style::UNIT;
use super::{Error, Figure};
use plotters::prelude::{BitMapBackend, IntoDrawingArea, SVGBackend};

/// The SVG. Its first tag is written here: plotters' own has no room for what the figure says to those who cannot see it.
pub(super) fn svg(figure: &Figure) -> Result<String, Error> {
    let picture = Picture::new(figure);
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
    escape(&mut out, &description(figure, picture.note.as_deref()));
    out.push_str("</desc>\n");
    out.push_str(body.trim_end().strip_suffix("</svg>").unwrap_or(body));
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
    let picture = Picture::new(figure);
    let (width, height) = picture.size();
    let row = 3 * width as usize;
    let mut fine = vec![0; row * height as usize];
    let texts = picture.draw(&BitMapBackend::with_buffer(&mut fine, (width, height)).into_drawing_area())?;
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
    let series: Vec<_> = figure.series.iter().map(|series| spoken(&series.label)).filter(|l| !l.is_empty()).collect();
    let series = if series.is_empty() { String::new() } else { format!(" Series: {}.", series.join("; ")) };
    let settings = if figure.settings.is_empty() { String::new() } else { format!(" Settings: {}.", figure.settings) };
    let note = note.map_or(String::new(), |note| format!(" {note}."));
    format!("{}{}{series}{settings}{note}", spoken(&figure.caption), axes.concat()).trim().into()
}
