//! What can go wrong with a run and its files.

use std::path::PathBuf;

use super::params::{Mismatch, ParameterFault};
use crate::machine::Cause;
use crate::{data, experiment, files};

/// A run that cannot begin, or whose files cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Settings that do not go together, or not with the data.
    #[error(transparent)]
    Settings(#[from] experiment::Error),
    /// Samples that cannot be trained on.
    #[error(transparent)]
    Data(#[from] data::Error),
    /// Both losses, which are two runs.
    #[error("a run has one loss; both are the two runs that `Training::resolve` makes of them")]
    BothLosses,
    /// A file of the run's directory, or the directory.
    #[error(transparent)]
    File(#[from] files::Error),
    /// There is no file of parameters of this name.
    #[error("{}: no such file; give `params` the path of an npz or safetensors file", path.display())]
    NoParameters {
        /// the path
        path: PathBuf,
    },
    /// A damaged file of parameters.
    #[error("{}: {fault}; fix the file or give another", path.display())]
    DamagedParameters {
        /// the file
        path: PathBuf,
        /// what is wrong with it
        fault: ParameterFault,
    },
    /// A file of parameters that is for another network.
    #[error("{}: {mismatch}", path.display())]
    OtherNetwork {
        /// the file
        path: PathBuf,
        /// where they differ
        mismatch: Mismatch,
    },
    /// The mathematics: sizes, kernels, the first evaluation.
    #[error(transparent)]
    Core(#[from] ntkscope_core::Error),
}

impl Error {
    /// Where the cause lies.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Settings(error) => error.cause(),
            Self::Data(error) => error.cause(),
            Self::BothLosses | Self::OtherNetwork { .. } => Cause::Settings,
            Self::File(error) => error.cause(),
            Self::NoParameters { .. } => Cause::Data,
            Self::DamagedParameters { fault, .. } => fault.cause(),
            Self::Core(error) => Cause::of_core(error),
        }
    }
}
