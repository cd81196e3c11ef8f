//! `C <- alpha A B + beta C` by `gemm`, in panels of rows or columns that are shared out among the threads.
//!
//! An element of a product has the same bits whatever the number of rows and columns beside it, so that panels may be of
//! any size and samples may be worked on in blocks. `gemm` alone does not promise that: small matrices are summed in
//! another order than large ones (its products with a vector, its blocks of the summed index, and a kernel for small
//! matrices whose factors both have the summed index adjacent). `product` sees to it that every element of a matrix with
//! at least two columns is summed by the one kernel for large matrices.

use ntkscope_core::backend::assert_product;
use ntkscope_core::{MatMut, MatRef, Real};
use rayon::prelude::*;

use super::transpose::transpose;
use super::vector::Vectorized;

/// Most rows or columns of a panel: long ones, because the other factor may have to be transposed for every panel.
const LONGEST: usize = 512;
/// Rows or columns up to which a side is not cut; most rows that are multiplied by a vector at a time.
const SHORTEST: usize = 256;
/// Length of the sums that `gemm` forms in one go, whatever the shape; longer ones are split here.
const DEPTH: usize = 512;
/// Elements of B that are transposed at a time: half of a core's level-2 cache in f64, a quarter in f32.
const BLOCK: usize = 64 * 1024;
/// Multiply-adds below which a product is not split.
const WORTH_SPLITTING: usize = 1 << 20;

/// [`ntkscope_core::Backend::gemm`].
pub(super) fn gemm<T: Vectorized>(alpha: T, a: MatRef<'_, T>, b: MatRef<'_, T>, beta: T, mut c: MatMut<'_, T>) {
    assert_product(a, b, &c);
    let (m, n, depth) = (c.rows(), c.cols(), a.cols());
    if m == 0 || n == 0 {
        return;
    }
    if depth == 0 {
        return scale(beta, &mut c);
    }
    let row_stride = c.row_stride();
    let out = Shared(c.into_data().as_mut_ptr());
    let panel = |rows: std::ops::Range<usize>, cols: std::ops::Range<usize>| {
        let (a, b) = (a.block(rows.clone(), 0..depth), b.block(0..depth, cols.clone()));
        let at = rows.start * row_stride + cols.start;
        // SAFETY: `out` points to the slice of `c`, which covers its shape, as that of every view; `block` has asserted
        // that the panel lies within the shapes of a and b, which `assert_product` has compared with that of c. No panel
        // is empty, so that `at` is an element of c. The slice is borrowed mutably for the whole call, and the panels
        // that are under way at a time are disjoint.
        unsafe { product(alpha, a, b, beta, out.get().add(at), row_stride) }
    };
    let threads = if m * n * depth >= WORTH_SPLITTING { crate::threads() } else { 1 };
    if n == 1 {
        // few enough rows for one and the same kernel, however many there are in all
        let count = m.div_ceil(SHORTEST);
        let rows = |i: usize| panel(i * m / count..(i + 1) * m / count, 0..1);
        return if threads > 1 { (0..count).into_par_iter().for_each(rows) } else { (0..count).for_each(rows) };
    }
    if threads == 1 {
        return panel(0..m, 0..n);
    }
    // as many panels for every thread, as even as can be
    let side = m.max(n);
    let count = side.div_ceil(LONGEST).next_multiple_of(threads).min(side.div_ceil(SHORTEST));
    (0..count).into_par_iter().for_each(|i| {
        let part = i * side / count..(i + 1) * side / count;
        if m >= n { panel(part, 0..n) } else { panel(0..m, part) }
    });
}

/// `C <- beta C`; C is not read where beta is 0.
fn scale<T: Real>(beta: T, c: &mut MatMut<'_, T>) {
    if beta == T::ZERO {
        return c.fill(T::ZERO);
    }
    for i in 0..c.rows() {
        c.row_mut(i).iter_mut().for_each(|c| *c *= beta);
    }
}

/// A pointer that several threads may hold; each writes a block of its own.
struct Shared<T>(*mut T);
// SAFETY: `gemm`, the one place where it is used, gives each thread a block of its own to read and write, so that an element
// is one thread's, as if it had been sent there; the memory outlives the threads' work, which `gemm` waits for.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above: a reference gives the pointer and nothing behind it.
unsafe impl<T: Send> Sync for Shared<T> {}
impl<T> Shared<T> {
    fn get(&self) -> *mut T {
        self.0
    }
}

/// `C <- alpha A B + beta C` on one thread, [`DEPTH`] terms at a time.
///
/// # Safety
/// `c` points to element (0, 0) of a row-major matrix with the rows of `a`, the columns of `b` and this stride, all of which
/// lies in one allocation that may be read and written; nobody else does either with its elements during the call. `b` has
/// as many rows as `a` columns, and no side is 0.
unsafe fn product<T: Vectorized>(alpha: T, a: MatRef<'_, T>, b: MatRef<'_, T>, beta: T, c: *mut T, row_stride: usize) {
    let (cols, depth) = (b.cols(), a.cols());
    for top in (0..depth).step_by(DEPTH) {
        let terms = top..depth.min(top + DEPTH);
        let beta = if top == 0 { beta } else { T::ONE };
        let a = a.block(0..a.rows(), terms.clone());
        if cols == 1 || b.row_stride() != 1 {
            // SAFETY: the caller's promise; the columns of a and the rows of b are the same terms.
            unsafe { sums(alpha, a, b.block(terms, 0..cols), beta, c, row_stride) };
            continue;
        }
        // B is the transpose of a row-major matrix. `gemm` would copy it to and fro at several times the cost.
        T::with_space(BLOCK, |block| {
            // even widths: a single column would be summed in another order
            let count = cols.div_ceil(BLOCK / terms.len());
            for (left, right) in (0..count).map(|i| (i * cols / count, (i + 1) * cols / count)) {
                let (height, width) = (terms.len(), right - left);
                let block = &mut block[..height * width];
                let rows = b.block(terms.clone(), left..right).t();
                transpose(rows, MatMut::new(block, height, width).expect("a slice of this length"));
                let block = MatRef::new(block, height, width).expect("a slice of this length");
                // SAFETY: the caller's promise, for columns left..right of C: left < right <= cols, so that `c.add(left)` is
                // an element of its first row. `block` has the rows and the columns that it is to have by `MatRef::new`.
                unsafe { sums(alpha, a, block, beta, c.add(left), row_stride) };
            }
        });
    }
}

/// [`product`] of at most [`DEPTH`] terms where B is not transposed. A row by itself gets a row of zeros beside it.
///
/// # Safety
/// As for [`product`].
unsafe fn sums<T: Real>(alpha: T, a: MatRef<'_, T>, b: MatRef<'_, T>, beta: T, c: *mut T, row_stride: usize) {
    let (cols, depth) = (b.cols(), a.cols());
    if cols > 1 && a.rows() == 1 {
        let mut left = vec![T::ZERO; 2 * depth];
        left[..depth].iter_mut().enumerate().for_each(|(k, value)| *value = a.at(0, k));
        let left = MatRef::new(&left, 2, depth).expect("allocated with this shape");
        let mut out = vec![T::ZERO; 2 * cols];
        if beta != T::ZERO {
            // SAFETY: the caller's promise: C has one row here, and these are its elements.
            (0..cols).for_each(|j| out[j] = unsafe { *c.add(j) });
        }
        // SAFETY: `out` is ours, with the two rows of `left`, the columns of `b` and this stride; `left` has as many
        // columns as a.
        unsafe { sums(alpha, left, b, beta, out.as_mut_ptr(), cols) };
        // SAFETY: as above, the elements of C's one row.
        return (0..cols).for_each(|j| unsafe { *c.add(j) = out[j] });
    }
    // SAFETY: the caller's promise for c, whose columns are adjacent, and that b has as many rows as a columns; the slices
    // of a and b cover their shapes, as those of all views. A stride that is stepped by is less than the length of its
    // slice, and so fits an isize. T is one of the scalars that gemm knows, or it panics.
    unsafe {
        gemm::gemm(
            a.rows(),
            cols,
            depth,
            c,
            1,
            row_stride as isize,
            beta != T::ZERO,
            a.data().as_ptr(),
            a.col_stride() as isize,
            a.row_stride() as isize,
            b.data().as_ptr(),
            b.col_stride() as isize,
            b.row_stride() as isize,
            // this library's alpha is the factor of C, its beta that of the product
            beta,
            alpha,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
