//! How far two kernels are apart. Matrices are `(n, n)`.

use crate::linalg::Squares;
use crate::{Error, MatRef, Real};

/// max_ij |a_ij|; 0 of no elements, NaN where an element is.
pub fn max_abs<T: Real>(a: MatRef<'_, T>) -> T {
    (0..a.rows()).flat_map(|i| a.entries(i)).fold(T::ZERO, |m, x| m.max(x.abs()))
}

/// max_ij |a_ij - b_ij|
///
/// ```
/// use ntkscope_core::{MatRef, kernel::max_abs_difference};
/// let a = MatRef::new(&[1.0, 2.0, 3.0, 4.0], 2, 2)?;
/// assert_eq!(max_abs_difference(a, a.t())?, 1.0);
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] where the shapes differ.
pub fn max_abs_difference<T: Real>(a: MatRef<'_, T>, b: MatRef<'_, T>) -> Result<T, Error> {
    let mut largest = T::ZERO;
    for_each_pair(a, b, |x, y| largest = largest.max((x - y).abs()))?;
    Ok(largest)
}

/// |a - b|_F / |b|_F; NaN, which stands for undefined, where both are 0.
///
/// # Errors
/// [`Error::Shape`] where the shapes differ.
pub fn relative_frobenius<T: Real>(a: MatRef<'_, T>, b: MatRef<'_, T>) -> Result<T, Error> {
    let mut sums = RelativeFrobenius::default();
    sums.add(a, b)?;
    Ok(sums.value())
}

/// The sums of [`relative_frobenius`], gathered from all rows in order, some at a time.
#[derive(Clone, Copy, Debug)]
pub struct RelativeFrobenius<T> {
    difference: Squares<T>,
    norm: Squares<T>,
}

impl<T: Real> Default for RelativeFrobenius<T> {
    /// Of no rows.
    fn default() -> Self {
        Self { difference: Squares::default(), norm: Squares::default() }
    }
}

impl<T: Real> RelativeFrobenius<T> {
    /// Adds the next rows of a and b.
    ///
    /// # Errors
    /// [`Error::Shape`] where the shapes differ; nothing is added then.
    pub fn add(&mut self, a: MatRef<'_, T>, b: MatRef<'_, T>) -> Result<(), Error> {
        same_shape(a, b)?;
        for i in 0..a.rows() {
            if a.has_adjacent_columns() && b.has_adjacent_columns() {
                self.difference.add(a.row(i).iter().zip(b.row(i)).map(|(x, y)| *x - *y));
                self.norm.add(b.row(i).iter().copied());
            } else {
                self.difference.add(a.entries(i).zip(b.entries(i)).map(|(x, y)| x - y));
                self.norm.add(b.entries(i));
            }
        }
        Ok(())
    }
    /// |a - b|_F / |b|_F
    pub fn value(&self) -> T {
        self.difference.ratio(self.norm)
    }
}

pub(super) fn same_shape<T: Real>(a: MatRef<'_, T>, b: MatRef<'_, T>) -> Result<(), Error> {
    Error::shape("second matrix: rows", a.rows(), b.rows())?;
    Error::shape("second matrix: columns", a.cols(), b.cols())
}

/// Calls `visit(a_ij, b_ij)` row by row. Error: the shapes differ.
fn for_each_pair<T: Real>(a: MatRef<'_, T>, b: MatRef<'_, T>, mut visit: impl FnMut(T, T)) -> Result<(), Error> {
    same_shape(a, b)?;
    for i in 0..a.rows() {
        if a.has_adjacent_columns() && b.has_adjacent_columns() {
            a.row(i).iter().zip(b.row(i)).for_each(|(x, y)| visit(*x, *y));
        } else {
            a.entries(i).zip(b.entries(i)).for_each(|(x, y)| visit(x, y));
        }
    }
    Ok(())
}
