//! The modes of a kernel, with u_k as row k of a matrix, and the features of a linear model that has that kernel:
//!
//! ```text
//! K = sum_k w_k u_k u_k^T = Phi^T Phi,     row k of Phi is sqrt(w_k) u_k
//! ```

use crate::buffer::buffer_len;
use crate::{Backend, Error, MatMut, MatRef, Real};

/// Elements of the work of [`modes`] for a kernel (size, size).
pub(super) const fn modes_work_len(size: usize) -> usize {
    buffer_len(&[&[size, size], &[size]])
}

/// Eigenvalues w, ascending, into `values` and u_k into row k of `rows`; the number of leading w that are zero to
/// rounding, `w <= N epsilon w_max`, is returned.
///
/// `kernel` is (N, N) of which the lower triangle is read, `values` has N, `rows` N^2 and `work` [`modes_work_len`]
/// elements.
///
/// # Errors
/// Those of the eigenvalues; [`Error::IndefiniteKernel`] where one is negative by more than `sqrt(epsilon) w_max`,
/// half of the digits, which rounding in the kernel's own sums does not reach.
pub(super) fn modes<T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    kernel: MatRef<'_, T>,
    values: &mut [T],
    rows: &mut [T],
    work: &mut [T],
) -> Result<usize, Error> {
    let size = kernel.rows();
    let (copy, scratch) = work.split_at_mut(size * size);
    let mut copy = MatMut::dense(copy, size, size);
    for i in 0..size {
        for j in 0..size {
            *copy.at_mut(i, j) = kernel.at(i, j);
        }
    }
    backend.symmetric_eigen(copy, values, MatMut::dense(rows, size, size), &mut scratch[..size])?;
    MatMut::dense(rows, size, size).transpose();
    let largest = values.last().map_or(T::ZERO, |w| w.max(T::ZERO));
    if values.first().is_some_and(|w| *w < -(T::EPSILON.sqrt() * largest)) {
        return Err(Error::IndefiniteKernel { eigenvalue: 0 });
    }
    let rounding = T::from_count(size) * T::EPSILON * largest;
    Ok(values.iter().take_while(|w| **w <= rounding).count())
}

/// As [`modes`], but `rows` gets Phi: `sqrt(w_k) u_k` in row k, for all but the leading rows, whose w vanishes.
pub(super) fn features<T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    kernel: MatRef<'_, T>,
    values: &mut [T],
    rows: &mut [T],
    work: &mut [T],
) -> Result<usize, Error> {
    let vanishing = modes(backend, kernel, values, rows, work)?;
    for (row, w) in rows.chunks_exact_mut(kernel.rows()).zip(values).skip(vanishing) {
        let length = w.sqrt();
        row.iter_mut().for_each(|u| *u *= length);
    }
    Ok(vanishing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Portable;

    /// Phi and the number of vanishing modes of a kernel (3, 3).
    fn features_of(kernel: &[f64; 9]) -> Result<([f64; 9], usize), Error> {
        let (mut values, mut rows, mut work) = ([0.0; 3], [0.0; 9], [0.0; modes_work_len(3)]);
        let vanishing = features(&Portable, MatRef::new(kernel, 3, 3)?, &mut values, &mut rows, &mut work)?;
        Ok((rows, vanishing))
    }

    #[test]
    fn features_have_the_kernel_for_their_gram_matrix() {
        // the second is of rank 2: its last row and column are those of the first sample
        let kernels = [[2.0, 0.5, -0.3, 0.5, 1.0, 0.2, -0.3, 0.2, 3.0], [2.0, 0.5, 2.0, 0.5, 1.0, 0.5, 2.0, 0.5, 2.0]];
        for (rank, kernel) in [3, 2].into_iter().zip(kernels) {
            let (phi, vanishing) = features_of(&kernel).unwrap();
            assert_eq!(vanishing, 3 - rank);
            for (i, j) in (0..3).flat_map(|i| (0..3).map(move |j| (i, j))) {
                let gram: f64 = (vanishing..3).map(|k| phi[3 * k + i] * phi[3 * k + j]).sum();
                assert!((gram - kernel[3 * i + j]).abs() < 1e-14, "({i}, {j}): {gram}");
            }
        }
    }

    #[test]
    fn a_negative_eigenvalue_beyond_rounding_is_refused() {
        let almost = |w: f64| features_of(&[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, w]);
        assert_eq!(almost(-1e-9).map(|(_, vanishing)| vanishing), Ok(1));
        assert_eq!(almost(-1e-6).map(|_| ()), Err(Error::IndefiniteKernel { eigenvalue: 0 }));
    }
}
