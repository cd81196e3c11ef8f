//! `predictions.csv`.

use std::path::Path;

use super::prediction::Measured;
use crate::files::{self, Cell, CsvTable};

/// A row of `predictions.csv`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PredictionRow {
    /// t; infinite where it is too large to be represented
    pub time: f64,
    /// ln(1 + t)
    pub log_time: f64,
    /// under the analytic NTK
    pub ntk: Measured,
    /// under K_0
    pub linearized: Measured,
}

/// `predictions.csv`; empty where nothing is predicted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PredictionTable {
    /// in order of time
    pub rows: Vec<PredictionRow>,
}

pub(super) const COLUMNS: [&str; 12] = [
    "time",
    "log_time",
    "ntk_margin_min",
    "ntk_margin_mean",
    "ntk_difference",
    "ntk_difference_held_out",
    "ntk_distance",
    "linearized_margin_min",
    "linearized_margin_mean",
    "linearized_difference",
    "linearized_difference_held_out",
    "linearized_distance",
];

impl PredictionTable {
    /// Writes the file, under a temporary name first.
    ///
    /// # Errors
    /// [`files::Error::Io`].
    pub fn write(&self, path: &Path) -> Result<(), files::Error> {
        self.table().write(path)
    }
    /// The same as texts.
    pub fn table(&self) -> CsvTable {
        let mut table = CsvTable::new(COLUMNS);
        for PredictionRow { time, log_time, ntk, linearized } in &self.rows {
            let measured = [ntk, linearized].into_iter().flat_map(Measured::numbers);
            table.push([*time, *log_time].into_iter().chain(measured).map(Cell::from));
        }
        table
    }
    /// Reads the file; an empty table where there is none.
    ///
    /// # Errors
    /// [`files::Error`]: the file cannot be read or is damaged.
    pub fn read(path: &Path) -> Result<Self, files::Error> {
        CsvTable::read_if_there(path)?.map_or_else(|| Ok(Self::default()), |table| Self::of(&table))
    }
    /// The predictions in a table of texts.
    ///
    /// # Errors
    /// [`files::Error`]: other columns, or a cell that is no number.
    pub fn of(table: &CsvTable) -> Result<Self, files::Error> {
        table.check_columns(&COLUMNS)?;
        let rows = table.rows().map(|row| {
            let v = row.numbers()?;
            let (ntk, linearized) = (Measured::from_numbers(&v[2..7]), Measured::from_numbers(&v[7..]));
            Ok(PredictionRow { time: v[0], log_time: v[1], ntk, linearized })
        });
        Ok(Self { rows: rows.collect::<Result<_, _>>()? })
    }
}

impl Measured {
    /// The numbers in the order of their columns.
    pub(super) fn numbers(&self) -> [f64; 5] {
        [self.margin_min, self.margin_mean, self.difference, self.difference_held_out, self.distance]
    }
    /// From at least five numbers in that order.
    pub(super) fn from_numbers(v: &[f64]) -> Self {
        Self { margin_min: v[0], margin_mean: v[1], difference: v[2], difference_held_out: v[3], distance: v[4] }
    }
}
