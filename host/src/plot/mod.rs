//! Figures: a small description, drawn to SVG and PNG by one layout.
//!
//! Drawn by plotters, with one layout for both outputs: a grid four times as fine as the units of the SVG, since plotters' backends
//! know whole steps only. What cannot be drawn (non-finite values, values <= 0 on a logarithmic axis, points outside a given
//! range) is counted and said in a note below the axes, never silently dropped.
//!
//! Titles, labels and captions know one markup: `K_{t}` for a subscript, `10^{3}` for a superscript.

mod axis;
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

use crate::files::write_atomic;
use anyhow::{Context, Result, ensure};
use std::path::Path;

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
    pub fn svg(&self) -> Result<String> {
        self.check()?;
        output::svg(self)
    }

    /// The figure as a PNG, two pixels to a unit of the SVG.
    pub fn png(&self) -> Result<Vec<u8>> {
        self.check()?;
        output::png(self)
    }

    /// Writes `NAME.svg` and `NAME.png` into `dir` (made if missing), each under a temporary name first.
    pub fn save(&self, dir: &Path) -> Result<()> {
        let (svg, png) = (self.svg()?, self.png()?);
        ensure!(
            !self.name.is_empty() && !self.name.contains(['/', '\\']) && !self.name.starts_with('.'),
            "a figure's name is a file stem, not {:?}",
            self.name
        );
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
        write_atomic(&dir.join(format!("{}.svg", self.name)), svg.as_bytes())?;
        Ok(write_atomic(&dir.join(format!("{}.png", self.name)), &png)?)
    }

    fn check(&self) -> Result<()> {
        self.whole().with_context(|| format!("figure {:?}", self.name))
    }

    fn whole(&self) -> Result<()> {
        for series in &self.series {
            let n = series.x.len();
            ensure!(series.y.len() == n, "series {:?} has {n} x but {} y", series.label, series.y.len());
            if let Mark::Band { low, high } = &series.mark {
                ensure!(
                    low.len() == n && high.len() == n,
                    "series {:?} has {n} points but {} lower and {} upper limits",
                    series.label,
                    low.len(),
                    high.len()
                );
            }
        }
        for (name, axis) in [("x", &self.x), ("y", &self.y)] {
            if let Some((low, high)) = axis.range {
                ensure!(low.is_finite() && high.is_finite() && low < high, "{name} range {low}..{high} is empty");
                let positive = matches!(axis.scale, Scale::Log | Scale::LogTime);
                ensure!(!positive || low > 0.0, "{name} range starts at {low}, but the axis is logarithmic");
            }
        }
        Ok(())
    }
}
