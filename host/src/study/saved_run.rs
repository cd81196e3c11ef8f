//! What the `run.toml` of a finished run says: its settings, and how it ended.

use std::path::Path;

use toml::{Table, Value};

use super::Error;
use crate::experiment::{PROVENANCE, Settings, overlay, place_paths, read_toml};

/// Name of the file.
const FILE: &str = "run.toml";

/// A finished run, as its `run.toml` has it.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedRun {
    /// network, data and training
    pub settings: Settings,
    /// why it ended
    pub stopped: String,
    /// the name of the [`crate::run::Failure`], where it failed
    pub failure: Option<String>,
    /// gradient evaluations
    pub evaluations: u64,
    /// smallest eigenvalue of the analytic NTK of the training samples; NaN where it is undefined
    pub analytic_lambda_min: f64,
    /// samples trained on
    pub samples: usize,
}

impl SavedRun {
    /// Reads the file in this directory.
    ///
    /// # Errors
    /// Those of [`read_toml`] and [`SavedRun::of`].
    pub fn read(place: &Path) -> Result<Self, Error> {
        Self::of(place, read_toml(&place.join(FILE))?)
    }

    /// What the file in the directory `place` says, from its table.
    ///
    /// # Errors
    /// Settings that are none; [`Error::NoKey`] for an end that is not told.
    pub fn of(place: &Path, table: Table) -> Result<Self, Error> {
        let provenance = table.get(PROVENANCE).and_then(Value::as_table).cloned().unwrap_or_default();
        let mut settings = Table::new();
        overlay(&mut settings, table, &format!("in {}", place.join(FILE).display()))?;
        place_paths(&mut settings, place);
        let missing = |key: &'static str| Error::NoKey { place: place.into(), key };
        let count = |key: &'static str| {
            let value = provenance.get(key).and_then(Value::as_integer);
            value.and_then(|count| u64::try_from(count).ok()).ok_or_else(|| missing(key))
        };
        let text = |key: &'static str| provenance.get(key).map(|v| v.as_str().ok_or_else(|| missing(key))).transpose();
        let number =
            provenance.get("analytic-lambda-min").map(|v| v.as_float().ok_or_else(|| missing("analytic-lambda-min")));
        Ok(Self {
            settings: Settings::from_table(settings)?,
            // version 0.1.0 wrote flags, "reached --until-time"
            stopped: text("stopped")?.ok_or_else(|| missing("stopped"))?.replace("--", ""),
            failure: text("failure")?.map(Into::into),
            evaluations: count("evaluations")?,
            analytic_lambda_min: number.transpose()?.unwrap_or(f64::NAN),
            samples: usize::try_from(count("samples")?).map_err(|_| missing("samples"))?,
        })
    }
}
