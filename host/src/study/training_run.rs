//! A training run as a job: its directory, kept once it is finished.

use std::path::Path;

use toml::Table;

use super::Error;
use super::cell::Finished;
use super::grid::{Job, State};
use super::manifest::{End, Fault};
use super::place;
use crate::data::{CurveSource, Samples, Source};
use crate::experiment::{Model, Settings, Training};
use crate::machine::{Budget, Ended, Stop, with_threads};
use crate::run::{Observer, RunDirectory, Stopped};
use crate::{data, files, run};

/// A run of a grid: what it is called, and what will run.
#[derive(Clone)]
pub struct TrainingRun {
    /// name of its directory, unique in the grid
    pub id: String,
    /// network, data and training, one loss
    pub settings: Settings,
    /// see [`Job::work`]
    pub work: f64,
}

/// A run's settings with every default filled in, and its samples.
pub struct Resolved {
    /// network
    pub model: Model,
    /// training
    pub training: Training,
    /// data
    pub samples: Samples,
}

impl Resolved {
    /// SHA-256 of the samples, and of the file of the curve where there is one.
    fn checksum(&self) -> Result<String, Error> {
        let samples = &self.samples.sha256;
        Ok(match &self.training.profile {
            Some(CurveSource::File(path)) => format!("{samples} (samples) {} (curve)", files::sha256(path)?),
            Some(CurveSource::Circle) | None => samples.clone(),
        })
    }
}

impl TrainingRun {
    /// Loads the data and fills in the defaults.
    ///
    /// # Errors
    /// Wrong settings, missing data.
    pub fn resolve(&self) -> Result<Resolved, Error> {
        let Settings { model, training } = &self.settings;
        let (spec, budget) = (model.under(training.loss)?.data_spec(), Budget::default());
        let mut samples = data::load(&spec, &budget)?;
        if let Some(curve) = &training.profile {
            samples.follow(curve, spec.normalization(), &budget)?;
        }
        let outputs = model.shape(&samples)?.outputs;
        let mut trainings = training.resolve(model.dtype, outputs, samples.n)?;
        let (Some(training), true) = (trainings.pop(), trainings.is_empty()) else {
            return Err(Error::BothLosses { id: self.id.clone() });
        };
        Ok(Resolved { model: model.resolve(&samples)?, training, samples })
    }
}

impl Job for TrainingRun {
    fn id(&self) -> &str {
        &self.id
    }
    fn work(&self) -> f64 {
        self.work
    }
    fn need(&self) -> Result<u64, Error> {
        let resolved = self.resolve()?;
        run::check(&resolved.model, &resolved.training, &resolved.samples)?;
        Ok(run::forecast(&resolved.model, &resolved.training, &resolved.samples)?)
    }

    fn plan(&self) -> Result<Table, Error> {
        Ok(self.settings.table()?)
    }

    fn state(&self, study: &Path) -> Result<State, Error> {
        let directory = self.directory(study);
        place::state(&directory, &self.id, |manifest| {
            let saved = match Finished::read(&directory, ()) {
                Ok((_, saved)) => saved,
                Err(error) => return Ok(Err(Fault::Unreadable(error.to_string()))),
            };
            let resolved = self.resolve()?;
            let data = resolved.checksum()?;
            let Resolved { model, training, .. } = resolved;
            Ok(match () {
                () if placeless(saved) != placeless(Settings { model, training }) => Err(Fault::Settings),
                () if manifest.data_sha256 != Some(data) => Err(Fault::Data),
                () => Ok(()),
            })
        })
    }

    fn run(
        &self,
        study: &Path,
        threads: u16,
        observer: &mut (dyn Observer + Send),
        stop: &Stop,
    ) -> Result<Ended, Error> {
        let resolved = self.resolve()?;
        let data = resolved.checksum()?;
        let Resolved { model, training, samples } = resolved;
        place::fill(&self.directory(study), &self.id, |unfinished| {
            let directory = RunDirectory::within(unfinished);
            let whole = with_threads(Some(threads), || run::run_whole(&model, &training, &samples, observer, stop))??;
            let Ended::Done(outcome) = whole else { return Ok(Ended::Stopped) };
            directory.write_record(&outcome, &samples, model.dtype)?;
            directory.write_settings(&model, &training, &samples, Some(&outcome))?;
            let planned = !matches!(outcome.stopped, Stopped::Failed(_));
            Ok(Ended::Done(End { how: outcome.stopped.to_string(), planned, data: Some(data) }))
        })
    }
}

/// Where samples and curve lie on this machine, and how that is written, decides nothing: their checksums do.
fn placeless(mut settings: Settings) -> Settings {
    let Settings { model, training } = &mut settings;
    model.data_dir = None;
    if let Source::File(path) = &mut model.data {
        path.clear();
    }
    if let Some(CurveSource::File(path)) = &mut training.profile {
        path.clear();
    }
    settings
}
