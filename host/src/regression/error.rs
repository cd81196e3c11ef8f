//! What can go wrong with a regression.

use std::path::PathBuf;

use crate::files;
use crate::kernel;
use crate::machine::Cause;

/// A regression that cannot be carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A product with the kernel cannot be had.
    #[error(transparent)]
    Kernel(#[from] kernel::Error),
    /// Core refuses.
    #[error(transparent)]
    Core(#[from] ntkscope_core::Error),
    /// What the work can go on from cannot be written or read.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A state that is not of this work.
    #[error("{}: {what}; remove it to begin anew", path.display())]
    State {
        /// the file
        path: PathBuf,
        /// what is wrong with it
        what: String,
    },
    /// A ridge that leaves no digit of the solution.
    #[error("n `ridge` = {shift:e} is lost beside the rounding of the kernel's eigenvalues; raise `ridge`")]
    Rounding {
        /// n RIDGE
        shift: f64,
    },
    /// A loss without a curvature that is always known.
    #[error("`loss = {0}`: a regression is of squared error or cross-entropy; give one of them")]
    Loss(ntkscope_core::loss::Loss),
}

impl Error {
    /// Where the cause lies.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Kernel(error) => error.cause(),
            Self::Core(error) => Cause::of_core(error),
            Self::File(error) => error.cause(),
            Self::State { .. } => Cause::Data,
            Self::Rounding { .. } | Self::Loss(_) => Cause::Settings,
        }
    }
}
