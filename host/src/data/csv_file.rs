//! Samples from a csv file: comma separated, one sample a line, the last column is y; a first line without any number
//! is a header.

use std::io::Read;
use std::path::Path;

use super::error::DataError;
use super::raw::{Raw, Values};

/// Reads all of `path`.
pub(super) fn read(path: &Path) -> Result<Raw, DataError> {
    let at = |line: u64, what: String| DataError::Csv { path: path.into(), line, what };
    let mut bytes = Vec::new();
    super::open_file(path)?.read_to_end(&mut bytes).map_err(|e| at(1, format!("cannot be read: {e}")))?;
    // csv counts the empty lines before a record as belonging to it.
    let line_of = |position: Option<&csv::Position>| {
        position.map_or(0, |p| {
            let rest = bytes.get(p.byte() as usize..).unwrap_or_default();
            p.line() + rest.iter().take_while(|b| b"\r\n".contains(b)).filter(|&&b| b == b'\n').count() as u64
        })
    };
    // Ragged lines are let through here so that the message below can name the line and both lengths.
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(bytes.as_slice());

    let (mut x, mut y, mut columns) = (Vec::new(), Vec::new(), None);
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|e| at(line_of(e.position()), format!("not readable as csv: {}", reason(&e))))?;
        let line = line_of(record.position());
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
            if column + 1 == wanted { y.push(value) } else { x.push(value) }
        }
    }
    let n = y.len();
    if n == 0 {
        return Err(at(1, "no samples in this file".into()));
    }
    Ok(Raw { values: Values::Real(x), n, d: columns.unwrap_or(1) - 1, y, place: super::file_name(path) })
}

fn reason(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Utf8 { err, .. } => format!("field {} is not UTF-8 text", err.field() + 1),
        _ => error.to_string(),
    }
}
