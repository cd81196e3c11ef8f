//! Eigenvalues of a symmetric tridiagonal matrix, without a root in the inner loop: the QL algorithm of Pal, Walker and
//! Kahan on the squares of the elements beside the diagonal (Parlett, The Symmetric Eigenvalue Problem, section 8.15).

use ntkscope_core::{Error, Real};

/// QL sweeps allowed for one eigenvalue; two are typical.
const SWEEPS: usize = 60;

/// Eigenvalues of the matrix with `diagonal` (n) and `off` (n - 1 and one more), the elements beside it, into `diagonal`,
/// ascending; `off` is destroyed. Largest entries from 1 to some thousands: squares are taken.
///
/// # Errors
/// [`Error::NoConvergence`].
pub(super) fn eigenvalues<T: Real>(diagonal: &mut [T], off: &mut [T]) -> Result<(), Error> {
    let n = diagonal.len();
    off[..n.saturating_sub(1)].iter_mut().for_each(|e| *e *= *e);
    let mut start = 0;
    while start < n {
        // a block that no negligible element cuts
        let end = (start..n - 1).find(|&i| negligible(diagonal, off, i)).unwrap_or(n - 1);
        if end < n - 1 {
            off[end] = T::ZERO;
        }
        let (d, e) = (&mut diagonal[start..=end], &mut off[start..end]);
        if d[d.len() - 1].abs() < d[0].abs() {
            // QL is exact for small elements at the end where it begins
            d.reverse();
            e.reverse();
        }
        block(d, e).map_err(|at| Error::NoConvergence { eigenvalue: start + at })?;
        start = end + 1;
    }
    diagonal.sort_unstable_by(|x, y| x.partial_cmp(y).unwrap_or(std::cmp::Ordering::Equal));
    Ok(())
}

/// Whether the element between i and i + 1, whose square is `off[i]`, is 0 beside the two on the diagonal, or so small that
/// its square loses digits.
fn negligible<T: Real>(diagonal: &[T], off: &[T], i: usize) -> bool {
    let size = T::EPSILON * (diagonal[i].abs() + diagonal[i + 1].abs());
    off[i] <= Real::max(size * size, T::SMALLEST / T::EPSILON)
}

/// Eigenvalues of one block into `d`, in no order; or the index of one for which the sweeps were too few.
fn block<T: Real>(d: &mut [T], e: &mut [T]) -> Result<(), usize> {
    let two = T::from_f64(2.0);
    for first in 0..d.len() {
        for sweep in 0.. {
            let last = (first..d.len() - 1).find(|&i| negligible(d, e, i)).unwrap_or(d.len() - 1);
            if last < d.len() - 1 {
                e[last] = T::ZERO;
            }
            if last == first {
                break;
            }
            if sweep == SWEEPS {
                return Err(first);
            }
            // Wilkinson's shift
            let root = e[first].sqrt();
            let half = (d[first + 1] - d[first]) / (two * root);
            let r = (half * half + T::ONE).sqrt();
            let shift = d[first] - root / (half + if half < T::ZERO { -r } else { r });
            let (mut cosine, mut sine) = (T::ONE, T::ZERO);
            let mut gamma = d[last] - shift;
            let mut p = gamma * gamma;
            for i in (first..last).rev() {
                let square = e[i];
                let r = p + square;
                if i + 1 < last {
                    e[i + 1] = sine * r;
                }
                let (old_cosine, old_gamma) = (cosine, gamma);
                (cosine, sine) = (p / r, square / r);
                gamma = cosine * (d[i] - shift) - sine * old_gamma;
                d[i + 1] = old_gamma + (d[i] - gamma);
                p = if cosine == T::ZERO { old_cosine * square } else { gamma * gamma / cosine };
            }
            e[first] = sine * p;
            d[first] = shift + gamma;
        }
    }
    Ok(())
}
