//! Figures: a small description, drawn to SVG, PDF and PNG by one layout.
//!
//! Drawn by plotters, with one layout for all outputs: a grid four times as fine as the units of the SVG, since plotters' backends
//! know whole steps only. SVG and PDF are written from the shapes that it draws. What cannot be drawn (non-finite values, values <= 0 on a logarithmic axis, points outside a given
//! range) is counted and said in a note below the axes, never silently dropped.
//!
//! Titles, labels and captions know one markup: `K_{t}` for a subscript, `10^{3}` for a superscript. Text is drawn as outlines
//! of the embedded font; in a PDF it is text, with a subset of that font.

mod axis;
mod cells;
mod dark;
mod error;
mod figure_style;
mod heat_map;
mod hover;
mod hue;
mod layout;
mod legend;
mod marks;
mod markup;
mod pdf;
mod pdf_font;
mod picture;
mod png;
#[cfg(test)]
pub(crate) mod rules;
mod series;
mod shapes;
mod style;
mod svg;
#[cfg(test)]
mod tests;
mod text;
mod ticks;

use std::path::Path;

use crate::files;
use crate::files::write_atomic;

pub use error::Error;
pub use figure_style::FigureStyle;
pub use heat_map::{HeatMap, MOST_CELLS, Shading};
pub use hue::{Hue, Palette, contrast_on_white};
pub use png::figure_bytes;

pub(crate) use dark::dark_rules;
pub(crate) use markup::{escape, html as markup_html, spoken as markup_spoken};

/// How an axis turns a value into a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Proportional to the value.
    Linear,
    /// Proportional to the square root of the value; values < 0 are left out and counted in the note.
    Root,
    /// Proportional to log10 of the value; values <= 0 are left out and counted in the note.
    Log,
    /// As `Log`, for a time that starts at 0: the value 0 is left out without a note, the axis begins at the first positive one.
    LogTime,
    /// The data are decimal logarithms already, and ticks read 10^k: for times beyond the range of an f64. Minus infinity
    /// (log10 of 0) is left out without a note.
    Exponent,
}

/// One axis: what it shows, with its unit, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Name and unit.
    pub label: String,
    /// How values become positions.
    pub scale: Scale,
    /// The interval shown, in the unit of the data; `None`: just enough for all the data.
    pub range: Option<(f64, f64)>,
    /// Of a grid of a few values, such as widths: ticks stand at the values of the data and nowhere else.
    pub measured: bool,
}

impl Default for Axis {
    fn default() -> Self {
        Self::new("", Scale::Linear)
    }
}

impl Axis {
    /// An axis as wide as its data.
    pub fn new(label: impl Into<String>, scale: Scale) -> Self {
        Self { label: label.into(), scale, range: None, measured: false }
    }
    /// An axis whose ticks stand at the values of the data.
    pub fn measured(label: impl Into<String>, scale: Scale) -> Self {
        Self { measured: true, ..Self::new(label, scale) }
    }
}

/// Most points of a line that has a marker at each; one of more has none.
pub const MARKED: usize = 12;

/// How a series is drawn. Lines have a marker at every point, or, from [`MARKED`] on, at none.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// A solid line, its markers filled.
    Line,
    /// A dashed line, its markers hollow: a second quantity of the same run.
    Dashed,
    /// A broken line in black or grey without markers: theory, not data.
    Theory,
    /// A thin solid line without markers: what was fitted to the data of the same colour.
    Fit,
    /// A solid line without markers: the outline of a histogram, whose corners are no data.
    Outline,
    /// A marker at every point.
    Points,
    /// A solid line over a band, for a spread over seeds. On a logarithmic axis a lower limit <= 0 reaches the frame.
    Band {
        /// Lower limit, one value per point.
        low: Vec<f64>,
        /// Upper limit, one value per point.
        high: Vec<f64>,
    },
}

/// One set of points and how to draw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What the legend says; empty: not in the legend.
    pub label: String,
    /// Horizontal values.
    pub x: Vec<f64>,
    /// Vertical values, as many.
    pub y: Vec<f64>,
    /// How it is drawn.
    pub mark: Mark,
    /// What its colour stands for; [`Hue::Theory`] for [`Mark::Theory`], and for nothing else.
    pub hue: Hue,
}

impl Series {
    /// A line of theory.
    pub fn theory(label: impl Into<String>, x: Vec<f64>, y: Vec<f64>) -> Self {
        Self { label: label.into(), x, y, mark: Mark::Theory, hue: Hue::Theory }
    }
    /// Measured points.
    pub fn new(label: impl Into<String>, (x, y): (Vec<f64>, Vec<f64>), mark: Mark, hue: Hue) -> Self {
        Self { label: label.into(), x, y, mark, hue }
    }
    /// How many of its points have a marker.
    pub fn markers(&self) -> usize {
        match self.mark {
            Mark::Theory | Mark::Fit | Mark::Outline => 0,
            Mark::Points => self.x.len(),
            Mark::Line | Mark::Dashed | Mark::Band { .. } if self.x.len() <= MARKED => self.x.len(),
            Mark::Line | Mark::Dashed | Mark::Band { .. } => 0,
        }
    }
}

/// A figure: everything it shows, and nothing about pixels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figure {
    /// File stem.
    pub name: String,
    /// Heading, drawn above the axes.
    pub title: String,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// What is drawn, back to front (bands always lie behind).
    pub series: Vec<Series>,
    /// Heat maps, each with the legend of its scale, in place of axes and series; then `x` and `y` only name what the columns
    /// and the rows are.
    pub maps: Vec<HeatMap>,
    /// What the figure shows, for the report and for readers who cannot see it; not drawn.
    pub caption: String,
    /// What was run for it, for an SVG that stands alone; not drawn.
    pub settings: String,
    /// The colours of the page that the figure belongs to; `None`: it stands alone.
    pub palette: Option<Palette>,
    /// What it is drawn for.
    pub style: FigureStyle,
}

/// Gives the figures of a page one palette, so that a colour stands for one thing in all of them.
pub fn share_palette(figures: &mut [&mut Figure]) {
    let palette = Palette::new(figures.iter().map(|figure| &**figure));
    figures.iter_mut().for_each(|figure| figure.palette = Some(palette.clone()));
}

impl Figure {
    /// The figure as an SVG document, 640 units wide and as high as legend and title need it.
    ///
    /// # Errors
    /// [`Error`]: the figure is not consistent.
    pub fn svg(&self) -> Result<String, Error> {
        self.check()?;
        svg::svg(self)
    }

    /// The figure as a PNG, two pixels to a unit of the SVG.
    ///
    /// # Errors
    /// [`Error`]: the figure is not consistent.
    pub fn png(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        png::png(self)
    }

    /// The figure as a PDF of one page, with text that can be searched.
    ///
    /// # Errors
    /// [`Error`]: the figure is not consistent.
    pub fn pdf(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        pdf::pdf(self)
    }

    /// Writes `NAME.svg`, `NAME.pdf` and `NAME.png` into `dir` (made if missing), each under a temporary name first.
    ///
    /// # Errors
    /// [`Error`]: the figure is not consistent, its name is no file stem, the files cannot be written.
    pub fn save(&self, dir: &Path) -> Result<(), Error> {
        let files = [("svg", self.svg()?.into_bytes()), ("pdf", self.pdf()?), ("png", self.png()?)];
        if self.name.is_empty() || self.name.contains(['/', '\\']) || self.name.starts_with('.') {
            return Err(Error::Name { name: self.name.clone() });
        }
        std::fs::create_dir_all(dir).map_err(files::Error::io("create", dir))?;
        let write =
            |(ending, bytes): &(&str, Vec<u8>)| write_atomic(&dir.join(format!("{}.{ending}", self.name)), bytes);
        Ok(files.iter().try_for_each(write)?)
    }

    fn check(&self) -> Result<(), Error> {
        let figure = || self.name.clone();
        for series in &self.series {
            let x = series.x.len();
            let band = match &series.mark {
                Mark::Band { low, high } => [("lower limits", low.len()), ("upper limits", high.len())],
                _ => [("y", x); 2],
            };
            if let Some((what, other)) = [("y", series.y.len())].into_iter().chain(band).find(|(_, n)| *n != x) {
                return Err(Error::Lengths { figure: figure(), series: series.label.clone(), x, what, other });
            }
            if (series.mark == Mark::Theory) != (series.hue == Hue::Theory) {
                return Err(Error::Hue { figure: figure(), series: series.label.clone() });
            }
        }
        for HeatMap { label, side, cells, .. } in &self.maps {
            let whole = *side > 0 && *side <= MOST_CELLS && cells.len() == side * side;
            if !whole || !self.series.is_empty() {
                return Err(Error::Map { figure: figure(), map: label.clone(), side: *side, cells: cells.len() });
            }
        }
        for (axis, Axis { range, scale, .. }) in [("x", &self.x), ("y", &self.y)] {
            let Some((low, high)) = *range else { continue };
            let positive = matches!(scale, Scale::Log | Scale::LogTime);
            if !(low.is_finite() && high.is_finite() && low < high) || (positive && low <= 0.0) {
                return Err(Error::Range { figure: figure(), axis, low, high });
            }
        }
        Ok(())
    }
}
