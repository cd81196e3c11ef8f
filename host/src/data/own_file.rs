//! What readers say of the user's own files, as errors that name the setting of the file.

use std::io;
use std::path::Path;

use super::{Error, format};
use crate::files::npy::NpyFault;
use crate::files::{InputFault, NpzError};

impl Error {
    /// The same of the file of a curve, which another setting names.
    pub(super) fn of_curve(self) -> Self {
        match self {
            Self::Memory(error) => Self::Memory(error),
            other => Self::Curve { cause: other.cause(), what: other.to_string().replace("`data`", "`profile`") },
        }
    }

    /// The user's own file, or one of an idx set, that cannot be opened.
    pub(super) fn input(path: &Path, fault: InputFault) -> Self {
        let path = path.to_path_buf();
        match fault {
            InputFault::Missing => {
                let advice = format!("give the path of a file that ends in {} with `data`", format::extensions());
                Self::NotFound { path, what: "file".into(), advice }
            }
            InputFault::NotAFile(kind) => Self::NotAFile { path, kind },
            InputFault::System(reason) => Self::unreadable(&path)(reason),
            fault => Self::Npz { path, what: fault.to_string() },
        }
    }

    /// For `map_err`: the system's reason why the user's own file cannot be read.
    pub(super) fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |reason| Self::Io { path, action: "read", advice: "give another file with `data`", reason }
    }

    /// What is wrong with the user's own archive.
    pub(super) fn npz(path: &Path, fault: NpzError) -> Self {
        match fault {
            NpzError::Unreadable(reason) | NpzError::Array { fault: NpyFault::Read(reason), .. } => {
                Self::unreadable(path)(reason)
            }
            fault => Self::Npz { path: path.into(), what: fault.to_string() },
        }
    }
}
