//! What is wrong with a figure.

use plotters::drawing::DrawingAreaErrorKind;

use crate::files;
use crate::machine::Cause;

/// A figure that cannot be drawn or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A series whose vectors differ in length.
    #[error("figure {figure:?}: series {series:?} has {x} x but {other} {what}")]
    Lengths {
        /// the figure's name
        figure: String,
        /// the series' label
        series: String,
        /// points by x
        x: usize,
        /// `y`, `lower limits`, `upper limits`
        what: &'static str,
        /// how many of those
        other: usize,
    },
    /// Theory in the colour of a measurement, or the other way round.
    #[error("figure {figure:?}: series {series:?} is theory by its line or by its colour alone")]
    Hue {
        /// the figure's name
        figure: String,
        /// the series' label
        series: String,
    },
    /// A heat map that is not square or too large, or stands beside series.
    #[error("figure {figure:?}: map {map:?} of side {side} has {cells} cells, or stands beside series")]
    Map {
        /// the figure's name
        figure: String,
        /// the map's label
        map: String,
        /// cells along a side
        side: usize,
        /// all cells
        cells: usize,
    },
    /// An axis whose range holds nothing, or numbers that its scale has no place for.
    #[error("figure {figure:?}: {axis} range {low:?}..{high:?} is empty, or not positive on a logarithmic axis")]
    Range {
        /// the figure's name
        figure: String,
        /// `x` or `y`
        axis: &'static str,
        /// its lower end
        low: f64,
        /// its upper end
        high: f64,
    },
    /// A figure whose name cannot be that of a file.
    #[error("a figure's name is a file stem, not {name:?}")]
    Name {
        /// the name
        name: String,
    },
    /// The drawing library.
    #[error("cannot draw")]
    Draw(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The PNG encoder.
    #[error("cannot encode a PNG")]
    Png(#[from] png::EncodingError),
    /// The subset of the embedded font for a PDF.
    #[error("cannot embed the font in a PDF")]
    Font(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] files::Error),
}

impl Error {
    /// Where the cause lies.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Lengths { .. }
            | Self::Hue { .. }
            | Self::Map { .. }
            | Self::Range { .. }
            | Self::Name { .. }
            | Self::Draw(_)
            | Self::Font(_)
            | Self::Png(_) => Cause::Work,
            Self::File(error) => error.cause(),
        }
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<DrawingAreaErrorKind<E>> for Error {
    fn from(error: DrawingAreaErrorKind<E>) -> Self {
        Self::Draw(Box::new(error))
    }
}
