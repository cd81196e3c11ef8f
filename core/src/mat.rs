//! Matrix views: a shape and two strides over a slice. They own nothing.

use crate::Error;
use core::ops::Range;

/// A read-only `(rows, cols)` view: element `(i, j)` is `data[i * row_stride + j * col_stride]`.
#[derive(Clone, Copy, Debug)]
pub struct MatRef<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

/// The writable twin of [`MatRef`].
#[derive(Debug)]
pub struct MatMut<'a, T> {
    data: &'a mut [T],
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

/// The first `len` elements of `buffer`, which keeps the rest: one buffer of the caller becomes many.
pub(crate) fn take_front<'a, T>(buffer: &mut &'a mut [T], len: usize) -> &'a mut [T] {
    let (head, tail) = core::mem::take(buffer).split_at_mut(len);
    *buffer = tail;
    head
}

/// Error unless the rows of a row-major view lie behind one another.
const fn adjacent(rows: usize, cols: usize, (row_stride, col_stride): (usize, usize)) -> Result<(), Error> {
    if (cols <= 1 || col_stride == 1) && (rows <= 1 || row_stride == cols) {
        Ok(())
    } else {
        Err(Error::Shape { what: "matrix to be stacked: row stride", need: cols, got: row_stride })
    }
}

/// Where a block that begins at `(row, col)` starts; an empty block starts nowhere.
fn start(rows: &Range<usize>, cols: &Range<usize>, row_stride: usize, col_stride: usize) -> usize {
    if rows.is_empty() || cols.is_empty() { 0 } else { rows.start * row_stride + cols.start * col_stride }
}

impl<'a, T: Copy> MatRef<'a, T> {
    /// Row-major view of the whole slice. Error: `data.len() != rows * cols`.
    pub const fn new(data: &'a [T], rows: usize, cols: usize) -> Result<Self, Error> {
        match exact(rows, cols, data.len()) {
            Ok(()) => Ok(Self { data, rows, cols, row_stride: cols, col_stride: 1 }),
            Err(e) => Err(e),
        }
    }
    /// The same for lengths that this crate has already checked.
    pub(crate) fn dense(data: &'a [T], rows: usize, cols: usize) -> Self {
        debug_assert_eq!(data.len(), rows * cols);
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
    /// element `(i, j)`
    pub fn at(&self, i: usize, j: usize) -> T {
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
    /// row `i` of a view whose columns are adjacent
    pub fn row(&self, i: usize) -> &'a [T] {
        debug_assert!(self.col_stride == 1 || self.cols <= 1);
        &self.data[i * self.row_stride..][..self.cols]
    }
    /// The rows behind one another as one column `(rows cols, 1)`. Error: they are not adjacent.
    pub(crate) fn stacked(self) -> Result<Self, Error> {
        adjacent(self.rows, self.cols, (self.row_stride, self.col_stride))?;
        let len = self.rows * self.cols;
        Ok(Self::dense(&self.data[..len], len, 1))
    }
    /// the block of these rows and columns
    pub fn block(self, rows: Range<usize>, cols: Range<usize>) -> Self {
        debug_assert!(rows.end <= self.rows && cols.end <= self.cols);
        Self {
            data: &self.data[start(&rows, &cols, self.row_stride, self.col_stride)..],
            rows: rows.len(),
            cols: cols.len(),
            ..self
        }
    }
}

impl<'a, T: Copy> MatMut<'a, T> {
    /// Row-major view of the whole slice. Error: `data.len() != rows * cols`.
    pub const fn new(data: &'a mut [T], rows: usize, cols: usize) -> Result<Self, Error> {
        match exact(rows, cols, data.len()) {
            Ok(()) => Ok(Self { data, rows, cols, row_stride: cols, col_stride: 1 }),
            Err(e) => Err(e),
        }
    }
    pub(crate) fn dense(data: &'a mut [T], rows: usize, cols: usize) -> Self {
        debug_assert_eq!(data.len(), rows * cols);
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
    pub fn into_data(self) -> &'a mut [T] {
        self.data
    }
    /// a read-only view of the same elements
    pub fn as_ref(&self) -> MatRef<'_, T> {
        MatRef {
            data: self.data,
            rows: self.rows,
            cols: self.cols,
            row_stride: self.row_stride,
            col_stride: self.col_stride,
        }
    }
    /// a shorter borrow of the same elements
    pub fn reborrow(&mut self) -> MatMut<'_, T> {
        MatMut {
            data: self.data,
            rows: self.rows,
            cols: self.cols,
            row_stride: self.row_stride,
            col_stride: self.col_stride,
        }
    }
    /// element `(i, j)`
    pub fn at(&self, i: usize, j: usize) -> T {
        self.as_ref().at(i, j)
    }
    /// element `(i, j)`, to write
    pub fn at_mut(&mut self, i: usize, j: usize) -> &mut T {
        debug_assert!(i < self.rows && j < self.cols);
        &mut self.data[i * self.row_stride + j * self.col_stride]
    }
    /// row `i` of a view whose columns are adjacent
    pub fn row_mut(&mut self, i: usize) -> &mut [T] {
        debug_assert!(self.col_stride == 1 || self.cols <= 1);
        &mut self.data[i * self.row_stride..][..self.cols]
    }
    /// the block of these rows and columns
    pub fn block(self, rows: Range<usize>, cols: Range<usize>) -> Self {
        debug_assert!(rows.end <= self.rows && cols.end <= self.cols);
        let from = start(&rows, &cols, self.row_stride, self.col_stride);
        Self {
            data: &mut self.data[from..],
            rows: rows.len(),
            cols: cols.len(),
            row_stride: self.row_stride,
            col_stride: self.col_stride,
        }
    }
    /// The rows before `row` and those from it on, of a row-major view.
    pub fn split_at_row(self, row: usize) -> (Self, Self) {
        debug_assert!(row <= self.rows);
        let cut = if row < self.rows { row * self.row_stride } else { self.data.len() };
        let (head, tail) = self.data.split_at_mut(cut);
        let view =
            |data, rows| Self { data, rows, cols: self.cols, row_stride: self.row_stride, col_stride: self.col_stride };
        (view(head, row), view(tail, self.rows - row))
    }
    /// As [`MatRef::stacked`].
    pub(crate) fn stacked(self) -> Result<Self, Error> {
        adjacent(self.rows, self.cols, (self.row_stride, self.col_stride))?;
        let len = self.rows * self.cols;
        Ok(Self::dense(&mut self.data[..len], len, 1))
    }
    /// every element of a row-major view set to `value`
    pub fn fill(&mut self, value: T) {
        for i in 0..self.rows {
            self.row_mut(i).fill(value);
        }
    }
    /// A <- A^T of a square matrix
    pub(crate) fn transpose(&mut self) {
        debug_assert_eq!(self.rows, self.cols);
        for i in 0..self.rows {
            for j in 0..i {
                let (below, above) = (self.at(i, j), self.at(j, i));
                *self.at_mut(i, j) = above;
                *self.at_mut(j, i) = below;
            }
        }
    }
    /// A <- B^T, both row-major, in square blocks so that rows far apart share few lines of a cache
    pub fn copy_transpose(self, b: MatRef<'_, T>) {
        const SIDE: usize = 8;
        debug_assert!(self.rows == b.cols && self.cols == b.rows);
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
        debug_assert_eq!(self.rows, self.cols);
        for i in 0..self.rows {
            for j in 0..i {
                *self.at_mut(j, i) = self.at(i, j);
            }
        }
    }
}
