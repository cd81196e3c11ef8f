//! The seam for heavy work: matrix products, decompositions, angles and independent bands of rows.
//!
//! `C <- alpha A B + beta C`. In [`Portable`] every element is one sum, `a_i0 b_0j + a_i1 b_1j + ...`, added
//! from left to right into one accumulator that starts at 0, without fused multiply-add. That order is
//! part of the contract: it is the same on a Cortex-M and on a workstation, and no tiling changes it.

mod product;

use crate::angle::arc_cosine;
use crate::{Error, MatMut, MatRef, Real, linalg};

/// Work on one band of rows: index of its first row, the band, scratch.
pub type BandWork<'w, T> = dyn Fn(usize, MatMut<'_, T>, &mut [T]) + Sync + 'w;

/// How a kernel matrix is cut. Its numbers do not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// most rows of a tile, and of a band of them
    pub rows: usize,
    /// columns of a tile
    pub cols: usize,
    /// a matrix is cut into a multiple of so many bands, so that they can be shared out
    pub bands: usize,
}

impl Tile {
    /// Rows per band of a matrix of so many rows.
    pub const fn band(self, rows: usize) -> usize {
        let count = rows.div_ceil(self.rows).next_multiple_of(self.bands);
        if count == 0 { 1 } else { rows.div_ceil(count) }
    }
}

/// What computes products and decompositions, and whether bands of rows run side by side.
///
/// Whatever an implementation does, its results do not depend on the number of threads.
pub trait Backend<T: Real>: Sync {
    /// Tiles of a kernel matrix. They start at multiples of their columns, so that a kernel computed in
    /// blocks of whole tiles has the bits of the kernel computed at once.
    fn tile(&self) -> Tile;

    /// `C <- alpha A B + beta C`; `C` is not read where `beta` is 0. Shapes must agree.
    fn gemm(&self, alpha: T, a: MatRef<'_, T>, b: MatRef<'_, T>, beta: T, c: MatMut<'_, T>);

    /// `out <- A^T`, both with adjacent columns. Shapes must agree.
    fn transpose(&self, a: MatRef<'_, T>, out: MatMut<'_, T>) {
        out.copy_transpose(a);
    }

    /// y_j <- a_j b_j, or y_j + a_j b_j where they are to be added, each product rounded before. All slices have the same
    /// length.
    fn products(&self, add: bool, a: &[T], b: &[T], y: &mut [T]) {
        let all = y.iter_mut().zip(a.iter().zip(b));
        if add { all.for_each(|(y, (a, b))| *y += *a * *b) } else { all.for_each(|(y, (a, b))| *y = *a * *b) }
    }

    /// x_j <- sqrt(x_j), each the nearest number to the root: the same bits everywhere.
    fn square_roots(&self, x: &mut [T]) {
        x.iter_mut().for_each(|x| *x = x.sqrt());
    }

    /// `kappa0` and `gap` = 1 - kappa1 of the angles of which `sin2` and `cos2` are sin^2 and cos^2 of the half, as
    /// [`arc_cosine`] and with its bits. All slices have the same length.
    fn arc_cosine(&self, sin2: &[T], cos2: &[T], kappa0: &mut [T], gap: &mut [T]) {
        for (j, (kappa0, gap)) in kappa0.iter_mut().zip(gap).enumerate() {
            (*kappa0, *gap) = arc_cosine(sin2[j], cos2[j], T::sqrt);
        }
    }

    /// Eigenvalues of a symmetric matrix in ascending order; its lower triangle is read, `a` is destroyed.
    /// `values` and `scratch` hold one number per row. Error: no convergence.
    fn symmetric_eigenvalues(&self, a: MatMut<'_, T>, values: &mut [T], scratch: &mut [T]) -> Result<(), Error>;

    /// `A = V diag(w) V^T` of a symmetric matrix: eigenvalues w in ascending order and orthonormal eigenvectors,
    /// column k of `vectors` (n, n) for `values[k]`; the lower triangle of `a` (n, n) is read, `a` is destroyed.
    /// Both matrices are row-major; `values` and `scratch` hold one number per row.
    /// Errors: shapes, a non-finite element, no convergence.
    fn symmetric_eigen(
        &self,
        a: MatMut<'_, T>,
        values: &mut [T],
        vectors: MatMut<'_, T>,
        scratch: &mut [T],
    ) -> Result<(), Error>;

    /// `A <- L` with `A = L L^T`, as [`linalg::cholesky`]: the lower triangle is read and overwritten, the upper
    /// one is not touched. Error: not positive definite.
    fn cholesky(&self, a: MatMut<'_, T>) -> Result<(), Error>;

    /// Calls `work(first_row, band, scratch)` for every band of `rows_per_band` rows of `out`, in any
    /// order, each band once. `scratch` is a buffer of that length, one for every thread.
    fn for_each_band(&self, out: MatMut<'_, T>, rows_per_band: usize, scratch: &mut [T], work: &BandWork<'_, T>);
}

/// The plain implementation: one thread, no allocation, the reference for every other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Portable;

impl Portable {
    /// Tiles of a kernel matrix; small, because two lie in the caller's scratch.
    pub const TILE: Tile = Tile { rows: 32, cols: 32, bands: 1 };
}

impl<T: Real> Backend<T> for Portable {
    fn tile(&self) -> Tile {
        Self::TILE
    }
    fn gemm(&self, alpha: T, a: MatRef<'_, T>, b: MatRef<'_, T>, beta: T, c: MatMut<'_, T>) {
        assert!(a.rows() == c.rows() && b.cols() == c.cols() && a.cols() == b.rows(), "gemm: shapes disagree");
        product::product((alpha, beta), a, b, c);
    }
    fn symmetric_eigenvalues(&self, a: MatMut<'_, T>, values: &mut [T], scratch: &mut [T]) -> Result<(), Error> {
        linalg::symmetric_eigenvalues(a, values, scratch)
    }
    fn symmetric_eigen(
        &self,
        a: MatMut<'_, T>,
        values: &mut [T],
        vectors: MatMut<'_, T>,
        scratch: &mut [T],
    ) -> Result<(), Error> {
        linalg::symmetric_eigen(a, values, vectors, scratch)
    }
    fn cholesky(&self, a: MatMut<'_, T>) -> Result<(), Error> {
        linalg::cholesky(a)
    }
    fn for_each_band(&self, out: MatMut<'_, T>, rows_per_band: usize, scratch: &mut [T], work: &BandWork<'_, T>) {
        let (mut first, mut rest) = (0, out);
        while rest.rows() > 0 {
            let (band, tail) = {
                let rows = rows_per_band.min(rest.rows());
                rest.split_at_row(rows)
            };
            let rows = band.rows();
            work(first, band, scratch);
            first += rows;
            rest = tail;
        }
    }
}
