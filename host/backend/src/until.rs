//! The fast backend for work that somebody may ask to end.

use ntkscope_core::backend::assert_product;
use ntkscope_core::{Backend, BandWork, Error, MatMut, MatRef, Tile};

use crate::vector::Vectorized;
use crate::{Fast, eigenvalues_until};

/// Multiply-adds between two looks at whether the work is to end: a fraction of a second.
const AT_ONCE: usize = 4_000_000_000;
/// Fewest rows of a product at a time.
const ROWS: usize = 512;

/// Whether the work is to end.
pub(crate) type Asked = dyn Fn() -> bool + Send + Sync;

/// [`Fast`], with its bits, until it is asked to end: then products and bands are left out, and decompositions fail, so that the work
/// is soon over. What comes out is worth nothing, and whoever has asked looks at nothing of it. A decomposition into eigenvectors
/// and Cholesky's are not cut off once they have begun.
pub struct Until(Box<Asked>);

impl Until {
    /// Asked so between two pieces of work.
    pub fn new(asked: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Box::new(asked))
    }

    /// Whether the work is to end.
    pub fn asked(&self) -> bool {
        (self.0)()
    }
}

/// What a decomposition says that was left out; nobody sees it.
pub(crate) const LEFT_OUT: Error = Error::NoConvergence { eigenvalue: 0 };

impl<T: Vectorized + faer::traits::RealField> Backend<T> for Until {
    fn tile(&self) -> Tile {
        Backend::<T>::tile(&Fast)
    }

    fn gemm(&self, alpha: T, a: MatRef<'_, T>, b: MatRef<'_, T>, beta: T, mut c: MatMut<'_, T>) {
        let (m, n, depth) = (c.rows(), c.cols(), a.cols());
        assert_product(a, b, &c);
        let step = (AT_ONCE / n.saturating_mul(depth).max(1)).max(ROWS);
        // an element has the same bits whatever rows are beside it
        for first in (0..m).step_by(step) {
            if self.asked() {
                return;
            }
            let rows = first..m.min(first + step);
            Fast.gemm(alpha, a.block(rows.clone(), 0..depth), b, beta, c.reborrow().block(rows, 0..n));
        }
    }

    fn transpose(&self, a: MatRef<'_, T>, out: MatMut<'_, T>) {
        Fast.transpose(a, out);
    }

    fn products(&self, add: bool, a: &[T], b: &[T], y: &mut [T]) {
        Fast.products(add, a, b, y);
    }

    fn square_roots(&self, x: &mut [T]) {
        Fast.square_roots(x);
    }

    fn arc_cosine(&self, sin2: &[T], cos2: &[T], kappa0: &mut [T], gap: &mut [T]) {
        Fast.arc_cosine(sin2, cos2, kappa0, gap);
    }

    fn symmetric_eigenvalues(&self, a: MatMut<'_, T>, values: &mut [T], scratch: &mut [T]) -> Result<(), Error> {
        if self.asked() { Err(LEFT_OUT) } else { eigenvalues_until(a, values, scratch, &*self.0) }
    }

    fn symmetric_eigen(
        &self,
        a: MatMut<'_, T>,
        values: &mut [T],
        vectors: MatMut<'_, T>,
        scratch: &mut [T],
    ) -> Result<(), Error> {
        if self.asked() { Err(LEFT_OUT) } else { Fast.symmetric_eigen(a, values, vectors, scratch) }
    }

    fn cholesky(&self, a: MatMut<'_, T>) -> Result<(), Error> {
        if self.asked() { Err(LEFT_OUT) } else { Fast.cholesky(a) }
    }

    fn for_each_band(&self, out: MatMut<'_, T>, rows_per_band: usize, scratch: &mut [T], work: &BandWork<'_, T>) {
        Fast.for_each_band(out, rows_per_band, scratch, &|first, band, scratch: &mut [T]| {
            if !self.asked() {
                work(first, band, scratch);
            }
        });
    }
}
