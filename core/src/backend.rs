//! The seam for heavy work: matrix products, decompositions, angles and independent bands of rows.
//!
//! `C <- alpha A B + beta C`. In [`Portable`] every element is one sum, `a_i0 b_0j + a_i1 b_1j + ...`, added
//! from left to right into one accumulator that starts at 0, without fused multiply-add. That order is
//! part of the contract: it is the same on a Cortex-M and on a workstation, and no tiling changes it.
//!
//! [`crate::contract::backend`] tests an implementation against the whole of [`Backend`]'s contract.

mod product;

use crate::angle::arc_cosine;
use crate::{Error, MatMut, MatRef, Real, linalg};

/// Work on one band of rows: index of its first row, the band, scratch.
pub type BandWork<'w, T> = dyn Fn(usize, MatMut<'_, T>, &mut [T]) + Sync + 'w;

/// How a kernel matrix is cut. Its numbers do not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tile {
    /// most rows of a tile, and of a band of them
    pub rows: usize,
    /// columns of a tile
    pub cols: usize,
    /// a matrix is cut into a multiple of so many bands, so that they can be shared out
    pub bands: usize,
}

impl Tile {
    /// Tiles of at most so many rows, of so many columns, in a multiple of so many bands.
    ///
    /// # Panics
    /// Where a number is 0.
    pub const fn new(rows: usize, cols: usize, bands: usize) -> Self {
        assert!(rows > 0 && cols > 0 && bands > 0, "a tile has at least 1 row, column and band");
        Self { rows, cols, bands }
    }
    /// Rows per band of a matrix of so many rows.
    pub const fn band(self, rows: usize) -> usize {
        let count = rows.div_ceil(self.rows).next_multiple_of(self.bands);
        if count == 0 { 1 } else { rows.div_ceil(count) }
    }
}

/// What computes products and decompositions, and whether bands of rows run side by side.
///
/// Whatever an implementation does, its results do not depend on the number of threads. Every operation takes empty
/// operands: 0 rows, 0 columns, slices of length 0. Products, transposition and the elementwise operations panic where
/// shapes or lengths disagree; decompositions return an error, the one that [`Portable`] returns for the same input.
pub trait Backend<T: Real>: Sync {
    /// Tiles of a kernel matrix. They start at multiples of their columns, so that a kernel computed in
    /// blocks of whole tiles has the bits of the kernel computed at once.
    fn tile(&self) -> Tile;

    /// `C <- alpha A B + beta C`.
    ///
    /// A and B have any strides, C is row-major, as every writable view. Without terms (A has no columns) this is
    /// `C <- beta C`. Where `beta` is 0, C is not read, so that NaN in it does not count. `alpha` and `beta` are finite.
    ///
    /// # Panics
    /// Unless A has the rows of C, B its columns, and A as many columns as B rows.
    fn gemm(&self, alpha: T, a: MatRef<'_, T>, b: MatRef<'_, T>, beta: T, c: MatMut<'_, T>);

    /// `out <- A^T`; the columns of A are adjacent.
    ///
    /// # Panics
    /// Where they are not, or where the shapes disagree.
    fn transpose(&self, a: MatRef<'_, T>, out: MatMut<'_, T>) {
        out.copy_transpose(a);
    }

    /// y_j <- a_j b_j, or y_j + a_j b_j where they are to be added, each product rounded before.
    ///
    /// # Panics
    /// Unless all slices have the same length.
    fn products(&self, add: bool, a: &[T], b: &[T], y: &mut [T]) {
        assert_lengths("products", y.len(), &[a.len(), b.len()]);
        let all = y.iter_mut().zip(a.iter().zip(b));
        if add { all.for_each(|(y, (a, b))| *y += *a * *b) } else { all.for_each(|(y, (a, b))| *y = *a * *b) }
    }

    /// x_j <- sqrt(x_j), each the nearest number to the root: the same bits everywhere.
    fn square_roots(&self, x: &mut [T]) {
        x.iter_mut().for_each(|x| *x = x.sqrt());
    }

    /// `kappa0` and `gap` = 1 - kappa1 of the angles of which `sin2` and `cos2` are sin^2 and cos^2 of the half, as
    /// [`arc_cosine`] and with its bits.
    ///
    /// # Panics
    /// Unless all slices have the same length.
    fn arc_cosine(&self, sin2: &[T], cos2: &[T], kappa0: &mut [T], gap: &mut [T]) {
        assert_lengths("arc_cosine", sin2.len(), &[cos2.len(), kappa0.len(), gap.len()]);
        for (j, (kappa0, gap)) in kappa0.iter_mut().zip(gap).enumerate() {
            (*kappa0, *gap) = arc_cosine(sin2[j], cos2[j], T::sqrt);
        }
    }

    /// Eigenvalues of a symmetric matrix in ascending order; its lower triangle is read, `a` is destroyed.
    /// `values` and `scratch` hold one number per row.
    ///
    /// # Errors
    /// Those of [`linalg::symmetric_eigenvalues`].
    fn symmetric_eigenvalues(&self, a: MatMut<'_, T>, values: &mut [T], scratch: &mut [T]) -> Result<(), Error>;

    /// `A = V diag(w) V^T` of a symmetric matrix: eigenvalues w in ascending order and orthonormal eigenvectors,
    /// column k of `vectors` (n, n) for `values[k]`; the lower triangle of `a` (n, n) is read, `a` is destroyed.
    /// `values` and `scratch` hold one number per row.
    ///
    /// # Errors
    /// Those of [`linalg::symmetric_eigen`].
    fn symmetric_eigen(
        &self,
        a: MatMut<'_, T>,
        values: &mut [T],
        vectors: MatMut<'_, T>,
        scratch: &mut [T],
    ) -> Result<(), Error>;

    /// `A <- L` with `A = L L^T`, as [`linalg::cholesky`]: the lower triangle is read and overwritten, the upper
    /// one is not touched.
    ///
    /// # Errors
    /// Those of [`linalg::cholesky`].
    fn cholesky(&self, a: MatMut<'_, T>) -> Result<(), Error>;

    /// Calls `work(first_row, band, scratch)` for every band of `rows_per_band` rows of `out`, in any
    /// order, each band once; of 0 rows there is no band. `scratch` is a buffer of that length, one for every thread,
    /// with anything in it.
    ///
    /// # Panics
    /// Where a band is to have 0 rows.
    fn for_each_band(&self, out: MatMut<'_, T>, rows_per_band: usize, scratch: &mut [T], work: &BandWork<'_, T>);
}

/// Panics, at the caller's line, unless all lengths are `len`.
#[track_caller]
pub fn assert_lengths(what: &str, len: usize, others: &[usize]) {
    assert!(others.iter().all(|other| *other == len), "{what}: slices of {len} and {others:?} elements");
}

/// Panics, at the caller's line, unless `C <- A B` fits.
#[track_caller]
pub fn assert_product<T: Copy>(a: MatRef<'_, T>, b: MatRef<'_, T>, c: &MatMut<'_, T>) {
    assert!(
        a.rows() == c.rows() && b.cols() == c.cols() && a.cols() == b.rows(),
        "gemm: {} x {} times {} x {} into {} x {}",
        a.rows(),
        a.cols(),
        b.rows(),
        b.cols(),
        c.rows(),
        c.cols()
    );
}

/// The plain implementation: one thread, no allocation, the reference for every other.
///
/// ```
/// use ntkscope_core::{Backend, MatMut, MatRef, Portable};
/// let a = MatRef::new(&[1.0, 2.0, 3.0, 4.0], 2, 2)?;
/// let mut product = [f64::NAN; 4];
/// Portable.gemm(1.0, a, a.t(), 0.0, MatMut::new(&mut product, 2, 2)?);
/// assert_eq!(product, [5.0, 11.0, 11.0, 25.0]);
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Portable;

impl Portable {
    /// Tiles of a kernel matrix; small, because two lie in the caller's scratch.
    pub const TILE: Tile = Tile::new(32, 32, 1);
}

impl<T: Real> Backend<T> for Portable {
    fn tile(&self) -> Tile {
        Self::TILE
    }
    fn gemm(&self, alpha: T, a: MatRef<'_, T>, b: MatRef<'_, T>, beta: T, c: MatMut<'_, T>) {
        assert_product(a, b, &c);
        product::product(alpha, a, b, beta, c);
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
        assert!(rows_per_band > 0, "for_each_band: bands of 0 rows");
        let (mut first, mut rest) = (0, out);
        while rest.rows() > 0 {
            let rows = rows_per_band.min(rest.rows());
            let (band, tail) = rest.split_at_row(rows);
            work(first, band, scratch);
            first += rows;
            rest = tail;
        }
    }
}
