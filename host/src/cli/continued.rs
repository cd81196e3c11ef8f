//! `ntkscope run --continue DIR`: a run that is there already, and what may be changed in it.

use std::path::{Path, PathBuf};

use anyhow::Result;
use toml::{Table, Value};

use super::UsageError;
use super::terminal::say;
use crate::data::Samples;
use crate::experiment::{PROVENANCE, Training, overlay, place_paths, read_toml};
use crate::files;
use crate::run::{self, RunDirectory, backend_name};
use crate::words::excerpt;

/// Settings of which a continued run may have others: where it ends.
const ENDS: [&str; 4] = ["until-time", "until-margin", "until-loss", "max-steps"];
/// Of a run whose settings are known.
const FILE: &str = "run.toml";

/// A run to go on with.
pub(super) struct Continued {
    pub(super) directory: RunDirectory,
    /// its own, with the ends that were given
    pub(super) settings: Table,
    /// its file of settings, and where the run came from
    file: PathBuf,
    provenance: Table,
}

impl Continued {
    /// The run in this directory, with these settings beside its own.
    ///
    /// # Errors
    /// No run; settings that a run has from its start; those of the directory and of the file.
    pub(super) fn read(place: &Path, changes: &Table) -> Result<Self> {
        if let Some((key, value)) = changes.iter().find(|(key, _)| !ENDS.contains(&key.as_str())) {
            let given = excerpt(&value.to_string());
            let why = format!(
                "a resumed run keeps its settings except {}; start a new run instead",
                ENDS.map(|end| format!("`{end}`")).join(", ")
            );
            return Err(UsageError::Unused { command: "run --continue", key: key.clone(), given, why }.into());
        }
        let directory = RunDirectory::open(place)?;
        let file = place.join(FILE);
        if files::look(&file)?.is_none() {
            let what = "holds no run (no run.toml inside); give the directory of a run".into();
            return Err(UsageError::Mismatch { path: place.into(), what }.into());
        }
        let (mut settings, saved) = (Table::new(), read_toml(&file)?);
        let provenance = saved.get(PROVENANCE).and_then(Value::as_table).cloned().unwrap_or_default();
        overlay(&mut settings, saved, &format!("in {}", file.display()))?;
        place_paths(&mut settings, place);
        settings.extend(changes.clone());
        Ok(Self { directory, settings, file, provenance })
    }

    /// Compares what the run came from with what is here.
    ///
    /// # Errors
    /// Other data.
    pub(super) fn check(&self, samples: &Samples, training: &Training, quiet: bool) -> Result<(), run::Error> {
        let said = |key: &str| self.provenance.get(key).and_then(Value::as_str);
        if said("data-sha256").is_some_and(|sha256| sha256 != samples.sha256) {
            return Err(run::Error::OtherData { path: self.file.clone() });
        }
        let here = [("ntkscope", env!("CARGO_PKG_VERSION").to_owned()), ("backend", backend_name(training.backend))];
        for (key, here) in here {
            let Some(there) = said(key).filter(|there| *there != here && !quiet) else { continue };
            let what = if key == "backend" { "backend" } else { "version" };
            say(&format!(
                "warning: the run was started with {what} {there} and is resumed with {here}; its numbers may differ in \
                 the last bits from those of an uninterrupted run"
            ));
        }
        Ok(())
    }
}
