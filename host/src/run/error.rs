//! What can go wrong with a run and its files.

use std::path::PathBuf;

use crate::{data, experiment, files};

/// A run that cannot begin, or whose files cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Settings that do not go together, or not with the data.
    #[error(transparent)]
    Settings(#[from] experiment::Error),
    /// Both losses, which are two runs.
    #[error("a run has one loss; both are the two runs that `Training::resolve` makes of them")]
    BothLosses,
    /// A place for results that cannot be used.
    #[error("`{setting} = {}`: {what}", path.display())]
    Place {
        /// the setting that names it
        setting: &'static str,
        /// file or directory
        path: PathBuf,
        /// why
        what: String,
    },
    /// A file of the run's directory.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A file of parameters that is missing or damaged.
    #[error(transparent)]
    Parameters(#[from] data::Error),
    /// A file of parameters that is for another network.
    #[error("{}: {what}", path.display())]
    OtherNetwork {
        /// the file
        path: PathBuf,
        /// what the network needs and the file has not
        what: String,
    },
    /// The mathematics: sizes, kernels, the first evaluation.
    #[error(transparent)]
    Core(#[from] ntkscope_core::Error),
}
