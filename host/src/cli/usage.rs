//! What is wrong with what was typed: the flag, its value, and what fixes it (exit code 2); and what can fail in the command
//! line itself.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use crate::machine::Cause;
use crate::words::excerpt;

/// A wrong call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// A setting without effect on the command.
    #[error("`{key} = {}`: does not apply to `ntkscope {command}`: {why}", excerpt(given))]
    Unused {
        /// the command
        command: &'static str,
        /// the setting
        key: String,
        /// its value
        given: String,
        /// why
        why: String,
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
    /// A command that cannot be divided among several ranks.
    #[error(
        "`ntkscope {command}` does not work on {ranks} ranks, each of which would do all of it; start it without `mpirun`"
    )]
    Ranks {
        /// the command
        command: String,
        /// how many
        ranks: usize,
    },
    /// Ranks that would not do the same.
    #[error("{what} is not the same on all ranks; give a file that all of them see")]
    Unlike {
        /// what is read
        what: &'static str,
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

impl UsageError {
    /// Where the cause lies.
    pub const fn cause(&self) -> Cause {
        Cause::Settings
    }
}

/// What failed though the call was right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// Standard output takes no more.
    #[error("standard output")]
    Output(#[source] io::Error),
    /// A text that cannot be made.
    #[error("{what}")]
    Text {
        /// which
        what: &'static str,
        /// why
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A process that measures cannot be started.
    #[error("cannot start the measurement {task}")]
    Start {
        /// what it measures
        task: &'static str,
        /// why
        source: io::Error,
    },
    /// A process that measures ended without a reading.
    #[error("{task}: its process ended with {status}")]
    Measurement {
        /// what it measures
        task: &'static str,
        /// how it ended
        status: ExitStatus,
    },
    /// A reading that cannot be understood.
    #[error("{task}: its reading")]
    Reading {
        /// what it measures
        task: &'static str,
        /// why
        source: serde_json::Error,
    },
}

impl Failure {
    /// For `map_err`: this text cannot be made.
    pub fn text<E: Into<Box<dyn std::error::Error + Send + Sync>>>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Text { what, source: source.into() }
    }

    /// Where the cause lies.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Output(_) | Self::Start { .. } => Cause::System,
            Self::Text { .. } | Self::Measurement { .. } | Self::Reading { .. } => Cause::Work,
        }
    }
}
