//! What can go wrong with a kernel and its file.

use std::io;
use std::path::PathBuf;

use bytesize::ByteSize;

use crate::files::{self, NpzError};
use crate::machine::{self, Cause};

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
    #[error("Lanczos' tridiagonal matrix")]
    Tridiagonal(#[source] ntkscope_core::Error),
    /// The file of a kernel that does not fit into memory cannot be written or read back.
    #[error("`out = {}`: {}{reason}; give `out = K.npy` on a disk with {size} to spare", path.display(), if *nameless { "a kernel that does not fit into memory is written here for its summary: " } else { "" })]
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
    #[error("cannot read the file of the kernel")]
    Read(#[source] io::Error),
    /// There is no file of this name.
    #[error("{}: no such file; give the path of an npz or npy with a kernel", path.display())]
    NotFound {
        /// the path
        path: PathBuf,
    },
    /// A file has no kernel, or a damaged one.
    #[error("{}: {fault}; fix the file or give another", path.display())]
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
}

impl KernelFault {
    /// Where the cause lies.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Unreadable(_) => Cause::System,
            Self::NotNpy(_)
            | Self::Npz(_)
            | Self::Dtype(_)
            | Self::Shape(_)
            | Self::ArrayShape { .. }
            | Self::ColumnMajor
            | Self::Length { .. }
            | Self::NotFinite { .. } => Cause::Data,
        }
    }
}

/// What is wrong with the file of a kernel, without its name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KernelFault {
    /// the operating system cannot read it
    #[error("{0}")]
    Unreadable(io::Error),
    /// no npy file
    #[error("not readable as an npy file: {0}")]
    NotNpy(io::Error),
    /// no npz archive, or one without the array
    #[error("{0}")]
    Npz(NpzError),
    /// an npy file of other numbers than f32 and f64
    #[error("has dtype {0}, but '<f4' or '<f8' is needed")]
    Dtype(String),
    /// an npy file of another shape
    #[error("has shape {0:?}, but a square matrix is needed")]
    Shape(Vec<u64>),
    /// an array of an npz of another shape
    #[error("array `{array}` has shape {shape:?}, but a square matrix is needed")]
    ArrayShape {
        /// its name
        array: String,
        /// its shape
        shape: Vec<usize>,
    },
    /// an npy file in Fortran order
    #[error("is stored column by column; save it with numpy.ascontiguousarray")]
    ColumnMajor,
    /// an npy file that is not as long as its header says
    #[error("is damaged: {bytes} bytes cannot hold {rows} x {rows} numbers of type {dtype}")]
    Length {
        /// bytes there are
        bytes: u64,
        /// rows and columns
        rows: usize,
        /// type of the numbers, as numpy names it
        dtype: String,
    },
    /// an entry that is NaN or infinite
    #[error("array `{array}`, row {row} column {column}: {value} is not finite")]
    NotFinite {
        /// name of the array
        array: String,
        /// from 0
        row: usize,
        /// from 0
        column: usize,
        /// the entry
        value: f64,
    },
}
