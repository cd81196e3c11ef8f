//! The QR decomposition of a panel, and its reflections as one matrix:
//! `H_0 H_1 … = I - V T V^T` with a triangular T (Schreiber and Van Loan 1989).

use ntkscope_core::{MatMut, MatRef, Real};

use super::reflection::{dot, reflect, subtract};
use crate::InstructionSet;
use crate::product::gemm;
use crate::vector::Vectorized;

/// Columns up to which reflections are applied one by one.
const NARROW: usize = 8;

/// Decomposes the panel whose transpose is `p` (b, m): `V^T` takes its place, R (b, b) that of `r`, T (b, b) that of `t`.
/// `space` has b^2 elements.
///
/// Reflections beyond the rows of the panel, and those of columns that are 0 already, are columns of zeros of V and T.
pub(super) fn decompose<T: Vectorized>(
    mut p: MatMut<'_, T>,
    mut r: MatMut<'_, T>,
    mut t: MatMut<'_, T>,
    space: &mut [T],
) {
    r.fill(T::ZERO);
    part(p.reborrow(), 0, &mut r, &mut t, space);
    triangle(p.as_ref(), &mut t, space);
}

/// [`decompose`] of columns `first` and on of the panel, whose transpose is `p`; the diagonal of T, tau, alone.
fn part<T: Vectorized>(p: MatMut<'_, T>, first: usize, r: &mut MatMut<'_, T>, t: &mut MatMut<'_, T>, space: &mut [T]) {
    let cols = p.rows();
    if cols <= NARROW {
        return narrow(p, first, r, t);
    }
    let half = cols / 2;
    let (mut left, mut right) = p.split_at_row(half);
    part(left.reborrow(), first, r, t, space);
    // the right half C <- (I - V T^T V^T) C, transposed: C^T <- C^T - (C^T V) T V^T
    let mut triangular = t.reborrow().block(first..first + half, first..first + half);
    triangle(left.as_ref(), &mut triangular, space);
    let (c_v, c_v_t) = space[..2 * half * (cols - half)].split_at_mut(half * (cols - half));
    let mut c_v = MatMut::dense(c_v, cols - half, half);
    let mut c_v_t = MatMut::dense(c_v_t, cols - half, half);
    gemm(T::ONE, right.as_ref(), left.as_ref().t(), T::ZERO, c_v.reborrow());
    gemm(T::ONE, c_v.as_ref(), triangular.as_ref(), T::ZERO, c_v_t.reborrow());
    gemm(-T::ONE, c_v_t.as_ref(), left.as_ref(), T::ONE, right.reborrow());
    part(right, first + half, r, t, space);
}

/// T from V and the diagonal of T: its column k is `-tau_k T_k V_k^T v_k` above tau_k, where T_k and V_k are what lies to
/// the left.
fn triangle<T: Vectorized>(v: MatRef<'_, T>, t: &mut MatMut<'_, T>, space: &mut [T]) {
    let cols = v.rows();
    let mut products = MatMut::dense(&mut space[..cols * cols], cols, cols);
    gemm(T::ONE, v, v.t(), T::ZERO, products.reborrow());
    for k in 0..cols {
        let tau = t.at(k, k);
        for i in 0..k {
            let sum = (i..k).fold(T::ZERO, |sum, j| sum + t.at(i, j) * products.at(j, k));
            *t.at_mut(i, k) = -tau * sum;
        }
        t.row_mut(k)[..k].fill(T::ZERO);
    }
}

/// [`part`] by one reflection after the other.
#[inline(always)]
fn narrow_loop<T: Real>(mut p: MatMut<'_, T>, first: usize, r: &mut MatMut<'_, T>, t: &mut MatMut<'_, T>) {
    for k in 0..p.rows() {
        let at = (first + k).min(p.cols());
        let (mut done, mut rest) = p.reborrow().split_at_row(k + 1);
        let v = done.row_mut(k);
        let (beta, tau) = reflect(&mut v[at..]);
        *t.at_mut(first + k, first + k) = tau;
        for j in 0..rest.rows() {
            let row = &mut rest.row_mut(j)[at..];
            subtract(row, tau * dot(row, &v[at..]), &v[at..]);
        }
        // what lies above the reflection is R
        for (i, x) in v[..at].iter_mut().enumerate() {
            *r.at_mut(i, first + k) = std::mem::replace(x, T::ZERO);
        }
        if at < v.len() {
            *r.at_mut(at, first + k) = beta;
        }
    }
}

/// [`narrow_loop`] with wider vectors.
///
/// # Safety
/// The machine has the instructions of AVX-512F.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn narrow_avx512<T: Real>(p: MatMut<'_, T>, first: usize, r: &mut MatMut<'_, T>, t: &mut MatMut<'_, T>) {
    narrow_loop(p, first, r, t);
}

/// [`narrow_loop`] with wider vectors.
///
/// # Safety
/// The machine has the instructions of AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn narrow_avx2<T: Real>(p: MatMut<'_, T>, first: usize, r: &mut MatMut<'_, T>, t: &mut MatMut<'_, T>) {
    narrow_loop(p, first, r, t);
}

fn narrow<T: Real>(p: MatMut<'_, T>, first: usize, r: &mut MatMut<'_, T>, t: &mut MatMut<'_, T>) {
    match InstructionSet::here() {
        // SAFETY: AVX-512F, the one feature that the function enables, was found on this machine; views carry their shapes.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => unsafe { narrow_avx512(p, first, r, t) },
        // SAFETY: as above, with AVX2.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => unsafe { narrow_avx2(p, first, r, t) },
        _ => narrow_loop(p, first, r, t),
    }
}
