//! Errors of the library as Python's exceptions.

use std::io;

use ntkscope::machine::{self, Cause};
use ntkscope::words::chain;
use ntkscope::{analysis, data, experiment, files, kernel, run};
use ntkscope_core as core;
use pyo3::create_exception;
use pyo3::exceptions::{
    PyArithmeticError, PyFileNotFoundError, PyMemoryError, PyOSError, PyRuntimeError, PyTypeError, PyValueError,
};
use pyo3::prelude::*;

create_exception!(ntkscope, DataError, PyValueError, "A file that is damaged, or not what it should be.");
create_exception!(ntkscope, UnsupportedLayer, PyValueError, "A layer of a module whose kernel is not computed.");
create_exception!(ntkscope, NoLimit, PyValueError, "A network that has no kernel in the limit of infinite width.");
create_exception!(
    ntkscope,
    NotFinite,
    PyArithmeticError,
    "A number that is nan or infinite, or a result that would be."
);

/// An error of the library below, or of Python.
#[derive(Debug)]
pub(crate) enum Fault {
    Core(core::Error),
    Machine(machine::Error),
    Kernel(kernel::Error),
    /// what a message and its cause say of the rest
    Told(Cause, String),
    /// an exception that is raised as it is
    Raised(PyErr),
    /// entries of a kernel that are not finite: samples i and j
    Entry(usize, usize),
}

pub(crate) type Fallible<T> = Result<T, Fault>;

impl From<core::Error> for Fault {
    fn from(error: core::Error) -> Self {
        Self::Core(error)
    }
}
impl From<machine::Error> for Fault {
    fn from(error: machine::Error) -> Self {
        Self::Machine(error)
    }
}
impl From<PyErr> for Fault {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}
impl From<files::Error> for Fault {
    fn from(error: files::Error) -> Self {
        Self::Kernel(kernel::Error::File(error))
    }
}
impl From<kernel::Error> for Fault {
    fn from(error: kernel::Error) -> Self {
        match error {
            kernel::Error::Core(error) => Self::Core(error),
            kernel::Error::Memory(error) => Self::Machine(error),
            error => Self::Kernel(error),
        }
    }
}

/// Errors that know their cause; what led to them is part of the message.
macro_rules! told {
    ($($error:ty),+) => {$(
        impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                Self::Told(error.cause(), chain(&error))
            }
        }
    )+};
}
told!(analysis::Error, data::Error, experiment::Error);

impl From<run::Error> for Fault {
    fn from(error: run::Error) -> Self {
        match error {
            run::Error::File(error) => error.into(),
            error => Self::Told(error.cause(), chain(&error)),
        }
    }
}

impl From<Fault> for PyErr {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Raised(error) => error,
            Fault::Core(error) => of_core(&error),
            Fault::Machine(error @ machine::Error::Memory { .. }) => PyMemoryError::new_err(error.to_string()),
            Fault::Machine(error @ machine::Error::TooManyThreads { .. }) => PyValueError::new_err(error.to_string()),
            Fault::Machine(error) => PyRuntimeError::new_err(error.to_string()),
            Fault::Kernel(kernel::Error::NotFound { path }) => {
                PyFileNotFoundError::new_err((2, "No such file or directory", path.into_os_string()))
            }
            Fault::Kernel(kernel::Error::Disk { path, reason, .. }) => of_io(&reason, &path),
            Fault::Kernel(kernel::Error::File(files::Error::Io { path, source, .. })) => of_io(&source, &path),
            Fault::Kernel(error) => told(error.cause(), chain(&error)),
            Fault::Told(cause, text) => told(cause, text),
            Fault::Entry(i, j) => NotFinite::new_err(format!(
                "the kernel of samples {i} and {j} is not finite; scale the samples, or compute in float64"
            )),
        }
    }
}

/// The exception of the system, with the file.
pub(crate) fn of_io(error: &io::Error, path: &std::path::Path) -> PyErr {
    match error.raw_os_error() {
        // the number chooses the subclass, as PermissionError
        Some(number) => PyOSError::new_err((number, files::reason(error), path.as_os_str().to_owned())),
        None => PyOSError::new_err(format!("{}: {error}", path.display())),
    }
}

fn told(cause: Cause, text: String) -> PyErr {
    match cause {
        Cause::Settings => PyValueError::new_err(text),
        Cause::Data => DataError::new_err(text),
        Cause::System => PyOSError::new_err(text),
        Cause::Work => PyRuntimeError::new_err(text),
    }
}

fn of_core(error: &core::Error) -> PyErr {
    let text = error.to_string();
    match error {
        core::Error::NonFinite { .. } | core::Error::Diverged { .. } => NotFinite::new_err(text),
        core::Error::BufferLength { .. }
        | core::Error::Shape { .. }
        | core::Error::OutOfRange { .. }
        | core::Error::SampleScale { .. }
        | core::Error::NotSmooth { .. }
        | core::Error::NoFiniteSolution { .. }
        | core::Error::SingularKernel { .. }
        | core::Error::IndefiniteKernel { .. } => PyValueError::new_err(text),
        _ => PyArithmeticError::new_err(text),
    }
}

/// A ValueError.
pub(crate) fn value(text: impl Into<String>) -> PyErr {
    PyValueError::new_err(text.into())
}

/// A TypeError.
pub(crate) fn wrong_type(text: impl Into<String>) -> PyErr {
    PyTypeError::new_err(text.into())
}
