//! What is wrong with what was typed: the flag, its value, and what fixes it (exit code 2).

use std::path::PathBuf;

/// A wrong call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// A settings file cannot be read.
    #[error("{}: {what}", path.display())]
    File {
        /// the file
        path: PathBuf,
        /// why
        what: String,
    },
    /// `--set` without `=`, or of a key without effect.
    #[error("--set {given}: {what}")]
    Set {
        /// what was typed
        given: String,
        /// what is wrong
        what: String,
    },
    /// A number outside its range, or settings that do not go together.
    #[error("{flag} {given}: {what}")]
    Range {
        /// the flag
        flag: &'static str,
        /// what was given
        given: String,
        /// what is wrong and what fixes it
        what: String,
    },
    /// The place for the results cannot be used.
    #[error("{flag} {}: {what}", path.display())]
    Out {
        /// the flag that names it
        flag: &'static str,
        /// the path
        path: PathBuf,
        /// why
        what: String,
    },
    /// A kernel does not fit the other one.
    #[error("{}: {what}", path.display())]
    Mismatch {
        /// the file
        path: PathBuf,
        /// why
        what: String,
    },
}
