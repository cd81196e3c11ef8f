//! The seam for heavy work: matrix products, decompositions and independent bands of rows.
//!
//! `C <- alpha A B + beta C`. In [`Portable`] every element is one sum, `a_i0 b_0j + a_i1 b_1j + ...`, added
//! from left to right into one accumulator that starts at 0, without fused multiply-add. That order is
//! part of the contract: it is the same on a Cortex-M and on a workstation, and no tiling changes it.

mod product;

use crate::{Error, MatMut, MatRef, Real, linalg};

/// Work on one band of rows: index of its first row, the band, scratch.
pub type BandWork<'w, T> = dyn Fn(usize, MatMut<'_, T>, &mut [T]) + Sync + 'w;

/// What computes products and decompositions, and whether bands of rows run side by side.
///
/// Whatever an implementation does, its results do not depend on the number of threads.
pub trait Backend<T: Real>: Sync {
    /// Samples per tile of a kernel matrix. Tiles start at multiples of it, so that a kernel computed in
    /// blocks of whole tiles has the bits of the kernel computed at once.
    fn tile(&self) -> usize;

    /// `C <- alpha A B + beta C`; `C` is not read where `beta` is 0. Shapes must agree.
    fn gemm(&self, alpha: T, a: MatRef<'_, T>, b: MatRef<'_, T>, beta: T, c: MatMut<'_, T>);

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
    /// Samples per tile of a kernel matrix; small, because two tiles lie in the caller's scratch.
    pub const TILE: usize = 32;
}

impl<T: Real> Backend<T> for Portable {
    fn tile(&self) -> usize {
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
