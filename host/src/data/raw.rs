//! Samples as they came, before classes are selected: pixels stay bytes until it is known which are used.

/// The numbers of a data set, (n, d) row-major.
pub(super) enum Values {
    /// Pixels 0..=255, used as value / 255.
    Pixels(Vec<u8>),
    /// Finite numbers, used as they are.
    Real(Vec<f64>),
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
}

impl Raw {
    /// The chosen rows as numbers, (rows.len(), d) row-major.
    pub(super) fn gather(&self, rows: &[usize]) -> Vec<f64> {
        let d = self.d;
        let mut x = Vec::with_capacity(rows.len() * d);
        for &row in rows {
            let span = row * d..(row + 1) * d;
            match &self.values {
                Values::Pixels(bytes) => x.extend(bytes[span].iter().map(|&b| f64::from(b) / 255.0)),
                Values::Real(numbers) => x.extend_from_slice(&numbers[span]),
            }
        }
        x
    }
}
