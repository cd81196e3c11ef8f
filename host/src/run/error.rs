//! What can go wrong with a run and its files.

use std::path::PathBuf;

use super::params::Mismatch;
use crate::checkpoint::ParameterFault;
use crate::files::InputFault;
use crate::machine::Cause;
use crate::words::number;
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
    /// Both losses or both optimizers, which are two runs.
    #[error("a run has one loss and one optimizer; `Training::resolve` splits both into two runs")]
    Several,
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
    /// A saved state that cannot be read.
    #[error("{}: {fault}; without it the run cannot be resumed", path.display())]
    UnreadableState {
        /// the file
        path: PathBuf,
        /// why not
        fault: InputFault,
    },
    /// A saved state from which this run cannot go on.
    #[error("{}: the saved state is {what}; remove it, and `continue` restarts the run from the beginning", path.display())]
    OtherState {
        /// the file
        path: PathBuf,
        /// what it is instead
        what: &'static str,
    },
    /// Samples other than those that the run began with.
    #[error("{}: the data have changed since the run was started (different SHA-256); restore them, or start a new run", path.display())]
    OtherData {
        /// the run's settings
        path: PathBuf,
    },
    /// Numbers to be learnt of which squared error would be infinite.
    #[error("{place}: y is as large as {}, and the sum of its squares above the largest number of {}; rescale y", number(*largest), dtype.name())]
    TargetScale {
        /// the file or the data set
        place: String,
        /// largest |y|
        largest: f64,
        /// the scalar of the run
        dtype: files::Dtype,
    },
    /// An end that the run has already passed.
    #[error("`{setting} = {}`: the run has already reached {reached}; give {instead}", number(*until))]
    Past {
        /// which end
        setting: &'static str,
        /// its value
        until: f64,
        /// where the run is
        reached: String,
        /// what mends it
        instead: &'static str,
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
            Self::Several | Self::OtherNetwork { .. } | Self::TargetScale { .. } | Self::Past { .. } => Cause::Settings,
            Self::UnreadableState { fault, .. } => fault.cause(),
            Self::OtherState { .. } | Self::OtherData { .. } => Cause::Data,
            Self::File(error) => error.cause(),
            Self::NoParameters { .. } => Cause::Data,
            Self::DamagedParameters { fault, .. } => fault.cause(),
            Self::Core(error) => Cause::of_core(error),
        }
    }
}
