//! What a figure is drawn for: the same picture with text and lines of the size that suits.

use clap::ValueEnum;

/// What a figure is drawn for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FigureStyle {
    /// a printed page
    #[default]
    Paper,
    /// a projected slide: larger text, thicker lines
    Slides,
}

impl FigureStyle {
    /// A length that goes with the text, such as its size, from that on paper.
    pub(super) const fn text(self, on_paper: i32) -> i32 {
        match self {
            Self::Paper => on_paper,
            Self::Slides => on_paper * 135 / 100,
        }
    }

    /// A length that goes with the width of lines, such as that of a dash, from that on paper.
    pub(super) const fn stroke(self, on_paper: i32) -> i32 {
        match self {
            Self::Paper => on_paper,
            Self::Slides => on_paper * 170 / 100,
        }
    }

    /// The size of markers, which cover data where they are too large.
    pub(super) fn marker(self, on_paper: f64) -> f64 {
        match self {
            Self::Paper => on_paper,
            Self::Slides => 1.4 * on_paper,
        }
    }
}
