//! The summary of one kernel matrix.

use ntkscope_core::kernel::{Definiteness, Spectrum, spectrum};
use ntkscope_core::linalg::Squares;
use ntkscope_core::{Backend, Error, MatMut, MatRef, Real};
use serde::Serialize;

use crate::files::Dtype;
use crate::files::numbers::{defined, json};
use crate::kernel::{Extremes, Ritz};
use crate::words::{count, number, precise};

/// What both ends of the spectrum of a matrix of n rows say of it, whose entries have the relative error epsilon.
pub fn spectrum_of_ends(n: usize, min: &Ritz, max: &Ritz, epsilon: f64) -> Spectrum<f64> {
    let rounding = n as f64 * epsilon * min.value.abs().max(max.value.abs());
    // what has not converged is a bound, from which the residual takes nothing
    let uncertainty = if min.converged { rounding.max(min.residual) } else { rounding };
    Spectrum::of_ends(min.value, max.value, uncertainty)
}

/// The summary of a symmetric kernel.
#[derive(Clone, Debug, Serialize)]
pub struct KernelSummary {
    /// rows
    pub n: usize,
    /// smallest entry
    pub min: f64,
    /// largest entry
    pub max: f64,
    /// trace / n
    pub mean_diagonal: f64,
    /// |K|_F
    #[serde(serialize_with = "json")]
    pub frobenius: f64,
    /// smallest eigenvalue, exactly 0 where it is 0 to rounding; an upper bound where `lanczos` says that it has not
    /// converged
    pub lambda_min: f64,
    /// largest eigenvalue; a lower bound where `lanczos` says that it has not converged
    pub lambda_max: f64,
    /// to what rounding lets the eigenvalues be known: n epsilon max|lambda|
    pub lambda_uncertainty: f64,
    /// the sign of the eigenvalues
    pub definiteness: Definiteness,
    /// lambda_max / lambda_min; `None` where that is infinite (singular) or undefined (zero, indefinite)
    pub condition: Option<f64>,
    /// exp of the entropy of the normalized eigenvalues, where all of them were computed and one is positive
    pub effective_rank: Option<f64>,
    /// how sure the outermost eigenvalues are, where only those were computed
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lanczos: Option<Lanczos>,
}

/// How sure the outermost eigenvalues of a large kernel are.
#[derive(Clone, Debug, Serialize)]
pub struct Lanczos {
    /// products with the kernel
    pub steps: usize,
    /// an eigenvalue lies within this of `lambda_min`
    pub lambda_min_residual: f64,
    /// whether that is little beside it
    pub lambda_min_converged: bool,
    /// an eigenvalue lies within this of `lambda_max`
    pub lambda_max_residual: f64,
    /// whether that is little beside it
    pub lambda_max_converged: bool,
}

/// What the entries of a symmetric kernel say, gathered block by block.
#[derive(Clone, Copy, Debug)]
pub struct Entries {
    min: f64,
    max: f64,
    /// of so many diagonal elements
    mean_diagonal: f64,
    diagonal: usize,
    squares: Squares<f64>,
}

impl Default for Entries {
    fn default() -> Self {
        Self {
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            mean_diagonal: 0.0,
            diagonal: 0,
            squares: Squares::default(),
        }
    }
}

impl Entries {
    /// Adds a block whose first element is (row, col), and its mirror image if that is not added by itself.
    ///
    /// # Errors
    /// [`Error::NonFinite`].
    pub fn add<T: Real>(&mut self, row: usize, col: usize, block: MatRef<'_, T>, mirrored: bool) -> Result<(), Error> {
        let mut squares = Squares::default();
        for i in 0..block.rows() {
            for entry in block.row(i).iter().map(|k| k.to_f64()) {
                if !entry.is_finite() {
                    return Err(Error::NonFinite { what: "an entry of the kernel" });
                }
                (self.min, self.max) = (self.min.min(entry), self.max.max(entry));
            }
            squares.add(block.row(i).iter().map(|k| k.to_f64()));
            if let Some(j) = (row + i).checked_sub(col).filter(|j| *j < block.cols()) {
                // a mean, because the sum of large numbers may overflow
                self.diagonal += 1;
                self.mean_diagonal += (block.at(i, j).to_f64() - self.mean_diagonal) / self.diagonal as f64;
            }
        }
        self.squares.join(squares, if mirrored { 2 } else { 1 });
        Ok(())
    }

    /// Adds what another block says, twice where it has a mirror image that is not added by itself.
    pub(super) fn join(&mut self, other: &Self, mirrored: bool) {
        (self.min, self.max) = (self.min.min(other.min), self.max.max(other.max));
        self.squares.join(other.squares, if mirrored { 2 } else { 1 });
        if other.diagonal > 0 {
            self.diagonal += other.diagonal;
            self.mean_diagonal +=
                (other.mean_diagonal - self.mean_diagonal) * (other.diagonal as f64 / self.diagonal as f64);
        }
    }

    /// All of it as numbers.
    pub(super) fn numbers(&self) -> [f64; 6] {
        let (scale, sum) = self.squares.parts();
        [self.min, self.max, self.mean_diagonal, self.diagonal as f64, scale, sum]
    }

    /// What [`Self::numbers`] has told.
    pub(super) fn of_numbers([min, max, mean_diagonal, diagonal, scale, sum]: [f64; 6]) -> Self {
        Self { min, max, mean_diagonal, diagonal: diagonal as usize, squares: Squares::from_parts((scale, sum)) }
    }

    fn summary(&self, n: usize, spectrum: Spectrum<f64>) -> KernelSummary {
        let Spectrum { lambda_min, lambda_max, uncertainty, condition, effective_rank, .. } = spectrum;
        KernelSummary {
            n,
            min: self.min,
            max: self.max,
            mean_diagonal: self.mean_diagonal,
            frobenius: self.squares.norm(),
            lambda_min,
            lambda_max,
            lambda_uncertainty: uncertainty,
            definiteness: spectrum.definiteness(),
            condition: Some(condition).filter(|condition| condition.is_finite()),
            effective_rank: defined(effective_rank),
            lanczos: None,
        }
    }
}

impl KernelSummary {
    /// The summary of a kernel that is held whole, from all its eigenvalues; its entries were computed in `dtype`.
    ///
    /// # Errors
    /// An entry or an eigenvalue that is not finite, or eigenvalues that do not converge.
    pub fn whole<T: Real>(backend: &dyn Backend<T>, kernel: MatRef<'_, T>, dtype: Dtype) -> Result<Self, Error> {
        Ok(Self::with_spectrum(backend, kernel, dtype)?.0)
    }

    /// The same, and the eigenvalues in increasing order.
    ///
    /// # Errors
    /// As [`Self::whole`].
    pub fn with_spectrum<T: Real>(
        backend: &dyn Backend<T>,
        kernel: MatRef<'_, T>,
        dtype: Dtype,
    ) -> Result<(Self, Vec<f64>), Error> {
        let n = kernel.rows();
        let mut entries = Entries::default();
        entries.add(0, 0, kernel, false)?;
        let (mut work, mut values, mut scratch) = (vec![T::ZERO; n * n], vec![T::ZERO; n], vec![T::ZERO; n]);
        spectrum(backend, kernel, MatMut::new(&mut work, n, n)?, &mut values, &mut scratch)?;
        let values: Vec<f64> = values.iter().map(|value| value.to_f64()).collect();
        // squares of entries that the scalar holds may leave it
        if !values.iter().all(|value| value.is_finite()) {
            return Err(Error::NonFinite { what: "an eigenvalue of the kernel" });
        }
        let epsilon = T::EPSILON.to_f64().max(dtype.epsilon());
        Ok((entries.summary(n, Spectrum::of_eigenvalues(&values, epsilon)), values))
    }

    /// The summary of a kernel of n rows that was never held whole; its entries were computed in `dtype`.
    pub fn large(n: usize, entries: &Entries, Extremes { steps, min, max }: Extremes, dtype: Dtype) -> Self {
        Self {
            lanczos: Some(Lanczos {
                steps,
                lambda_min_residual: min.residual,
                lambda_min_converged: min.converged,
                lambda_max_residual: max.residual,
                lambda_max_converged: max.converged,
            }),
            ..entries.summary(n, spectrum_of_ends(n, &min, &max, dtype.epsilon()))
        }
    }

    /// Whether it has no inverse: singular or 0.
    pub fn is_singular(&self) -> bool {
        matches!(self.definiteness, Definiteness::Singular | Definiteness::Zero)
    }

    /// lambda_min and lambda_max, each bound marked as such where it has not converged.
    fn eigenvalues(&self) -> String {
        let bound = |converged: bool, sign: &'static str| if converged { "" } else { sign };
        let residual = |residual: f64| format!(" (residual {})", number(residual));
        let (below, above, of_min, of_max) = self.lanczos.as_ref().map_or(Default::default(), |l| {
            let (below, above) = (bound(l.lambda_min_converged, "<= "), bound(l.lambda_max_converged, ">= "));
            (below, above, residual(l.lambda_min_residual), residual(l.lambda_max_residual))
        });
        let lambda_min = match self.definiteness {
            Definiteness::Singular => "0 to rounding".into(),
            Definiteness::Zero => "0".into(),
            _ => format!("{below}{}", precise(self.lambda_min)),
        };
        format!("lambda_min {lambda_min}{of_min}, lambda_max {above}{}{of_max}", precise(self.lambda_max))
    }

    fn condition(&self) -> String {
        match (self.definiteness, self.condition) {
            (_, Some(condition)) => {
                let sure = |l: &Lanczos| l.lambda_min_converged && l.lambda_max_converged;
                let bound = if self.lanczos.as_ref().is_none_or(sure) { "" } else { ">= " };
                format!("condition {bound}{}", number(condition))
            }
            (Definiteness::Indefinite, None) if self.lambda_max > 0.0 => {
                "condition undefined (the matrix is indefinite)".into()
            }
            (Definiteness::Indefinite, None) => "condition undefined (no eigenvalue is positive)".into(),
            (Definiteness::Zero, None) => "condition undefined".into(),
            (_, None) => "condition infinite".into(),
        }
    }
}

impl std::fmt::Display for KernelSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { n, min, max, mean_diagonal, frobenius, .. } = self;
        let [min, max, mean_diagonal, frobenius] = [min, max, mean_diagonal, frobenius].map(|number| precise(*number));
        write!(f, "{n} x {n}, entries {min} to {max}, mean diagonal {mean_diagonal}, Frobenius norm {frobenius}, ")?;
        write!(f, "{}, {}", self.eigenvalues(), self.condition())?;
        let Some(Lanczos { steps, lambda_min_converged, .. }) = &self.lanczos else {
            return write!(f, ", effective rank {}", number(self.effective_rank.unwrap_or(f64::NAN)));
        };
        let ended = if *lambda_min_converged { "" } else { ", lambda_min not converged" };
        write!(f, "; eigenvalues by {}{ended}", count(*steps, "Lanczos step"))
    }
}
