//! The formats of the user's own files. A new one is a file of its own and a line of [`FORMATS`].

use std::io::{Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use super::error::Error;
use super::raw::Raw;
use super::{csv, npy_file, npz_file};
use crate::files::{Input, open_input};
use crate::machine::Budget;

/// What a reader is given: a file, or bytes in memory.
pub(super) trait Content: Read + Seek {}

impl<R: Read + Seek> Content for R {}

/// Something to read, from its beginning.
pub(super) struct Opened {
    pub(super) content: Box<dyn Content>,
    /// its length
    pub(super) bytes: u64,
    /// its name, for messages and for files beside it
    pub(super) path: PathBuf,
}

impl Opened {
    /// The user's own file.
    pub(super) fn file(path: &Path) -> Result<Self, Error> {
        let Input { file, bytes } = open_input(path).map_err(|fault| Error::input(path, fault))?;
        Ok(Self { content: Box::new(file) as Box<dyn Content>, bytes, path: path.into() })
    }
    /// A file of this name with this content, which need not be there.
    pub(super) fn content(path: impl Into<PathBuf>, content: Vec<u8>) -> Self {
        let bytes = content.len() as u64;
        Self { content: Box::new(Cursor::new(content)), bytes, path: path.into() }
    }
}

/// How it is read.
pub(super) struct Reading<'a> {
    /// the column of the label (`label-column`)
    pub(super) label_column: Option<&'a str>,
    /// memory that may be taken
    pub(super) budget: &'a Budget,
}

/// A format: how its files end, and what reads them.
pub(super) struct Format {
    pub(super) extension: &'static str,
    pub(super) read: fn(Opened, &Reading<'_>) -> Result<Raw, Error>,
}

const FORMATS: [Format; 3] = [
    Format { extension: "npz", read: npz_file::read },
    Format { extension: "csv", read: csv::read },
    Format { extension: "npy", read: npy_file::read },
];

/// The format of a file by how its name ends, in small or capital letters.
pub(super) fn format_of(path: &Path) -> Option<&'static Format> {
    let extension = path.extension()?;
    FORMATS.iter().find(|format| extension.eq_ignore_ascii_case(format.extension))
}

/// The endings, for messages: `.npz, .csv or .npy`.
pub(super) fn extensions() -> String {
    let [first @ .., last] = FORMATS.map(|format| format!(".{}", format.extension));
    format!("{} or {last}", first.join(", "))
}

/// Only csv files have columns with names.
pub(super) fn is_csv(path: &Path) -> bool {
    format_of(path).is_some_and(|format| format.extension == "csv")
}
