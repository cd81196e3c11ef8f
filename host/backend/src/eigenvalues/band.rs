//! From a dense symmetric matrix to a band, `Q^T A Q`, by products of matrices (Bischof, Lang and Sun 2000).
//!
//! Panel after panel of b columns: the QR decomposition of what lies below the band gives `Q = I - V T V^T`, and the rest
//! of the matrix becomes `Q^T A Q = A - V W^T - W V^T` with `W = Y - V T^T V^T Y / 2`, `Y = A V T`. (4/3) n^3 operations,
//! half of them multiplications, all but some n^2 b of them in the products A V and V W^T.

use ntkscope_core::{MatMut, MatRef};

use super::panel;
use crate::bands::for_each_band;
use crate::product::gemm;
use crate::transpose::transpose;
use crate::until::Asked;
use crate::vector::Vectorized;

/// Rows of A that a thread works on at a time.
const ROWS: usize = 256;

/// Numbers of [`to_band`]'s working space: `[V W]` (m, 2 b), its transpose with V and W exchanged, V and two more (m, b) for the
/// m rows below the band, and four squares (b, b).
pub(super) const fn space(rows: usize, width: usize) -> u128 {
    let (rows, width) = (rows as u128, width as u128);
    7 * rows.saturating_sub(width) * width + 4 * width * width
}

/// Brings the symmetric matrix whose lower triangle is in `a` to one of `width` diagonals below the main one, in that
/// triangle; what lies outside of the band has no meaning.
pub(super) fn to_band<T: Vectorized>(mut a: MatMut<'_, T>, width: usize, asked: &Asked) {
    let n = a.rows();
    let mut space = vec![T::ZERO; space(n, width) as usize];
    for left in (0..n).step_by(width) {
        let top = left + width;
        if top + 1 >= n || asked() {
            break; // one row below the band: its panel is triangular; or nobody wants the rest
        }
        let m = n - top;
        let mut space = &mut space[..];
        let both = take(&mut space, 2 * m * width);
        let both_t = take(&mut space, 2 * m * width);
        let (w_t, v_t) = both_t.split_at_mut(m * width);
        let mut w_t = MatMut::dense(w_t, width, m);
        let mut v_t = MatMut::dense(v_t, width, m);
        let [mut x, mut y, mut v] = [(); 3].map(|()| MatMut::dense(take(&mut space, m * width), m, width));
        let [mut t, mut r, mut s] = [(); 3].map(|()| MatMut::dense(take(&mut space, width * width), width, width));

        transpose(a.as_ref().block(top..n, left..top), v_t.reborrow());
        panel::decompose(v_t.reborrow(), r.reborrow(), t.reborrow(), space);
        for i in 0..m.min(width) {
            a.row_mut(top + i)[left + i..top].copy_from_slice(&r.row_mut(i)[i..]);
        }
        transpose(v_t.as_ref(), v.reborrow());

        let mut rest_of_a = a.reborrow().block(top..n, top..n);
        symmetric_product(rest_of_a.reborrow(), v.as_ref(), x.reborrow());
        gemm(T::ONE, x.as_ref(), t.as_ref(), T::ZERO, y.reborrow());
        // W = Y + V S with S = -T^T (V^T Y) / 2
        let mut products = r;
        gemm(T::ONE, v_t.as_ref(), y.as_ref(), T::ZERO, products.reborrow());
        gemm(T::from_f64(-0.5), t.as_ref().t(), products.as_ref(), T::ZERO, s.reborrow());
        gemm(T::ONE, v.as_ref(), s.as_ref(), T::ONE, y.reborrow());
        transpose(y.as_ref(), w_t.reborrow());
        let mut both = MatMut::dense(both, m, 2 * width);
        for i in 0..m {
            let (to_v, to_w) = both.row_mut(i).split_at_mut(width);
            to_v.copy_from_slice(v.row_mut(i));
            to_w.copy_from_slice(y.row_mut(i));
        }
        update(rest_of_a, both.as_ref(), MatRef::dense(both_t, 2 * width, m));
    }
}

/// The first `len` elements of what is left of the working space.
fn take<'a, T>(space: &mut &'a mut [T], len: usize) -> &'a mut [T] {
    let (taken, rest) = std::mem::take(space).split_at_mut(len);
    *space = rest;
    taken
}

/// `X = A V` for the symmetric matrix whose lower triangle is in `a`; its blocks of [`ROWS`] on the diagonal are made whole.
fn symmetric_product<T: Vectorized>(mut a: MatMut<'_, T>, v: MatRef<'_, T>, x: MatMut<'_, T>) {
    let (m, width) = (v.rows(), v.cols());
    for_each_band(a.reborrow(), ROWS, &[], &|first, mut band, _| {
        for i in 0..band.rows() {
            for j in 0..i {
                *band.at_mut(j, first + i) = band.at(i, first + j);
            }
        }
    });
    let a = a.as_ref();
    for_each_band(x, ROWS, &[], &|first, mut band, _| {
        let (rows, end) = (first..first + band.rows(), first + band.rows());
        gemm(T::ONE, a.block(rows.clone(), 0..end), v.block(0..end, 0..width), T::ZERO, band.reborrow());
        if end < m {
            gemm(T::ONE, a.block(end..m, rows).t(), v.block(end..m, 0..width), T::ONE, band);
        }
    });
}

/// `A <- A - [V W] [W V]^T` in the lower triangle.
fn update<T: Vectorized>(a: MatMut<'_, T>, left: MatRef<'_, T>, right: MatRef<'_, T>) {
    let depth = left.cols();
    for_each_band(a, ROWS, &[], &|first, band, _| {
        let (rows, end) = (first..first + band.rows(), first + band.rows());
        let band_rows = rows.len();
        gemm(
            -T::ONE,
            left.block(rows, 0..depth),
            right.block(0..depth, 0..end),
            T::ONE,
            band.block(0..band_rows, 0..end),
        );
    });
}
