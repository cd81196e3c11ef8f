//! What a study is.

use std::path::Path;

use anyhow::Result;

use super::grid::Job;
use crate::report::Claim;

/// A study: what runs, and what comes of it.
pub trait Study {
    /// Its name, as it is typed.
    fn name(&self) -> &'static str;
    /// Everything that runs.
    fn jobs(&self) -> Vec<&dyn Job>;
    /// Writes `claims.csv`, `cells.csv`, the figures and the report from the finished jobs; returns the claims.
    fn write(&self, directory: &Path) -> Result<Vec<Claim>>;
}
