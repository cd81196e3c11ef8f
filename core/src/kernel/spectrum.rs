//! What a kernel's eigenvalues say, and how far they are known.

use crate::choice::choice;
use crate::{Backend, Error, MatMut, MatRef, Real};

choice! {
    /// The sign of a symmetric matrix's eigenvalues, as far as it is known.
    #[non_exhaustive]
    pub enum Definiteness {
        /// every eigenvalue is above 0 by more than rounding
        Positive = "positive-definite",
        /// the smallest eigenvalue is 0 to rounding, and the largest is not
        Singular = "singular",
        /// the smallest eigenvalue is below 0 by more than rounding: no kernel has one
        Indefinite = "indefinite",
        /// every entry is 0
        Zero = "zero",
        /// an eigenvalue is not finite
        Unknown = "unknown",
    }
}

/// What the eigenvalues of a kernel say. NaN stands for what is undefined.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Spectrum<T> {
    /// smallest eigenvalue; exactly 0 where it is within `uncertainty` of that
    pub lambda_min: T,
    /// largest eigenvalue
    pub lambda_max: T,
    /// to what the eigenvalues are known
    pub uncertainty: T,
    /// lambda_max / lambda_min; infinite where lambda_min is 0 to rounding, undefined for an indefinite matrix and for 0
    pub condition: T,
    /// exp of the entropy of the eigenvalues divided by their sum (Roy and Vetterli 2007); eigenvalues that
    /// rounding made negative count as 0. Undefined where none is positive.
    pub effective_rank: T,
}

impl<T: Real> Spectrum<T> {
    /// From all n eigenvalues, ascending, of a matrix computed in a scalar of this `epsilon`: they are known to
    /// `n epsilon max|lambda|`.
    ///
    /// ```
    /// use ntkscope_core::kernel::{Definiteness, Spectrum};
    /// let s = Spectrum::of_eigenvalues(&[-3e-16, 1.0, 2.0], f64::EPSILON);
    /// assert_eq!((s.lambda_min, s.condition, s.definiteness()), (0.0, f64::INFINITY, Definiteness::Singular));
    /// let s = Spectrum::of_eigenvalues(&[-1.0, 1.0], f64::EPSILON);
    /// assert!(s.condition.is_nan() && s.definiteness() == Definiteness::Indefinite);
    /// ```
    pub fn of_eigenvalues(values: &[T], epsilon: T) -> Self {
        let nan = T::from_f64(f64::NAN);
        let (lambda_min, lambda_max) = match (values.first(), values.last()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => (nan, nan),
        };
        let largest = lambda_min.abs().max(lambda_max.abs());
        let ends = Self::of_ends(lambda_min, lambda_max, T::from_count(values.len()) * epsilon * largest);
        // their sum may leave the scalar's range: a power of two rounds nothing
        let unit = lambda_max.power_of_two();
        let total = values.iter().fold(T::ZERO, |s, x| s + (*x / unit).max(T::ZERO));
        let entropy = values.iter().filter(|x| **x > T::ZERO).fold(T::ZERO, |s, x| {
            let p = *x / unit / total;
            // a share too small to be represented contributes nothing
            if p > T::ZERO { s - p * p.ln() } else { s }
        });
        let is_known = total > T::ZERO && total.is_finite();
        Self { effective_rank: if is_known { entropy.exp() } else { nan }, ..ends }
    }

    /// From the outermost eigenvalues, known to `uncertainty`; the effective rank is undefined.
    pub fn of_ends(lambda_min: T, lambda_max: T, uncertainty: T) -> Self {
        let nan = T::from_f64(f64::NAN);
        let lambda_min = if lambda_min.abs() <= uncertainty { T::ZERO } else { lambda_min };
        let mut ends = Self { lambda_min, lambda_max, uncertainty, condition: nan, effective_rank: nan };
        ends.condition = match ends.definiteness() {
            Definiteness::Positive => lambda_max / lambda_min,
            Definiteness::Singular => T::from_f64(f64::INFINITY),
            Definiteness::Indefinite | Definiteness::Zero | Definiteness::Unknown => nan,
        };
        ends
    }

    /// The sign of the eigenvalues.
    pub fn definiteness(&self) -> Definiteness {
        let Self { lambda_min, lambda_max, .. } = *self;
        if !(lambda_min.is_finite() && lambda_max.is_finite()) {
            Definiteness::Unknown
        } else if lambda_min < T::ZERO {
            Definiteness::Indefinite
        } else if lambda_min > T::ZERO {
            Definiteness::Positive
        } else if lambda_max > T::ZERO {
            Definiteness::Singular
        } else {
            Definiteness::Zero
        }
    }
}

/// The spectrum of a symmetric kernel `(n, n)`, of which the lower triangle counts, computed in the scalar T. `work`
/// `(n, n)` is destroyed; `values` and `scratch` hold n numbers, and `values` has the eigenvalues afterwards, ascending.
///
/// # Errors
/// [`Error::Shape`]; [`Error::OutOfRange`] where n is 0; those of [`Backend::symmetric_eigenvalues`].
pub fn spectrum<T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    kernel: MatRef<'_, T>,
    mut work: MatMut<'_, T>,
    values: &mut [T],
    scratch: &mut [T],
) -> Result<Spectrum<T>, Error> {
    Error::shape("spectrum: columns of the kernel", kernel.rows(), kernel.cols())?;
    Error::shape("spectrum: rows of work", kernel.rows(), work.rows())?;
    Error::shape("spectrum: columns of work", kernel.rows(), work.cols())?;
    if kernel.rows() == 0 {
        return Err(Error::OutOfRange { what: "spectrum: rows of the kernel", needs: "at least 1", got: 0.0 });
    }
    for i in 0..kernel.rows() {
        work.row_mut(i).iter_mut().zip(kernel.entries(i)).for_each(|(to, from)| *to = from);
    }
    backend.symmetric_eigenvalues(work, values, scratch)?;
    Ok(Spectrum::of_eigenvalues(&values[..kernel.rows()], T::EPSILON))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nor does it depend on the kernel's unit, in which sums of eigenvalues may leave the scalar's range.
    #[test]
    fn the_effective_rank_of_equal_eigenvalues_is_their_number() {
        for size in [f32::MAX, 2e38, 1.0, 1e-30, f32::MIN_POSITIVE, 1e-44] {
            for n in [1, 2, 7] {
                let rank = Spectrum::of_eigenvalues(&[size; 7][..n], f32::EPSILON).effective_rank;
                assert!((rank - n as f32).abs() < 1e-5, "{rank} of {n} times {size:e}");
            }
        }
        let of = |power: i32| {
            let values = [-0.1, 0.3, 2.0, 5.0, 7.5].map(|x: f32| x * 2f32.powi(power));
            Spectrum::of_eigenvalues(&values, f32::EPSILON).effective_rank
        };
        for power in [-120, -60, 60, 124] {
            assert_eq!(of(power).to_bits(), of(0).to_bits(), "2^{power}");
        }
        for beyond in [f32::INFINITY, f32::NAN] {
            assert!(Spectrum::of_eigenvalues(&[1.0, beyond], f32::EPSILON).effective_rank.is_nan());
        }
        assert!(Spectrum::of_eigenvalues(&[-1.0f32, 0.0], f32::EPSILON).effective_rank.is_nan());
    }
}
