//! A measurement that leaves one table of numbers, kept beside the settings that it belongs to.

use std::path::Path;

use super::Error;
use super::grid::Job;
use crate::files::numbers::NumberTable;
use crate::files::{UnfinishedDirectory, write_atomic};
use crate::machine::{Ended, Stop, with_threads};
use crate::run::Observer;

/// What is measured.
pub trait Measurement: Sync {
    /// All that decides the numbers, as toml: numbers kept under other settings are not read.
    ///
    /// # Errors
    /// Wrong settings, missing data.
    fn settings(&self) -> Result<String, Error>;
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
        Ok(NumberTable::read(&self.directory(study).join("numbers.csv"))?)
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
    fn is_finished(&self, study: &Path) -> Result<bool, Error> {
        let saved = std::fs::read_to_string(self.directory(study).join("settings.toml"));
        let settings = self.measurement.settings()?;
        Ok(saved.is_ok_and(|saved| saved == settings) && self.read(study).is_ok())
    }
    /// The table is made in a directory of another name, which gets its own when everything is written.
    fn run(
        &self,
        study: &Path,
        threads: u16,
        observer: &mut (dyn Observer + Send),
        stop: &Stop,
    ) -> Result<Ended, Error> {
        let measured = with_threads(Some(threads), || self.measurement.measure(observer, stop))??;
        let Ended::Done(table) = measured else { return Ok(Ended::Stopped) };
        let unfinished = UnfinishedDirectory::create(&self.directory(study))?;
        table.write(&unfinished.path().join("numbers.csv"))?;
        write_atomic(&unfinished.path().join("settings.toml"), self.measurement.settings()?.as_bytes())?;
        unfinished.commit()?;
        Ok(Ended::Done(()))
    }
}
