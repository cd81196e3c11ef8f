//! Why there is no outcome.

use std::path::PathBuf;

use super::params::{Mismatch, ParameterFault};

/// A run that could not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// settings that do not go together, or not with the data
    #[error(transparent)]
    Settings(#[from] crate::experiment::Error),
    /// both losses, which are two runs
    #[error("a run has one loss; both are the two runs that `Training::resolve` makes of them")]
    BothLosses,
    /// the place for the results cannot be used
    #[error("`{setting} = {}`: {what}", path.display())]
    Output {
        /// the setting that names it
        setting: &'static str,
        /// the path
        path: PathBuf,
        /// why
        what: String,
    },
    /// there is no file of parameters of this name
    #[error("{}: no such file; give `params` the path of an npz or safetensors file", path.display())]
    NoParameters {
        /// the path
        path: PathBuf,
    },
    /// a file of parameters is damaged
    #[error("{}: {fault}; fix the file or give another", path.display())]
    DamagedParameters {
        /// the file
        path: PathBuf,
        /// what is wrong with it
        fault: ParameterFault,
    },
    /// a file of parameters is that of another network
    #[error("{}: {mismatch}", path.display())]
    OtherNetwork {
        /// the file
        path: PathBuf,
        /// where they differ
        mismatch: Mismatch,
    },
    /// a file of the run's directory
    #[error(transparent)]
    File(#[from] crate::files::Error),
    /// the mathematics: sizes, kernels, the first evaluation
    #[error(transparent)]
    Core(#[from] ntkscope_core::Error),
}
