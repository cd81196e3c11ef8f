//! What can go wrong with a study. Settings stand in backticks, as a settings file has them.

use std::path::PathBuf;

use crate::machine::Cause;
use crate::words::listed;
use crate::{analysis, data, experiment, files, machine, plot, run};

/// A study that cannot be planned, a job that cannot run, results that cannot be read back or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// One of the jobs.
    #[error("run {id}")]
    Job {
        /// the job
        id: String,
        /// what is wrong with it
        source: Box<Error>,
    },
    /// An option outside its range, or without effect.
    #[error("`{setting}{}{given}`: {what}", if given.is_empty() { "" } else { " = " })]
    Range {
        /// the option
        setting: &'static str,
        /// its value
        given: String,
        /// what is wrong and what fixes it
        what: String,
    },
    /// A cell with both losses, which are two runs.
    #[error("cell {id}: a cell takes a single loss")]
    BothLosses {
        /// the cell
        id: String,
    },
    /// A finished run that does not say what every run says.
    #[error("{}: no usable {key} in run.toml", place.display())]
    NoKey {
        /// directory of the run
        place: PathBuf,
        /// what is missing
        key: &'static str,
    },
    /// Settings that are not toml.
    #[error("{} is damaged", path.display())]
    Damaged {
        /// the file
        path: PathBuf,
        /// what its reader says
        source: toml::de::Error,
    },
    /// A measurement that lacks rows.
    #[error("{id}: {found} rows instead of {expected}")]
    MissingRows {
        /// the measurement
        id: String,
        /// rows of its table
        found: usize,
        /// what it should have
        expected: u64,
    },
    /// A grid of which results are missing, so that nothing can be made of it.
    #[error(
        "{}: {} of {total} runs are not finished: {}; run the grid or the parts that have them, then collect again",
        place.display(), missing.len(), listed(missing)
    )]
    Unfinished {
        /// their ids, and what is wrong with those that are there
        missing: Vec<String>,
        /// runs of the grid
        total: usize,
        /// its directory
        place: PathBuf,
    },
    /// A directory without finished runs.
    #[error("{}: {what}", place.display())]
    NoRuns {
        /// the directory
        place: PathBuf,
        /// why
        what: &'static str,
    },
    /// A figure.
    #[error("figure {name}")]
    Figure {
        /// its name
        name: String,
        /// what is wrong with it
        source: plot::Error,
    },
    /// The page.
    #[error(transparent)]
    Page(#[from] plot::Error),
    /// Settings that do not go together, or not with the data.
    #[error(transparent)]
    Settings(#[from] experiment::Error),
    /// Settings of a measurement that toml cannot hold.
    #[error("settings: {0}")]
    Unwritable(#[from] toml::ser::Error),
    /// Data that is missing or damaged.
    #[error(transparent)]
    Data(#[from] data::Error),
    /// Not enough memory, or no threads.
    #[error(transparent)]
    Machine(#[from] machine::Error),
    /// A file cannot be read or written, or is not what it should be.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A run that cannot begin.
    #[error(transparent)]
    Run(#[from] run::Error),
    /// An analysis.
    #[error(transparent)]
    Analysis(#[from] analysis::Error),
    /// The mathematics.
    #[error(transparent)]
    Core(#[from] ntkscope_core::Error),
}

impl Error {
    /// Where the cause lies.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Job { source, .. } => source.cause(),
            Self::Range { .. } | Self::BothLosses { .. } | Self::Unwritable(_) => Cause::Settings,
            Self::NoRuns { .. }
            | Self::NoKey { .. }
            | Self::Damaged { .. }
            | Self::MissingRows { .. }
            | Self::Unfinished { .. } => Cause::Data,
            Self::Core(source) => Cause::of_core(source),
            Self::Figure { source, .. } | Self::Page(source) => source.cause(),
            Self::Settings(error) => error.cause(),
            Self::Data(error) => error.cause(),
            Self::Machine(error) => error.cause(),
            Self::File(error) => error.cause(),
            Self::Run(error) => error.cause(),
            Self::Analysis(error) => error.cause(),
        }
    }

    /// Whether samples are missing that were to be read: a plan can be made without them, a run cannot.
    pub fn lacks_data(&self) -> bool {
        match self {
            Self::Job { source, .. } => source.lacks_data(),
            Self::Data(error) | Self::Analysis(analysis::Error::Data(error)) => {
                matches!(error, data::Error::NotFound { .. })
            }
            _ => false,
        }
    }
    /// Whether the table of this measurement has so many rows.
    ///
    /// # Errors
    /// [`Error::MissingRows`].
    pub fn check_rows(id: &str, found: usize, expected: u64) -> Result<(), Self> {
        if found as u64 == expected { Ok(()) } else { Err(Self::MissingRows { id: id.to_owned(), found, expected }) }
    }
    /// For `map_err`: what is wrong with the job of this id.
    pub fn job(id: &str) -> impl FnOnce(Self) -> Self {
        let id = id.to_owned();
        move |error| Self::Job { id, source: Box::new(error) }
    }
}
