//! A prediction on test points as numbers in columns: a table for people, npz, csv, json.

use std::path::Path;

use anyhow::Result;
use ntkscope_core::linalg::norm;
use serde_json::{Map, Value, json};

use super::terminal::print;
use crate::data::{Classes, Samples};
use crate::files::numbers::Json;
use crate::files::{Cell, CsvTable, Dtype};
use crate::run::write_arrays;
use crate::words::{count, number};

/// Most test points that people are shown.
const SHOWN: usize = 20;

/// Bytes of a number in a csv table before it is written: a text.
pub const CSV_CELL: usize = 96;
/// Bytes of a number in json before it is printed: a key and a value in a tree, and the text.
pub const JSON_CELL: usize = 200;

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

    /// A row per test point: the quantities, then the numbers of the point, `x0`, `x1`, …
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_csv(&self, path: &Path, x: &[f64]) -> Result<()> {
        let d = x.len() / self.points;
        let mut table = CsvTable::new(self.header().into_iter().chain((0..d).map(|k| format!("x{k}"))));
        for (point, x) in x.chunks_exact(d).enumerate() {
            table.push(self.row(point).chain(x.iter().copied()).map(Cell::from));
        }
        Ok(table.write(path)?)
    }

    /// An array per quantity; `x`, the test points `(points, d)`; of classes `classes`, the label of each; the scores, one
    /// number each.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_npz(&self, path: &Path, x: &Vec<f64>, answers: &Answers) -> Result<()> {
        let x_shape = vec![self.points, x.len() / self.points];
        let shapes: Vec<Vec<usize>> = self.quantities.iter().map(|q| vec![self.points, q.width]).collect();
        let (classes, one) = (vec![answers.classes.len()], Vec::new());
        let scores: Vec<_> = answers.scores().map(|(name, value)| (name, vec![value])).collect();
        let mut arrays = vec![("x", &x_shape, x)];
        arrays.extend(self.quantities.iter().zip(&shapes).map(|(q, shape)| (q.name, shape, q.values)));
        if !answers.classes.is_empty() {
            arrays.push(("classes", &classes, &answers.classes));
        }
        arrays.extend(scores.iter().map(|(name, value)| (*name, &one, value)));
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
            let cells: Vec<String> = self.row(point).map(number).collect();
            print(&cells.join("  "))?;
        }
        match self.points.saturating_sub(SHOWN) {
            0 => Ok(()),
            more => print(&format!("… {} more; --out FILE has them all", count(more, "point"))),
        }
    }
}

/// What is known of the test points, and how well they are predicted.
pub struct Answers {
    /// label of each class, of parity the remainder; empty where y is numbers
    pub classes: Vec<f64>,
    /// y as in the file, `(points, columns)`
    y: Option<(usize, Vec<f64>)>,
    /// class of each point, NaN for a label that is none of the classes
    class: Option<Vec<f64>>,
    /// class that is predicted
    predicted: Option<Vec<f64>>,
    /// share of the points whose class is predicted
    accuracy: Option<f64>,
    /// root of the mean square of what is wrong with the means
    rmse: Option<f64>,
}

impl Answers {
    /// Of these means `(points, outputs)`.
    pub fn new(samples: &Samples, mean: &[f64], outputs: usize) -> Self {
        let points = mean.len() / outputs;
        let known = samples.held_out_y.len() == points * samples.y_columns && samples.y_columns > 0;
        let y = known.then(|| (samples.y_columns, samples.held_out_y.clone()));
        let predicted = samples.map.is_some().then(|| mean.chunks_exact(outputs).map(class_of).collect::<Vec<f64>>());
        let class = samples.map.as_ref().filter(|_| known).map(|map| {
            let class = |label: &f64| map.class_of(*label).map_or(f64::NAN, |class| class as f64);
            samples.held_out_y.iter().map(class).collect::<Vec<f64>>()
        });
        let accuracy = predicted.as_ref().zip(class.as_ref()).map(|(predicted, class)| {
            // a label that is none of the classes is never predicted
            let right = predicted.iter().zip(class).filter(|(p, c)| p == c).count();
            right as f64 / points as f64
        });
        let rmse = y.as_ref().filter(|_| samples.are_values()).map(|(_, y)| {
            let off: Vec<f64> = mean.iter().zip(y).map(|(mean, y)| mean - y).collect();
            norm(&off) / (mean.len() as f64).sqrt()
        });
        let classes = samples.map.as_ref().map_or(Vec::new(), Classes::numbers);
        Self { classes, y, class, predicted, accuracy, rmse }
    }

    /// Of every point: `y`, `class`, `predicted`, as far as there are any.
    pub fn quantities(&self) -> impl Iterator<Item = Quantity<'_>> {
        let quantity = |name, width, values| Quantity { name, width, values };
        let y = self.y.iter().map(move |(columns, y)| quantity("y", *columns, y));
        let class = self.class.iter().map(move |class| quantity("class", 1, class));
        y.chain(class).chain(self.predicted.iter().map(move |predicted| quantity("predicted", 1, predicted)))
    }

    /// `accuracy` of classes, `rmse` of numbers.
    pub fn scores(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let accuracy = self.accuracy.map(|value| ("accuracy", value));
        accuracy.into_iter().chain(self.rmse.map(|value| ("rmse", value)))
    }

    /// The scores, on standard output.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn print(&self) -> Result<()> {
        self.scores().try_for_each(|(name, value)| print(&format!("{name} {}", number(value))))
    }
}

/// The class of a sample's outputs: of one output its sign, else the first of the largest.
fn class_of(outputs: &[f64]) -> f64 {
    match outputs {
        [f] => f64::from(u8::from(*f > 0.0)),
        all => (0..all.len()).fold(0, |best, c| if all[c] > all[best] { c } else { best }) as f64,
    }
}
