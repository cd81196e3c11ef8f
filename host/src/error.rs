//! Wrong settings: what is wrong, and the flag that mends it (exit code 2).

use std::path::PathBuf;

/// A wrong experiment or a wrong call.
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
    /// A key that is no setting.
    #[error("unknown key `{key}` {place}{near}; the keys are the long flags of `ntkscope run --help`")]
    UnknownKey {
        /// the key
        key: String,
        /// where it stands
        place: String,
        /// what may have been meant
        near: String,
    },
    /// A value of the wrong kind.
    #[error("{what}")]
    Value {
        /// key, value and why
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
        /// what is wrong and what mends it
        what: String,
    },
    /// The work would need more memory than is allowed.
    #[error("{what} needs about {need} of memory, more than {allowed} ({source_of_limit}); {mend}")]
    Memory {
        /// which work
        what: String,
        /// forecast
        need: bytesize::ByteSize,
        /// the limit
        allowed: bytesize::ByteSize,
        /// where the limit comes from
        source_of_limit: &'static str,
        /// what can be done
        mend: String,
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
    /// A file of parameters or kernels does not fit.
    #[error("{}: {what}", path.display())]
    Mismatch {
        /// the file
        path: PathBuf,
        /// why
        what: String,
    },
}
