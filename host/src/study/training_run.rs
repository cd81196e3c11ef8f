//! A training run as a job: its directory, kept once it is finished.

use std::path::Path;

use toml::Table;

use super::Error;
use super::cell::Finished;
use super::grid::{Job, State};
use super::manifest::{End, Fault};
use super::place;
use crate::data::Samples;
use crate::experiment::{Model, Settings, Training};
use crate::machine::{Budget, Ended, Stop, with_threads};
use crate::run::{Observer, RunDirectory, Stopped};
use crate::{data, run};

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
        let mut trainings = training.resolve(outputs, samples.n)?;
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
            let Resolved { model, training, samples } = self.resolve()?;
            Ok(match () {
                () if placeless(saved) != placeless(Settings { model, training }) => Err(Fault::Settings),
                () if manifest.data_sha256.as_ref() != Some(&samples.sha256) => Err(Fault::Data),
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
        let Resolved { model, training, samples } = self.resolve()?;
        place::fill(&self.directory(study), &self.id, |unfinished| {
            let directory = RunDirectory::within(unfinished);
            let outcome = with_threads(Some(threads), || run::run(&model, &training, &samples, observer, stop))??;
            if outcome.stopped == Stopped::Interrupted {
                return Ok(Ended::Stopped);
            }
            directory.write_record(&outcome, &samples, model.dtype)?;
            directory.write_settings(&model, &training, &samples, Some(&outcome))?;
            let planned = !matches!(outcome.stopped, Stopped::Failed(_));
            Ok(Ended::Done(End { how: outcome.stopped.to_string(), planned, data: Some(samples.sha256.clone()) }))
        })
    }
}

/// Where the samples lie on this machine decides nothing: their checksum does.
fn placeless(mut settings: Settings) -> Settings {
    settings.model.data_dir = None;
    settings
}
