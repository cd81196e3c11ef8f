//! Samples from an npz file: array `x` (n, d), and array `y` (n) or (n, C) where there is one; any real or integer dtype, C or
//! Fortran order.

use std::path::Path;

use super::error::Error;
use super::raw::{Raw, Values, Y, YType};
use crate::files::NpzError;
use crate::files::npz::Npz;
use crate::machine::Budget;

/// Reads all of `path`.
pub(super) fn read(path: &Path, budget: &Budget) -> Result<Raw, Error> {
    let damaged = |what: String| Error::Npz { path: path.into(), what };
    let unreadable = |fault: NpzError| damaged(fault.to_string());
    let file = super::open_file(path)?;
    budget.draw(&super::file_name(path), 3 * file.metadata().map_or(0, |data| data.len()))?;
    let mut archive = Npz::new(file).map_err(unreadable)?;
    let (x_shape, x) = archive.array("x").map_err(unreadable)?;
    let &[n, d] = x_shape.as_slice() else {
        return Err(damaged(format!("array `x` has shape {x_shape:?}, but (n, d) is needed")));
    };
    if n == 0 || d == 0 {
        return Err(damaged(format!("array `x` has shape {x_shape:?}: there is no sample in it")));
    }
    if let Some(at) = x.iter().position(|v| !v.is_finite()) {
        return Err(damaged(format!("array `x`, row {} column {} (from 0): {} is not finite", at / d, at % d, x[at])));
    }
    let place = super::file_name(path);
    if !archive.names().iter().any(|name| name == "y") {
        return Ok(Raw { values: Values::Real(x), n, d, y: None, place });
    }
    let stored = if archive.holds_integers("y").map_err(unreadable)? { YType::Integer } else { YType::Real };
    let (shape, y) = archive.array("y").map_err(unreadable)?;
    let columns = match *shape.as_slice() {
        [rows] if rows == n => 1,
        [rows, columns] if rows == n && columns > 0 => columns,
        _ => {
            let what =
                format!("array `y` has shape {shape:?}, but `x` has {n} samples, so ({n},) or ({n}, C) is needed");
            return Err(damaged(what));
        }
    };
    if let Some(at) = y.iter().position(|v| !v.is_finite()) {
        return Err(damaged(format!("array `y`, row {} (from 0): {} is not finite", at / columns, y[at])));
    }
    Ok(Raw { values: Values::Real(x), n, d, y: Some(Y { values: y, columns, stored }), place })
}
