//! Samples from an npz file: array `x` (n, d), and array `y` (n) or (n, C) where there is one; any real or integer dtype, C or
//! Fortran order.

use std::fmt::Display;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use super::error::Error;
use super::format::{Content, Opened, Reading};
use super::raw::{Raw, Stored, Values, Y, YType, room};
use crate::files::NpzError;
use crate::files::npy::{Npy, NpyFault, in_brackets};
use crate::files::npz::Npz;
use crate::machine::Budget;

/// Reads the labels, and the header of the inputs.
pub(super) fn read(Opened { content, bytes, path }: Opened, reading: &Reading<'_>) -> Result<Raw, Error> {
    let unreadable = |fault| Error::npz(&path, fault);
    let mut archive = Npz::of(BufReader::new(content), bytes).map_err(unreadable)?;
    let shape = archive.open("x").map_err(unreadable)?.shape().to_vec();
    let (n, d) = inputs(&shape).map_err(|what| Named { path: &path, array: "array `x`" }.error(what))?;
    let y = match archive.open("y") {
        Ok(npy) => Some(labels(npy, n, Named { path: &path, array: "array `y`" }, reading.budget)?),
        Err(NpzError::NoArray { .. }) => None,
        Err(fault) => return Err(unreadable(fault)),
    };
    let place = super::file_name(&path);
    let values = Values::Stored(Box::new(Rows { archive, path, d }));
    Ok(Raw::new(values, [n, d], y, place))
}

/// (n, d) of an array of inputs.
///
/// # Errors
/// What is wrong with its shape, to be put after its name.
pub(super) fn inputs(shape: &[usize]) -> Result<(usize, usize), String> {
    let wrong = |what: &str| Err(format!("has shape {}{what}", in_brackets(shape)));
    match *shape {
        [0, _] | [_, 0] => wrong(", so it holds no sample"),
        [n, d] => Ok((n, d)),
        [_] => wrong(", but (n, d) is needed; save x[:, None] if a sample is one number"),
        [n, ..] if n > 0 => wrong(", but (n, d) is needed; save x.reshape(len(x), -1) instead"),
        _ => wrong(", but (n, d) is needed"),
    }
}

/// An array, as messages name it.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    /// the file
    pub(super) path: &'a Path,
    /// "array `x`", or nothing where the file is the array
    pub(super) array: &'a str,
}

impl Named<'_> {
    /// What is wrong with all of it.
    pub(super) fn error(self, what: impl Display) -> Error {
        Error::Npz { path: self.path.into(), what: format!("{} {what}", self.array).trim_start().into() }
    }
    /// Why it cannot be read.
    pub(super) fn fault(self, fault: NpyFault) -> Error {
        match fault {
            NpyFault::Read(reason) => Error::unreadable(self.path)(reason),
            fault => self.error(fault),
        }
    }
    /// What is wrong with a number in it.
    fn not_finite(self, place: String, value: f64) -> Error {
        let comma = if self.array.is_empty() { "" } else { ", " };
        let what = format!("{}{comma}{place} (from 0): {value} is not finite", self.array);
        Error::Npz { path: self.path.into(), what }
    }
}

/// y of n samples: (n) or (n, C).
pub(super) fn labels<R: Read>(npy: Npy<R>, n: usize, named: Named<'_>, budget: &Budget) -> Result<Y, Error> {
    let columns = match *npy.shape() {
        [rows] if rows == n => 1,
        [rows, columns] if rows == n && columns > 0 => columns,
        ref shape => {
            let shape = in_brackets(shape);
            let what = format!("has shape {shape}, but `x` has {n} samples, so ({n},) or ({n}, C) is needed");
            return Err(named.error(what));
        }
    };
    // with what the selection of classes takes
    budget.draw(&super::file_name(named.path), (8 * columns as u64 + 32).saturating_mul(n as u64))?;
    let stored = if npy.header().number.is_integer() { YType::Integer } else { YType::Real };
    let values = npy.all(u64::MAX).map_err(|fault| named.fault(fault))?;
    match values.iter().position(|v| !v.is_finite()) {
        Some(at) => Err(named.not_finite(format!("row {}", at / columns), values[at])),
        None => Ok(Y { values, columns, stored }),
    }
}

/// The inputs of an archive.
struct Rows {
    archive: Npz<BufReader<Box<dyn Content>>>,
    path: PathBuf,
    d: usize,
}

impl Stored for Rows {
    fn rows(&mut self, rows: &[usize], budget: &Budget) -> Result<Vec<f64>, Error> {
        let npy = self.archive.open("x").map_err(|fault| Error::npz(&self.path, fault))?;
        gather(npy, rows, self.d, Named { path: &self.path, array: "array `x`" }, budget)
    }
}

/// These rows, increasing, of an array of two dimensions. All of it is looked at, to its end, where an archive's own
/// checksum is compared.
pub(super) fn gather<R: Read>(
    npy: Npy<R>,
    rows: &[usize],
    d: usize,
    named: Named<'_>,
    budget: &Budget,
) -> Result<Vec<f64>, Error> {
    let mut x = room(&super::file_name(named.path), rows.len(), d, budget)?;
    x.resize(rows.len() * d, 0.0);
    let mut at = 0;
    let visited = npy.visit(|row, column, value| {
        if !value.is_finite() {
            return Err(Stop::NotFinite { row, column, value });
        }
        if row == 0 {
            at = 0; // of each column, where columns come one after the other
        }
        while rows.get(at).is_some_and(|wanted| *wanted < row) {
            at += 1;
        }
        if rows.get(at) == Some(&row) {
            x[at * d + column] = value;
        }
        Ok(())
    });
    visited.map_err(|stop| match stop {
        Stop::Fault(fault) => named.fault(fault),
        Stop::NotFinite { row, column, value } => named.not_finite(format!("row {row} column {column}"), value),
    })?;
    Ok(x)
}

enum Stop {
    Fault(NpyFault),
    NotFinite { row: usize, column: usize, value: f64 },
}

impl From<NpyFault> for Stop {
    fn from(fault: NpyFault) -> Self {
        Self::Fault(fault)
    }
}
