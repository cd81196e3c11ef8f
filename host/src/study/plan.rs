//! What a part of a study makes of what was asked for.

use std::path::Path;

use super::Error;
use super::cell::{Cell, Finished};
use super::claim::Stated;
use super::grid::Job;
use super::group::Group;
use crate::files::CsvTable;
use crate::plot::Figure;
use crate::report::{ClaimRow, Table};
use crate::words::count;

/// What runs for a part, and what comes of it.
pub trait Plan {
    /// Everything that runs: the cells, unless it is something else.
    fn jobs(&self) -> Vec<&dyn Job> {
        self.cells().iter().map(|cell| &cell.run as &dyn Job).collect()
    }
    /// Those of the jobs that are rows of `cells.csv`.
    fn cells(&self) -> &[Cell] {
        &[]
    }
    /// What the finished jobs show: the runs of [`Self::cells`], and what else the study's directory holds.
    ///
    /// # Errors
    /// A job that is not finished, a damaged file.
    fn findings(&self, finished: &[Finished], study: &Path) -> Result<Findings, Error>;
}

/// Makes tables of a part's claims once they are judged, in the order in which they were stated.
pub type Judged = Box<dyn FnOnce(&[ClaimRow]) -> Vec<Table>>;

/// What a part shows.
#[derive(Default)]
pub struct Findings {
    /// a sentence on how much was measured, after the part's introduction
    pub sizes: String,
    /// what the claims say of it, to be judged with those of all parts
    pub claims: Vec<Stated>,
    /// what is drawn
    pub figures: Vec<Figure>,
    /// what is told in numbers, before the figures
    pub tables: Vec<Table>,
    /// tables that tell verdicts, before the others
    pub judged: Option<Judged>,
    /// files of its own, by their names in the study's directory
    pub files: Vec<(&'static str, CsvTable)>,
}

/// The plan of a part that is training runs and nothing else.
pub struct Runs {
    /// the runs
    pub cells: Vec<Cell>,
    /// what they show, grouped by network, initialization and regularization, in the order of the cells
    pub findings: fn(&[Group]) -> Findings,
}

impl Plan for Runs {
    fn cells(&self) -> &[Cell] {
        &self.cells
    }
    fn findings(&self, finished: &[Finished], _: &Path) -> Result<Findings, Error> {
        Ok((self.findings)(&Group::all(finished)).without_failed(finished))
    }
}

impl Findings {
    /// The same, saying how many of these runs failed, which claims and figures leave out.
    pub fn without_failed(self, finished: &[Finished]) -> Self {
        let failed = finished.iter().filter(|run| run.failure.is_some()).count();
        if failed == 0 {
            return self;
        }
        let (failed, made, sizes) = (count(failed, "run"), finished.len(), &self.sizes);
        let sizes = format!(
            "{sizes} {failed} of {made} failed and are left out of claims and figures; cells.csv gives the reasons."
        );
        Self { sizes, ..self }
    }
}
