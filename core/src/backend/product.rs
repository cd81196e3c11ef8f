//! [`Portable`](super::Portable)'s matrix product: tiles of C whose sums live in registers, with an inner loop for each
//! way the operands lie in memory. Tiles and loops decide the speed; no order of summation depends on them.
//!
//! An operand lies in *lines* where its elements are adjacent along the summed index (A row-major, B the transpose of
//! such a matrix), and in *rows* where they are adjacent across it. The loops run over slices of known length, so that
//! no element's index is checked, and each is a function of its own that the compiler keeps in registers.

use crate::{MatMut, MatRef, Real};
use core::slice::ChunksExact;

/// Rows and columns of a tile. On a Cortex-M4F 16 sums and what is read for them fill the 32 registers.
const TILE: usize = 4;

/// What A B is multiplied by, and C where it is kept.
type Scales<T> = (T, Option<T>);

/// Sums of an R x C tile.
type Sums<T, const R: usize, const C: usize> = [[T; C]; R];

/// `C <- alpha A B + beta C`; `C` is not read where `beta` is 0.
pub(super) fn product<T: Real>(alpha: T, a: MatRef<'_, T>, b: MatRef<'_, T>, beta: T, c: MatMut<'_, T>) {
    let scales = (alpha, (beta != T::ZERO).then_some(beta));
    if c.rows() == 0 || c.cols() == 0 || a.cols() == 0 {
        // a view without elements may have any strides over any slice
        return strided(scales, a, b, c);
    }
    match (Lines::try_new(a), Lines::try_new(b.t()), Rows::try_new(a.t()), Rows::try_new(b)) {
        (Some(a), Some(b), ..) => tiles(&LinesByLines { a, b }, scales, c),
        (Some(a), _, _, Some(b)) => tiles(&LinesByRows { a, b }, scales, c),
        (_, _, Some(a), Some(b)) => tiles(&RowsByRows { a, b }, scales, c),
        _ => strided(scales, a, b, c),
    }
}

/// An operand that is read as N slices along the summed index.
struct Lines<'a, T> {
    data: &'a [T],
    stride: usize,
    terms: usize,
}

impl<'a, T: Real> Lines<'a, T> {
    fn try_new(a: MatRef<'a, T>) -> Option<Self> {
        (a.col_stride() == 1).then(|| Self { data: a.data(), stride: a.row_stride(), terms: a.cols() })
    }

    /// The first `terms` elements of the N lines from `i` on.
    #[inline(always)]
    fn from<const N: usize>(&self, i: usize, terms: usize) -> [&'a [T]; N] {
        let lines = &self.data[i * self.stride..][..(N - 1) * self.stride + terms];
        core::array::from_fn(|r| &lines[r * self.stride..][..terms])
    }
}

/// An operand that is read as N elements of one row after the other.
struct Rows<'a, T>(ChunksExact<'a, T>);

impl<'a, T: Real> Rows<'a, T> {
    /// None of a block whose last row ends where the matrix does, before a whole stride, and of rows that overlap.
    fn try_new(b: MatRef<'a, T>) -> Option<Self> {
        if b.col_stride() != 1 || (b.rows() > 1 && b.row_stride() < b.cols()) {
            return None;
        }
        // a single row may have any stride
        let stride = b.row_stride().max(b.cols()).max(1);
        Some(Self(b.data().get(..b.rows() * stride)?.chunks_exact(stride)))
    }
}

/// N elements of a row from `at` on.
#[inline(always)]
fn part<T: Real, const N: usize>(row: &[T], at: usize) -> [T; N] {
    let part = &row[at..at + N];
    core::array::from_fn(|q| part[q])
}

/// A and B, in one of the ways they can lie.
trait Operands<T> {
    /// The R x C block of A B that begins at `(i, j)`.
    fn sums<const R: usize, const C: usize>(&self, i: usize, j: usize) -> Sums<T, R, C>;
}

struct LinesByLines<'a, T> {
    a: Lines<'a, T>,
    b: Lines<'a, T>,
}

impl<T: Real> Operands<T> for LinesByLines<'_, T> {
    #[inline(always)]
    fn sums<const R: usize, const C: usize>(&self, i: usize, j: usize) -> Sums<T, R, C> {
        let mut sums = [[T::ZERO; C]; R];
        let terms = self.a.terms;
        let (x, y) = (self.a.from::<R>(i, terms), self.b.from::<C>(j, terms));
        if terms == 0 {
            return sums;
        }
        // The first term outside the loop: otherwise the registers are set to 0 for every way into it.
        add(&mut sums, x.map(|x| x[0]), y.map(|y| y[0]));
        for k in 1..terms {
            add(&mut sums, x.map(|x| x[k]), y.map(|y| y[k]));
        }
        sums
    }
}

struct LinesByRows<'a, T> {
    a: Lines<'a, T>,
    b: Rows<'a, T>,
}

impl<T: Real> Operands<T> for LinesByRows<'_, T> {
    #[inline(always)]
    fn sums<const R: usize, const C: usize>(&self, i: usize, j: usize) -> Sums<T, R, C> {
        let mut sums = [[T::ZERO; C]; R];
        let x = self.a.from::<R>(i, self.a.terms);
        for (k, y) in (0..self.a.terms).zip(self.b.0.clone()) {
            add(&mut sums, x.map(|x| x[k]), part(y, j));
        }
        sums
    }
}

struct RowsByRows<'a, T> {
    a: Rows<'a, T>,
    b: Rows<'a, T>,
}

impl<T: Real> Operands<T> for RowsByRows<'_, T> {
    #[inline(always)]
    fn sums<const R: usize, const C: usize>(&self, i: usize, j: usize) -> Sums<T, R, C> {
        let mut sums = [[T::ZERO; C]; R];
        let (mut x, mut y) = (self.a.0.clone(), self.b.0.clone());
        let (Some(x_first), Some(y_first)) = (x.next(), y.next()) else { return sums };
        add(&mut sums, part(x_first, i), part(y_first, j));
        for (x, y) in x.zip(y) {
            add(&mut sums, part(x, i), part(y, j));
        }
        sums
    }
}

/// sums <- sums + x yᵀ
#[inline(always)]
fn add<T: Real, const R: usize, const C: usize>(sums: &mut Sums<T, R, C>, x: [T; R], y: [T; C]) {
    for (q, y) in y.into_iter().enumerate() {
        for (row, x) in sums.iter_mut().zip(x) {
            row[q] += x * y;
        }
    }
}

fn tiles<T: Real, O: Operands<T>>(operands: &O, scales: Scales<T>, mut c: MatMut<'_, T>) {
    let mut i = 0;
    while i < c.rows() {
        i += match c.rows() - i {
            TILE.. => band::<T, O, TILE>(operands, scales, c.reborrow(), i),
            2.. => band::<T, O, 2>(operands, scales, c.reborrow(), i),
            _ => band::<T, O, 1>(operands, scales, c.reborrow(), i),
        };
    }
}

/// R rows of C from row `i` on; Returns R.
#[inline(never)]
fn band<T: Real, O: Operands<T>, const R: usize>(operands: &O, scales: Scales<T>, c: MatMut<'_, T>, i: usize) -> usize {
    let (n, stride) = (c.cols(), c.row_stride());
    let mut rest = c.block(i..i + R, 0..n).into_data();
    let mut rows: [&mut [T]; R] = core::array::from_fn(|r| {
        let (row, more) = core::mem::take(&mut rest).split_at_mut(if r + 1 < R { stride } else { n });
        rest = more;
        &mut row[..n]
    });
    let mut j = 0;
    while n - j >= TILE {
        write(scales, &mut rows, j, operands.sums::<R, TILE>(i, j));
        j += TILE;
    }
    while j < n {
        write(scales, &mut rows, j, column(operands, i, j));
        j += 1;
    }
    R
}

/// One column of sums, for what is left at the right.
#[inline(never)]
fn column<T: Real, O: Operands<T>, const R: usize>(operands: &O, i: usize, j: usize) -> Sums<T, R, 1> {
    operands.sums(i, j)
}

#[inline(always)]
fn write<T: Real, const R: usize, const C: usize>(
    (alpha, beta): Scales<T>,
    rows: &mut [&mut [T]; R],
    j: usize,
    sums: Sums<T, R, C>,
) {
    if let Some(beta) = beta {
        for r in 0..R {
            let row = &mut rows[r][j..j + C];
            for q in 0..C {
                row[q] = alpha * sums[r][q] + beta * row[q];
            }
        }
    } else {
        for r in 0..R {
            let row = &mut rows[r][j..j + C];
            for q in 0..C {
                row[q] = alpha * sums[r][q];
            }
        }
    }
}

/// Whatever the strides.
fn strided<T: Real>(scales: Scales<T>, a: MatRef<'_, T>, b: MatRef<'_, T>, mut c: MatMut<'_, T>) {
    for i in (0..c.rows()).step_by(TILE) {
        for j in (0..c.cols()).step_by(TILE) {
            let (rows, cols) = (TILE.min(c.rows() - i), TILE.min(c.cols() - j));
            if (rows, cols) == (TILE, TILE) {
                strided_tile::<T, TILE, TILE>(scales, a, b, &mut c, i, j);
            } else {
                (0..rows * cols)
                    .for_each(|e| strided_tile::<T, 1, 1>(scales, a, b, &mut c, i + e / cols, j + e % cols));
            }
        }
    }
}

fn strided_tile<T: Real, const R: usize, const C: usize>(
    (alpha, beta): Scales<T>,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    c: &mut MatMut<'_, T>,
    i: usize,
    j: usize,
) {
    let mut sums = [[T::ZERO; C]; R];
    for k in 0..a.cols() {
        add(&mut sums, core::array::from_fn(|r| a.entry(i + r, k)), core::array::from_fn(|q| b.entry(k, j + q)));
    }
    for (r, sums) in sums.iter().enumerate() {
        for (c, sum) in c.row_mut(i + r)[j..j + C].iter_mut().zip(sums) {
            *c = beta.map_or(alpha * *sum, |beta| alpha * *sum + beta * *c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// Every layout, overlapping and repeated rows among them, has the sums from left to right, bit for bit.
    #[test]
    fn sums_run_from_left_to_right_whatever_the_strides() {
        let mut draws = crate::init::Normals::new(1);
        let numbers: Vec<f32> = (0..500).map(|_| draws.draw() as f32).collect();
        // row and column strides: dense, blocks, transposed, overlapping, repeated, both apart
        let strides = [(19, 1), (23, 1), (1, 19), (1, 23), (1, 1), (2, 1), (0, 1), (1, 0), (0, 0), (17, 2), (2, 17)];
        for (rows, terms, cols) in [(0, 3, 2), (1, 1, 1), (3, 0, 5), (5, 7, 1), (1, 9, 6), (9, 4, 13), (8, 11, 8)] {
            for (a_row, a_col) in strides {
                for (b_row, b_col) in strides {
                    let a = MatRef::strided(&numbers, rows, terms, a_row, a_col).unwrap();
                    let b = MatRef::strided(&numbers[7..], terms, cols, b_row, b_col).unwrap();
                    let (mut c, before) = (numbers[..rows * cols].to_vec(), &numbers);
                    product(0.3, a, b, -0.7, MatMut::new(&mut c, rows, cols).unwrap());
                    for (at, c) in c.iter().enumerate() {
                        let sum = (0..terms).fold(0.0, |sum, k| sum + a.at(at / cols, k) * b.at(k, at % cols));
                        let expected = 0.3 * sum + -0.7 * before[at];
                        assert!(c.to_bits() == expected.to_bits(), "{rows} x {terms} x {cols}: {a:?} {b:?}");
                    }
                }
            }
        }
    }
}
