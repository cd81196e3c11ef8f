//! Studies: a paper's experiments as one command. A grid of runs, what they add up to, and a page.

pub mod cell;
pub mod divergence;
pub mod forecast;
pub mod grid;
pub mod group;
pub mod initialization;
pub mod judged;
pub mod kept;
pub mod lazy;
pub mod numbers;
pub mod page;
pub mod plan;
pub mod statistics;
pub mod table;

use std::path::Path;

use anyhow::Result;

use crate::report::Claim;
use grid::Job;

/// A study: what runs, and what comes of it.
pub trait Study {
    /// Its name, as it is typed.
    fn name(&self) -> &'static str;
    /// Everything that runs.
    fn jobs(&self) -> Vec<&dyn Job>;
    /// Writes `claims.csv`, `cells.csv`, the figures and the report from the finished jobs; returns the claims.
    fn write(&self, directory: &Path) -> Result<Vec<Claim>>;
}
