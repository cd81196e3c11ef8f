//! What can be wrong with a file.

use std::io;
use std::path::PathBuf;

use super::InputFault;
use super::npz::NpzError;
use crate::machine::Cause;

/// A file that cannot be read or written, or is not what it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// `read`, `write`, `create`, …
        action: &'static str,
        /// the file or directory
        path: PathBuf,
        /// the system's reason
        source: io::Error,
    },
    /// There is no file to read.
    #[error("{}: no such file", path.display())]
    Missing {
        /// its path
        path: PathBuf,
    },
    /// A place for results that cannot be meant.
    #[error("`{setting} = {}`: {what}", path.display())]
    Place {
        /// the setting that names it
        setting: &'static str,
        /// file or directory
        path: PathBuf,
        /// why
        what: String,
    },
    /// A place for results that the operating system refuses.
    #[error("`{setting} = {}`: cannot be written", path.display())]
    Refused {
        /// the setting that names it
        setting: &'static str,
        /// file or directory
        path: PathBuf,
        /// the system's reason
        source: io::Error,
    },
    /// What is there is no regular file, and so is not replaced.
    #[error("{} is a {kind}, which is never replaced; give the name of a file", path.display())]
    NotAFile {
        /// its path
        path: PathBuf,
        /// what it is
        kind: &'static str,
    },
    /// One file for two purposes.
    #[error("`{setting}` and `{other}` name the same file, {}; give each its own file", path.display())]
    TwoRoles {
        /// the file
        path: PathBuf,
        /// the setting that has it written
        setting: &'static str,
        /// the other setting that names it
        other: &'static str,
    },
    /// Somebody works in the directory, or writes the file.
    #[error("{} is in use by another process; wait until it has ended, or give another place with `out`", path.display())]
    InUse {
        /// the directory or file
        path: PathBuf,
    },
    /// A file that cannot be opened, or is none.
    #[error("{}: {fault}", path.display())]
    Input {
        /// the file
        path: PathBuf,
        /// why
        fault: InputFault,
    },
    /// Not comma-separated text in UTF-8.
    #[error("{}, line {line}: not readable as csv: {what}", path.display())]
    Csv {
        /// the file
        path: PathBuf,
        /// from 1
        line: u64,
        /// why
        what: String,
    },
    /// The header of a table is not the one it should have.
    #[error("{}, line 1: the columns are {:?}, but {expected:?} are expected", path.display(), crate::words::excerpt(found))]
    Header {
        /// the file
        path: PathBuf,
        /// names of the columns it should have, joined by commas
        expected: String,
        /// names of the columns it has, joined by commas
        found: String,
    },
    /// A row of a table with more or fewer cells than columns.
    #[error("{}, line {line}: {cells} cells, but {columns} columns", path.display())]
    Ragged {
        /// the file
        path: PathBuf,
        /// from 1
        line: u64,
        /// cells in this line
        cells: usize,
        /// columns of the table
        columns: usize,
    },
    /// A table without the row that it should have.
    #[error("{}: no row below the header", path.display())]
    NoRow {
        /// the file
        path: PathBuf,
    },
    /// A table without the column that was asked for.
    #[error("{}: no column {column}", path.display())]
    NoColumn {
        /// the file
        path: PathBuf,
        /// its name
        column: String,
    },
    /// A cell that does not hold what its column should.
    #[error("{}, line {line}: column {} holds {:?}", path.display(), crate::words::excerpt(column), crate::words::excerpt(found))]
    Cell {
        /// the file
        path: PathBuf,
        /// from 1
        line: u64,
        /// name of the column
        column: String,
        /// the text in the cell
        found: String,
    },
    /// Not an npz archive, or not one with the arrays that were asked for.
    #[error("{}: {fault}", path.display())]
    Npz {
        /// the file
        path: PathBuf,
        /// what is wrong with it
        fault: NpzError,
    },
}

impl Error {
    /// For `map_err`: the operating system refused to do `action` to `path`. What is to be read and is not there is
    /// [`Error::Missing`].
    pub fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory if action == "read" => Self::Missing { path },
            _ => Self::Io { action, path, source },
        }
    }

    /// Where the cause lies.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Io { .. } | Self::Refused { .. } => Cause::System,
            Self::Place { .. } | Self::NotAFile { .. } | Self::TwoRoles { .. } | Self::InUse { .. } => Cause::Settings,
            Self::Input { fault, .. } => fault.cause(),
            Self::Missing { .. }
            | Self::Csv { .. }
            | Self::Header { .. }
            | Self::Ragged { .. }
            | Self::NoRow { .. }
            | Self::NoColumn { .. }
            | Self::Cell { .. } => Cause::Data,
            Self::Npz { fault, .. } => fault.cause(),
        }
    }

    /// For `map_err`: what is wrong with the input `path`.
    pub fn input(path: impl Into<PathBuf>) -> impl FnOnce(InputFault) -> Self {
        let path = path.into();
        move |fault| Self::Input { path, fault }
    }
}
