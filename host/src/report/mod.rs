//! What a run or a study leaves for people: a page that holds everything, and its figures.

mod claim;
mod claims_html;
mod html;
pub mod judged;
mod kernel_figures;
pub mod narrative;
mod prediction_figures;
mod provenance;
mod run_figures;
mod run_tables;
mod settings;
mod table;
#[cfg(test)]
mod tests;

use crate::files::write_atomic;
use crate::plot::{Error, Figure};
use std::path::Path;

pub use claim::{ClaimRow, Kind, Verdict};
pub use kernel_figures::{KernelRun, by_class, kernel_figures, kernel_figures_bytes};
pub use prediction_figures::{overlays, prediction_figure};
pub use provenance::{VERSION, provenance};
pub(crate) use run_figures::decimal_exponent;
pub use run_figures::{Overlay, Panel, run_figures};
pub use run_tables::{end_table, velocity_error};
pub use settings::settings_in_words;
pub use table::{Table, number, number_with_error, rounded, thousandths};

/// A page with numbered figures and tables that needs nothing but itself: no script, no font, no picture from elsewhere. A few
/// lines of its own script filter the claims; without them every claim is shown.
///
/// All text may hold any character, and the markup of figures (`K_{t}`, `10^{3}`).
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Heading and name of the page.
    pub title: String,
    /// A paragraph that says what was seen.
    pub lead: String,
    /// The rest, in order.
    pub sections: Vec<Section>,
}

/// A part of a report.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// Its heading.
    pub title: String,
    /// What it holds, in order.
    pub blocks: Vec<Block>,
}

/// One element of a section.
#[derive(Clone, Debug)]
pub enum Block {
    /// Running text.
    Paragraph(String),
    /// A table, numbered.
    Table(Table),
    /// A figure, drawn into the page, numbered, with its caption.
    Figure(Box<Figure>),
    /// Text in a fixed-width font, as it stands: settings, commands.
    Code(String),
    /// Claims and what was found of them, with a caption.
    Verdicts(String, Vec<ClaimRow>),
    /// What is there for those who ask: a line, and after it what it stands for.
    Folded(String, Vec<Block>),
}

impl Report {
    /// The page.
    ///
    /// # Errors
    /// A figure that cannot be drawn.
    pub fn html(&self) -> Result<String, Error> {
        html::page(self)
    }

    /// Writes the page to `path`, under a temporary name first.
    ///
    /// # Errors
    /// A figure that cannot be drawn; a file that cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        Ok(write_atomic(path, self.html()?.as_bytes())?)
    }
}
