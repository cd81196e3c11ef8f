//! A figure as pixels.

use plotters::prelude::{BitMapBackend, IntoDrawingArea};

use super::layout::Measured;
use super::picture::{FRAME, WIDTH};
use super::{Error, Figure, FigureStyle};

/// Bytes that drawing and saving the figures of a page takes: the fine grid of one, with as much text below and above the
/// frame as the frame is high, more where it is larger, its pixels, their filtered copy; the outlines of all texts, and the
/// compressor.
pub const fn figure_bytes(style: FigureStyle) -> u64 {
    let fine = 3 * (WIDTH * (FRAME + style.text(FRAME))) as u64;
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
    let mut pixels = vec![0; fine.len() / 4];
    for (line, rows) in pixels.chunks_exact_mut(row / 2).zip(fine.chunks_exact(2 * row)) {
        let (upper, lower) = rows.split_at(row);
        for (i, mean) in line.iter_mut().enumerate() {
            // the first of the colour's two bytes in either row
            let at = i / 3 * 6 + i % 3;
            let four = [upper[at], upper[at + 3], lower[at], lower[at + 3]];
            *mean = ((u16::from(four[0]) + u16::from(four[1]) + u16::from(four[2]) + u16::from(four[3])) / 4) as u8;
        }
    }

    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width / 2, height / 2);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(out)
}
