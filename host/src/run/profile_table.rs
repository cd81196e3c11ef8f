//! `profile.csv`.

use std::path::Path;

use crate::files::{self, Cell, CsvTable};

/// A row of `profile.csv`: the kernel of one pair (x_0, x) at one snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProfileRow {
    /// t; infinite where it is too large to be represented
    pub time: f64,
    /// ln(1 + t), as in the trace
    pub log_time: f64,
    /// the angle between x_0 and x in radians, or the row of x in its file, from 0
    pub position: f64,
    /// K_t(x_0, x)
    pub kernel: f64,
    /// Theta(x_0, x)
    pub analytic: f64,
}

/// `profile.csv`; empty where no profile was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProfileTable {
    /// snapshot by snapshot in order of time, each along the curve
    pub rows: Vec<ProfileRow>,
}

pub(super) const COLUMNS: [&str; 5] = ["time", "log_time", "position", "kernel", "analytic"];

impl ProfileTable {
    /// The rows of each snapshot.
    pub fn snapshots(&self) -> impl Iterator<Item = &[ProfileRow]> {
        self.rows.chunk_by(|a, b| a.log_time.to_bits() == b.log_time.to_bits() && a.position < b.position)
    }
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
        for ProfileRow { time, log_time, position, kernel, analytic } in &self.rows {
            table.push([*time, *log_time, *position, *kernel, *analytic].map(Cell::from));
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
    /// The profile in a table of texts.
    ///
    /// # Errors
    /// [`files::Error`]: other columns, or a cell that is no number.
    pub fn of(table: &CsvTable) -> Result<Self, files::Error> {
        table.check_columns(&COLUMNS)?;
        let rows = table.rows().map(|row| {
            let v = row.numbers()?;
            Ok(ProfileRow { time: v[0], log_time: v[1], position: v[2], kernel: v[3], analytic: v[4] })
        });
        Ok(Self { rows: rows.collect::<Result<_, _>>()? })
    }
}
