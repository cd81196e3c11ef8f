//! `predictions.csv`.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::prediction::Measured;
use crate::files::write_atomic;

/// A row of `predictions.csv`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PredictionRow {
    /// ln(1 + t)
    pub log_time: f64,
    /// under the analytic NTK
    pub ntk: Measured,
    /// under K_0
    pub linearized: Measured,
}

/// `predictions.csv`; empty where nothing is predicted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PredictionTable {
    /// in order of time
    pub rows: Vec<PredictionRow>,
}

const COLUMNS: &str = "log_time,\
ntk_margin_min,ntk_margin_mean,ntk_difference,ntk_difference_held_out,ntk_distance,\
linearized_margin_min,linearized_margin_mean,linearized_difference,linearized_difference_held_out,linearized_distance";

impl PredictionTable {
    /// Writes the file, under a temporary name first.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut text = format!("{COLUMNS}\n");
        for PredictionRow { log_time, ntk, linearized } in &self.rows {
            let _ = write!(text, "{log_time:?}");
            for m in [ntk, linearized] {
                let values = [m.margin_min, m.margin_mean, m.difference, m.difference_held_out, m.distance];
                for value in values {
                    let _ = write!(text, ",{value:?}");
                }
            }
            text.push('\n');
        }
        write_atomic(path, text.as_bytes())
    }
    /// Reads the file; an empty table where there is none.
    pub fn read(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let damaged = || format!("{} is damaged", path.display());
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut lines = text.lines();
        ensure!(lines.next() == Some(COLUMNS), damaged());
        let rows = lines.map(|line| {
            let v: Vec<f64> = line.split(',').map(str::parse).collect::<Result<_, _>>().with_context(damaged)?;
            ensure!(v.len() == 11, damaged());
            let measured = |v: &[f64]| Measured {
                margin_min: v[0],
                margin_mean: v[1],
                difference: v[2],
                difference_held_out: v[3],
                distance: v[4],
            };
            Ok(PredictionRow { log_time: v[0], ntk: measured(&v[1..6]), linearized: measured(&v[6..11]) })
        });
        Ok(Self { rows: rows.collect::<Result<_>>()? })
    }
}
