//! Householder's reflections.

use ntkscope_core::Real;

/// Numbers that are added side by side in [`dot`]: two vectors of the widest instructions in f64.
const LANES: usize = 16;

/// beta and tau of the reflection `H = I - tau v v^T`, v_0 = 1, with `H x = (beta, 0, 0, …)`; `x` becomes v.
///
/// Where what lies behind x_0 is so small that its square loses digits, it is taken for 0, and H for the identity: x is
/// part of a matrix whose largest entry is about 1, beside which that is nothing, but a v without digits is no reflection.
/// (Golub and Van Loan, Matrix Computations, algorithm 5.1.1.)
#[inline(always)]
pub(super) fn reflect<T: Real>(x: &mut [T]) -> (T, T) {
    let Some((first, rest)) = x.split_first_mut() else { return (T::ZERO, T::ZERO) };
    let (alpha, square) = (*first, dot(rest, rest));
    *first = T::ONE;
    if square <= T::SMALLEST / T::EPSILON {
        rest.fill(T::ZERO);
        return (alpha, T::ZERO);
    }
    let norm = (alpha * alpha + square).sqrt();
    // the sign by which nothing cancels
    let beta = if alpha > T::ZERO { -norm } else { norm };
    let scale = T::ONE / (alpha - beta);
    rest.iter_mut().for_each(|x| *x *= scale);
    (beta, (beta - alpha) / beta)
}

/// `x . y` in an order that vectors of every width keep. To be inlined where the instructions are known, as core's is not.
#[inline(always)]
pub(super) fn dot<T: Real>(x: &[T], y: &[T]) -> T {
    let mut sums = [T::ZERO; LANES];
    let (xs, x_rest) = x.as_chunks::<LANES>();
    let (ys, y_rest) = y.as_chunks::<LANES>();
    for (x, y) in xs.iter().zip(ys) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
        half /= 2;
    }
    x_rest.iter().zip(y_rest).fold(sums[0], |sum, (x, y)| sum + *x * *y)
}

/// `y <- y - factor x`
#[inline(always)]
pub(super) fn subtract<T: Real>(y: &mut [T], factor: T, x: &[T]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y -= factor * *x);
}
