//! The summary of one kernel matrix.

use ntkscope_core::kernel::spectrum;
use ntkscope_core::{Backend, Error, MatMut, MatRef, Real};
use serde::Serialize;

use crate::kernel::Extremes;
use crate::words::{count, number, precise};

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
    pub frobenius: f64,
    /// smallest eigenvalue; an upper bound where `lanczos` says that it has not converged
    pub lambda_min: f64,
    /// largest eigenvalue; a lower bound where `lanczos` says that it has not converged
    pub lambda_max: f64,
    /// their quotient
    pub condition: f64,
    /// exp of the entropy of the normalised eigenvalues, where all of them were computed
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
    trace: f64,
    squares: f64,
}

impl Default for Entries {
    fn default() -> Self {
        Self { min: f64::INFINITY, max: f64::NEG_INFINITY, trace: 0.0, squares: 0.0 }
    }
}

impl Entries {
    /// Adds a block whose first element is (row, col), and its mirror image if that is not added by itself.
    ///
    /// # Errors
    /// [`Error::NonFinite`].
    pub fn add<T: Real>(&mut self, row: usize, col: usize, block: MatRef<'_, T>, mirrored: bool) -> Result<(), Error> {
        let mut squares = 0.0;
        for i in 0..block.rows() {
            for entry in block.row(i).iter().map(|k| k.to_f64()) {
                if !entry.is_finite() {
                    return Err(Error::NonFinite { what: "an entry of the kernel", step: 0 });
                }
                (self.min, self.max) = (self.min.min(entry), self.max.max(entry));
                squares += entry * entry;
            }
            if let Some(j) = (row + i).checked_sub(col).filter(|j| *j < block.cols()) {
                self.trace += block.at(i, j).to_f64();
            }
        }
        self.squares += if mirrored { 2.0 * squares } else { squares };
        Ok(())
    }

    fn summary(&self, n: usize, lambda: (f64, f64), condition: f64) -> KernelSummary {
        KernelSummary {
            n,
            min: self.min,
            max: self.max,
            mean_diagonal: self.trace / n as f64,
            frobenius: self.squares.sqrt(),
            lambda_min: lambda.0,
            lambda_max: lambda.1,
            condition,
            effective_rank: None,
            lanczos: None,
        }
    }
}

impl KernelSummary {
    /// The summary of a kernel that is held whole, from all its eigenvalues.
    ///
    /// # Errors
    /// A non-finite entry, or eigenvalues that do not converge.
    pub fn whole<T: Real>(backend: &dyn Backend<T>, kernel: MatRef<'_, T>) -> Result<Self, Error> {
        let n = kernel.rows();
        let mut entries = Entries::default();
        entries.add(0, 0, kernel, false)?;
        let (mut work, mut values, mut scratch) = (vec![T::ZERO; n * n], vec![T::ZERO; n], vec![T::ZERO; n]);
        let s = spectrum(backend, kernel, MatMut::new(&mut work, n, n)?, &mut values, &mut scratch)?;
        Ok(Self {
            effective_rank: Some(s.effective_rank.to_f64()),
            ..entries.summary(n, (s.lambda_min.to_f64(), s.lambda_max.to_f64()), s.condition.to_f64())
        })
    }

    /// The summary of a kernel of n rows that was never held whole.
    pub fn large(n: usize, entries: &Entries, Extremes { steps, min, max }: Extremes) -> Self {
        Self {
            lanczos: Some(Lanczos {
                steps,
                lambda_min_residual: min.residual,
                lambda_min_converged: min.converged,
                lambda_max_residual: max.residual,
                lambda_max_converged: max.converged,
            }),
            ..entries.summary(n, (min.value, max.value), max.value / min.value)
        }
    }
}

impl std::fmt::Display for KernelSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { n, min, max, mean_diagonal, frobenius, lambda_min, lambda_max, condition, .. } = self;
        let (min, max, mean_diagonal) = (precise(*min), precise(*max), precise(*mean_diagonal));
        write!(f, "{n} x {n}, entries {min} to {max}, mean diagonal {mean_diagonal}, ")?;
        write!(f, "Frobenius norm {}, ", precise(*frobenius))?;
        let (smallest_value, largest_value) = (precise(*lambda_min), precise(*lambda_max));
        let Some(lanczos) = &self.lanczos else {
            let condition = number(*condition);
            write!(f, "lambda_min {smallest_value}, lambda_max {largest_value}, condition {condition}")?;
            return self.effective_rank.map_or(Ok(()), |rank| write!(f, ", effective rank {}", number(rank)));
        };
        let Lanczos { steps, lambda_min_residual: below, lambda_max_residual: above, .. } = lanczos;
        let sign = |converged: bool, bound: &'static str| if converged { "" } else { bound };
        let (smallest, largest) =
            (sign(lanczos.lambda_min_converged, "<= "), sign(lanczos.lambda_max_converged, ">= "));
        let (below, above) = (number(*below), number(*above));
        write!(f, "lambda_min {smallest}{smallest_value} (residual {below}), ")?;
        write!(f, "lambda_max {largest}{largest_value} (residual {above}), ")?;
        let bound = *lambda_min > 0.0 && !(smallest.is_empty() && largest.is_empty());
        write!(f, "condition {}{}; ", if bound { ">= " } else { "" }, number(*condition))?;
        let ended = if smallest.is_empty() { "" } else { ", lambda_min not converged" };
        write!(f, "eigenvalues by {}{ended}", count(*steps, "Lanczos step"))
    }
}
