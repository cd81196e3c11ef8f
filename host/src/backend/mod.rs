//! The workstation's backend: products by `gemm`, eigenvalues by `faer`, bands of rows by `rayon`.
//!
//! Work is split by shape alone, never by the number of threads: a product into panels of at most `PANEL` rows or
//! columns, a kernel into tiles that start at multiples of `TILE`. So one thread and many give the same bits.
//!
//! A row of a product has the same bits whatever the number of rows beside it, so that samples may be worked on
//! in blocks. `gemm` alone does not promise that: small matrices are summed in another order than large ones
//! (its products with a vector, its blocks of the summed index, and a kernel for small matrices whose factors both have
//! the summed index adjacent). `product` sees to it that every element of a matrix with at least two columns is summed
//! by the one kernel for large matrices.

mod vector;

use faer::Side;
use ntkscope_core::{Approx32, Backend, BandWork, Error, MatMut, MatRef, Portable, Real, Tile};
use rayon::prelude::*;
use std::sync::Mutex;
use vector::Vectorised;

/// Tiles of a kernel: two of f64 fit a core's level-2 cache. The taller they are the less is a factor's transposition,
/// the narrower the less is computed above a diagonal.
const TILE: Tile = Tile { rows: 256, cols: 64 };
/// Largest number of rows or columns of one panel of a product.
const PANEL: usize = 256;
/// Length of the sums that `gemm` forms in one go, whatever the shape; longer ones are split here.
const DEPTH: usize = 512;
/// Elements of B that are transposed at a time: half of a core's level-2 cache in f64, a quarter in f32.
const BLOCK: usize = 64 * 1024;
/// Multiply-adds below which a product is not split.
const WORTH_SPLITTING: usize = 1 << 20;

/// `gemm`, `faer` and `rayon`. The instruction set is chosen at run time; see [`InstructionSet`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Fast;

/// A scalar that both backends take.
pub trait HostReal: Real {
    /// The fast backend where there is one for this scalar, else the portable one.
    fn fast() -> &'static dyn Backend<Self>;
}
impl HostReal for f32 {
    fn fast() -> &'static dyn Backend<Self> {
        &Fast
    }
}
impl HostReal for f64 {
    fn fast() -> &'static dyn Backend<Self> {
        &Fast
    }
}
impl HostReal for Approx32 {
    fn fast() -> &'static dyn Backend<Self> {
        &Portable
    }
}

/// The vector instructions in use, found at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstructionSet {
    /// 512 bits
    Avx512,
    /// 256 bits, with fused multiply-add
    Avx2,
    /// what every machine of this architecture has
    Baseline,
}

impl InstructionSet {
    /// That of this machine.
    pub fn here() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                return Self::Avx512;
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                return Self::Avx2;
            }
        }
        Self::Baseline
    }
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Baseline if cfg!(target_arch = "aarch64") => "neon",
            Self::Baseline if cfg!(target_arch = "x86_64") => "sse2",
            Self::Baseline => "scalar",
        }
    }
}

impl<T: Vectorised + faer::traits::RealField> Backend<T> for Fast {
    fn tile(&self) -> Tile {
        TILE
    }

    fn gemm(&self, alpha: T, a: MatRef<'_, T>, b: MatRef<'_, T>, beta: T, c: MatMut<'_, T>) {
        assert!(a.rows() == c.rows() && b.cols() == c.cols() && a.cols() == b.rows(), "gemm: shapes disagree");
        let (m, n, depth) = (c.rows(), c.cols(), a.cols());
        let (row_stride, col_stride) = (c.row_stride(), c.col_stride());
        let out = Shared(c.into_data().as_mut_ptr());
        let panel = |rows: std::ops::Range<usize>, cols: std::ops::Range<usize>| {
            let (a, b) = (a.block(rows.clone(), 0..depth), b.block(0..depth, cols.clone()));
            let at = rows.start * row_stride + cols.start * col_stride;
            // SAFETY: `c` is a valid view, borrowed mutably for the whole call; the panels are disjoint
            // blocks of it; a and b have the shapes that their views checked.
            unsafe { product(alpha, a, b, beta, out.get().add(at), (row_stride, col_stride)) }
        };
        if m == 0 || n == 0 {
            return;
        }
        assert!(depth > 0, "gemm: nothing to sum over");
        let split = m * n * depth >= WORTH_SPLITTING;
        match (n, split) {
            // few enough rows for one and the same kernel, however many there are in all
            (1, false) => (0..m).step_by(PANEL).for_each(|i| panel(i..m.min(i + PANEL), 0..1)),
            (1, true) => panels(m).for_each(|rows| panel(rows, 0..1)),
            (_, false) => panel(0..m, 0..n),
            (_, true) if m >= n => panels(m).for_each(|rows| panel(rows, 0..n)),
            (_, true) => panels(n).for_each(|cols| panel(0..m, cols)),
        }
    }

    fn square_roots(&self, x: &mut [T]) {
        x.iter_mut().for_each(|x| *x = x.root());
    }

    fn arc_cosine(&self, sin2: &[T], cos2: &[T], kappa0: &mut [T], gap: &mut [T]) {
        vector::arc_cosine(sin2, cos2, kappa0, gap);
    }

    fn symmetric_eigenvalues(&self, a: MatMut<'_, T>, values: &mut [T], _scratch: &mut [T]) -> Result<(), Error> {
        let found =
            symmetric(&a)?.self_adjoint_eigenvalues(Side::Lower).map_err(|_| Error::NoConvergence { eigenvalue: 0 })?;
        values.copy_from_slice(&found);
        Ok(())
    }

    fn symmetric_eigen(
        &self,
        a: MatMut<'_, T>,
        values: &mut [T],
        mut vectors: MatMut<'_, T>,
        _scratch: &mut [T],
    ) -> Result<(), Error> {
        let n = a.rows();
        let found = symmetric(&a)?.self_adjoint_eigen(Side::Lower);
        let found = found.map_err(|_| Error::NoConvergence { eigenvalue: 0 })?;
        for (k, value) in values.iter_mut().enumerate() {
            *value = found.S()[k];
        }
        for i in 0..n {
            for k in 0..n {
                *vectors.at_mut(i, k) = found.U()[(i, k)];
            }
        }
        Ok(())
    }

    fn cholesky(&self, mut a: MatMut<'_, T>) -> Result<(), Error> {
        let n = a.rows();
        let Ok(found) = symmetric(&a)?.llt(Side::Lower) else {
            // faer does not say which pivot it was
            return ntkscope_core::linalg::cholesky(a);
        };
        for i in 0..n {
            for j in 0..=i {
                *a.at_mut(i, j) = found.L()[(i, j)];
            }
        }
        Ok(())
    }

    fn for_each_band(&self, out: MatMut<'_, T>, rows_per_band: usize, scratch: &mut [T], work: &BandWork<'_, T>) {
        let mut bands = Vec::new();
        let (mut first, mut rest) = (0, out);
        while rest.rows() > 0 {
            let rows = rows_per_band.min(rest.rows());
            let (band, tail) = rest.split_at_row(rows);
            bands.push((first, band));
            first += rows;
            rest = tail;
        }
        let (len, workers) = (scratch.len(), rayon::current_num_threads().min(bands.len()));
        // the last bands of a lower triangle are the longest: every thread takes the longest that is left
        let bands = Mutex::new(bands);
        (0..workers).into_par_iter().with_max_len(1).for_each(|_| {
            let mut scratch = vec![T::ZERO; len];
            let next = || bands.lock().expect("no panic while it is held").pop();
            while let Some((first, band)) = next() {
                work(first, band, &mut scratch);
            }
        });
    }
}

/// The symmetric matrix whose lower triangle is that of `a`. Error: a number that is not finite.
fn symmetric<T: Real + faer::traits::RealField>(a: &MatMut<'_, T>) -> Result<faer::Mat<T>, Error> {
    let n = a.rows();
    if (0..n).any(|i| (0..=i).any(|j| !a.at(i, j).is_finite())) {
        return Err(Error::NonFinite { what: "symmetric matrix", step: 0 });
    }
    Ok(faer::Mat::from_fn(n, n, |i, j| if j <= i { a.at(i, j) } else { a.at(j, i) }))
}

/// Panels of a side of this length, as even as can be: where there are several, none is shorter than PANEL / 2.
fn panels(len: usize) -> impl IndexedParallelIterator<Item = std::ops::Range<usize>> {
    let count = len.div_ceil(PANEL);
    (0..count).into_par_iter().map(move |i| i * len / count..(i + 1) * len / count)
}

/// A pointer that several threads may hold; each writes a block of its own.
struct Shared<T>(*mut T);
// SAFETY: see the one place where it is used: the blocks written through it are disjoint.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}
impl<T> Shared<T> {
    fn get(&self) -> *mut T {
        self.0
    }
}

/// `C <- alpha A B + beta C` on one thread.
///
/// # Safety
/// `c` points to element (0, 0) of a matrix with the rows of `a`, the columns of `b` and these strides, which
/// nobody else reads or writes during the call.
unsafe fn product<T: Vectorised>(
    alpha: T,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    beta: T,
    c: *mut T,
    (row_stride, col_stride): (usize, usize),
) {
    let (cols, depth) = (b.cols(), a.cols());
    if cols == 1 || b.row_stride() != 1 {
        // SAFETY: the caller's promise.
        return unsafe { rows(alpha, a, b, beta, c, (row_stride, col_stride)) };
    }
    // B is the transpose of a row-major matrix. `gemm` would copy it to and fro at several times the cost.
    T::with_block(BLOCK, |block| {
        let most = BLOCK / DEPTH.min(depth);
        for left in (0..cols).step_by(most) {
            let width = most.min(cols - left);
            for top in (0..depth).step_by(DEPTH) {
                let height = DEPTH.min(depth - top);
                let block = &mut block[..height * width];
                vector::transpose(b.block(top..top + height, left..left + width).t(), block);
                let block = MatRef::new(block, height, width).expect("a slice of this length");
                let a = a.block(0..a.rows(), top..top + height);
                let beta = if top == 0 { beta } else { T::ONE };
                // SAFETY: the caller's promise, for these columns of C.
                unsafe { rows(alpha, a, block, beta, c.add(left * col_stride), (row_stride, col_stride)) };
            }
        }
    });
}

/// [`product`] where B is not transposed. A row by itself gets a row of zeros beside it.
///
/// # Safety
/// As for [`product`].
unsafe fn rows<T: Real>(
    alpha: T,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    beta: T,
    c: *mut T,
    (row_stride, col_stride): (usize, usize),
) {
    let (cols, depth) = (b.cols(), a.cols());
    if cols == 1 || a.rows() > 1 {
        // SAFETY: the caller's promise.
        return unsafe { sums(alpha, a, b, beta, c, (row_stride, col_stride)) };
    }
    let mut left = vec![T::ZERO; 2 * depth];
    left[..depth].iter_mut().enumerate().for_each(|(k, value)| *value = a.at(0, k));
    let left = MatRef::new(&left, 2, depth).expect("allocated with this shape");
    let mut out = vec![T::ZERO; 2 * cols];
    if beta != T::ZERO {
        // SAFETY: the caller's promise: these are the elements of C.
        (0..cols).for_each(|j| out[j] = unsafe { *c.add(j * col_stride) });
    }
    // SAFETY: `out` has the rows of `left`, the columns of `b` and these strides.
    unsafe { sums(alpha, left, b, beta, out.as_mut_ptr(), (cols, 1)) };
    // SAFETY: as above.
    (0..cols).for_each(|j| unsafe { *c.add(j * col_stride) = out[j] });
}

/// `C <- alpha A B + beta C`, at most [`DEPTH`] terms at a time.
///
/// # Safety
/// As for [`product`].
unsafe fn sums<T: Real>(
    alpha: T,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    beta: T,
    c: *mut T,
    (row_stride, col_stride): (usize, usize),
) {
    let depth = a.cols();
    for start in (0..depth).step_by(DEPTH) {
        let terms = start..depth.min(start + DEPTH);
        let beta = if start == 0 { beta } else { T::ONE };
        let (a, b) = (a.block(0..a.rows(), terms.clone()), b.block(terms, 0..b.cols()));
        // SAFETY: the caller's promise for c; the views guarantee a and b.
        unsafe {
            gemm::gemm(
                a.rows(),
                b.cols(),
                a.cols(),
                c,
                col_stride as isize,
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
}
