//! Small dense decompositions in place: symmetric eigenvalues and eigenvectors, Cholesky; sums along vectors.

mod cholesky;
mod eigen;
mod squares;

pub use cholesky::{cholesky, cholesky_solve};
pub use eigen::{symmetric_eigen, symmetric_eigenvalues};
pub use squares::{Squares, distance, max_distance, norm};

use crate::{Error, MatRef, Real};

/// Adjacent partial sums of [`sum_of_squares`] and [`dot`].
const LANES: usize = 8;

/// sum_k x_k y_k.
///
/// Order: eight partial sums over k mod 8, each from left to right, then the eight from left to right.
/// Eight sums, so that a vector unit can hold them; always eight, so that every machine has the same bits.
///
/// # Panics
/// Where the lengths differ.
#[track_caller]
pub fn dot<T: Real>(x: &[T], y: &[T]) -> T {
    assert_eq!(x.len(), y.len(), "dot: lengths");
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
///
/// # Panics
/// Where the lengths differ.
#[track_caller]
pub fn squared_distance<T: Real>(x: &[T], y: &[T]) -> T {
    assert_eq!(x.len(), y.len(), "squared_distance: lengths");
    let mut sums = [T::ZERO; LANES];
    for (x, y) in x.chunks(LANES).zip(y.chunks(LANES)) {
        for (s, (x, y)) in sums.iter_mut().zip(x.iter().zip(y)) {
            let d = *x - *y;
            *s += d * d;
        }
    }
    sums.iter().fold(T::ZERO, |total, s| total + *s)
}

/// `Ok` where `a` is square and its lower triangle finite: what every decomposition of a symmetric matrix asks for.
///
/// # Errors
/// [`Error::Shape`], [`Error::NonFinite`].
pub fn check_symmetric<T: Real>(a: MatRef<'_, T>) -> Result<(), Error> {
    Error::shape("symmetric matrix: columns", a.rows(), a.cols())?;
    let finite = |i| match a.has_adjacent_columns() {
        true => a.row(i)[..=i].iter().all(|x| x.is_finite()),
        false => a.entries(i).take(i + 1).all(T::is_finite),
    };
    if (0..a.rows()).all(finite) { Ok(()) } else { Err(Error::NonFinite { what: "symmetric matrix" }) }
}

/// `Ok` where a symmetric `a` (n, n) is finite and the buffers of its eigenvalues have n elements, `vectors` (n, n).
///
/// # Errors
/// [`Error::Shape`], [`Error::BufferLength`], [`Error::NonFinite`].
pub fn check_eigen<T: Real>(
    a: MatRef<'_, T>,
    values: &[T],
    vectors: Option<MatRef<'_, T>>,
    scratch: &[T],
) -> Result<(), Error> {
    let n = a.rows();
    Error::shape("eigenvalues: values", n, values.len())?;
    if let Some(vectors) = vectors {
        Error::shape("eigenvectors: rows", n, vectors.rows())?;
        Error::shape("eigenvectors: columns", n, vectors.cols())?;
    }
    Error::at_least("eigenvalues: scratch", n, scratch.len())?;
    check_symmetric(a)
}
