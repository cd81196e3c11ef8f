//! What is kept of a network at one mean margin.

use crate::files::numbers::NumberTable;
use crate::study::Error;

/// One moment of a network that is trained to large margins. Kernels are of the training samples; K_t is the effective one of
/// a burst, as are margins, norms and time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Row {
    /// ln(1 + t), t of the mean loss
    pub log_time: f64,
    /// u
    pub margin_mean: f64,
    /// smallest margin
    pub margin_min: f64,
    /// mean over i of K_t(x_i, x_i)
    pub kernel: f64,
    /// max_ij |K_t - K_0|
    pub drift_max: f64,
    /// largest max_ij |K_t - Theta| of all rows so far
    pub error_highest: f64,
    /// |theta_t|
    pub norm: f64,
    /// |theta_t - theta_0|
    pub distance: f64,
    /// largest |theta_t - theta_0| of a parameter
    pub distance_max: f64,
    /// |theta_0|^2/(|theta_t|^2 - |theta_0|^2)
    pub y: f64,
    /// mean over i of theta . grad f_i / f_i, all parameters: the degree that the network has come to
    pub degree: f64,
    /// 1 - cos of the angle between theta_t and theta half a decade of the margin before; NaN in the rows of the first one
    pub turned: f64,
    /// mean over i of K_t(x_i, x_i) |theta|^2/(M^2 f_i^2)
    pub ratio: f64,
    /// smallest over i of K(x_i, x_i) less its lower bound in |f_i|, of the point kernel
    pub above_bound: f64,
    /// smallest over i of what the degree bounds by 1, of the point kernel: see [`super::homogeneity`]
    pub identity: f64,
    /// largest change since t = 0 of what the flow conserves, relative to the squares of which it is a difference
    pub unbalanced: f64,
}

/// Access to a field.
type Field = fn(&mut Row) -> &mut f64;

/// The columns of the table.
const COLUMNS: [(&str, Field); 16] = [
    ("log_time", |row| &mut row.log_time),
    ("margin_mean", |row| &mut row.margin_mean),
    ("margin_min", |row| &mut row.margin_min),
    ("kernel", |row| &mut row.kernel),
    ("drift_max", |row| &mut row.drift_max),
    ("error_highest", |row| &mut row.error_highest),
    ("norm", |row| &mut row.norm),
    ("distance", |row| &mut row.distance),
    ("distance_max", |row| &mut row.distance_max),
    ("y", |row| &mut row.y),
    ("degree", |row| &mut row.degree),
    ("turned", |row| &mut row.turned),
    ("ratio", |row| &mut row.ratio),
    ("above_bound", |row| &mut row.above_bound),
    ("identity", |row| &mut row.identity),
    ("unbalanced", |row| &mut row.unbalanced),
];

/// The table of these rows.
pub fn table(rows: &[Row]) -> NumberTable {
    let mut table = NumberTable::new(COLUMNS.map(|(name, _)| name));
    for row in rows {
        let mut row = *row;
        table.push(COLUMNS.iter().map(|(_, field)| *field(&mut row)).collect());
    }
    table
}

/// The rows of such a table.
///
/// # Errors
/// A column that is missing.
pub fn rows(table: &NumberTable) -> Result<Vec<Row>, Error> {
    let mut rows = vec![Row::default(); table.rows().len()];
    for (name, field) in COLUMNS {
        rows.iter_mut().zip(table.column(name)?).for_each(|(row, value)| *field(row) = value);
    }
    Ok(rows)
}
