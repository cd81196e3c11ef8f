//! Figures: a small description, drawn to SVG and PNG by one layout.
//!
//! Drawn by plotters, with one layout for both outputs: a grid four times as fine as the units of the SVG, since plotters' backends
//! know whole steps only. What cannot be drawn (non-finite values, values <= 0 on a logarithmic axis, points outside a given
//! range) is counted and said in a note below the axes, never silently dropped.
//!
//! Titles, labels and captions know one markup: `K_{t}` for a subscript, `10^{3}` for a superscript.

mod axis;
mod error;
mod legend;
mod marks;
mod markup;
mod output;
mod picture;
mod series;
mod style;
#[cfg(test)]
mod tests;
mod text;
mod ticks;

use std::path::Path;

use crate::files;
use crate::files::write_atomic;

pub use error::Error;

pub(crate) use markup::{escape, html as markup_html, plain as markup_plain};

/// How an axis turns a value into a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Proportional to the value.
    Linear,
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
}

impl Axis {
    /// An axis as wide as its data.
    pub fn new(label: impl Into<String>, scale: Scale) -> Self {
        Self { label: label.into(), scale, range: None }
    }
}

/// How a series is drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// A solid line with a filled marker now and then.
    Line,
    /// A dashed line with a hollow marker now and then: a second quantity of the same run.
    Dashed,
    /// A thin broken line without markers: theory, not data.
    Theory,
    /// A marker at every point.
    Points,
    /// A solid line and a marker at every point.
    LinePoints,
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
    /// Index in the palette: colour, marker shape and the dashes of `Mark::Theory`.
    pub style: usize,
}

/// A figure: everything it shows, and nothing about pixels.
#[derive(Clone, Debug, PartialEq)]
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
    /// What the figure shows, for the report and for readers who cannot see it; not drawn.
    pub caption: String,
}

impl Figure {
    /// The figure as an SVG document, 900 units wide and 560 high (higher where the legend needs it).
    ///
    /// # Errors
    /// [`Error`]: the figure is not consistent.
    pub fn svg(&self) -> Result<String, Error> {
        self.check()?;
        output::svg(self)
    }

    /// The figure as a PNG, two pixels to a unit of the SVG.
    ///
    /// # Errors
    /// [`Error`]: the figure is not consistent.
    pub fn png(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        output::png(self)
    }

    /// Writes `NAME.svg` and `NAME.png` into `dir` (made if missing), each under a temporary name first.
    ///
    /// # Errors
    /// [`Error`]: the figure is not consistent, its name is no file stem, the files cannot be written.
    pub fn save(&self, dir: &Path) -> Result<(), Error> {
        let (svg, png) = (self.svg()?, self.png()?);
        if self.name.is_empty() || self.name.contains(['/', '\\']) || self.name.starts_with('.') {
            return Err(Error::Name { name: self.name.clone() });
        }
        std::fs::create_dir_all(dir).map_err(files::Error::io("create", dir))?;
        write_atomic(&dir.join(format!("{}.svg", self.name)), svg.as_bytes())?;
        Ok(write_atomic(&dir.join(format!("{}.png", self.name)), &png)?)
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
