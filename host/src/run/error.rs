//! Why there is no outcome.

/// A run that could not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// settings that do not go together, or not with the data
    #[error(transparent)]
    Settings(#[from] crate::error::UsageError),
    /// the mathematics: sizes, kernels, the first evaluation
    #[error(transparent)]
    Core(#[from] ntkscope_core::Error),
}
