//! A prediction on test points as numbers in columns: a table for people, npz, csv, json.

use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::terminal::print;
use crate::files::numbers::Json;
use crate::files::{Cell, CsvTable, Dtype};
use crate::report::narrative::plain;
use crate::report::number;
use crate::run::write_arrays;

/// Most test points that people are shown.
const SHOWN: usize = 20;

/// A quantity of every test point.
pub struct Quantity<'a> {
    /// name of its array
    pub name: &'static str,
    /// numbers of a point
    pub width: usize,
    /// `(points, width)`
    pub values: &'a Vec<f64>,
}

/// Everything that is predicted.
pub struct Columns<'a> {
    /// how many test points
    pub points: usize,
    /// the quantities, in order
    pub quantities: Vec<Quantity<'a>>,
}

impl Columns<'_> {
    /// Names of the columns: that of the quantity, numbered where there are several.
    fn header(&self) -> Vec<String> {
        let names = |q: &Quantity<'_>| match q.width {
            1 => vec![q.name.to_owned()],
            width => (0..width).map(|k| format!("{}{k}", q.name)).collect(),
        };
        self.quantities.iter().flat_map(names).collect()
    }
    /// The numbers of a test point.
    fn row(&self, point: usize) -> impl Iterator<Item = f64> + '_ {
        self.quantities.iter().flat_map(move |q| q.values[point * q.width..][..q.width].iter().copied())
    }

    /// A row per test point.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_csv(&self, path: &Path) -> Result<()> {
        let mut table = CsvTable::new(self.header());
        (0..self.points).for_each(|point| table.push(self.row(point).map(Cell::from)));
        Ok(table.write(path)?)
    }

    /// An array per quantity, and `x`, the test points `(points, d)`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_npz(&self, path: &Path, x: &Vec<f64>) -> Result<()> {
        let x_shape = vec![self.points, x.len() / self.points];
        let shapes: Vec<Vec<usize>> = self.quantities.iter().map(|q| vec![self.points, q.width]).collect();
        let mut arrays = vec![("x", &x_shape, x)];
        arrays.extend(self.quantities.iter().zip(&shapes).map(|(q, shape)| (q.name, shape, q.values)));
        Ok(write_arrays(path, &arrays, Dtype::F64)?)
    }

    /// An object per test point.
    pub fn json(&self) -> Vec<Map<String, Value>> {
        let header = self.header();
        let object = |point| header.iter().cloned().zip(self.row(point).map(|v| json!(Json(v)))).collect();
        (0..self.points).map(object).collect()
    }

    /// The first test points, on standard output.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn print(&self) -> Result<()> {
        print(&self.header().join("  "))?;
        for point in 0..self.points.min(SHOWN) {
            let cells: Vec<String> = self.row(point).map(|v| plain(&number(v))).collect();
            print(&cells.join("  "))?;
        }
        match self.points.saturating_sub(SHOWN) {
            0 => Ok(()),
            more => print(&format!("… {more} more; --out FILE has them all")),
        }
    }
}
