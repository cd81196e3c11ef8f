//! What a part of a study makes of what was asked for.

use std::path::Path;

use super::Error;
use super::cell::{Cell, Finished};
use super::grid::Job;
use super::group::Group;
use crate::plot::Figure;
use crate::report::Claim;

/// What runs for a part, and what comes of it.
pub trait Plan {
    /// Everything that runs.
    fn jobs(&self) -> Vec<&dyn Job>;
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

/// What a part shows.
#[derive(Default)]
pub struct Findings {
    /// a sentence on how much was measured, behind the part's introduction
    pub sizes: String,
    /// what was found of the claims
    pub claims: Vec<Claim>,
    /// what is drawn
    pub figures: Vec<Figure>,
}

/// The plan of a part that is training runs and nothing else.
pub struct Runs {
    /// the runs
    pub cells: Vec<Cell>,
    /// what they show, grouped by network, initialization and regularization, in the order of the cells
    pub findings: fn(&[Group<'_>]) -> Findings,
}

impl Plan for Runs {
    fn jobs(&self) -> Vec<&dyn Job> {
        self.cells.iter().map(|cell| cell as &dyn Job).collect()
    }
    fn cells(&self) -> &[Cell] {
        &self.cells
    }
    fn findings(&self, finished: &[Finished], _: &Path) -> Result<Findings, Error> {
        Ok((self.findings)(&Group::all(finished)))
    }
}
