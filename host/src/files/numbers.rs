//! A table of numbers with named columns, as a csv file that gives every one back with all its bits.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::files::write_atomic;

/// Named columns and rows of as many numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NumberTable {
    columns: Vec<String>,
    rows: Vec<Vec<f64>>,
}

impl NumberTable {
    /// Without rows. A name holds no comma.
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
    /// The numbers of a column. Error: there is none of this name.
    pub fn column(&self, name: &str) -> Result<Vec<f64>> {
        let at = self.columns.iter().position(|column| column == name);
        let at = at.with_context(|| format!("no column {name}"))?;
        Ok(self.rows.iter().map(|row| row[at]).collect())
    }

    /// Writes the file, under a temporary name first.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut text = self.columns.join(",");
        for row in &self.rows {
            text.push('\n');
            for (index, value) in row.iter().enumerate() {
                let _ = write!(text, "{}{value:?}", if index == 0 { "" } else { "," });
            }
        }
        text.push('\n');
        write_atomic(path, text.as_bytes())
    }
    /// Reads the file back.
    pub fn read(path: &Path) -> Result<Self> {
        let damaged = || format!("{} is damaged", path.display());
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut lines = text.lines();
        let mut table = Self::new(lines.next().with_context(damaged)?.split(','));
        for line in lines {
            let row: Vec<f64> = line.split(',').map(str::parse).collect::<Result<_, _>>().with_context(damaged)?;
            ensure!(row.len() == table.columns.len(), damaged());
            table.rows.push(row);
        }
        Ok(table)
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
