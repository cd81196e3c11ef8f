//! Elementwise work, compiled once for every set of vector instructions and chosen at run time.
//!
//! The arithmetic is core's own, without fused multiply-add, so the bits are those of `Portable`.

use std::cell::RefCell;
use std::thread::LocalKey;

use ntkscope_core::{MatRef, Real};

use super::InstructionSet;

/// What the compiler must be told of a scalar.
pub(super) trait Vectorised: Real {
    /// [`Real::sqrt`], the same bits, in a form that can be vectorised.
    fn root(self) -> Self;
    /// Side of the squares that are transposed in registers.
    const SQUARE: usize;
    /// Transposes one of them.
    ///
    /// # Safety
    /// `from` and `to` point to squares whose rows lie so many numbers apart; nobody else uses those of `to`.
    unsafe fn transpose_square(from: *const Self, stride: usize, to: *mut Self, to_stride: usize);
    /// Every thread's working space.
    fn space() -> &'static LocalKey<RefCell<Vec<Self>>>;

    /// Calls `work` with `len` numbers of this thread's working space, which must not be asked for again inside.
    fn with_space<R>(len: usize, work: impl FnOnce(&mut [Self]) -> R) -> R {
        Self::space().with_borrow_mut(|space| {
            if space.len() < len {
                space.resize(len, Self::ZERO);
            }
            work(&mut space[..len])
        })
    }
}

/// The loop of [`ntkscope_core::Backend::arc_cosine`], to be inlined where the instructions are known.
#[inline(always)]
fn arc_cosine_loop<T: Vectorised>(sin2: &[T], cos2: &[T], kappa0: &mut [T], gap: &mut [T]) {
    let len = sin2.len();
    let (cos2, kappa0, gap) = (&cos2[..len], &mut kappa0[..len], &mut gap[..len]);
    for j in 0..len {
        (kappa0[j], gap[j]) = ntkscope_core::angle::arc_cosine(sin2[j], cos2[j], T::root);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn arc_cosine_avx512<T: Vectorised>(sin2: &[T], cos2: &[T], kappa0: &mut [T], gap: &mut [T]) {
    arc_cosine_loop(sin2, cos2, kappa0, gap);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn arc_cosine_avx2<T: Vectorised>(sin2: &[T], cos2: &[T], kappa0: &mut [T], gap: &mut [T]) {
    arc_cosine_loop(sin2, cos2, kappa0, gap);
}

/// [`ntkscope_core::Backend::arc_cosine`].
pub(super) fn arc_cosine<T: Vectorised>(sin2: &[T], cos2: &[T], kappa0: &mut [T], gap: &mut [T]) {
    match InstructionSet::here() {
        // SAFETY: the instructions were found on this machine.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => unsafe { arc_cosine_avx512(sin2, cos2, kappa0, gap) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => unsafe { arc_cosine_avx2(sin2, cos2, kappa0, gap) },
        _ => arc_cosine_loop(sin2, cos2, kappa0, gap),
    }
}

/// Rows that are transposed side by side: those that fill a line of the cache in f32.
const LINE: usize = 16;

/// `out <- A^T`, row-major; the columns of `a` are adjacent.
pub(super) fn transpose<T: Vectorised>(a: MatRef<'_, T>, out: &mut [T]) {
    let (rows, cols, stride) = (a.rows(), a.cols(), a.row_stride());
    assert!(out.len() == rows * cols && a.col_stride() == 1, "transpose: shapes disagree");
    assert!(rows == 0 || a.data().len() >= (rows - 1) * stride + cols, "transpose: a view beyond its slice");
    // columns that are taken along a row before the next one: whole lines, but few, because rows of a power of two
    // compete for the same places in the cache
    let run = 64 / T::SQUARE;
    let (whole_rows, whole_cols) = (rows / LINE * LINE, cols / run * run);
    for top in (0..whole_rows).step_by(LINE) {
        for left in (0..whole_cols).step_by(run) {
            for i in (top..top + LINE).step_by(T::SQUARE) {
                for j in (left..left + run).step_by(T::SQUARE) {
                    // SAFETY: the square at (i, j) lies within `a`, its image within `out`: see the assertions.
                    unsafe {
                        let (from, to) = (a.data().as_ptr().add(i * stride + j), out.as_mut_ptr().add(j * rows + i));
                        T::transpose_square(from, stride, to, rows);
                    }
                }
            }
        }
    }
    for i in 0..rows {
        for j in if i < whole_rows { whole_cols } else { 0 }..cols {
            out[j * rows + i] = a.at(i, j);
        }
    }
}

impl Vectorised for f32 {
    #[inline(always)]
    fn root(self) -> Self {
        self.sqrt()
    }
    const SQUARE: usize = if cfg!(target_arch = "x86_64") { 4 } else { 1 };
    #[inline(always)]
    #[cfg(target_arch = "x86_64")]
    unsafe fn transpose_square(from: *const Self, stride: usize, to: *mut Self, to_stride: usize) {
        use core::arch::x86_64::*;
        // SAFETY: the caller's promise; every machine of this architecture has these instructions.
        unsafe {
            let row = |i: usize| _mm_loadu_ps(from.add(i * stride));
            let (a, b, c, d) = (row(0), row(1), row(2), row(3));
            let (ab, cd) = (_mm_unpacklo_ps(a, b), _mm_unpacklo_ps(c, d));
            _mm_storeu_ps(to, _mm_movelh_ps(ab, cd));
            _mm_storeu_ps(to.add(to_stride), _mm_movehl_ps(cd, ab));
            let (ab, cd) = (_mm_unpackhi_ps(a, b), _mm_unpackhi_ps(c, d));
            _mm_storeu_ps(to.add(2 * to_stride), _mm_movelh_ps(ab, cd));
            _mm_storeu_ps(to.add(3 * to_stride), _mm_movehl_ps(cd, ab));
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    unsafe fn transpose_square(from: *const Self, _stride: usize, to: *mut Self, _to_stride: usize) {
        // SAFETY: the caller's promise.
        unsafe { *to = *from }
    }
    fn space() -> &'static LocalKey<RefCell<Vec<Self>>> {
        thread_local!(static SPACE: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) });
        &SPACE
    }
}

impl Vectorised for f64 {
    #[inline(always)]
    fn root(self) -> Self {
        self.sqrt()
    }
    const SQUARE: usize = if cfg!(target_arch = "x86_64") { 2 } else { 1 };
    #[inline(always)]
    #[cfg(target_arch = "x86_64")]
    unsafe fn transpose_square(from: *const Self, stride: usize, to: *mut Self, to_stride: usize) {
        use core::arch::x86_64::*;
        // SAFETY: the caller's promise; every machine of this architecture has these instructions.
        unsafe {
            let (a, b) = (_mm_loadu_pd(from), _mm_loadu_pd(from.add(stride)));
            _mm_storeu_pd(to, _mm_unpacklo_pd(a, b));
            _mm_storeu_pd(to.add(to_stride), _mm_unpackhi_pd(a, b));
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    unsafe fn transpose_square(from: *const Self, _stride: usize, to: *mut Self, _to_stride: usize) {
        // SAFETY: the caller's promise.
        unsafe { *to = *from }
    }
    fn space() -> &'static LocalKey<RefCell<Vec<Self>>> {
        thread_local!(static SPACE: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) });
        &SPACE
    }
}
