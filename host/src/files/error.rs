//! What can be wrong with a file.

use std::io;
use std::path::PathBuf;

use super::npz::NpzError;

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
    #[error("{}, line 1: the columns are {found:?} instead of {expected:?}", path.display())]
    Header {
        /// the file
        path: PathBuf,
        /// names of the columns it should have, joined by commas
        expected: String,
        /// names of the columns it has, joined by commas
        found: String,
    },
    /// A row of a table with more or fewer cells than columns.
    #[error("{}, line {line}: {cells} cells, but there are {columns} columns", path.display())]
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
    #[error("{}: there is no row below the columns", path.display())]
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
    #[error("{}, line {line}: column {column} holds {found:?}", path.display())]
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
    /// For `map_err`: the operating system refused to do `action` to `path`.
    pub fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
