//! The study "divergence": under cross-entropy the empirical NTK leaves the NTK as training goes on, at any finite
//! width; under squared error it does not (Yu, Tian, Chen 2025).

pub mod plan;

use std::path::Path;

use anyhow::Result;

use super::cell::Finished;
use crate::report::Claim;
use plan::Options;

/// Writes `claims.csv`, `cells.csv`, the figures and the report; returns the claims.
pub fn write(_options: &Options, _finished: &[Finished], _directory: &Path) -> Result<Vec<Claim>> {
    Ok(Vec::new())
}
