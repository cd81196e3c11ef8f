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

/// The first `len` elements of `buffer`, which keeps the rest: one buffer of the caller becomes many.
pub(crate) fn take_front<'a, T>(buffer: &mut &'a mut [T], len: usize) -> &'a mut [T] {
    let (head, tail) = core::mem::take(buffer).split_at_mut(len);
    *buffer = tail;
    head
}

/// Length of a buffer for several matrices: the sum of the products. One that overflows is `usize::MAX`, which no
/// buffer has, so that it is refused like any that is too long.
pub(crate) const fn buffer_len(products: &[&[usize]]) -> usize {
    let (mut sum, mut i) = (0_usize, 0);
    while i < products.len() {
        let (mut product, mut zero, mut k) = (1_usize, false, 0);
        while k < products[i].len() {
            product = product.saturating_mul(products[i][k]);
            zero |= products[i][k] == 0;
            k += 1;
        }
        sum = sum.saturating_add(if zero { 0 } else { product });
        i += 1;
    }
    sum
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
