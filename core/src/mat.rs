//! Matrix views: a shape and strides over a slice. They own nothing.
//!
//! Every view keeps one invariant, *the slice covers the shape*: the place of each element `(i, j)` with `i < rows` and
//! `j < cols` lies within the slice. Whoever makes a view or takes a part of one is checked, in every build; what is
//! asked for beyond a view panics, with the numbers, at the caller's line. So code that goes over a view with pointers
//! may rely on its shape. The elements of a writable view are all different: its columns are adjacent and its rows do
//! not overlap.

use crate::Error;
use core::ops::Range;

#[cfg(test)]
mod tests;
mod writable;

pub use writable::{MatMut, assert_transposed};

/// A read-only `(rows, cols)` view: element `(i, j)` is `data[i * row_stride + j * col_stride]`.
///
/// ```
/// use ntkscope_core::MatRef;
/// let a = MatRef::new(&[1, 2, 3, 4, 5, 6], 2, 3)?;
/// assert_eq!(a.row(1), [4, 5, 6]);
/// assert_eq!(a.t().at(2, 1), 6);
/// assert_eq!(a.block(0..2, 1..3).row(1), [5, 6]);
/// assert!(a.t().entries(0).eq([1, 4])); // the columns of the transpose are not adjacent
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MatRef<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

const fn exact(rows: usize, cols: usize, got: usize) -> Result<(), Error> {
    match rows.checked_mul(cols) {
        Some(need) if need == got => Ok(()),
        Some(need) => Err(Error::BufferLength { what: "matrix", need, got }),
        None => Err(Error::OutOfRange {
            what: "elements of a matrix",
            needs: "at most usize::MAX",
            got: rows as f64 * cols as f64,
        }),
    }
}

/// [`exact`], or a panic.
#[track_caller]
fn assert_exact(rows: usize, cols: usize, got: usize) {
    assert!(rows.checked_mul(cols) == Some(got), "a matrix of {rows} x {cols} over a slice of {got} elements");
}

/// Error unless the rows of a row-major view follow one another without a gap.
const fn adjacent(rows: usize, cols: usize, row_stride: usize) -> Result<(), Error> {
    if rows <= 1 || row_stride == cols {
        Ok(())
    } else {
        Err(Error::Shape { what: "matrix to be stacked: row stride", need: cols, got: row_stride })
    }
}

/// Panics unless the rows and columns of a block are those of a view.
#[inline]
#[track_caller]
fn assert_block(block: (&Range<usize>, &Range<usize>), rows: usize, cols: usize) {
    let within = |part: &Range<usize>, all: usize| part.start <= part.end && part.end <= all;
    assert!(
        within(block.0, rows) && within(block.1, cols),
        "block of rows {:?} and columns {:?} of a view of {rows} x {cols}",
        block.0,
        block.1
    );
}

#[inline]
#[track_caller]
fn assert_row(i: usize, rows: usize) {
    assert!(i < rows, "row {i} of a view of {rows} rows");
}

#[inline]
#[track_caller]
fn assert_element(i: usize, j: usize, rows: usize, cols: usize) {
    assert!(i < rows && j < cols, "element ({i}, {j}) of a view of {rows} x {cols}");
}

impl<'a, T: Copy> MatRef<'a, T> {
    /// Row-major view of the whole slice.
    ///
    /// # Errors
    /// [`Error::BufferLength`] where `data.len() != rows * cols`; [`Error::OutOfRange`] where that product overflows.
    pub const fn new(data: &'a [T], rows: usize, cols: usize) -> Result<Self, Error> {
        match exact(rows, cols, data.len()) {
            Ok(()) => Ok(Self { data, rows, cols, row_stride: cols, col_stride: 1 }),
            Err(e) => Err(e),
        }
    }
    /// View of any strides, 0 and those by which elements coincide among them.
    ///
    /// # Errors
    /// [`Error::BufferLength`] where an element would lie beyond the slice.
    pub const fn strided(
        data: &'a [T],
        rows: usize,
        cols: usize,
        row_stride: usize,
        col_stride: usize,
    ) -> Result<Self, Error> {
        let need = if rows == 0 || cols == 0 {
            0
        } else {
            (rows - 1)
                .saturating_mul(row_stride)
                .saturating_add((cols - 1).saturating_mul(col_stride))
                .saturating_add(1)
        };
        if need > data.len() {
            return Err(Error::BufferLength { what: "matrix with strides", need, got: data.len() });
        }
        Ok(Self { data, rows, cols, row_stride, col_stride })
    }
    /// [`MatRef::new`] for a slice whose length the caller has made so.
    ///
    /// # Panics
    /// Where `data.len() != rows * cols`.
    #[track_caller]
    pub fn dense(data: &'a [T], rows: usize, cols: usize) -> Self {
        assert_exact(rows, cols, data.len());
        Self { data, rows, cols, row_stride: cols, col_stride: 1 }
    }
    /// number of rows
    pub const fn rows(&self) -> usize {
        self.rows
    }
    /// number of columns
    pub const fn cols(&self) -> usize {
        self.cols
    }
    /// elements from one row to the next
    pub const fn row_stride(&self) -> usize {
        self.row_stride
    }
    /// elements from one column to the next
    pub const fn col_stride(&self) -> usize {
        self.col_stride
    }
    /// the slice, which begins with element (0, 0)
    pub const fn data(&self) -> &'a [T] {
        self.data
    }
    /// Element `(i, j)`.
    ///
    /// # Panics
    /// Where there is no such element.
    #[inline]
    #[track_caller]
    pub fn at(&self, i: usize, j: usize) -> T {
        assert_element(i, j, self.rows, self.cols);
        self.data[i * self.row_stride + j * self.col_stride]
    }
    /// [`MatRef::at`] for loops that stay within the shape; beyond it, another element or a panic.
    #[inline]
    pub(crate) fn entry(&self, i: usize, j: usize) -> T {
        debug_assert!(i < self.rows && j < self.cols);
        self.data[i * self.row_stride + j * self.col_stride]
    }
    /// the transpose, without moving anything
    pub const fn t(self) -> Self {
        Self {
            data: self.data,
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }
    /// whether the elements of a row are adjacent
    pub const fn has_adjacent_columns(&self) -> bool {
        self.col_stride == 1 || self.cols <= 1
    }
    /// Row `i` of a view whose columns are adjacent; see [`MatRef::entries`] for others.
    ///
    /// # Panics
    /// Where there is no such row, or the columns are not adjacent.
    #[inline]
    #[track_caller]
    pub fn row(&self, i: usize) -> &'a [T] {
        assert_row(i, self.rows);
        assert!(self.has_adjacent_columns(), "row of a view whose columns lie {} elements apart", self.col_stride);
        if self.cols == 0 { &[] } else { &self.data[i * self.row_stride..][..self.cols] }
    }
    /// The elements of row `i`, whatever the strides.
    ///
    /// # Panics
    /// Where there is no such row.
    #[track_caller]
    pub fn entries(&self, i: usize) -> impl Iterator<Item = T> + Clone + 'a {
        assert_row(i, self.rows);
        let Self { data, row_stride, col_stride, .. } = *self;
        (0..self.cols).map(move |j| data[i * row_stride + j * col_stride])
    }
    /// The rows one after the other as one column `(rows cols, 1)`.
    ///
    /// # Errors
    /// [`Error::Shape`] where they do not follow one another without a gap.
    pub(crate) fn stacked(self) -> Result<Self, Error> {
        if !self.has_adjacent_columns() {
            return Err(Error::Shape { what: "matrix to be stacked: column stride", need: 1, got: self.col_stride });
        }
        adjacent(self.rows, self.cols, self.row_stride)?;
        let len = self.rows * self.cols;
        Ok(Self::dense(&self.data[..len], len, 1))
    }
    /// The block of these rows and columns.
    ///
    /// # Panics
    /// Where a range ends before it starts or beyond the view.
    #[inline]
    #[track_caller]
    pub fn block(self, rows: Range<usize>, cols: Range<usize>) -> Self {
        assert_block((&rows, &cols), self.rows, self.cols);
        // an empty block starts nowhere
        let empty = rows.is_empty() || cols.is_empty();
        let from = if empty { 0 } else { rows.start * self.row_stride + cols.start * self.col_stride };
        Self { data: &self.data[from..], rows: rows.len(), cols: cols.len(), ..self }
    }
}
