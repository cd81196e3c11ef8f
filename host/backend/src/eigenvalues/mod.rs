//! Eigenvalues of a dense symmetric matrix in two stages: to a band by products of matrices, and along the band, which
//! fits a cache, to a tridiagonal matrix. One stage alone reads half of the matrix for every column, and waits for memory.

mod band;
mod chase;
mod panel;
mod reflection;
mod tridiagonal;

#[cfg(test)]
mod tests;

use ntkscope_core::{Error, MatMut};

use crate::largest;
use crate::until::{Asked, LEFT_OUT};
use crate::vector::Vectorized;

/// Rows from which two stages are faster than one: by measurement 1 to 1.2 times at 700, 1.3 times at 1000, on one thread.
pub(super) const WORTH: usize = 700;

/// Diagonals below the main one of the band in between: products take longer for fewer, the way along the band for more;
/// by measurement 32 to 64 differ by 5 %.
const WIDTH: usize = 48;

/// Numbers that [`two_stages`] takes beside its arguments.
pub(super) const fn len(rows: usize) -> u128 {
    band::space(rows, WIDTH).saturating_add(rows as u128 * chase::line(WIDTH) as u128)
}

/// Eigenvalues, ascending, into `values` (n) of the symmetric matrix whose lower triangle is in `a`, which holds no number
/// that is not finite. `a` is destroyed; `scratch` has n elements. Absolute error about n epsilon |A|: of what has
/// been tried 1.3 at most, where the rounding errors of all rows are alike, else below 0.5. Beside
/// `a`, [`len`] numbers are taken.
///
/// # Errors
/// [`Error::NoConvergence`], also where `asked` says that it is to end; [`Error::NonFinite`] where an eigenvalue is larger than the
/// scalar's largest number.
pub(super) fn two_stages<T: Vectorized>(
    a: MatMut<'_, T>,
    values: &mut [T],
    scratch: &mut [T],
    asked: &Asked,
) -> Result<(), Error> {
    with_width::<T, WIDTH>(a, values, scratch, asked)
}

/// [`two_stages`] with a band of B diagonals.
fn with_width<T: Vectorized, const B: usize>(
    mut a: MatMut<'_, T>,
    values: &mut [T],
    scratch: &mut [T],
    asked: &Asked,
) -> Result<(), Error> {
    let n = a.rows();
    let (values, scratch) = (&mut values[..n], &mut scratch[..n]);
    // a power of two that brings the largest entry near 1, so that squares of entries stay in the scalar's range
    let scale = largest(a.as_ref()).power_of_two();
    for i in 0..n {
        a.row_mut(i)[..=i].iter_mut().for_each(|x| *x /= scale);
    }
    band::to_band(a.reborrow(), B, asked);
    chase::Band::<T, B>::new(a.as_ref()).tridiagonal(values, scratch, asked);
    if asked() {
        return Err(LEFT_OUT);
    }
    tridiagonal::eigenvalues(values, scratch)?;
    values.iter_mut().for_each(|value| *value *= scale);
    if values.iter().all(|value| value.is_finite()) {
        Ok(())
    } else {
        Err(Error::NonFinite { what: "symmetric matrix" })
    }
}
