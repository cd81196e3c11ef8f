//! A measurement that leaves one table of numbers, kept beside the settings that it belongs to.

use std::path::Path;

use toml::Table;

use super::Error;
use super::grid::{Job, State};
use super::manifest::{End, Fault};
use super::place;
use crate::files::numbers::NumberTable;
use crate::files::write_atomic;
use crate::machine::{Ended, Stop, with_threads};
use crate::run::Observer;

/// Name of the table.
const NUMBERS: &str = "numbers.csv";
/// Name of the file of settings.
const SETTINGS: &str = "settings.toml";

/// What is measured.
pub trait Measurement: Sync {
    /// All that decides the numbers, as toml: numbers kept under other settings are not read.
    ///
    /// # Errors
    /// Wrong settings, missing data.
    fn settings(&self) -> Result<String, Error>;
    /// See [`Job::plan`].
    fn plan(&self) -> Result<Table, Error>;
    /// See [`Job::work`].
    fn work(&self) -> f64;
    /// See [`Job::need`].
    fn need(&self) -> Result<u64, Error>;
    /// The table of what was measured.
    fn measure(&self, observer: &mut (dyn Observer + Send), stop: &Stop) -> Result<Ended<NumberTable>, Error>;
}

/// A measurement of a study, by the name of its directory.
pub struct Kept<M> {
    /// name of its directory, unique in the study
    pub id: String,
    /// what is measured
    pub measurement: M,
}

impl<M: Measurement> Kept<M> {
    /// The finished table.
    ///
    /// # Errors
    /// There is none.
    pub fn read(&self, study: &Path) -> Result<NumberTable, Error> {
        Ok(NumberTable::read(&self.directory(study).join(NUMBERS))?)
    }
}

impl<M: Measurement> Job for Kept<M> {
    fn id(&self) -> &str {
        &self.id
    }
    fn work(&self) -> f64 {
        self.measurement.work()
    }
    fn need(&self) -> Result<u64, Error> {
        self.measurement.need()
    }
    fn plan(&self) -> Result<Table, Error> {
        self.measurement.plan()
    }
    fn state(&self, study: &Path) -> Result<State, Error> {
        let directory = self.directory(study);
        place::state(&directory, &self.id, |_| {
            if let Err(error) = self.read(study) {
                return Ok(Err(Fault::Unreadable(error.to_string())));
            }
            let settings = self.measurement.settings()?;
            let saved = crate::files::read_text(&directory.join(SETTINGS), 1 << 20);
            Ok(if saved.is_ok_and(|saved| saved == settings) { Ok(()) } else { Err(Fault::Settings) })
        })
    }
    fn run(
        &self,
        study: &Path,
        threads: u16,
        observer: &mut (dyn Observer + Send),
        stop: &Stop,
    ) -> Result<Ended, Error> {
        place::fill(&self.directory(study), &self.id, |unfinished| {
            let measured = with_threads(Some(threads), || self.measurement.measure(observer, stop))??;
            let Ended::Done(table) = measured else { return Ok(Ended::Stopped) };
            table.write(&unfinished.join(NUMBERS))?;
            write_atomic(&unfinished.join(SETTINGS), self.measurement.settings()?.as_bytes())?;
            Ok(Ended::Done(End::whole()))
        })
    }
}
