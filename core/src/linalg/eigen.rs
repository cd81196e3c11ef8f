//! Eigenvalues and eigenvectors of a symmetric matrix, `A = V diag(w) V^T`: Householder reflections bring `A`
//! to tridiagonal form `Q^T A Q`, then QL sweeps with implicit Wilkinson shifts deflate one eigenvalue after
//! the other (Golub and Van Loan, Matrix Computations, sections 8.3.1 and 8.3.3). (4/3) n^3 multiply-adds for
//! the eigenvalues alone; the eigenvectors, the product of all reflections and rotations, take several times as
//! many. Absolute error about n epsilon |A|.

use super::{check_eigen, dot, sum_of_squares};
use crate::{Error, MatMut, Real};

/// QL sweeps allowed for one eigenvalue; two are typical.
const SWEEPS: usize = 60;

/// Eigenvalues of the symmetric matrix whose lower triangle is in `a`, ascending, into `values`.
///
/// `a` (n, n) is destroyed; `values` and `scratch` have n elements.
///
/// # Errors
/// [`Error::Shape`] and [`Error::BufferLength`]; [`Error::NonFinite`] of the lower triangle, or of a matrix so large that its
/// reflections overflow; [`Error::NoConvergence`].
pub fn symmetric_eigenvalues<T: Real>(mut a: MatMut<'_, T>, values: &mut [T], scratch: &mut [T]) -> Result<(), Error> {
    check_eigen(a.as_ref(), values, None, scratch)?;
    let off = &mut scratch[..a.rows()];
    tridiagonalize(&mut a, values, off);
    finite(values, off)?;
    implicit_ql(values, off, |_, _, _| {})?;
    values.sort_unstable_by(|x, y| x.partial_cmp(y).unwrap_or(core::cmp::Ordering::Equal));
    Ok(())
}

/// Eigenvalues, ascending, into `values` and orthonormal eigenvectors into the columns of `vectors` (n, n), of the
/// symmetric matrix whose lower triangle is in `a`: column k belongs to `values[k]`.
///
/// `a` (n, n) is destroyed; `values` and `scratch` have n elements. The eigenvalues have the bits of
/// [`symmetric_eigenvalues`].
///
/// # Errors
/// Those of [`symmetric_eigenvalues`].
pub fn symmetric_eigen<T: Real>(
    mut a: MatMut<'_, T>,
    values: &mut [T],
    mut vectors: MatMut<'_, T>,
    scratch: &mut [T],
) -> Result<(), Error> {
    let n = a.rows();
    check_eigen(a.as_ref(), values, Some(vectors.as_ref()), scratch)?;
    let off = &mut scratch[..n];
    tridiagonalize(&mut a, values, off);
    finite(values, off)?;
    // V^T is built, because then every rotation joins two rows, whose elements are adjacent
    reflections_transposed(a, &mut vectors);
    implicit_ql(values, off, |i, sine, cosine| {
        let (mut above, mut below) = vectors.reborrow().split_at_row(i + 1);
        for (x, y) in above.row_mut(i).iter_mut().zip(below.row_mut(0)) {
            (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
        }
    })?;
    for k in 0..n {
        let least = (k..n).fold(k, |least, i| if values[i] < values[least] { i } else { least });
        if least > k {
            values.swap(k, least);
            let (mut above, mut below) = vectors.reborrow().split_at_row(least);
            above.row_mut(k).swap_with_slice(below.row_mut(0));
        }
    }
    vectors.transpose();
    Ok(())
}

/// `Ok` unless the reflections overflowed.
fn finite<T: Real>(diagonal: &[T], off: &[T]) -> Result<(), Error> {
    if diagonal.iter().chain(off).all(|x| x.is_finite()) {
        Ok(())
    } else {
        Err(Error::NonFinite { what: "symmetric matrix" })
    }
}

/// `out <- Q^T = H_2 H_3 ... H_(n-1)` with `H_i = I - 2 v v^T/|v|^2`, v the first i elements of row i of `a`, where
/// [`tridiagonalize`] leaves them; a reflection it left out is a row of zeros.
fn reflections_transposed<T: Real>(mut a: MatMut<'_, T>, out: &mut MatMut<'_, T>) {
    let n = a.rows();
    out.fill(T::ZERO);
    (0..n).for_each(|i| *out.at_mut(i, i) = T::ONE);
    for i in 2..n {
        let v = &a.row_mut(i)[..i];
        let square = sum_of_squares(v);
        if square == T::ZERO {
            continue;
        }
        let beta = T::from_f64(2.0) / square;
        for j in 0..i {
            let row = &mut out.row_mut(j)[..i];
            let share = beta * dot(row, v);
            row.iter_mut().zip(v).for_each(|(x, v)| *x -= share * *v);
        }
    }
}

/// A <- Q^T A Q, from the last row upwards; `diagonal[i]` = T_ii, `off[i]` = T_i,i-1 (off[0] = 0).
fn tridiagonalize<T: Real>(a: &mut MatMut<'_, T>, diagonal: &mut [T], off: &mut [T]) {
    let n = a.rows();
    for i in (1..n).rev() {
        // Reflect row i's first i elements onto their last one: v = x - mu e, H = I - beta v v^T.
        let scale = a.row_mut(i)[..i].iter().fold(T::ZERO, |s, x| s.max(x.abs()));
        if i == 1 || scale == T::ZERO {
            off[i] = a.at(i, i - 1);
            diagonal[i] = a.at(i, i);
            if i > 1 {
                off[i] = T::ZERO;
            }
            continue;
        }
        let (above, mut below) = a.reborrow().split_at_row(i);
        let mut above = above.block(0..i, 0..i);
        let v = &mut below.row_mut(0)[..i];
        v.iter_mut().for_each(|x| *x /= scale);
        let last = v[i - 1];
        let norm = sum_of_squares(v).sqrt();
        let mu = if last > T::ZERO { -norm } else { norm };
        off[i] = scale * mu;
        v[i - 1] = last - mu;
        let beta = T::ONE / (norm * (norm + last.abs())); // 2 / |v|^2
        // p = beta A v from the lower triangle, in off[..i], which is not in use yet
        let p = &mut off[..i];
        p.fill(T::ZERO);
        for j in 0..i {
            let row = &above.row_mut(j)[..=j];
            let mut s = dot(&row[..j], &v[..j]);
            for (p, x) in p[..j].iter_mut().zip(row) {
                *p += *x * v[j];
            }
            s += row[j] * v[j];
            p[j] += s;
        }
        p.iter_mut().for_each(|x| *x *= beta);
        // A <- A - v w^T - w v^T with w = p - (beta/2)(p.v) v
        let half = beta * dot(p, v) / T::from_f64(2.0);
        for (p, x) in p.iter_mut().zip(v.iter()) {
            *p -= half * *x;
        }
        for j in 0..i {
            for (k, x) in above.row_mut(j)[..=j].iter_mut().enumerate() {
                *x -= v[j] * p[k] + p[j] * v[k];
            }
        }
        diagonal[i] = below.at(0, i);
    }
    if n > 0 {
        diagonal[0] = a.at(0, 0);
        off[0] = T::ZERO;
    }
}

/// Eigenvalues of the tridiagonal matrix (diagonal, off) into `diagonal`, in no order. `rotate(i, sine, cosine)` is
/// told every rotation of the eigenvectors i and i + 1.
fn implicit_ql<T: Real>(diagonal: &mut [T], off: &mut [T], mut rotate: impl FnMut(usize, T, T)) -> Result<(), Error> {
    let n = diagonal.len();
    if n == 0 {
        return Ok(());
    }
    off.rotate_left(1); // off[i] now joins i and i + 1; off[n - 1] = 0
    let two = T::from_f64(2.0);
    for first in 0..n {
        for sweep in 0.. {
            // the block [first, last] that no negligible off-diagonal element cuts
            let last = (first..n - 1)
                .find(|&i| off[i].abs() <= T::EPSILON * (diagonal[i].abs() + diagonal[i + 1].abs()))
                .unwrap_or(n - 1);
            if last == first {
                break;
            }
            if sweep == SWEEPS {
                return Err(Error::NoConvergence { eigenvalue: first });
            }
            let mut g = (diagonal[first + 1] - diagonal[first]) / (two * off[first]);
            let r = (g * g + T::ONE).sqrt();
            g = diagonal[last] - diagonal[first] + off[first] / (g + if g < T::ZERO { -r } else { r });
            let (mut sine, mut cosine, mut shift) = (T::ONE, T::ONE, T::ZERO);
            let mut cut = None;
            for i in (first..last).rev() {
                let (f, b) = (sine * off[i], cosine * off[i]);
                let r = hypotenuse(f, g);
                off[i + 1] = r;
                if r == T::ZERO {
                    diagonal[i + 1] -= shift;
                    cut = Some(i);
                    break;
                }
                sine = f / r;
                cosine = g / r;
                let g2 = diagonal[i + 1] - shift;
                let r = (diagonal[i] - g2) * sine + two * cosine * b;
                shift = sine * r;
                diagonal[i + 1] = g2 + shift;
                g = cosine * r - b;
                rotate(i, sine, cosine);
            }
            if cut.is_none() {
                diagonal[first] -= shift;
                off[first] = g;
            }
            off[last] = T::ZERO;
        }
    }
    Ok(())
}

/// sqrt(x^2 + y^2) without overflow.
fn hypotenuse<T: Real>(x: T, y: T) -> T {
    let (x, y) = (x.abs(), y.abs());
    let (small, large) = (x.min(y), x.max(y));
    if large == T::ZERO {
        return T::ZERO;
    }
    let ratio = small / large;
    large * (T::ONE + ratio * ratio).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn hypotenuses_neither_overflow_nor_vanish() {
        assert_eq!(hypotenuse(3.0, -4.0), 5.0);
        assert_eq!(hypotenuse(0.0, 0.0), 0.0);
        assert_eq!(hypotenuse(3e300, 4e300), 5e300);
        assert_eq!(hypotenuse(f64::from_bits(3), f64::from_bits(4)).to_bits(), 5);
    }

    /// The matrix of second differences: 2 - 2 cos(k pi/(n + 1)), k = 1..n.
    #[test]
    fn a_tridiagonal_matrix_of_known_eigenvalues() {
        for n in [1, 2, 5, 40] {
            let (mut diagonal, mut off) = (std::vec![2.0; n], std::vec![-1.0; n]);
            off[0] = 0.0;
            implicit_ql(&mut diagonal, &mut off, |_, _, _| {}).unwrap();
            diagonal.sort_by(f64::total_cmp);
            for (k, value) in diagonal.iter().enumerate() {
                let angle = (k + 1) as f64 * core::f64::consts::PI / (n + 1) as f64;
                // n epsilon |A|, and the rounding of the cosine
                assert!((value - (2.0 - 2.0 * libm::cos(angle))).abs() < (4 * n + 4) as f64 * f64::EPSILON, "{n}, {k}");
            }
        }
    }

    /// `Q T Q^T = A` from what the reflections leave.
    #[test]
    fn reflections_bring_a_matrix_to_tridiagonal_form() {
        const N: usize = 6;
        let mut draws = crate::init::Normals::new(1);
        let mut a: Vec<f64> = (0..N * N).map(|_| draws.draw()).collect();
        (0..N * N).for_each(|e| a[e] = a[e.max(e % N * N + e / N)]);
        let (mut left, mut q_t) = (a.clone(), [0.0; N * N]);
        let (mut diagonal, mut off) = ([0.0; N], [0.0; N]);
        let mut view = MatMut::new(&mut left, N, N).unwrap();
        tridiagonalize(&mut view, &mut diagonal, &mut off);
        reflections_transposed(view, &mut MatMut::new(&mut q_t, N, N).unwrap());
        for i in 0..N {
            for j in 0..N {
                let product: f64 = (0..N * N).map(|e| q_t[i * N + e / N] * a[e] * q_t[j * N + e % N]).sum();
                let apart = i.abs_diff(j);
                let expected = [diagonal[i], off[i.max(j)], 0.0][apart.min(2)];
                assert!((product - expected).abs() < 1e-14, "{i}, {j}: {product} in place of {expected}");
            }
        }
    }
}
