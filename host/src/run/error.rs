//! Why there is no outcome.

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
    /// a file of the run's directory
    #[error(transparent)]
    File(#[from] crate::files::Error),
    /// the mathematics: sizes, kernels, the first evaluation
    #[error(transparent)]
    Core(#[from] ntkscope_core::Error),
}
