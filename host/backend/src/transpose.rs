//! Transposition in registers: the largest part of a product with a transposed factor that is no arithmetic.

#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::*;

use ntkscope_core::mat::assert_transposed;
use ntkscope_core::{MatMut, MatRef, Real};

use super::InstructionSet;

/// Bytes of a line of the cache.
const LINE: usize = 64;

/// A scalar whose squares are transposed in registers.
pub(super) trait Transposed: Real {
    /// Side of the squares that every machine of this architecture transposes; a divisor of the elements of a line.
    const SIDE: usize;
    /// Transposes a square of [`Self::SIDE`].
    ///
    /// # Safety
    /// `from` and `to` point to element (0, 0) of squares whose rows lie so many numbers apart and whose columns are
    /// adjacent, all of them in the allocation that the pointer is of; those of `from` can be read, those of `to` be
    /// written, and nobody else uses the latter during the call.
    unsafe fn square(from: *const Self, stride: usize, to: *mut Self, to_stride: usize);
    /// [`line_square`] of this scalar.
    ///
    /// # Safety
    /// As for [`Self::square`] with a side of the elements of a line; the machine has the instructions of AVX-512F.
    #[cfg(target_arch = "x86_64")]
    unsafe fn line_square(from: *const Self, stride: usize, to: *mut Self, to_stride: usize);
    /// The elements `from` of a line a and a line b, those of b counted from N, the elements of a line.
    ///
    /// # Safety
    /// The machine has the instructions of AVX-512F.
    #[cfg(target_arch = "x86_64")]
    unsafe fn pick<const N: usize>(a: __m512i, b: __m512i, from: [usize; N]) -> __m512i;
}

/// `out <- A^T`. The columns of `a` are adjacent.
pub(super) fn transpose<T: Transposed>(a: MatRef<'_, T>, out: MatMut<'_, T>) {
    assert_transposed(&out, a);
    let (rows, cols, stride) = (a.rows(), a.cols(), a.row_stride());
    let (to_stride, to) = (out.row_stride(), out.into_data());
    // squares of whole lines, few rows at a time, because rows of a power of two compete for places in the cache
    let line = LINE / size_of::<T>();
    let (whole_rows, whole_cols) = (rows / line * line, cols / line * line);
    let squares = Squares { from: a.data().as_ptr(), stride, to: to.as_mut_ptr(), to_stride, whole_rows, whole_cols };
    // SAFETY: the whole rows and columns lie within the shape of `a`, their transpose within that of `out`, as
    // `assert_transposed` has compared, with adjacent columns on both sides; the slices cover the shapes, as those of all views,
    // and that of `out` is borrowed mutably. AVX-512F was found on this machine where its version is called.
    unsafe {
        match InstructionSet::here() {
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => squares.transpose_avx512(),
            _ => squares.transpose(),
        }
    }
    for i in (0..rows).step_by(T::SIDE) {
        for j in (if i < whole_rows { whole_cols } else { 0 }..cols).step_by(T::SIDE) {
            if i + T::SIDE <= rows && j + T::SIDE <= cols {
                // SAFETY: as above: rows i to i + SIDE and columns j to j + SIDE lie within the shape of `a`.
                unsafe {
                    T::square(
                        a.data().as_ptr().add(i * stride + j),
                        stride,
                        to.as_mut_ptr().add(j * to_stride + i),
                        to_stride,
                    )
                };
                continue;
            }
            for (i, j) in (i..rows.min(i + T::SIDE)).flat_map(|i| (j..cols.min(j + T::SIDE)).map(move |j| (i, j))) {
                to[j * to_stride + i] = a.at(i, j);
            }
        }
    }
}

/// Squares of lines that fill a matrix: `whole_rows` and `whole_cols` are multiples of a line's elements.
struct Squares<T> {
    from: *const T,
    stride: usize,
    to: *mut T,
    to_stride: usize,
    whole_rows: usize,
    whole_cols: usize,
}

impl<T: Transposed> Squares<T> {
    /// Calls `square` for squares of this side: those of one square of lines, then those of the next.
    ///
    /// # Safety
    /// `from` points to a matrix of `whole_rows` rows and `whole_cols` columns with this stride that can be read, `to` to one
    /// of its transpose's shape that can be written and that nobody else uses; `side` divides a line's elements. `square`
    /// may be called with squares of this side in them.
    #[inline(always)]
    unsafe fn each(&self, side: usize, square: impl Fn(*const T, usize, *mut T, usize)) {
        let line = LINE / size_of::<T>();
        for top in (0..self.whole_rows).step_by(line) {
            for left in (0..self.whole_cols).step_by(line) {
                for i in (top..top + line).step_by(side) {
                    for j in (left..left + line).step_by(side) {
                        // SAFETY: the caller's promise: i < whole_rows and j < whole_cols, so both are elements.
                        let (from, to) =
                            unsafe { (self.from.add(i * self.stride + j), self.to.add(j * self.to_stride + i)) };
                        square(from, self.stride, to, self.to_stride);
                    }
                }
            }
        }
    }
    /// # Safety
    /// As for [`Self::each`], of the matrices.
    unsafe fn transpose(&self) {
        const { assert!((LINE / size_of::<T>()).is_multiple_of(T::SIDE)) };
        // SAFETY: the caller's promise; SIDE divides a line, and `each` hands out squares of that side.
        unsafe { self.each(T::SIDE, |from, stride, to, to_stride| T::square(from, stride, to, to_stride)) }
    }
    /// # Safety
    /// As for [`Self::transpose`], and the machine has the instructions of AVX-512F.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    unsafe fn transpose_avx512(&self) {
        let line = LINE / size_of::<T>();
        // SAFETY: the caller's promise; `each` hands out squares of a line a side.
        unsafe { self.each(line, |from, stride, to, to_stride| T::line_square(from, stride, to, to_stride)) }
    }
}

/// From which elements of two rows a and b, b's counted from N, the new row a (`second` false) or b is formed where bit
/// `BIT` of an element's row and of its column are exchanged: a_j or b_(j - BIT); a_(j + BIT) or b_j.
#[cfg(target_arch = "x86_64")]
const fn exchange<const N: usize, const BIT: usize>(second: bool) -> [usize; N] {
    let (mut from, mut j) = ([0; N], 0);
    while j < N {
        from[j] = match (j & BIT == 0, second) {
            (true, false) => j,
            (false, false) => N + j - BIT,
            (true, true) => j + BIT,
            (false, true) => N + j,
        };
        j += 1;
    }
    from
}

/// Exchanges bit `BIT` of every element's row and column in a square of lines.
///
/// # Safety
/// The machine has the instructions of AVX-512F.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn round<T: Transposed, const N: usize, const BIT: usize>(row: &mut [__m512i; N]) {
    for i in 0..N {
        if i & BIT == 0 {
            let (a, b) = (row[i], row[i + BIT]);
            // SAFETY: the caller's promise of the instructions; there is no pointer.
            unsafe {
                row[i] = T::pick(a, b, exchange::<N, BIT>(false));
                row[i + BIT] = T::pick(a, b, exchange::<N, BIT>(true));
            }
        }
    }
}

/// Transposes a square of one line of the cache a side, N = 8 or 16 elements: with bits i and j of an element's row and
/// column, bit k of both is exchanged, for one k after the other.
///
/// # Safety
/// As for [`Transposed::line_square`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn line_square<T: Transposed, const N: usize>(from: *const T, stride: usize, to: *mut T, to_stride: usize) {
    const { assert!(N * size_of::<T>() == LINE) };
    // SAFETY: the caller's promise: N rows of N elements on either side, each of which is a vector's 64 bytes; loads and stores
    // ask for no alignment. What is prefetched need not be there: the address is formed without claiming that it is.
    unsafe {
        let mut row: [__m512i; N] = core::array::from_fn(|i| _mm512_loadu_si512(from.add(i * stride).cast()));
        // squares to come: so many rows are more than the machine foresees by itself
        (0..N).for_each(|i| _mm_prefetch::<_MM_HINT_T0>(from.wrapping_add(i * stride + 3 * N).cast()));
        round::<T, N, 1>(&mut row);
        round::<T, N, 2>(&mut row);
        round::<T, N, 4>(&mut row);
        if N > 8 {
            round::<T, N, 8>(&mut row);
        }
        for (j, row) in row.into_iter().enumerate() {
            _mm512_storeu_si512(to.add(j * to_stride).cast(), row);
        }
    }
}

impl Transposed for f32 {
    const SIDE: usize = if cfg!(target_arch = "x86_64") { 4 } else { 1 };
    #[inline(always)]
    #[cfg(target_arch = "x86_64")]
    unsafe fn square(from: *const Self, stride: usize, to: *mut Self, to_stride: usize) {
        // SAFETY: the caller's promise: four rows of four elements on either side, each of which is a vector's 16 bytes; loads
        // and stores ask for no alignment, and every machine of this architecture has SSE2.
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
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn line_square(from: *const Self, stride: usize, to: *mut Self, to_stride: usize) {
        // SAFETY: the caller's promise; 16 of f32 fill a line, as is asserted there.
        unsafe { line_square::<Self, 16>(from, stride, to, to_stride) }
    }
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn pick<const N: usize>(a: __m512i, b: __m512i, from: [usize; N]) -> __m512i {
        const { assert!(N * size_of::<i32>() == LINE) };
        // SAFETY: N indices of 4 bytes are the 64 that are read, from an array that lives until the call is over.
        let index = unsafe { _mm512_loadu_si512(from.map(|element| element as i32).as_ptr().cast()) };
        _mm512_permutex2var_epi32(a, index, b)
    }
    #[cfg(not(target_arch = "x86_64"))]
    unsafe fn square(from: *const Self, _stride: usize, to: *mut Self, _to_stride: usize) {
        // SAFETY: the caller's promise: squares of side 1, one element that can be read and one that can be written.
        unsafe { *to = *from }
    }
}

impl Transposed for f64 {
    const SIDE: usize = if cfg!(target_arch = "x86_64") { 2 } else { 1 };
    #[inline(always)]
    #[cfg(target_arch = "x86_64")]
    unsafe fn square(from: *const Self, stride: usize, to: *mut Self, to_stride: usize) {
        // SAFETY: the caller's promise: two rows of two elements on either side, each of which is a vector's 16 bytes; loads
        // and stores ask for no alignment, and every machine of this architecture has SSE2.
        unsafe {
            let (a, b) = (_mm_loadu_pd(from), _mm_loadu_pd(from.add(stride)));
            _mm_storeu_pd(to, _mm_unpacklo_pd(a, b));
            _mm_storeu_pd(to.add(to_stride), _mm_unpackhi_pd(a, b));
        }
    }
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn line_square(from: *const Self, stride: usize, to: *mut Self, to_stride: usize) {
        // SAFETY: the caller's promise; 8 of f64 fill a line, as is asserted there.
        unsafe { line_square::<Self, 8>(from, stride, to, to_stride) }
    }
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn pick<const N: usize>(a: __m512i, b: __m512i, from: [usize; N]) -> __m512i {
        const { assert!(N * size_of::<i64>() == LINE) };
        // SAFETY: N indices of 8 bytes are the 64 that are read, from an array that lives until the call is over.
        let index = unsafe { _mm512_loadu_si512(from.map(|element| element as i64).as_ptr().cast()) };
        _mm512_permutex2var_epi64(a, index, b)
    }
    #[cfg(not(target_arch = "x86_64"))]
    unsafe fn square(from: *const Self, _stride: usize, to: *mut Self, _to_stride: usize) {
        // SAFETY: the caller's promise: squares of side 1, one element that can be read and one that can be written.
        unsafe { *to = *from }
    }
}
