//! The trace of a run: one row per snapshot, kept in `trace.csv`. Its columns are core's list of a snapshot's fields.

use std::path::Path;

use ntkscope_core::Real;
use ntkscope_core::record::{Column, Snapshot};

use crate::files::{self, Cell, CsvTable};

/// A snapshot of a run, in double precision; NaN stands for what was not measured.
pub type TraceRow = Snapshot<f64>;

/// The snapshots of one run, with the name it has in figures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// What tells this run from others in the same figure: `cross-entropy`.
    pub label: String,
    /// In order of time.
    pub rows: Vec<TraceRow>,
}

impl Trace {
    /// Of these snapshots.
    pub fn new<T: Real>(label: impl Into<String>, snapshots: &[Snapshot<T>]) -> Self {
        Self { label: label.into(), rows: snapshots.iter().map(Snapshot::to_f64).collect() }
    }

    /// The same without what only classes have: accuracy and margins are undefined, NaN.
    pub(super) fn without_classes(mut self) -> Self {
        for row in &mut self.rows {
            (row.accuracy, row.margin_min, row.margin_mean) = (f64::NAN, f64::NAN, f64::NAN);
        }
        self
    }

    /// Writes `trace.csv` to `path`, under a temporary name first. Every number reads back as the same bits (NaN, an
    /// empty cell, as some NaN).
    ///
    /// # Errors
    /// [`files::Error::Io`].
    pub fn write(&self, path: &Path) -> Result<(), files::Error> {
        self.table().write(path)
    }

    /// The same as texts.
    pub fn table(&self) -> CsvTable {
        let mut table = CsvTable::new(columns());
        for row in &self.rows {
            table.push(TraceRow::COLUMNS.iter().map(|column| Cell::from(column.get(row).to_string())));
        }
        table
    }

    /// Reads a `trace.csv`.
    ///
    /// # Errors
    /// Those of [`CsvTable::read`] and [`Trace::of`].
    pub fn read(label: impl Into<String>, path: &Path) -> Result<Self, files::Error> {
        Self::of(label, &CsvTable::read(path)?)
    }

    /// The trace in a table of texts.
    ///
    /// # Errors
    /// [`files::Error`]: other columns, or a cell that does not hold what its column should.
    pub fn of(label: impl Into<String>, table: &CsvTable) -> Result<Self, files::Error> {
        table.check_columns(&columns())?;
        let rows = table.rows().map(|cells| {
            let mut row = TraceRow::default();
            for column in TraceRow::COLUMNS {
                cells.get_with(column.name(), |text| column.read(&mut row, text))?;
            }
            Ok(row)
        });
        Ok(Self { label: label.into(), rows: rows.collect::<Result<_, files::Error>>()? })
    }
}

/// Names of the columns of `trace.csv`, in order.
fn columns() -> Vec<&'static str> {
    TraceRow::COLUMNS.iter().map(Column::name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `text` as a `trace.csv`.
    fn read(text: &str) -> Result<Trace, files::Error> {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("trace.csv");
        std::fs::write(&path, text).unwrap();
        Trace::read("x", &path)
    }

    fn text(trace: &Trace) -> String {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("trace.csv");
        trace.write(&path).unwrap();
        std::fs::read_to_string(&path).unwrap()
    }

    #[test]
    fn csv_reads_back_bit_for_bit() {
        let awkward = ["0.1", "-0.0", "5e-324", "inf", "-inf", "0.3333333333333333", "1e300", ""];
        let header = columns().join(",");
        let rows = (0..awkward.len()).map(|shift| {
            let numbers = (0..).map(|i: usize| awkward[(i + shift) % awkward.len()]);
            let cells: Vec<_> = numbers.take(columns().len()).collect();
            let cells = cells.iter().zip(columns()).map(|(number, name)| match name {
                "step" | "sliding" => "18446744073709551615",
                "finite" => "true",
                _ => number,
            });
            cells.collect::<Vec<_>>().join(",")
        });
        let written = std::iter::once(header).chain(rows).map(|line| line + "\n").collect::<String>();
        assert_eq!(text(&read(&written).unwrap()), written);
    }

    #[test]
    fn each_column_is_the_field_of_its_name() {
        let mut row = TraceRow::default();
        (row.drift_max, row.effective_rank, row.log_time, row.time) = (1.5, 2.5, 3.5, 4.5);
        let text = text(&Trace { label: String::new(), rows: vec![row] });
        let cells: Vec<&str> = text.lines().nth(1).unwrap().split(',').collect();
        let cell = |name| cells[columns().iter().position(|column| *column == name).unwrap()];
        let named = ["drift_max", "effective_rank", "log_time", "time", "finite"].map(cell);
        assert_eq!(named, ["1.5", "2.5", "3.5", "4.5", "false"]);
    }

    #[test]
    fn damage_is_named() {
        let good = text(&Trace { label: String::new(), rows: vec![TraceRow::default()] });
        assert!(read("step,time\n").unwrap_err().to_string().contains("columns"));
        let wrong = read(&good.replacen("0,0.0", "0,zero", 1)).unwrap_err().to_string();
        assert!(wrong.contains("line 2") && wrong.contains("time") && wrong.contains("zero"), "{wrong}");
        assert!(read(&format!("{good}1,2\n")).unwrap_err().to_string().contains("line 3"));
    }
}
