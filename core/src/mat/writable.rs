//! The view that can be written.

use core::ops::Range;

use super::{MatRef, adjacent, assert_block, assert_element, assert_exact, assert_row, exact};
use crate::Error;

/// A writable `(rows, cols)` view, row-major: element `(i, j)` is `data[i * row_stride + j]`, with `row_stride >= cols`.
///
/// ```
/// use ntkscope_core::MatMut;
/// let mut numbers = [0; 6];
/// let mut a = MatMut::new(&mut numbers, 2, 3)?;
/// a.row_mut(0).fill(1);
/// a.block(0..2, 1..2).fill(7);
/// assert_eq!(numbers, [1, 7, 1, 0, 7, 0]);
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
#[derive(Debug)]
pub struct MatMut<'a, T> {
    data: &'a mut [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
}

impl<'a, T: Copy> MatMut<'a, T> {
    /// View of the whole slice.
    ///
    /// # Errors
    /// As [`MatRef::new`].
    pub const fn new(data: &'a mut [T], rows: usize, cols: usize) -> Result<Self, Error> {
        match exact(rows, cols, data.len()) {
            Ok(()) => Ok(Self { data, rows, cols, row_stride: cols }),
            Err(e) => Err(e),
        }
    }
    /// [`MatMut::new`] for a slice whose length the caller has made so.
    ///
    /// # Panics
    /// Where `data.len() != rows * cols`.
    #[track_caller]
    pub fn dense(data: &'a mut [T], rows: usize, cols: usize) -> Self {
        assert_exact(rows, cols, data.len());
        Self { data, rows, cols, row_stride: cols }
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
    /// the slice, which begins with element (0, 0)
    pub fn into_data(self) -> &'a mut [T] {
        self.data
    }
    /// a read-only view of the same elements
    pub fn as_ref(&self) -> MatRef<'_, T> {
        MatRef { data: self.data, rows: self.rows, cols: self.cols, row_stride: self.row_stride, col_stride: 1 }
    }
    /// a shorter borrow of the same elements
    pub fn reborrow(&mut self) -> MatMut<'_, T> {
        MatMut { data: self.data, rows: self.rows, cols: self.cols, row_stride: self.row_stride }
    }
    /// Element `(i, j)`.
    ///
    /// # Panics
    /// Where there is no such element.
    #[inline]
    #[track_caller]
    pub fn at(&self, i: usize, j: usize) -> T {
        assert_element(i, j, self.rows, self.cols);
        self.data[i * self.row_stride + j]
    }
    /// Element `(i, j)`, to write.
    ///
    /// # Panics
    /// Where there is no such element.
    #[inline]
    #[track_caller]
    pub fn at_mut(&mut self, i: usize, j: usize) -> &mut T {
        assert_element(i, j, self.rows, self.cols);
        &mut self.data[i * self.row_stride + j]
    }
    /// Row `i`.
    ///
    /// # Panics
    /// Where there is no such row.
    #[inline]
    #[track_caller]
    pub fn row_mut(&mut self, i: usize) -> &mut [T] {
        assert_row(i, self.rows);
        if self.cols == 0 { &mut [] } else { &mut self.data[i * self.row_stride..][..self.cols] }
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
        let from = if empty { 0 } else { rows.start * self.row_stride + cols.start };
        Self { data: &mut self.data[from..], rows: rows.len(), cols: cols.len(), row_stride: self.row_stride }
    }
    /// The rows before `row` and those from it on.
    ///
    /// # Panics
    /// Where `row` lies beyond the view.
    #[inline]
    #[track_caller]
    pub fn split_at_row(self, row: usize) -> (Self, Self) {
        assert!(row <= self.rows, "a view of {} rows split at row {row}", self.rows);
        let (cols, row_stride) = (self.cols, self.row_stride);
        let cut = if row < self.rows && cols > 0 { row * row_stride } else { self.data.len() };
        let (head, tail) = self.data.split_at_mut(cut);
        let view = |data, rows| Self { data, rows, cols, row_stride };
        (view(head, row), view(tail, self.rows - row))
    }
    /// As [`MatRef::stacked`].
    pub(crate) fn stacked(self) -> Result<Self, Error> {
        adjacent(self.rows, self.cols, self.row_stride)?;
        let len = self.rows * self.cols;
        Ok(Self::dense(&mut self.data[..len], len, 1))
    }
    /// every element set to `value`
    pub fn fill(&mut self, value: T) {
        for i in 0..self.rows {
            self.row_mut(i).fill(value);
        }
    }
    /// A <- A^T of a square matrix
    pub(crate) fn transpose(&mut self) {
        assert_eq!(self.rows, self.cols, "transposition in place");
        let stride = self.row_stride;
        for i in 0..self.rows {
            for j in 0..i {
                self.data.swap(i * stride + j, j * stride + i);
            }
        }
    }
    /// A <- B^T in square blocks, so that rows far apart share few lines of a cache.
    ///
    /// # Panics
    /// Where the shapes disagree, or the columns of B are not adjacent.
    #[track_caller]
    pub fn copy_transpose(self, b: MatRef<'_, T>) {
        const SIDE: usize = 8;
        assert_transposed(&self, b);
        for i in (0..self.rows).step_by(SIDE) {
            for j in (0..self.cols).step_by(SIDE) {
                let (rows, cols) = (self.rows.min(i + SIDE) - i, self.cols.min(j + SIDE) - j);
                for r in 0..rows {
                    let from = &b.data[j * b.row_stride + i + r..];
                    let to = &mut self.data[(i + r) * self.row_stride + j..][..cols];
                    for (c, to) in to.iter_mut().enumerate() {
                        *to = from[c * b.row_stride];
                    }
                }
            }
        }
    }
    /// K_ij <- K_ji for j > i: the lower triangle, mirrored
    pub(crate) fn mirror_lower(&mut self) {
        assert_eq!(self.rows, self.cols, "the triangles of a matrix");
        let stride = self.row_stride;
        for i in 0..self.rows {
            for j in 0..i {
                self.data[j * stride + i] = self.data[i * stride + j];
            }
        }
    }
}

/// Panics unless `out` has the shape of the transpose of `a`, whose columns must be adjacent: what
/// [`Backend::transpose`](crate::Backend::transpose) asks for.
#[track_caller]
pub fn assert_transposed<T: Copy>(out: &MatMut<'_, T>, a: MatRef<'_, T>) {
    assert!(
        out.rows == a.cols && out.cols == a.rows,
        "transpose: {} x {} from {} x {}",
        out.rows,
        out.cols,
        a.rows,
        a.cols
    );
    assert!(a.has_adjacent_columns(), "transpose: columns that lie {} elements apart", a.col_stride);
}
