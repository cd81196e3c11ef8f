//! Samples as they came, before classes are selected: labels are read, inputs stay where they are until it is known which
//! are used.

use super::error::Error;
use crate::machine::Budget;

/// The inputs of a data set, (n, d).
pub(super) enum Values {
    /// Finite numbers, row-major.
    Real(Vec<f64>),
    /// In a file.
    Stored(Box<dyn Stored>),
}

/// Inputs in a file.
pub(super) trait Stored {
    /// These rows, increasing, as finite numbers, (rows.len(), d) row-major.
    fn rows(&mut self, rows: &[usize], budget: &Budget) -> Result<Vec<f64>, Error>;
}

/// How a file stores y.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum YType {
    /// As integers or truth values.
    Integer,
    /// As real numbers, or as text, which has no type.
    Real,
}

/// y of every sample.
pub(super) struct Y {
    /// (n, columns) row-major, all finite.
    pub(super) values: Vec<f64>,
    /// Numbers per sample.
    pub(super) columns: usize,
    /// How they are stored.
    pub(super) stored: YType,
}

impl Y {
    /// One integer label per sample.
    pub(super) fn labels(values: Vec<f64>) -> Self {
        Self { values, columns: 1, stored: YType::Integer }
    }

    /// The chosen rows, (rows.len(), columns) row-major.
    pub(super) fn gather(&self, rows: &[usize]) -> Vec<f64> {
        rows.iter().flat_map(|row| &self.values[row * self.columns..][..self.columns]).copied().collect()
    }
}

/// A whole data set: everything a file holds.
pub(super) struct Raw {
    pub(super) values: Values,
    /// Samples.
    pub(super) n: usize,
    /// Numbers per sample.
    pub(super) d: usize,
    /// y of every sample; `None` where there is none.
    pub(super) y: Option<Y>,
    /// The file's or data set's name, for messages.
    pub(super) place: String,
    /// Names of labels, in increasing order, where y is their places among them.
    pub(super) label_names: Vec<String>,
    /// Doubtful readings, a sentence each.
    pub(super) warnings: Vec<String>,
}

impl Raw {
    /// (n, d) inputs in memory, with a label of 0 or 1 each.
    pub(super) fn real(x: Vec<f64>, d: usize, y: Vec<f64>, place: &str) -> Self {
        Self::new(Values::Real(x), [y.len(), d], Some(Y::labels(y)), place.into())
    }

    /// (n, d) inputs and what y they have.
    pub(super) fn new(values: Values, [n, d]: [usize; 2], y: Option<Y>, place: String) -> Self {
        Self { values, n, d, y, place, label_names: Vec::new(), warnings: Vec::new() }
    }

    /// The chosen rows as numbers, (rows.len(), d) row-major.
    pub(super) fn gather(&mut self, rows: &[usize], budget: &Budget) -> Result<Vec<f64>, Error> {
        match &mut self.values {
            Values::Stored(stored) => stored.rows(rows, budget),
            Values::Real(numbers) => {
                let mut x = Vec::with_capacity(rows.len() * self.d);
                rows.iter().for_each(|&row| x.extend_from_slice(&numbers[row * self.d..][..self.d]));
                Ok(x)
            }
        }
    }
}

/// Room for (n, d) numbers of `what`.
pub(super) fn room(what: &str, n: usize, d: usize, budget: &Budget) -> Result<Vec<f64>, Error> {
    let need = (n as u64).saturating_mul(d as u64).saturating_mul(8);
    budget.draw(what, need)?;
    let mut numbers = Vec::new();
    numbers.try_reserve_exact(n.saturating_mul(d)).map_err(|_| Error::TooLarge { n, d })?;
    Ok(numbers)
}
