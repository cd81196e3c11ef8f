//! What can go wrong with a kernel and its file.

use std::io;
use std::path::{Path, PathBuf};

use bytesize::ByteSize;

use crate::files::npy::{NpyFault, in_brackets};
use crate::files::{self, InputFault, NpzError, reason};
use crate::machine::{self, Cause};
use crate::words::excerpt;

/// A kernel that cannot be computed, written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Core refuses: a number that is not finite, eigenvalues that do not converge.
    #[error(transparent)]
    Core(#[from] ntkscope_core::Error),
    /// Not even blocks of one tile fit into memory.
    #[error(transparent)]
    Memory(#[from] machine::Error),
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// The eigenvalues of Lanczos' tridiagonal matrix.
    #[error("eigenvalues of the Lanczos tridiagonal matrix")]
    Tridiagonal(#[source] ntkscope_core::Error),
    /// The file of a kernel that does not fit into memory cannot be written or read back.
    #[error("`out = {}`: {}{reason}; give `out = K.npy` on a disk with {size} to spare", path.display(), if *nameless { "a kernel larger than memory is written here for its summary: " } else { "" })]
    Disk {
        /// the file, or the directory of a file without a name
        path: PathBuf,
        /// whether the file is for the summary only
        nameless: bool,
        /// what the file takes
        size: ByteSize,
        /// the system's
        reason: io::Error,
    },
    /// The file of a kernel on the disk cannot be read.
    #[error("cannot read the kernel file")]
    Read(#[source] io::Error),
    /// There is no file of this name.
    #[error("{}: no such file; give the path of an npz or npy file with a kernel", path.display())]
    NotFound {
        /// the path
        path: PathBuf,
    },
    /// A file has no kernel, or a damaged one.
    #[error("{}: {fault}; {}", path.display(), mend(fault))]
    Damaged {
        /// the file
        path: PathBuf,
        /// what is wrong with it
        fault: KernelFault,
    },
}

impl Error {
    /// Where the cause lies.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Core(error) | Self::Tridiagonal(error) => Cause::of_core(error),
            Self::Memory(error) => error.cause(),
            Self::File(error) => error.cause(),
            Self::Disk { .. } | Self::Read(_) => Cause::System,
            Self::NotFound { .. } => Cause::Data,
            Self::Damaged { fault, .. } => fault.cause(),
        }
    }

    /// A file of a kernel that cannot be opened.
    pub fn input(path: &Path, fault: InputFault) -> Self {
        match fault {
            InputFault::Missing => Self::NotFound { path: path.into() },
            fault => Self::Damaged { path: path.into(), fault: KernelFault::Input(fault) },
        }
    }
}

/// What mends it.
fn mend(fault: &KernelFault) -> &'static str {
    match fault {
        KernelFault::Npz(NpzError::NoArray { present, .. }) if !present.is_empty() => {
            "give one of them as FILE.npz:NAME"
        }
        _ => "fix the file or give another",
    }
}

/// What is wrong with the file of a kernel, without its name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KernelFault {
    /// it cannot be opened, or is none
    #[error("{0}")]
    Input(InputFault),
    /// the operating system cannot read it
    #[error("cannot be read: {}", reason(.0))]
    Unreadable(io::Error),
    /// no npy file, or a damaged one
    #[error("{0}")]
    Npy(NpyFault),
    /// no npz archive, or one without the array
    #[error("{0}")]
    Npz(NpzError),
    /// another shape
    #[error("{}has shape {}, but a square matrix is needed", of(array), in_brackets(shape))]
    Shape {
        /// its name in an npz
        array: Option<String>,
        /// its shape
        shape: Vec<usize>,
    },
    /// an entry that is NaN or infinite
    #[error("{}row {row} column {column} (from 0): {value} is not finite", of(array))]
    NotFinite {
        /// name of the array in an npz
        array: Option<String>,
        /// from 0
        row: usize,
        /// from 0
        column: usize,
        /// the entry
        value: f64,
    },
    /// an entry that is not that on the other side of the diagonal
    #[error(
        "{}is not symmetric, so not a kernel: {value:?} in row {row} column {column} (from 0), but {mirrored:?} in row {column} column {row}",
        of(array)
    )]
    NotSymmetric {
        /// name of the array in an npz
        array: Option<String>,
        /// from 0
        row: usize,
        /// from 0
        column: usize,
        /// the entry
        value: f64,
        /// the entry with row and column exchanged
        mirrored: f64,
    },
}

impl KernelFault {
    /// Where the cause lies.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Input(fault) => fault.cause(),
            Self::Unreadable(_) => Cause::System,
            Self::Npy(fault) => fault.cause(),
            Self::Npz(fault) => fault.cause(),
            Self::Shape { .. } | Self::NotFinite { .. } | Self::NotSymmetric { .. } => Cause::Data,
        }
    }
}

/// The array in question, at the beginning of a message.
fn of(array: &Option<String>) -> String {
    array.as_ref().map_or(String::new(), |array| format!("array `{}` ", excerpt(array)))
}
