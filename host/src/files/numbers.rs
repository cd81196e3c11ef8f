//! A table of numbers with named columns.

use std::path::Path;

use super::{Cell, CsvTable, Error};

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
        let mut table = CsvTable::new(&self.columns);
        self.rows.iter().for_each(|row| table.push(row.iter().copied().map(Cell::from)));
        table.write(path)
    }
    /// Reads the file back.
    ///
    /// # Errors
    /// Those of [`CsvTable::read`], and [`Error::Cell`] for a cell that is no number.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let table = CsvTable::read(path)?;
        let rows = table.rows().map(|row| row.numbers()).collect::<Result<_, _>>()?;
        Ok(Self { columns: table.columns().map(String::from).collect(), rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
