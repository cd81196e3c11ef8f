//! The formats of the user's own files. A new one is a file of its own and a line of [`FORMATS`].

use std::path::Path;

use super::error::Error;
use super::raw::Raw;
use super::{csv_file, npz_file};
use crate::machine::Budget;

/// A format: how its files end, and what reads them.
pub(super) struct Format {
    pub(super) extension: &'static str,
    pub(super) read: fn(&Path, &Budget) -> Result<Raw, Error>,
}

const FORMATS: [Format; 2] =
    [Format { extension: "npz", read: npz_file::read }, Format { extension: "csv", read: csv_file::read }];

/// The format of a file by how its name ends, in small or capital letters.
pub(super) fn format_of(path: &Path) -> Option<&'static Format> {
    let extension = path.extension()?;
    FORMATS.iter().find(|format| extension.eq_ignore_ascii_case(format.extension))
}

/// The endings, for messages: `.npz or .csv`.
pub(super) fn extensions() -> String {
    FORMATS.iter().map(|format| format!(".{}", format.extension)).collect::<Vec<_>>().join(" or ")
}
