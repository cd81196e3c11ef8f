//! Samples from a csv file: comma separated, one sample a line, the last column is y; a first line without any number
//! is a header.

use std::io::Read;
use std::path::Path;

use csv::Trim;

use super::error::Error;
use super::raw::{Raw, Values, Y, YType};
use crate::files::{self, records};
use crate::machine::Budget;

/// Reads all of `path`.
pub(super) fn read(path: &Path, budget: &Budget) -> Result<Raw, Error> {
    let at = |line: u64, what: String| Error::Csv { path: path.into(), line, what };
    let mut bytes = Vec::new();
    super::open_file(path)?.read_to_end(&mut bytes).map_err(|e| at(1, format!("cannot be read: {e}")))?;
    // beside its text a number takes eight bytes, in twice as many that a vector grows by
    budget.draw(&super::file_name(path), 9 * bytes.len() as u64)?;
    let (mut x, mut y, mut columns) = (Vec::new(), Vec::new(), None);
    // lines of any length are let through, so that the message below can name the line and both lengths
    for (index, record) in records(path, &bytes, Trim::All).enumerate() {
        let (line, record) = record.map_err(|e| match e {
            files::Error::Csv { line, what, .. } => at(line, format!("not readable as csv: {what}")),
            other => at(1, other.to_string()),
        })?;
        if index == 0 && record.iter().all(|field| field.parse::<f64>().is_err()) {
            columns = Some(record.len());
            continue;
        }
        let wanted = *columns.get_or_insert(record.len());
        if record.len() != wanted {
            return Err(at(line, format!("{} columns, but the lines before have {wanted}", record.len())));
        }
        if wanted < 2 {
            return Err(at(line, "only one column, but at least one number and the label y (last) are needed".into()));
        }
        for (column, field) in record.iter().enumerate() {
            let place = || format!("column {} of {wanted}", column + 1);
            let value: f64 = field.parse().map_err(|_| at(line, format!("{}: {field:?} is not a number", place())))?;
            if !value.is_finite() {
                return Err(at(line, format!("{}: {field} is not finite", place())));
            }
            if column + 1 < wanted {
                x.push(value);
                continue;
            }
            if field.parse().is_ok_and(|integer: i128| integer != value as i128) {
                return Err(at(line, format!("{}: the integer {field} is too large to be kept exactly", place())));
            }
            y.push(value);
        }
    }
    let n = y.len();
    if n == 0 {
        return Err(at(1, "no samples in this file".into()));
    }
    let y = Y { values: y, columns: 1, stored: YType::Real };
    Ok(Raw { values: Values::Real(x), n, d: columns.unwrap_or(1) - 1, y: Some(y), place: super::file_name(path) })
}
