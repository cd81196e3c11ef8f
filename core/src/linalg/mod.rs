//! Small dense decompositions in place: symmetric eigenvalues and eigenvectors, Cholesky.

mod cholesky;
mod eigen;

pub use cholesky::{cholesky, cholesky_solve};
pub use eigen::{symmetric_eigen, symmetric_eigenvalues};

use crate::Real;

/// Adjacent partial sums of [`sum_of_squares`] and [`dot`].
const LANES: usize = 8;

/// sum_k x_k y_k.
///
/// Order: eight partial sums over k mod 8, each from left to right, then the eight from left to right.
/// Eight sums, so that a vector unit can hold them; always eight, so that every machine has the same bits.
pub fn dot<T: Real>(x: &[T], y: &[T]) -> T {
    debug_assert_eq!(x.len(), y.len());
    let mut sums = [T::ZERO; LANES];
    let (xs, x_rest) = x.as_chunks::<LANES>();
    let (ys, y_rest) = y.as_chunks::<LANES>();
    for (x, y) in xs.iter().zip(ys) {
        for (s, (x, y)) in sums.iter_mut().zip(x.iter().zip(y)) {
            *s += *x * *y;
        }
    }
    for (s, (x, y)) in sums.iter_mut().zip(x_rest.iter().zip(y_rest)) {
        *s += *x * *y;
    }
    sums.iter().fold(T::ZERO, |total, s| total + *s)
}

/// |x|^2, in the order of [`dot`].
pub fn sum_of_squares<T: Real>(x: &[T]) -> T {
    dot(x, x)
}

/// |x - y|^2, in the order of [`dot`].
pub fn squared_distance<T: Real>(x: &[T], y: &[T]) -> T {
    debug_assert_eq!(x.len(), y.len());
    let mut sums = [T::ZERO; LANES];
    for (x, y) in x.chunks(LANES).zip(y.chunks(LANES)) {
        for (s, (x, y)) in sums.iter_mut().zip(x.iter().zip(y)) {
            let d = *x - *y;
            *s += d * d;
        }
    }
    sums.iter().fold(T::ZERO, |total, s| total + *s)
}
