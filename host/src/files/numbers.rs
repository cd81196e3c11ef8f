//! Numbers as they leave the program in files and JSON, and a table of them with named columns.
//!
//! The gate that they pass: what is undefined, NaN inside the program, is an empty cell of a csv file and JSON's `null`;
//! what is infinite is `inf` or `-inf`, in JSON as a text, since it has no number for it. Nothing that leaves says NaN.

use std::path::Path;

use serde::{Serialize, Serializer};

use super::{Cell, CsvTable, Error};

/// What stands for a number in the cell of a csv file: the shortest text that reads back as its bits, with an exponent
/// where that is shorter; nothing for what is undefined.
pub fn text(value: f64) -> String {
    if value.is_nan() { String::new() } else { format!("{value:?}") }
}

/// The number that [`text`] has written; NaN of nothing. `None` where it is none.
pub fn read(text: &str) -> Option<f64> {
    if text.is_empty() { Some(f64::NAN) } else { text.parse().ok() }
}

/// What stands for a number in JSON.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Json(pub f64);

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            x if x.is_nan() => serializer.serialize_none(),
            x if x.is_infinite() => serializer.serialize_str(&text(x)),
            x => serializer.serialize_f64(x),
        }
    }
}

/// [`Json`] for a field, `#[serde(serialize_with = "json")]`.
///
/// # Errors
/// The serializer's.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a field by reference")]
pub fn json<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    Json(*value).serialize(serializer)
}

/// The number, where there is one: not where it is undefined.
pub fn defined(value: f64) -> Option<f64> {
    Some(value).filter(|value| !value.is_nan())
}

/// Named columns and rows of as many numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NumberTable {
    columns: Vec<String>,
    rows: Vec<Vec<f64>>,
}

impl NumberTable {
    /// A table without rows.
    pub fn new(columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { columns: columns.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }
    /// Adds a row, of one number for every column.
    pub fn push(&mut self, row: Vec<f64>) {
        assert_eq!(row.len(), self.columns.len(), "a number for every column");
        self.rows.push(row);
    }
    /// Names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }
    /// All rows.
    pub fn rows(&self) -> &[Vec<f64>] {
        &self.rows
    }
    /// The numbers of a column.
    ///
    /// # Errors
    /// [`Error::NoColumn`].
    pub fn column(&self, name: &str) -> Result<Vec<f64>, Error> {
        let at = self.columns.iter().position(|column| column == name);
        let at = at.ok_or_else(|| Error::NoColumn { path: "table".into(), column: name.into() })?;
        Ok(self.rows.iter().map(|row| row[at]).collect())
    }

    /// Writes the table as a csv file, under a temporary name first.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        self.table().write(path)
    }
    /// The same as texts.
    pub fn table(&self) -> CsvTable {
        let mut table = CsvTable::new(&self.columns);
        self.rows.iter().for_each(|row| table.push(row.iter().copied().map(Cell::from)));
        table
    }
    /// Reads the file back.
    ///
    /// # Errors
    /// Those of [`CsvTable::read`] and [`NumberTable::of`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::of(&CsvTable::read(path)?)
    }
    /// The numbers in a table of texts.
    ///
    /// # Errors
    /// [`Error::Cell`] for a cell that is no number.
    pub fn of(table: &CsvTable) -> Result<Self, Error> {
        let rows = table.rows().map(|row| row.numbers()).collect::<Result<_, _>>()?;
        Ok(Self { columns: table.columns().map(String::from).collect(), rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_leaves_says_nan() {
        let told = |x: f64| (text(x), serde_json::to_string(&Json(x)).unwrap());
        let pair = |cell: &str, json: &str| (cell.to_owned(), json.to_owned());
        assert_eq!(told(f64::NAN), pair("", "null"));
        assert_eq!(told(-f64::NAN), pair("", "null"));
        assert_eq!(told(f64::INFINITY), pair("inf", "\"inf\""));
        assert_eq!(told(f64::NEG_INFINITY), pair("-inf", "\"-inf\""));
        assert_eq!(told(1e300), pair("1e300", "1e+300"));
        assert_eq!(
            (read("x"), read("-inf"), read("NaN").map(f64::is_nan)),
            (None, Some(f64::NEG_INFINITY), Some(true))
        );
        assert_eq!((defined(f64::NAN), defined(f64::INFINITY)), (None, Some(f64::INFINITY)));
    }

    #[test]
    fn every_bit_comes_back() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("table.csv");
        let mut table = NumberTable::new(["a", "b"]);
        table.push(vec![0.1 + 0.2, -0.0]);
        table.push(vec![f64::INFINITY, 5e-324]);
        table.write(&path).unwrap();
        assert_eq!(NumberTable::read(&path).unwrap(), table);
        assert_eq!(table.column("b").unwrap(), [-0.0, 5e-324]);
        assert!(table.column("c").is_err());
        std::fs::write(&path, "a,b\n1,2\n3\n").unwrap();
        assert!(NumberTable::read(&path).is_err());
    }
}
