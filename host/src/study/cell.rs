//! One cell of a study's grid: a run with its directory, kept once it is finished.

use std::path::Path;

use toml::Table;

use super::Error;
use super::grid::{Job, State};
use super::manifest::{End, Fault};
use super::net::{Net, Regularization};
use super::paper::Part;
use super::place;
use super::saved_run::SavedRun;
use crate::data::Samples;
use crate::experiment::{Init, LossKind, Model, Settings, Training};
use crate::files::{self, npz};
use crate::machine::{Budget, Ended, Stop, with_threads};
use crate::run::{LimitRow, Observer, PredictionTable, ProfileTable, RunDirectory, Stopped, Trace};
use crate::{data, run};

/// A run of the grid: what it is called, what distinguishes it, and what will run.
#[derive(Clone)]
pub struct Cell {
    /// name of its directory, unique in the study
    pub id: String,
    /// part of the study that it belongs to
    pub part: &'static Part,
    /// network
    pub net: Net,
    /// initialization
    pub init: Init,
    /// what is added to the loss
    pub regularization: Regularization,
    /// loss
    pub loss: LossKind,
    /// width m
    pub width: usize,
    /// seed
    pub seed: u64,
    /// network, data and training, one loss
    pub settings: Settings,
    /// see [`Job::work`]
    pub work: f64,
}

/// A finished cell, read back from its directory.
#[derive(Clone)]
pub struct Finished {
    /// what ran
    pub cell: Cell,
    /// a row per snapshot
    pub trace: Trace,
    /// what fixed kernels predict at the same moments
    pub predictions: PredictionTable,
    /// the kernel along a curve of inputs, where the settings ask for one
    pub profile: ProfileTable,
    /// where training ends under fixed kernels, if anywhere
    pub limit: Option<LimitRow>,
    /// outputs at the end and those of the linearized network's limit, `(n + h, C)` each, where there is one
    pub ends: Option<[Vec<f64>; 2]>,
    /// why it ended
    pub stopped: String,
    /// the name of the [`run::Failure`], where it failed: nothing is to be concluded from it
    pub failure: Option<String>,
    /// gradient evaluations
    pub evaluations: u64,
    /// smallest eigenvalue of the analytic NTK of the training samples
    pub analytic_lambda_min: f64,
    /// samples trained on
    pub samples: usize,
}

/// A cell's settings with every default filled in, and its samples.
pub struct Resolved {
    /// network
    pub model: Model,
    /// training
    pub training: Training,
    /// data
    pub samples: Samples,
}

impl Cell {
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

    /// Reads the finished run of this study.
    ///
    /// # Errors
    /// Files that are missing, cannot be read, or hold something else.
    pub fn finished(&self, study: &Path) -> Result<Finished, Error> {
        Ok(self.read(&self.directory(study))?.0)
    }

    /// The finished run in this directory, and the settings that it was made with.
    fn read(&self, place: &Path) -> Result<(Finished, Settings), Error> {
        let SavedRun { settings, stopped, failure, evaluations, analytic_lambda_min, samples } = SavedRun::read(place)?;
        let finished = Finished {
            cell: self.clone(),
            trace: Trace::read("", &place.join("trace.csv"))?,
            predictions: PredictionTable::read(&place.join("predictions.csv"))?,
            profile: ProfileTable::read(&place.join("profile.csv"))?,
            limit: LimitRow::read(&place.join("limit.csv"))?,
            ends: read_ends(&place.join("limit.npz"))?,
            stopped,
            failure,
            evaluations,
            analytic_lambda_min,
            samples,
        };
        Ok((finished, settings))
    }
}

impl Job for Cell {
    fn id(&self) -> &str {
        &self.id
    }
    fn work(&self) -> f64 {
        self.work
    }
    fn need(&self) -> Result<u64, Error> {
        let resolved = self.resolve()?;
        Ok(run::forecast(&resolved.model, &resolved.training, &resolved.samples)?)
    }

    fn plan(&self) -> Result<Table, Error> {
        Ok(self.settings.table()?)
    }

    fn state(&self, study: &Path) -> Result<State, Error> {
        let directory = self.directory(study);
        place::state(&directory, &self.id, |manifest| {
            let saved = match self.read(&directory) {
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

/// All finished runs of a study.
///
/// # Errors
/// As [`Cell::finished`].
pub fn read_all(cells: &[Cell], study: &Path) -> Result<Vec<Finished>, Error> {
    cells.iter().map(|cell| cell.finished(study)).collect()
}

/// Outputs of `limit.npz`: the network's, and the linearized one's.
fn read_ends(path: &Path) -> Result<Option<[Vec<f64>; 2]>, Error> {
    if !path.exists() {
        return Ok(None);
    }
    let mut file = npz::open(path)?;
    let mut outputs = |name: &str| {
        let array = file.array(name).map_err(|fault| files::Error::Npz { path: path.into(), fault });
        array.map(|(_, values)| values)
    };
    Ok(Some([outputs("network")?, outputs("linearized")?]))
}
