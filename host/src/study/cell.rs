//! One cell of a paper's grid, and what a finished run has left.

use std::path::Path;

use super::Error;
use super::grid::Job;
use super::net::{Net, Regularization};
use super::paper::Part;
use super::saved_run::SavedRun;
use super::training_run::TrainingRun;
use crate::experiment::{Init, LossKind, Settings};
use crate::files::{self, npz};
use crate::run::{LimitRow, PredictionTable, ProfileTable, Trace};

/// A run of a paper's grid, and what distinguishes it there.
#[derive(Clone)]
pub struct Cell {
    /// what runs
    pub run: TrainingRun,
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
}

/// A finished run, read back from its directory, and what it is in its grid.
#[derive(Clone)]
pub struct Finished<C = Cell> {
    /// what ran
    pub cell: C,
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
    /// the name of the [`Failure`](crate::run::Failure), where it failed: nothing is to be concluded from it
    pub failure: Option<String>,
    /// gradient evaluations
    pub evaluations: u64,
    /// smallest eigenvalue of the analytic NTK of the training samples
    pub analytic_lambda_min: f64,
    /// samples trained on
    pub samples: usize,
}

impl Cell {
    /// Reads the finished run of this study.
    ///
    /// # Errors
    /// As [`Finished::read`].
    pub fn finished(&self, study: &Path) -> Result<Finished, Error> {
        Ok(Finished::read(&self.run.directory(study), self.clone())?.0)
    }
}

impl<C> Finished<C> {
    /// The finished run in this directory, and the settings that it was made with.
    ///
    /// # Errors
    /// Files that are missing, cannot be read, or hold something else.
    pub fn read(place: &Path, cell: C) -> Result<(Self, Settings), Error> {
        let SavedRun { settings, stopped, failure, evaluations, analytic_lambda_min, samples } = SavedRun::read(place)?;
        let finished = Self {
            cell,
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
