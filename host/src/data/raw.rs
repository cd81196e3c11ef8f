//! Samples as they came, before classes are selected: pixels stay bytes until it is known which are used.

/// The numbers of a data set, (n, d) row-major.
pub(super) enum Values {
    /// Pixels 0..=255, used as value / 255.
    Pixels(Vec<u8>),
    /// Finite numbers, used as they are.
    Real(Vec<f64>),
}

/// A whole data set: everything a file holds.
pub(super) struct Raw {
    pub(super) values: Values,
    /// Samples.
    pub(super) n: usize,
    /// Numbers per sample.
    pub(super) d: usize,
    /// Labels as in the file, (n), all finite.
    pub(super) y: Vec<f64>,
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
