//! Samples ready to train on.

use super::{Classes, Curve, Error, Targets};

/// Samples ready to train on.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// Inputs, (n, d) row-major.
    pub x: Vec<f64>,
    /// Number of samples.
    pub n: usize,
    /// Numbers per sample.
    pub d: usize,
    /// y as in the file, (n, `y_columns`) row-major; empty where there is none.
    pub y: Vec<f64>,
    /// Numbers of y per sample; 0 where there is none.
    pub y_columns: usize,
    /// Held-out inputs, on which predictions are compared, (h, d) row-major; empty unless asked for.
    pub held_out: Vec<f64>,
    /// y of the held-out samples, (h, `y_columns`); empty where they have none.
    pub held_out_y: Vec<f64>,
    /// Inputs along which a kernel is read, where that was asked for: see [`Samples::follow`].
    pub curve: Option<Curve>,
    /// What y is; `None` where there is none.
    pub targets: Option<Targets>,
    /// The map from labels to classes; `None` unless y is classes.
    pub map: Option<Classes>,
    /// Class of each sample, 0..classes, (n); empty unless y is classes.
    pub labels: Vec<usize>,
    /// Number of classes of the selection, whether or not each occurs among the first n; 0 unless y is classes.
    pub classes: usize,
    /// The data set or file, for messages.
    pub place: String,
    /// One line: data set, files, selection, normalization.
    pub description: String,
    /// What was doubtful about the reading of a file, a sentence each: to be shown.
    pub warnings: Vec<String>,
    /// SHA-256, in hexadecimal, of `x` as little-endian f64 and then `labels` as little-endian u64 (unless y is classes,
    /// `y` as little-endian f64 in their place).
    pub sha256: String,
}

impl Samples {
    /// Number of held-out samples h.
    pub fn held_out_count(&self) -> usize {
        self.held_out.len() / self.d.max(1)
    }

    /// Shape of `y`: (n) or (n, C).
    pub fn y_shape(&self) -> Vec<usize> {
        self.shape_of(&self.y)
    }

    /// Shape of y of some of these samples: (k) or (k, C).
    pub fn shape_of(&self, y: &[f64]) -> Vec<usize> {
        match self.y_columns {
            0 | 1 => vec![y.len()],
            columns => vec![y.len() / columns, columns],
        }
    }

    /// Refuses samples without y, which `what` needs.
    ///
    /// # Errors
    /// [`Error::NoLabels`].
    pub fn need_y(&self, what: &str) -> Result<(), Error> {
        if self.targets.is_some() {
            return Ok(());
        }
        Err(Error::NoLabels { what: what.into(), place: self.place.clone() })
    }

    /// What each class stands for, in the order of the classes; empty unless y is classes.
    pub fn class_names(&self) -> Vec<String> {
        self.map.as_ref().map_or(Vec::new(), Classes::names)
    }

    /// Whether y is numbers, of which margins and accuracies are undefined.
    pub fn are_values(&self) -> bool {
        self.targets == Some(Targets::Values)
    }
}
