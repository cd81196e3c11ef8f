//! The command line inside a Python process.

use std::ffi::OsString;
use std::path::PathBuf;

use ntkscope::cli::{Call, main as command_line};
use pyo3::prelude::*;

/// Does what was typed, and returns the exit code; signals are the command line's from here on. `interpreter` calls it again.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, interpreter: PathBuf, arguments: Vec<OsString>) -> u8 {
    let before = ["-m", "ntkscope"].map(OsString::from).to_vec();
    let call = Call { program: Some(interpreter), before, arguments };
    py.detach(|| command_line(call))
}
