//! Tables with named columns, as csv files: the one writer and the one reader of them.
//!
//! Every number that is written reads back as the same bits (NaN, which is an empty cell, as some NaN).

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use csv::{Position, ReaderBuilder, StringRecord, Writer};

use super::{Error, look, numbers, read_input, write_atomic};

/// Most bytes of a table that is read: ten times the largest that a study writes.
const MOST_BYTES: u64 = 1 << 28;

/// The text of one cell. A number has the shortest text that reads back as its bits, with an exponent where that is
/// shorter; what is not there is an empty cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell(String);

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Self(numbers::text(value))
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<u64> for Cell {
    fn from(count: u64) -> Self {
        Self(count.to_string())
    }
}

impl From<usize> for Cell {
    fn from(count: usize) -> Self {
        Self(count.to_string())
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Self {
        Self(value.to_string())
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self(String::new()), Into::into)
    }
}

/// Named columns, and rows of as many cells.
#[derive(Clone, Debug)]
pub struct CsvTable {
    /// where it was read from; empty for one that is made here
    path: PathBuf,
    columns: StringRecord,
    /// the line that a row begins at, from 1, and its cells
    rows: Vec<(u64, StringRecord)>,
}

impl CsvTable {
    /// A table without rows.
    pub fn new(columns: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut names = StringRecord::new();
        columns.into_iter().for_each(|name| names.push_field(name.as_ref()));
        Self { path: PathBuf::new(), columns: names, rows: Vec::new() }
    }

    /// Adds a row of one cell for every column.
    ///
    /// # Panics
    /// When there are more cells than columns, or fewer.
    #[track_caller]
    pub fn push(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let mut row = StringRecord::new();
        cells.into_iter().for_each(|Cell(text)| row.push_field(&text));
        assert_eq!(row.len(), self.columns.len(), "a cell for every column");
        self.rows.push((self.rows.len() as u64 + 2, row));
    }

    /// Names of the columns.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter()
    }

    /// All rows, in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, cells)| Row { table: self, line: *line, cells })
    }

    /// Writes the file, under a temporary name first.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        write_atomic(path, &self.content().map_err(Error::io("write", path))?)
    }

    /// The content of its file.
    ///
    /// # Errors
    /// None that arises in memory.
    pub fn content(&self) -> io::Result<Vec<u8>> {
        let mut writer = Writer::from_writer(Vec::new());
        let mut records = std::iter::once(&self.columns).chain(self.rows.iter().map(|(_, cells)| cells));
        records.try_for_each(|record| writer.write_record(record))?;
        writer.into_inner().map_err(|e| e.into_error())
    }

    /// Reads the file back.
    ///
    /// # Errors
    /// [`Error::Input`], [`Error::Csv`]; [`Error::Ragged`] for a row that has not a cell for every column.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = read_input(path, MOST_BYTES).map_err(Error::input(path))?;
        Self::parse(path, &bytes)
    }

    /// Reads the file back; `None` where there is none.
    ///
    /// # Errors
    /// Those of [`Self::read`].
    pub fn read_if_there(path: &Path) -> Result<Option<Self>, Error> {
        look(path)?.map(|_| Self::read(path)).transpose()
    }

    /// Reads the content of a file; `path` is for messages.
    ///
    /// # Errors
    /// [`Error::Csv`], also for a file without a line; [`Error::Ragged`].
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let mut records = records(path, bytes);
        let without = || Error::Csv { path: path.into(), line: 1, what: "there is no header line".into() };
        let (_, columns) = records.next().transpose()?.ok_or_else(without)?;
        let mut table = Self { path: path.into(), columns, rows: Vec::new() };
        for record in records {
            let (line, cells) = record?;
            if cells.len() != table.columns.len() {
                let (cells, columns) = (cells.len(), table.columns.len());
                return Err(Error::Ragged { path: path.into(), line, cells, columns });
            }
            table.rows.push((line, cells));
        }
        Ok(table)
    }

    /// Refuses a table that has not these columns, in this order.
    ///
    /// # Errors
    /// [`Error::Header`].
    pub fn check_columns(&self, columns: &[&str]) -> Result<(), Error> {
        if self.columns().eq(columns.iter().copied()) {
            return Ok(());
        }
        let found = self.columns().collect::<Vec<_>>().join(",");
        Err(Error::Header { path: self.path.clone(), expected: columns.join(","), found })
    }

    /// Where it was read from, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// One row of a table.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    table: &'a CsvTable,
    line: u64,
    cells: &'a StringRecord,
}

impl<'a> Row<'a> {
    /// The cell of the column `name`, as a count, a text, a truth value; for numbers see [`Self::number`].
    ///
    /// # Errors
    /// [`Error::NoColumn`]; [`Error::Cell`] for a text that is no such value.
    pub fn get<T: FromStr>(&self, name: &str) -> Result<T, Error> {
        self.get_with(name, |text| text.parse().ok())
    }

    /// The number in the column `name`; NaN, which is undefined, of an empty cell.
    ///
    /// # Errors
    /// [`Error::NoColumn`]; [`Error::Cell`] for a text that is no number.
    pub fn number(&self, name: &str) -> Result<f64, Error> {
        self.get_with(name, numbers::read)
    }

    /// The cell of the column `name`, as `read` has it.
    ///
    /// # Errors
    /// [`Error::NoColumn`]; [`Error::Cell`] for a text of which `read` makes nothing.
    pub fn get_with<T>(&self, name: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Error> {
        let at = self.table.columns().position(|column| column == name);
        let at = at.ok_or_else(|| Error::NoColumn { path: self.table.path.clone(), column: name.into() })?;
        self.cell(at, read)
    }

    /// All cells as numbers, in the order of the columns; an empty one is NaN.
    ///
    /// # Errors
    /// [`Error::Cell`] for a text that is no number.
    pub fn numbers(&self) -> Result<Vec<f64>, Error> {
        (0..self.cells.len()).map(|at| self.cell(at, numbers::read)).collect()
    }

    fn cell<T>(&self, at: usize, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Error> {
        let text = &self.cells[at];
        read(text.trim()).ok_or_else(|| Error::Cell {
            path: self.table.path.clone(),
            line: self.line,
            column: self.table.columns[at].into(),
            found: text.into(),
        })
    }
}

impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("line", &self.line).field("cells", &self.cells).finish()
    }
}

/// The records of `bytes`, each with the line that it begins at, from 1; empty lines are left out. `path` is for messages.
///
/// # Errors
/// [`Error::Csv`] for text that is not UTF-8. Records may differ in length.
fn records<'b>(path: &'b Path, bytes: &'b [u8]) -> impl Iterator<Item = Result<(u64, StringRecord), Error>> + 'b {
    let reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    // csv counts the empty lines before a record as belonging to it
    let line_of = move |position: Option<&Position>| {
        position.map_or(0, |p| {
            let rest = bytes.get(p.byte() as usize..).unwrap_or_default();
            p.line() + rest.iter().take_while(|b| b"\r\n".contains(b)).filter(|&&b| b == b'\n').count() as u64
        })
    };
    reader.into_records().map(move |record| match record {
        Ok(record) => Ok((line_of(record.position()), record)),
        Err(e) => {
            let what = match e.kind() {
                csv::ErrorKind::Utf8 { err, .. } => format!("field {} is not UTF-8 text", err.field() + 1),
                _ => e.to_string(),
            };
            Err(Error::Csv { path: path.into(), line: line_of(e.position()), what })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_and_every_letter_comes_back() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("table.csv");
        let awkward = [0.1 + 0.2, -0.0, f64::MAX, f64::from_bits(1), f64::INFINITY, f64::NEG_INFINITY, 1e300, f64::NAN];
        let mut table = CsvTable::new(["name", "value", "count", "given"]);
        for (i, value) in awkward.into_iter().enumerate() {
            let name = ["plain", "a, b", "\"quoted\"", " spaced "][i % 4];
            table.push([name.into(), value.into(), (u64::MAX - i as u64).into(), None::<f64>.into()]);
        }
        table.write(&path).unwrap();
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1, "a temporary file was left");
        let back = CsvTable::read(&path).unwrap();
        back.check_columns(&["name", "value", "count", "given"]).unwrap();
        assert_eq!(back.rows().len(), awkward.len());
        for (i, (row, value)) in back.rows().zip(awkward).enumerate() {
            assert_eq!(row.number("value").unwrap().to_bits(), value.to_bits());
            assert_eq!(row.get::<u64>("count").unwrap(), u64::MAX - i as u64);
            assert_eq!(&row.cells[0], ["plain", "a, b", "\"quoted\"", " spaced "][i % 4]);
        }
    }

    #[test]
    fn damage_is_named_by_file_line_and_column() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("t.csv");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let table = CsvTable::read(&path)?;
            table.check_columns(&["a", "b"])?;
            let numbers: Vec<_> = table.rows().map(|row| row.numbers()).collect::<Result<_, _>>()?;
            table.rows().try_for_each(|row| row.number("c").map(|_| ()))?;
            Ok::<_, Error>(numbers)
        };
        let message = |text| read(text).unwrap_err().to_string().replace(&path.display().to_string(), "t.csv");
        assert_eq!(message("a,c\n"), "t.csv, line 1: the columns are \"a,c\", but \"a,b\" are expected");
        assert_eq!(message("a,b\n1,2\n\n3\n"), "t.csv, line 4: 1 cells, but 2 columns");
        assert_eq!(message("a,b\n1,2\n3,x\n"), "t.csv, line 3: column b holds \"x\"");
        assert_eq!(message("a,b\n1,2\n"), "t.csv: no column c");
        for empty in ["", "\n\r\n"] {
            assert!(message(empty).ends_with("there is no header line"), "{}", message(empty));
        }
        assert!(read("a,b\n").unwrap().is_empty());
    }
}
